"""An import into an environment that requires approvals: all documents become one proposal, or none does."""

import re
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET

from moorage.console.checks import warnings_of
from moorage.console.import_form import Chosen, Imported
from moorage.console.import_plan import raise_unless_about_document, reasons
from moorage.console.page_request import PageRequest
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import IdempotencyConflict, MoorageError, NotFound, PreconditionFailed
from moorage.core.errors.environments import NothingToPropose

#: The fields of a document with which a put always stores a new version.
_OF_NEW_VERSIONS: Final = ("notes", "version_bump")


class Terms(NamedTuple):
    """What all changes of a proposal share. `once` is the key with which the same form proposes once."""

    reason: str
    once: str


async def store(page: PageRequest, chosen: Chosen, reason: str) -> Imported:
    """Store a document as a version that is not live, unless it is stored already, or is live.

    The result is drafted, unchanged or failed.

    Raises:
        MoorageError: others would have the same error.
    """
    headers = {**chosen.preconditions, "X-Moorage-Change-Reason": reason}
    try:
        if (stored := await _find_stored(page, chosen)) is not None:
            return stored
        try:
            result = await page.send(
                "PutDeployment", chosen.body, query={"draft": "true"}, headers=headers, key_or_id=chosen.key
            )
        except PreconditionFailed:  # also if the same form was sent twice at the same time
            changed = Imported(chosen.key, "failed", why=["It was changed since the plan was shown."])
            return await _find_stored(page, chosen) or changed
    except MoorageError as error:
        raise_unless_about_document(error)
        return Imported(chosen.key, "failed", why=reasons(error))
    warnings = [f"{path}: {text}" for path, text in warnings_of(result)]
    return Imported(chosen.key, "drafted", result.value["version"], why=warnings)


async def propose(page: PageRequest, chosen: list[Chosen], done: list[Imported], terms: Terms) -> list[Imported]:
    """Propose the versions that are drafted; return all documents, some of them failed if nothing is proposed.

    Raises:
        MoorageError: nothing is proposed, and that is not about a document.
    """
    drafted = [each for each in done if each.result == "drafted"]
    if not drafted:
        return done
    body = {
        "environment": page.environment,
        "deployments": [
            _item(document, each.version)
            for document, each in zip(chosen, done, strict=True)
            if each.result == "drafted"
        ],
        "reason": terms.reason,
        "allow_breaking": any(each.allow_breaking for each in chosen),
    }
    try:
        result = await page.send("Propose", body, headers={"Idempotency-Key": terms.once})
    except (NothingToPropose, IdempotencyConflict):
        raise
    except MoorageError as error:
        raise_unless_about_document(error)
        failed = _failed(drafted, error)
        if not failed:
            raise
        return [failed.get(each.key, each) for each in done]
    proposal = result.value["id"]
    return [
        msgspec.structs.replace(each, result="proposed", proposal=proposal) if each.result == "drafted" else each
        for each in done
    ]


async def _find_stored(page: PageRequest, chosen: Chosen) -> Imported | None:
    """Return the stored version that has the content of a document; None if there is none.

    It is unchanged if it is live. A version with other notes is another version.

    Raises:
        MoorageError: as a put that publishes; also `BreakingChange`, because a proposal allows all of them or none.
    """
    dry_run, key = {"dry_run": "true"}, chosen.key
    result = await page.send("PutDeployment", chosen.body, query=dry_run | chosen.query, key_or_id=key)
    if result.headers["x-moorage-result"] == "unchanged":
        return Imported(key, "unchanged", result.value["version"])
    plain, notes = _without_notes(chosen)
    result = await page.send("PutDeployment", plain, query=dry_run | {"draft": "true"}, key_or_id=key)
    try:
        version = await page.call("GetVersion", key_or_id=key, version_or_id=result.value["version"])
    except NotFound:
        return None
    warnings = [f"{each['path']}: {each['message']}" for each in result.value["warnings"]]
    if version["status"] == "live" and page.environment == PRODUCTION:  # elsewhere, a follower can get it as its own
        return Imported(key, "unchanged", version["version"], why=warnings)
    is_waiting = version["status"] in ("draft", "pending")
    if notes is not None and not (is_waiting and version.get("notes", "") == notes):
        return None
    return Imported(key, "drafted", version["version"], why=warnings)


def _without_notes(chosen: Chosen) -> tuple[object, str | None]:
    """Return a valid body without what makes a version a new one, and its notes; None if it has nothing of that."""
    if not any(f'"{name}"'.encode() in chosen.json for name in _OF_NEW_VERSIONS):
        return chosen.body, None
    body = msgspec.json.decode(chosen.json, type=dict[str, Any])
    plain = {name: value for name, value in body.items() if name not in _OF_NEW_VERSIONS}
    return plain, None if len(plain) == len(body) else body.get("notes") or ""


def _item(chosen: Chosen, version: str) -> dict[str, Any]:
    base = {} if chosen.live is UNSET else {"base": chosen.live}
    return {"key": chosen.key, "version": version, **base}


def _failed(drafted: list[Imported], error: MoorageError) -> dict[str, Imported]:
    """Return the documents that an error of a proposal is about, by key."""
    if len(drafted) == 1:
        return {drafted[0].key: Imported(drafted[0].key, "failed", why=reasons(error))}
    found = dict[str, Imported]()
    for problem in error.problems:
        place = re.match(r"deployments\[(\d+)\]", problem.path)
        if place is not None and int(place[1]) < len(drafted):
            key = drafted[int(place[1])].key
            found[key] = Imported(key, "failed", why=[problem.message])
    return found
