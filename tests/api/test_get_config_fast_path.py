"""A call that has nothing to it but a key and a body is answered before the routes, as soon as its body is there."""

import asyncio
import json
from collections.abc import Callable, Collection
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from moorage.api.endpoints.get_config import PATH
from moorage.api.metrics import Metrics
from moorage.api.middleware.get_config_fast_path import GetConfigFastPath
from moorage.api.middleware.pipeline import RequestPipeline
from moorage.api.middleware.timeouts import SharedTimeout
from moorage.api.request_log import RequestLog
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.core.access import DEFAULT_SCOPES
from moorage.gateway.consumers import ConsumerTracker
from moorage.gateway.resolve import Resolver
from moorage.logs import AccessLog
from tests.support.registry import create_api_key, create_project, put, revoke_api_key
from tests.support.server import a_body
from tests.support.stores import a_store

BODY = b'{"key": "a"}'
LENGTH = (b"content-length", b"%d" % len(BODY))


@pytest.fixture
def passed_on() -> list[bytes]:
    """The bodies that the routes were asked with."""
    return []


class CountedUsage(ConsumerTracker):
    """That counts what is noted."""

    count = 0

    def record(self, version_id: str, api_key_id: str, inputs: Collection[str]) -> None:
        self.count += 1
        super().record(version_id, api_key_id, inputs)


class Behind:
    """What is behind a front with one deployment, `a`, and one API key."""

    def __init__(self, folder: Path, passed_on: list[bytes]) -> None:
        self.store = a_store(folder)
        self.project = create_project(self.store, "p")
        self.key, self._token = create_api_key(self.store, self.project.id, "k", DEFAULT_SCOPES)
        self.put()
        self.catalog = Catalog(self.store)
        self._follower = Follower(self.store, self.catalog)
        self._follower.start()
        self._passed_on = passed_on
        journal = RequestLog(Metrics(self.catalog, self._follower), AccessLog("json", "info", BytesIO()))
        self.usage = CountedUsage(self.store)
        self.quick = GetConfigFastPath(self.catalog, Resolver(self.catalog, None), self.usage)
        self._front = RequestPipeline(self._routes, self.catalog, self._follower, journal, self.quick)

    def put(self, **config: Any) -> None:
        """Put the deployment."""
        put(self.store, self.project.id, "a", a_body(**config))

    def ask(
        self, pieces: list[bytes], *headers: tuple[bytes, bytes], meanwhile: Callable[[], object] = lambda: None
    ) -> list[Message]:
        """What is sent for a call whose body comes in pieces, before the last of which something happens. Every piece
        is said to have more behind it but an empty one."""
        coming, sent = iter(pieces), list[Message]()

        async def receive() -> Message:
            meanwhile()
            piece = next(coming)
            return {"type": "http.request", "body": piece, "more_body": bool(piece)}

        async def send(message: Message) -> None:
            sent.append(message)

        scope: dict[str, Any] = {
            "type": "http", "method": "POST", "path": PATH, "query_string": b"",
            "headers": [(b"authorization", b"Bearer " + self._token.encode()), *headers],
        }  # fmt: skip
        asyncio.run(self._front(scope, receive, send))
        return sent

    async def _routes(self, scope: Scope, receive: Receive, send: Send) -> None:
        message, body = await receive(), b""
        while message["more_body"]:
            body += message["body"]
            message = await receive()
        self._passed_on.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def behind(folder: Path, passed_on: list[bytes]) -> Behind:
    """One of them."""
    return Behind(folder, passed_on)


def test_a_body_that_came_whole_is_not_waited_for_any_more(behind: Behind, passed_on: list[bytes]) -> None:
    start, body = behind.ask([BODY], LENGTH)

    assert passed_on == []
    assert start["status"] == 200
    assert json.loads(body["body"])["version"] == "1.0"


