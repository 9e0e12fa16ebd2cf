"""The plan of an import: what the server would do with each document, and how the live version would change."""

from functools import partial
from typing import Final, Literal

import msgspec
from msgspec import UNSET

from moorage.api.errors import status_of
from moorage.console.differences import MAX_ROWS, Part, parts
from moorage.console.page_request import PageRequest
from moorage.core.compatibility.errors import BreakingChange
from moorage.core.deployments.manifest import Manifest
from moorage.core.deployments.proposal import FOLLOWS
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import MoorageError, NotFound
from moorage.core.errors.environments import NotInEnvironment
from moorage.documents.document import Document
from moorage.documents.plan import make_plan

Action = Literal["create", "update", "unchanged", "refused"]

#: The base of a deployment that must not exist, and of one that must.
NEW: Final = ""
ANY: Final = "*"

#: So many API keys are named that a breaking change affects.
_MAX_CALLERS: Final = 10

_ACTIONS: Final[dict[str, Action]] = {"created": "create", "updated": "update", "unchanged": "unchanged"}


class Planned(msgspec.Struct, frozen=True):
    """What an import does with a document.

    `body` is its JSON, and `base` the ETag of the deployment that the plan was made for. `live` is its version in the
    environment: a number, `follows`, empty without one, or None if it cannot be read. `why` says why it is refused; a
    publication that breaks callers can be made nevertheless. `is_cut` if not all differences are shown.
    """

    key: str
    source: str
    action: Action
    body: str = ""
    base: str = NEW
    live: str | None = None
    version: str = ""
    why: list[str] = []
    is_breaking: bool = False
    warnings: list[str] = []
    parts: list[Part] = []
    is_cut: bool = False


class Planner:
    """Plans one document after the other; the differences of all have a limit together.

    With `is_one_proposal`, what is ticked becomes a proposal, which changes nothing but live versions.
    """

    def __init__(self, page: PageRequest, *, is_one_proposal: bool) -> None:
        self._page = page
        self._is_one_proposal = is_one_proposal
        self._rows = MAX_ROWS

    async def plan(self, document: Document) -> Planned:
        """Return the plan for a document.

        Raises:
            MoorageError: the server cannot plan at the moment, or the API key may not ask it.
        """
        if document.problem:
            return Planned(document.key, document.source, "refused", why=[document.problem_with_place()])
        body = msgspec.json.encode(document.body)
        base, live, manifest = await self._current(document.key)
        planned = Planned(document.key, document.source, "refused", body.decode(), base, live)
        try:
            planned = await self._dry_run(planned, allow_breaking=False)
        except MoorageError as error:
            raise_unless_about_document(error)
            planned = msgspec.structs.replace(planned, why=reasons(error))
            if not isinstance(error, BreakingChange):
                return planned
            dry = await self._dry_run(planned, allow_breaking=True)
            planned = msgspec.structs.replace(dry, action="refused", is_breaking=True)
        if planned.action == "unchanged":
            return planned
        return await self._page.compute(partial(self._with_differences, planned, document, manifest))

    async def _current(self, key: str) -> tuple[str, str | None, Manifest | None]:
        """Return the ETag, the live version and the manifest of a deployment."""
        nothing = "" if self._page.environment == PRODUCTION else FOLLOWS
        try:
            found = await self._page.send("GetManifest", key_or_id=key)
        except NotInEnvironment:
            return ANY, nothing, None
        except NotFound:
            return NEW, nothing, None
        except MoorageError as error:
            raise_unless_about_document(error)  # one that cannot be decoded has no ETag, and the dry run says so
            return ANY, None, None
        manifest = msgspec.convert(found.value, Manifest)
        is_following = found.headers["x-moorage-environment"].endswith(";follows=production")
        return found.headers["etag"], FOLLOWS if is_following else manifest.version, manifest

    async def _dry_run(self, planned: Planned, *, allow_breaking: bool) -> Planned:
        body = msgspec.Raw(planned.body.encode())
        query = {"dry_run": "true", "allow_breaking": "true" if allow_breaking else ""}
        result = await self._page.send("PutDeployment", body, query=query, key_or_id=planned.key)
        action = _ACTIONS[result.headers["x-moorage-result"]]
        if self._is_one_proposal and action != "unchanged":
            query = {"dry_run": "true", "draft": "true"}
            result = await self._page.send("PutDeployment", body, query=query, key_or_id=planned.key)
            if result.value["version"] == planned.live:  # only the description or the aliases differ
                action = "unchanged"
        warnings = [f"{each['path']}: {each['message']}" for each in result.value["warnings"]]
        return msgspec.structs.replace(planned, action=action, version=result.value["version"], warnings=warnings)

    def _with_differences(self, planned: Planned, document: Document, manifest: Manifest | None) -> Planned:
        manifests = {} if manifest is None else {manifest.key: manifest}
        (step,) = make_plan([document], manifests, (), self._page.environment)
        found = parts({} if step.before is UNSET else step.before, {} if step.after is UNSET else step.after)
        rows = sum(len(part.rows) or 1 for part in found.parts)
        if rows > self._rows:
            return msgspec.structs.replace(planned, is_cut=True)
        self._rows -= rows
        return msgspec.structs.replace(planned, parts=found.parts, is_cut=found.omitted)


def raise_unless_about_document(error: MoorageError) -> None:
    """Raise an error that all documents would have: the API key lacks a right, or the server cannot work."""
    status = status_of(type(error))
    if status in (401, 403, 429) or status >= 500:
        raise error


def reasons(error: MoorageError) -> list[str]:
    """Return what an error says about a document: its problems or breaking changes, else its message."""
    if isinstance(error, BreakingChange):
        callers = ", ".join(caller.api_key.name for caller in error.callers[:_MAX_CALLERS])
        return [
            "This breaks callers:", *(change.message for change in error.breaking),
            *([f"API keys that it affects: {callers}."] if callers else []),
        ]  # fmt: skip
    problems = [f"{each.path or 'the document'}: {each.message}" for each in error.problems]
    return problems or [error.message]
