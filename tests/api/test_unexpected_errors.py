"""What nobody thought of is a 500 in the one shape, told in the log with its request id, and not to the caller."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from moorage.api.front import Front
from moorage.api.journal import Journal
from moorage.api.metrics import Metrics
from moorage.catalog.catalog import Catalog
from moorage.logs import AccessLog, Formatter
from tests.support.stores import a_store


def answer_of(folder: Path, log: Path, *, after_start: bool) -> list[Message]:
    """Send one request through a front whose application fails."""
    catalog = Catalog(a_store(folder))

    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        if after_start:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError("secret detail")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": "/v2/deployments", "query_string": b"",
        "headers": [(b"x-request-id", b"r1"), (b"authorization", b"Bearer token")],
    }  # fmt: skip
    with log.open("wb") as stream:
        journal = Journal(Metrics(catalog), AccessLog("json", "info", stream))
        asyncio.run(Front(failing, catalog, journal)(scope, receive, send))
        journal.settle()
    return sent


def test_the_caller_gets_a_500_and_no_detail(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    start, body = answer_of(folder, folder / "log", after_start=False)

    error = json.loads(body["body"])["error"]
    assert start["status"] == 500
    assert (error["code"], error["request_id"]) == ("internal_error", "r1")
    assert b"secret detail" not in body["body"]
    assert json.loads((folder / "log").read_text())["status"] == 500
    (record,) = caplog.records
    line = json.loads(Formatter("json").format(record))
    assert line["request_id"] == "r1"
    assert "ZeroDivisionError" in line["exception"]
    assert "token" not in json.dumps(line)
    assert logging.getLevelName(record.levelno) == "ERROR"


def test_an_answer_that_has_begun_is_not_begun_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    sent = answer_of(folder, folder / "log", after_start=True)

    assert [message["type"] for message in sent] == ["http.response.start"]
    assert len(caplog.records) == 1
