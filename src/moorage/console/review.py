"""The review of a change of a live version: what changes, for whom, and the form that changes it."""

import difflib
from functools import partial
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from moorage.console.checks import Check, check
from moorage.console.conflicts import Conflict, compare, find_conflict
from moorage.console.content_warnings import content_warnings
from moorage.console.diff_view import diff_view
from moorage.console.form import Form
from moorage.console.page_request import PageRequest, Result
from moorage.console.problems import ErrorPage
from moorage.console.seen import Seen, see
from moorage.console.version_view import MAX_DOCUMENT, document
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import MoorageError, NotFound, PreconditionFailed, VersionUnreadable
from moorage.documents.yaml import dump_file

#: The boxes of the form: query parameters of the operation.
_BOXES: Final = ("take_ownership", "allow_breaking", "emergency")

#: The actions of the history that an undo reverts.
_MOVES: Final = ("published", "undone", "unpublished", "restored")


class Kind(NamedTuple):
    """A kind of change: its operation, the end of the address of its page, and its notice."""

    name: str
    operation: str
    notice: str


class Review(NamedTuple):
    """What a page shows. `after` is the version that becomes live; None if there is none, or it is unknown."""

    kind: Kind
    path: str
    seen: Seen
    before: Any
    after: Any
    check: Check
    follows_after: bool
    values: dict[str, Any]


async def show(page: PageRequest, kind: Kind, form: Form | None = None, error: ErrorPage | None = None) -> Response:
    """Show a change before it is made; with the `form` that was refused, if there is one, and the `error`."""
    page.section = "deployments"
    try:
        if kind.name == "publish" and form is None and (number := await _number(page)) != page.path("version"):
            query = page.request.url.query
            path = f"/console/deployments/{page.path('key_or_id')}/publish/{number}"
            return page.redirect(f"{path}?{query}" if query else path)
        review, conflict = await _gather(page, kind, form, error)
    except MoorageError:
        if form is None or error is None:
            raise
        return page.render("refused.html", status=error.status, error=error, form=form)
    return await page.compute(partial(_render, page, review, conflict, form, error))


async def change(page: PageRequest, kind: Kind) -> Response:
    """Make the change of a form, and show the deployment; or the form again, with the reason why it was refused.

    A button of a layout shows the form again, with what is typed in it, and changes nothing.
    """
    form, key = await page.form(), page.path("key_or_id")
    if "layout" in form:
        return await show(page, kind, form)
    try:
        result = await _send(page, kind, form)
    except MoorageError as error:
        return await show(page, kind, form, page.failure(error))
    if result.is_proposal:
        return page.done(f"/console/proposals/{result.value['id']}", "proposed")
    seen = await see(page, key)
    values = {"version": seen.item["version"], "where": page.environment, "key": seen.item["key"]}
    if not seen.item["version"]:
        return page.done("/console/deployments", "removed", **values)
    notice = "unpublished" if seen.follows else "published" if not form.get("was") else kind.notice
    return page.done(f"/console/deployments/{seen.item['key']}", notice, **values, before=form.get("was"))


async def _number(page: PageRequest) -> str:
    """Return the number of the version in the address: the name of an environment can mean another one later."""
    found = await page.call("GetVersion", key_or_id=page.path("key_or_id"), version_or_id=page.path("version"))
    return str(found["version"])


async def _send(page: PageRequest, kind: Kind, form: Form) -> Result:
    key, preconditions = page.path("key_or_id"), {"If-Match": form.get("etag")}
    if not form.get("etag"):  # there was nothing that could have an ETag, so that must still be so
        seen = await see(page, key)
        if kind.name == "publish" and not seen.is_unreadable:
            preconditions = {"If-None-Match": "*"}  # checked by the write: others can publish until then
        elif seen.etag:
            raise PreconditionFailed(param="If-Match", key=seen.item["key"], given="none", etag=seen.etag)
    if kind.name != "publish":
        # The ETag is about this environment, and what follows production changes with production.
        after, _ = await _outcome(page, key, await check(page, kind.operation, None, key_or_id=key))
        if form.get("after") != _id(after):
            raise PreconditionFailed(param="If-Match", key=key, given=form.get("after"), etag=_id(after))
    query = {name: "true" for name in _BOXES if name in form}
    headers = {**preconditions, "Idempotency-Key": form.get("once")}
    return await page.send(
        kind.operation, {"reason": form.get("reason")}, query=query, headers=headers, **_path(page, kind, key)
    )


def _id(version: Any) -> str:
    return "" if version is None else str(version["_id"])


def _path(page: PageRequest, kind: Kind, key: str) -> dict[str, str]:
    names = {"key_or_id": key}
    return names | {"version_or_id": page.path("version")} if kind.name == "publish" else names


