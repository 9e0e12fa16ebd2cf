"""What a form of the administration says when its operation is refused."""

from typing import Final

from moorage.console.page_request import PageRequest
from moorage.console.problems import ErrorPage
from moorage.core.errors.base import MoorageError

_HEADINGS: Final = {
    400: "Something is not right yet. Nothing was saved.",
    409: "Nothing was changed.",
    412: "Somebody was faster. Nothing was changed.",
}

_OF_CODES: Final = {
    "idempotency_conflict": "This form was sent before, with other values.",
    "secret_key_missing": "The server has no secret key.",
}


def refusal(page: PageRequest, error: MoorageError) -> ErrorPage:
    """Return what a page says above its form about the error of the operation."""
    found = page.failure(error)
    heading = _OF_CODES.get(error.code) or _HEADINGS.get(found.status, found.heading)
    return found._replace(heading=heading)
