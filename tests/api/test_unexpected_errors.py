"""An unexpected error is a 500. Its details are in the log with the request id, and not in the response."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from moorage.api.metrics import Metrics
from moorage.api.middleware.get_config_fast_path import GetConfigFastPath
from moorage.api.middleware.pipeline import RequestPipeline
from moorage.api.request_log import RequestLog
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.catalog.project import ProjectCatalog
from moorage.core.access import DEFAULT_SCOPES
from moorage.core.deployments.page import PageQuery
from moorage.gateway.consumers import ConsumerTracker
from moorage.gateway.resolve import Resolver
from moorage.gateway.unknown_names import UnknownNames
from moorage.logs import AccessLog, Formatter
from moorage.server.app import create_app
from moorage.settings import ServerSettings
from moorage.store.opening import open_store
from tests.support.registry import create_api_key, create_project
from tests.support.stores import a_store


def send_request(folder: Path, log: Path, *, after_start: bool) -> list[Message]:
    """Send a request through a pipeline whose application fails; return the messages of the response."""
    store = a_store(folder)
    catalog = Catalog(store)
    follower = Follower(store, catalog)

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
        request_log = RequestLog(Metrics(catalog, follower), AccessLog("json", "info", stream))
        fast_path = GetConfigFastPath(catalog, Resolver(catalog, None), ConsumerTracker(store), UnknownNames(store))
        asyncio.run(RequestPipeline(failing, catalog, follower, request_log, fast_path)(scope, receive, send))
        request_log.flush()
    return sent


def test_an_unexpected_error_is_a_500_without_details(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    start, body = send_request(folder, folder / "log", after_start=False)

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


def test_the_application_returns_the_same_500(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: ProjectCatalog, query: PageQuery) -> bytes:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(ProjectCatalog, "page", fail)
    store = open_store(f"sqlite:///{folder}/moorage.db")
    _, token = create_api_key(store, create_project(store, "p").id, "k", DEFAULT_SCOPES)
    store.close()
    app = create_app(ServerSettings(f"sqlite:///{folder}/moorage.db"))
    sent: list[Message] = []

    async def one_request() -> None:
        incoming = iter(["lifespan.startup", "lifespan.shutdown"])
        started = asyncio.Event()

        async def lifespan_receive() -> Message:
            kind = next(incoming)
            if kind == "lifespan.shutdown":
                await started.wait()
            return {"type": kind}

        async def lifespan_send(message: Message) -> None:
            assert "failed" not in message["type"]

        lifespan = asyncio.ensure_future(app({"type": "lifespan"}, lifespan_receive, lifespan_send))
        await asyncio.sleep(0)  # lets the lifespan start

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(b"host", b"a"), (b"authorization", b"Bearer " + token.encode()), (b"x-request-id", b"r1")]
        scope = {
            "type": "http", "method": "GET", "path": "/v2/deployments", "query_string": b"", "headers": headers,
            "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 1), "client": ("127.0.0.1", 2),
        }  # fmt: skip
        await app(scope, receive, send)
        started.set()
        await lifespan

    asyncio.run(one_request())

    start, body = sent
    assert start["status"] == 500
    assert json.loads(body["body"])["error"]["code"] == "internal_error"
    assert json.loads(body["body"])["error"]["request_id"] == "r1"
    assert b"secret detail" not in body["body"]


def test_a_started_response_is_not_started_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    sent = send_request(folder, folder / "log", after_start=True)

    assert [message["type"] for message in sent] == ["http.response.start"]
    assert len(caplog.records) == 1