@pytest.mark.parametrize(
    ("pieces", "headers"),
    [
        ([BODY[:5], BODY[5:], b""], [LENGTH]),
        ([BODY, b""], []),
        ([b"[]", b""], [(b"content-length", b"2")]),
        ([BODY, b""], [LENGTH, (b"x-moorage-min-revision", b"1")]),
        ([b'{"key": "b"}', b""], [(b"content-length", b"12")]),
    ],
    ids=["in two pieces", "of no length that is known", "no request", "that waits", "an unknown deployment"],
)
def test_everything_else_goes_to_the_routes_with_its_whole_body(
    behind: Behind, passed_on: list[bytes], pieces: list[bytes], headers: list[tuple[bytes, bytes]]
) -> None:
    behind.ask(pieces, *headers)

    assert passed_on == [b"".join(pieces)]


def test_what_changes_while_the_body_is_on_its_way_is_in_the_answer_and_in_its_revision(behind: Behind) -> None:
    def change() -> None:
        behind.put(model="changed")
        behind.catalog.apply(behind.catalog.fetch())

    before = behind.ask([BODY], LENGTH)
    start, body = behind.ask([BODY], LENGTH, meanwhile=change)

    assert json.loads(before[1]["body"])["version"] == "1.0"
    assert json.loads(body["body"])["model"] == "changed"
    assert dict(start["headers"])[b"x-moorage-revision"] == b"%d" % behind.store.current_revision()


def test_a_key_that_is_revoked_while_the_body_is_on_its_way_is_not_taken(
    behind: Behind, passed_on: list[bytes]
) -> None:
    def revoke_it() -> None:
        revoke_api_key(behind.store, behind.key.id)
        behind.catalog.apply(behind.catalog.fetch())

    behind.ask([BODY], LENGTH)
    assert passed_on == []
    behind.ask([BODY, b""], LENGTH, meanwhile=revoke_it)

    assert passed_on == [BODY], "the routes will refuse it"


def test_what_takes_too_long_is_given_up_and_what_is_cancelled_is_cancelled() -> None:
    async def check() -> None:
        patience = SharedTimeout(0.02, tick_seconds=0.01)
        with pytest.raises(TimeoutError):
            await patience.wait_for(asyncio.get_running_loop().create_future())
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 0
        assert await patience.wait_for(asyncio.sleep(0, "soon")) == "soon"  # something that is awaited and comes
        waiting = asyncio.create_task(patience.wait_for(asyncio.Event().wait()))
        await asyncio.sleep(0)  # it has begun to wait
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(check())


def test_an_answer_that_is_asked_for_again_is_the_same_and_noted_each_time(behind: Behind) -> None:
    first, second, third, fourth = (behind.ask([BODY], LENGTH) for _ in range(4))

    def heard(sent: list[Message]) -> tuple[Any, Any]:
        return [each for each in sent[0]["headers"] if each[0] != b"x-request-id"], sent[1]

    assert heard(first) == heard(second) == heard(third) == heard(fourth)
    etag = dict(first[0]["headers"])[b"etag"]
    start, body = behind.ask([BODY], LENGTH, (b"if-none-match", etag))
    assert (start["status"], body["body"]) == (304, b"")
    assert behind.usage.count == 5


def test_an_answer_that_is_remembered_is_of_what_is_live_and_of_a_key_that_may(
    behind: Behind, passed_on: list[bytes]
) -> None:
    for _ in range(3):
        behind.ask([BODY], LENGTH)
    behind.put(model="changed")
    behind.catalog.apply(behind.catalog.fetch())
    assert json.loads(behind.ask([BODY], LENGTH)[1]["body"])["model"] == "changed"

    for _ in range(3):
        behind.ask([BODY], LENGTH)
    revoke_api_key(behind.store, behind.key.id)
    behind.catalog.apply(behind.catalog.fetch())
    behind.ask([BODY, b""], LENGTH)
    assert passed_on == [BODY]
