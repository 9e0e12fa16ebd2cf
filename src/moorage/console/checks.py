"""What an operation would do: its dry run, and what a person has to confirm first."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from moorage.console.page_request import PageRequest, Result
from moorage.console.problems import ErrorPage, error_page
from moorage.core.compatibility.errors import BreakingChange, DeploymentInUse
from moorage.core.errors.api_keys import InsufficientScope
from moorage.core.errors.base import Conflict, MoorageError, NotFound, OwnedByFiles
from moorage.core.errors.environments import WrongEnvironment
from moorage.core.errors.requests import ComparisonTooLarge, InvalidRequest

#: The errors that a box of the form overrides, and the query parameter of that box.
_OVERRIDES: Mapping[type[MoorageError], str] = {
    OwnedByFiles: "take_ownership", BreakingChange: "allow_breaking", ComparisonTooLarge: "allow_breaking",
    DeploymentInUse: "force",
}  # fmt: skip

#: The overrides that an operation has in its body.
_IN_BODY: Mapping[str, tuple[str, ...]] = {"Promote": ("allow_breaking",)}


class Check(msgspec.Struct, kw_only=True):
    """The dry run of an operation.

    `result` is its response, if all that `overrides` names is confirmed; None if `blocked` says why it is impossible.
    The `file` manages the deployment; `breaking`, `callers` and `used_by` are as in the errors of the API.
    """

    result: Result | None = None
    blocked: ErrorPage | None = None
    is_scope_missing: bool = False
    known_warnings: list[tuple[str, str]] = msgspec.field(default_factory=list)
    overrides: list[str] = msgspec.field(default_factory=list)
    file: str = ""
    breaking: list[dict[str, str]] = msgspec.field(default_factory=list)
    callers: list[dict[str, Any]] = msgspec.field(default_factory=list)
    used_by: list[dict[str, Any]] = msgspec.field(default_factory=list)

    @property
    def proposal(self) -> Any:
        """The proposal that the operation would make, because the environment requires approvals; None if it does not.

        Its id is empty, unless the same proposal is open already.
        """
        return self.result.value if self.result is not None and self.result.is_proposal else None

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """The warnings about the content: path and message; without a result, those that are known otherwise."""
        if self.result is None:
            return self.known_warnings
        return warnings_of(self.result)

    @property
    def affected(self) -> list[str]:
        """The names of the API keys that a breaking change affects, each once."""
        return list(dict.fromkeys(caller["api_key"]["name"] for caller in self.callers))


def warnings_of(result: Result) -> list[tuple[str, str]]:
    """Return the warnings of a write: path and message."""
    header = result.headers.get("x-moorage-warnings", "")
    return [(path, text) for path, _, text in (unquote(each).partition(": ") for each in header.split(", ")) if text]


async def check(page: PageRequest, operation: str, body: dict[str, Any] | None = None, **path: str) -> Check:
    """Return what an operation would do.

    Raises:
        MoorageError: the server cannot find out, for example because its database does not respond.
    """
    found = Check()
    while True:
        in_body = {name: True for name in found.overrides if name in _IN_BODY.get(operation, ())}
        query = {name: "true" for name in found.overrides if name not in in_body} | {"dry_run": "true"}
        sent = None if body is None else body | in_body
        try:
            found.result = await page.send(operation, sent, query=query, headers=None, **path)
        except (Conflict, InsufficientScope, WrongEnvironment, InvalidRequest, NotFound) as error:
            override = _OVERRIDES.get(type(error), "")
            refused = error_page(error)
            detail = refused.detail
            if isinstance(error, OwnedByFiles):
                found.file = str(error.fields["file"])
            found.breaking, found.callers = detail.get("breaking", found.breaking), detail.get("callers", found.callers)
            found.used_by = detail.get("used_by", found.used_by)
            if override and override not in found.overrides:
                found.overrides.append(override)
                continue
            found.blocked, found.is_scope_missing = refused, isinstance(error, InsufficientScope)
        return found
