"""The fast path of get_config: responses without the framework to requests with a key and a complete JSON body."""

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
from moorage.gateway.unknown_names import UnknownNames
from moorage.logs import AccessLog
from tests.support.registry import create_api_key, create_project, put, revoke_api_key
from tests.support.server import a_body
from tests.support.stores import a_store

BODY = b'{"key": "a"}'
LENGTH = (b"content-length", b"%d" % len(BODY))


@pytest.fixture
def forwarded() -> list[bytes]:
    """Return the bodies of the requests that reached the routes."""
    return []


class CountingTracker(ConsumerTracker):
    """A tracker that counts the recorded requests."""

    count = 0

    def record(
        self, version_id: str, api_key_id: str, inputs: Collection[str], environment_id: str | None = None
    ) -> None:
        self.count += 1
        super().record(version_id, api_key_id, inputs, environment_id)


class Harness:
    """A request pipeline over one deployment, `a`, and one API key."""

    def __init__(self, folder: Path, forwarded: list[bytes]) -> None:
        self.store = a_store(folder)
        self.project = create_project(self.store, "p")
        self.key, self._token = create_api_key(self.store, self.project.id, "k", DEFAULT_SCOPES)
        self.put()
        self.catalog = Catalog(self.store)
        self._follower = Follower(self.store, self.catalog)
        self._follower.start()
        self._forwarded = forwarded
        request_log = RequestLog(Metrics(self.catalog, self._follower), AccessLog("json", "info", BytesIO()))
        self.tracker = CountingTracker(self.store)
        fast_path = GetConfigFastPath(
            self.catalog, Resolver(self.catalog, None), self.tracker, UnknownNames(self.store)
        )
        self._pipeline = RequestPipeline(self._routes, self.catalog, self._follower, request_log, fast_path)

    def put(self, **config: Any) -> None:
        """Put the deployment."""
        put(self.store, self.project.id, "a", a_body(**config))

    def request(
        self, pieces: list[bytes], *headers: tuple[bytes, bytes], before_body: Callable[[], object] = lambda: None
    ) -> list[Message]:
        """Send a request whose body arrives in pieces, and return the messages of the response.

        `before_body` runs before each piece arrives. An empty piece ends the body.
        """
        incoming, sent = iter(pieces), list[Message]()

        async def receive() -> Message:
            before_body()
            piece = next(incoming)
            return {"type": "http.request", "body": piece, "more_body": bool(piece)}

        async def send(message: Message) -> None:
            sent.append(message)

        scope: dict[str, Any] = {
            "type": "http", "method": "POST", "path": PATH, "query_string": b"",
            "headers": [(b"authorization", b"Bearer " + self._token.encode()), *headers],
        }  # fmt: skip
        asyncio.run(self._pipeline(scope, receive, send))
        return sent

    async def _routes(self, scope: Scope, receive: Receive, send: Send) -> None:
        message, body = await receive(), b""
        while message["more_body"]:
            body += message["body"]
            message = await receive()
        self._forwarded.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def harness(folder: Path, forwarded: list[bytes]) -> Harness:
    return Harness(folder, forwarded)


def test_a_complete_body_is_handled_by_the_fast_path(harness: Harness, forwarded: list[bytes]) -> None:
    start, body = harness.request([BODY], LENGTH)

    assert forwarded == []
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
    ids=["two pieces", "unknown length", "invalid body", "minimum revision", "unknown deployment"],
)
def test_every_other_request_goes_to_the_routes_with_its_complete_body(
    harness: Harness, forwarded: list[bytes], pieces: list[bytes], headers: list[tuple[bytes, bytes]]
) -> None:
    harness.request(pieces, *headers)

    assert forwarded == [b"".join(pieces)]


def test_a_change_before_the_body_arrives_is_in_the_response_and_its_revision(harness: Harness) -> None:
    def change() -> None:
        harness.put(model="changed")
        harness.catalog.apply(harness.catalog.fetch())

    before = harness.request([BODY], LENGTH)
    start, body = harness.request([BODY], LENGTH, before_body=change)

    assert json.loads(before[1]["body"])["version"] == "1.0"
    assert json.loads(body["body"])["model"] == "changed"
    assert dict(start["headers"])[b"x-moorage-revision"] == b"%d" % harness.store.current_revision()


def test_a_key_that_is_revoked_before_the_body_arrives_is_not_accepted(
    harness: Harness, forwarded: list[bytes]
) -> None:
    def revoke() -> None:
        revoke_api_key(harness.store, harness.key.id)
        harness.catalog.apply(harness.catalog.fetch())

    harness.request([BODY], LENGTH)
    assert forwarded == []
    harness.request([BODY, b""], LENGTH, before_body=revoke)

    assert forwarded == [BODY], "the routes reject it"


def test_a_key_that_another_process_revokes_before_the_body_arrives_is_not_accepted(
    harness: Harness, forwarded: list[bytes]
) -> None:
    harness.request([BODY], LENGTH)
    assert forwarded == []

    harness.request([BODY, b""], LENGTH, before_body=lambda: revoke_api_key(harness.store, harness.key.id))

    assert forwarded == [BODY], "the routes reject it"


def test_a_shared_timeout_ends_a_slow_wait_and_passes_on_a_cancellation() -> None:
    async def check() -> None:
        timeout = SharedTimeout(0.02, tick_seconds=0.01)
        with pytest.raises(TimeoutError):
            await timeout.wait_for(asyncio.get_running_loop().create_future())
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 0
        assert await timeout.wait_for(asyncio.sleep(0, "soon")) == "soon"  # in time
        waiting = asyncio.create_task(timeout.wait_for(asyncio.Event().wait()))
        await asyncio.sleep(0)  # lets the task start to wait
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(check())


def test_identical_requests_get_the_same_bytes_and_each_one_is_recorded(harness: Harness) -> None:
    first, second, third, fourth = (harness.request([BODY], LENGTH) for _ in range(4))

    def comparable(sent: list[Message]) -> tuple[Any, Any]:
        return [header for header in sent[0]["headers"] if header[0] != b"x-request-id"], sent[1]

    assert comparable(first) == comparable(second) == comparable(third) == comparable(fourth)
    etag = dict(first[0]["headers"])[b"etag"]
    start, body = harness.request([BODY], LENGTH, (b"if-none-match", etag))
    assert (start["status"], body["body"]) == (304, b"")
    assert harness.tracker.count == 5


def test_identical_requests_get_the_live_version_and_need_a_valid_key(harness: Harness, forwarded: list[bytes]) -> None:
    for _ in range(3):
        harness.request([BODY], LENGTH)
    harness.put(model="changed")
    harness.catalog.apply(harness.catalog.fetch())
    assert json.loads(harness.request([BODY], LENGTH)[1]["body"])["model"] == "changed"

    for _ in range(3):
        harness.request([BODY], LENGTH)
    revoke_api_key(harness.store, harness.key.id)
    harness.catalog.apply(harness.catalog.fetch())
    harness.request([BODY, b""], LENGTH)
    assert forwarded == [BODY]
