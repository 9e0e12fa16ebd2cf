"""A response does not have the address of the database, its user, or the text of its driver."""

import json
import logging
import string
from collections.abc import Iterator
from typing import Any

import pytest

from moorage.api.errors import error_response
from moorage.core.errors.integrations import KeyFileUnusable
from moorage.core.errors.storage import CommitUnknown, StorageError
from moorage.logs import Formatter

DETAIL = "connection to server at 10.0.0.5, port 5432 failed: FATAL: password authentication failed for user admin"

#: Fields of errors that a response can have.
PUBLIC_FIELDS = {"requested", "seconds", "revision", "age", "maximum", "key_id"}

#: Errors whose reason is Moorage's own, about a file beside the database.
OWN_REASONS = {KeyFileUnusable}


def classes(kind: type[StorageError] = StorageError) -> Iterator[type[StorageError]]:
    """Yield all errors of the database."""
    yield kind
    for child in kind.__subclasses__():
        yield from classes(child)


def fields(kind: type[StorageError]) -> set[str]:
    """Return the names in the message and the hint of an error."""
    parsed = string.Formatter().parse(f"{kind.__doc__}{kind.hint}")
    return {name for _, name, _, _ in parsed if name}


@pytest.mark.parametrize("kind", list(classes()), ids=lambda kind: kind.__name__)
def test_a_response_has_only_public_fields(kind: type[StorageError]) -> None:
    details: dict[str, Any] = dict.fromkeys(fields(kind) | {"reason", "url"}, DETAIL)
    error = kind(**details)

    response = error_response(error, "r1")

    shown = json.loads(bytes(response.body))["error"]
    assert response.status_code in (503, 507)
    if (fields(kind) <= PUBLIC_FIELDS or kind in OWN_REASONS) and kind.is_public:
        assert shown["message"] == str(error)
    else:
        assert DETAIL not in json.dumps(shown)
        assert shown["code"] == "storage_unavailable"
        assert "log of the server" in shown["hint"]


def test_a_response_after_a_lost_commit_says_that_the_change_may_be_stored() -> None:
    body = error_response(CommitUnknown(reason=DETAIL), "r1").body

    assert b"may or may not be stored" in bytes(body)
    assert DETAIL.encode() not in bytes(body)


def test_a_line_for_a_person_has_the_fields_of_the_record() -> None:
    record = logging.makeLogRecord({"levelname": "WARNING", "msg": "refused", "fields": {"request_id": "r1"}})

    assert Formatter("console").format(record).endswith("warning refused request_id=r1")
