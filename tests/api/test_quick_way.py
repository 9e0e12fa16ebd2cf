"""A call that has nothing to it but a key and a body is answered before the routes, as soon as its body is there."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from moorage.api.configurations import PATH, Quick
from moorage.api.front import Front
from moorage.api.journal import Journal
from moorage.api.metrics import Metrics
from moorage.api.patience import within
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.core.access import DEFAULT_SCOPES
from moorage.core.history import Actor
from moorage.gateway.gateway import Gateway
from moorage.gateway.usage import Usage
from moorage.logs import AccessLog
from moorage.registry.api_keys import create_api_key
from moorage.registry.deployments import put_deployment
from moorage.registry.projects import create_project
from tests.support.server import a_body
from tests.support.stores import a_store

BODY = b'{"key": "a"}'


@pytest.fixture
def passed_on() -> list[bytes]:
    """The bodies that the routes were asked with."""
    return []


def ask(folder: Path, passed_on: list[bytes], pieces: list[bytes], *headers: tuple[bytes, bytes]) -> list[Message]:
    """A call through a front; what it sent. Every piece of the body is said to have more behind it but an empty one."""
    store = a_store(folder)
    project = create_project(store, "p")
    _, token = create_api_key(store, project.id, "k", DEFAULT_SCOPES)
    put_deployment(store, project.id, "a", json.dumps(a_body()).encode(), Actor())
    catalog = Catalog(store)
    follower = Follower(store, catalog)
    follower.start()
    coming, sent = iter(pieces), list[Message]()

    async def receive() -> Message:
        piece = next(coming)
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(message: Message) -> None:
        sent.append(message)

    async def routes(scope: Scope, receive: Receive, send: Send) -> None:
        message, body = await receive(), b""
        while message["more_body"]:
            body += message["body"]
            message = await receive()
        passed_on.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": PATH, "query_string": b"",
        "headers": [(b"authorization", b"Bearer " + token.encode()), *headers],
    }  # fmt: skip
    with (folder / "log").open("wb") as stream:
        journal = Journal(Metrics(catalog, follower), AccessLog("json", "info", stream))
        quick = Quick(catalog, Gateway(catalog, None), Usage(store))
        asyncio.run(Front(routes, catalog, follower, journal, quick)(scope, receive, send))
    follower.close()
    return sent


def test_a_body_that_came_whole_is_not_waited_for_any_more(folder: Path, passed_on: list[bytes]) -> None:
    start, body = ask(folder, passed_on, [BODY], (b"content-length", b"%d" % len(BODY)))

    assert passed_on == []
    assert start["status"] == 200
    assert json.loads(body["body"])["version"] == "1.0"


@pytest.mark.parametrize(
    ("pieces", "headers"),
    [
        ([BODY[:5], BODY[5:], b""], [(b"content-length", b"%d" % len(BODY))]),
        ([BODY, b""], []),
        ([b"[]", b""], [(b"content-length", b"2")]),
        ([BODY, b""], [(b"content-length", b"%d" % len(BODY)), (b"x-min-revision", b"1")]),
        ([b'{"key": "b"}', b""], [(b"content-length", b"12")]),
    ],
    ids=["in two pieces", "of no length that is known", "no request", "that waits", "an unknown deployment"],
)
def test_everything_else_goes_to_the_routes_with_its_whole_body(
    folder: Path, passed_on: list[bytes], pieces: list[bytes], headers: list[tuple[bytes, bytes]]
) -> None:
    ask(folder, passed_on, pieces, *headers)

    assert passed_on == [b"".join(pieces)]


def test_what_takes_too_long_is_given_up_and_what_is_cancelled_is_cancelled() -> None:
    async def check() -> None:
        never = asyncio.get_running_loop().create_future()
        with pytest.raises(TimeoutError):
            await within(0.01, never)
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 0
        assert await within(10, asyncio.sleep(0, "soon")) == "soon"
        waiting = asyncio.create_task(within(10, asyncio.Event().wait()))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(check())
