"""Errors of operations as pages: the same status and words, and what a person can do next."""

from typing import Any, Final, NamedTuple

import msgspec

from moorage.api.errors import error_response, status_of
from moorage.core.errors.base import MoorageError

_HEADINGS: Final = {
    400: "This address is not valid",
    401: "This API key is not valid any more",
    403: "Your API key may not see this",
    404: "There is nothing at this address",
    409: "Nothing was changed",
    410: "It was deleted",
    412: "Somebody was faster. Nothing was changed.",
    413: "This is too large: nothing was changed",
    429: "Too many requests",
    503: "The database does not respond",
    507: "There is no room to write",
}

#: Headings of what a form was refused for, where they are others.
_OF_FORMS: Final = {400: "Something is not right yet. Nothing was saved."}

#: Headings of errors that have a more precise one than their status.
_OF_CODES: Final = {
    "deployment_not_found": "There is no such deployment in this project",
    "deployment_not_in_environment": "The deployment has no live version in this environment",
    "environment_not_found": "There is no such environment in this project",
    "deployment_unreadable": "The live version cannot be read, so it is not served",
    "insufficient_scope": "Your API key lacks a scope",
    "version_not_found": "There is no such version",
    "wrong_environment": "Your API key is bound to another environment",
    # Of the pages that change what is live.
    "breaking_change": "Nothing was changed: this breaks callers",
    "in_use": "Nothing was deleted: it is in use",
    "key_taken": "Another deployment has this key",
    "alias_taken": "Another deployment has this name",
    "nothing_to_undo": "There is nothing to undo",
    "owned_by_files": "Nothing was changed: a file manages it",
    "own_proposal": "Your API key cannot approve this proposal",
    "production_cannot_follow": "Production follows no other environment",
    "proposal_closed": "The proposal is closed",
    "reason_missing": "An emergency needs a reason",
    "version_is_live": "The version is live",
    # Of forms that are sent twice, and of integrations.
    "idempotency_conflict": "This form was sent before, with other values.",
    "secret_key_missing": "The server has no secret key.",
}


class ErrorPage(NamedTuple):
    """What a page says about an error. `detail` is the `error` of the body that a client of the API gets."""

    status: int
    heading: str
    text: str
    headers: dict[str, str]
    detail: dict[str, Any] = {}  # noqa: RUF012 -- never changed

    @property
    def problems(self) -> list[dict[str, str]]:
        """The problems of a body: each has a `path` and a `message`."""
        found: list[dict[str, str]] = self.detail.get("problems", [])
        return found


def error_page(error: MoorageError, *, is_form: bool = False) -> ErrorPage:
    """Return what a page says about an error of an operation, as clients see it; `is_form` if a form asked for it."""
    status = status_of(type(error))
    headings = _HEADINGS | _OF_FORMS if is_form else _HEADINGS
    heading = _OF_CODES.get(error.code) or headings.get(status, "The request failed")
    # Hints are for programs and the command line: pages have links instead.
    answer = error_response(error, "")
    headers = {name: answer.headers[name] for name in ("Retry-After",) if name in answer.headers}
    return ErrorPage(status, heading, error.message, headers, msgspec.json.decode(answer.body)["error"])