async def _gather(
    page: PageRequest, kind: Kind, form: Form | None, error: ErrorPage | None
) -> tuple[Review, Conflict | None]:
    seen = await see(page, page.path("key_or_id"))  # first: what is shown then is at least as new as the ETag
    key = seen.item["key"]
    path = f"/console/deployments/{key}/{kind.name}"
    found = await check(page, kind.operation, None, **_path(page, kind, key))
    before = await _version(page, key, "live") if seen.item["version"] else None
    follows_after = False
    if kind.name == "publish":
        path = f"{path}/{page.path('version')}"
        after = await page.call("GetVersion", key_or_id=key, version_or_id=page.path("version"))
        if found.result is None:
            found.known_warnings = await content_warnings(page, after)
    else:
        after, follows_after = await _outcome(page, key, found)
    breaks = found
    if kind.name == "undo" and after is not None and not follows_after:  # it is not refused, so it does not say
        breaks = await check(page, "PublishVersion", key_or_id=key, version_or_id=after["_id"])
    entries = (await page.call("History", {"limit": "25"}, key_or_id=key))["data"]
    last = next((entry for entry in entries if entry["action"] in _MOVES), None)
    callers = await page.call("Callers", key_or_id=key)
    values = {"breaks": breaks, "last": last, "callers": callers["data"][:25]}
    review = Review(kind, path, seen, before, after, found, follows_after, values)
    if form is None or error is None or error.status != 412:
        return review, None
    environment = PRODUCTION if kind.name != "publish" and form.get("etag") == seen.etag else page.environment
    return review, await find_conflict(page, key, environment, form.get("base"), error)


async def _version(page: PageRequest, key: str, name: str) -> Any:
    """Return a version; None if there is none that can be read."""
    try:
        return await page.call("GetVersion", key_or_id=key, version_or_id=name)
    except (NotFound, VersionUnreadable):
        return None


async def _outcome(page: PageRequest, key: str, found: Check) -> tuple[Any, bool]:
    """Return the version that is live after an undo, and whether it is that of production, which is followed."""
    if found.result is None:
        return None, False
    if found.proposal is not None:
        number = found.proposal["items"][0]["version"]
        return await _version(page, key, number or "production"), number is None
    follows = found.result.headers["x-moorage-environment"].endswith(";follows=production")
    return found.result.value if found.result.value["status"] == "live" else None, follows


def _render(
    page: PageRequest, review: Review, conflict: Conflict | None, form: Form | None, error: ErrorPage | None
) -> Response:
    key, description = review.seen.item["key"], review.seen.item["description"]
    empty = {"key": key, "description": description, "prompt_config": {}}
    documents = [empty if each is None else document(key, description, each) for each in (review.before, review.after)]
    names = [("nothing" if each is None else each["version"]) for each in (review.before, review.after)]
    view = None
    if review.after is not None:
        layout = "" if form is None else form.get("layout")
        view = diff_view(page, review.path, (documents[0], documents[1]), (names[0], names[1]), layout=layout)
    typed = {"reason": form.get("reason") if form is not None else ""}
    # Somebody who confirmed the consequences of one state has not confirmed those of another.
    ticked = {name for name in _BOXES if form is not None and conflict is None and name in form}
    return page.render(
        "review.html", status=200 if error is None else error.status, error=error, kind=review.kind, path=review.path,
        seen=review.seen, item=review.seen.item, before=review.before, after=review.after, check=review.check,
        follows_after=review.follows_after, view=view, typed=typed, ticked=ticked, **review.values, conflict=conflict,
        comparison=None if conflict is None else compare(page, review.path, conflict, review.before, review.after),
        patch=_patch(documents, review.check.file) if review.check.file else "", nothing=_nothing(review, view),
        tab="versions" if review.kind.name == "publish" else "", draft=None,
    )  # fmt: skip


def _nothing(review: Review, view: Any) -> str:
    """Return why there is nothing to change; nothing if there is."""
    before, after = review.before, review.after
    if review.kind.name == "unpublish" and review.seen.follows:
        return "It follows production already."
    if review.kind.name != "publish" or before is None or review.seen.follows or review.check.file:
        return ""
    if before["_id"] == after["_id"]:
        return f"{after['version']} is live already."
    return "" if view.parts or view.omitted else f"Nothing differs from {before['version']}."


def _patch(documents: list[dict[str, Any]], file: str) -> str:
    """Return the change as a unified diff of a file; nothing if it is too large for a page."""
    before, after = map(dump_file, documents)
    if len(before) + len(after) > MAX_DOCUMENT:
        return ""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), f"a/{file}", f"b/{file}", lineterm="")
    return "\n".join(lines)
