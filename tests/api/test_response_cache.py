"""The response cache: responses are stored under the API key that they are for, never under a header as it was sent."""

import asyncio
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from moorage.api.auth import authenticate
from moorage.api.metrics import Metrics
from moorage.api.middleware import caller_cache
from moorage.api.middleware.caller_cache import CallerCache
from moorage.api.middleware.get_config_fast_path import GetConfigFastPath
from moorage.api.middleware.pipeline import RequestPipeline
from moorage.api.request_log import RequestLog
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.core.access import DEFAULT_SCOPES, ApiKey
from moorage.core.errors.base import NotAllowed
from moorage.gateway.consumers import ConsumerTracker
from moorage.gateway.resolve import Resolver
from moorage.gateway.unknown_names import UnknownNames
from moorage.logs import AccessLog
from tests.support.registry import create_api_key, create_project, revoke_api_key
from tests.support.stores import a_store

Headers = list[tuple[bytes, bytes]]


class Harness:
    """A request pipeline with one route, which returns the name of the API key."""

    def __init__(self, folder: Path) -> None:
        self.store = a_store(folder)
        project = create_project(self.store, "p")
        self.keys, self.tokens = {}, {}
        for name in ("a", "b"):
            self.keys[name], self.tokens[name] = create_api_key(self.store, project.id, name, DEFAULT_SCOPES)
        self.catalog = Catalog(self.store)
        follower = Follower(self.store, self.catalog)
        follower.start()
        request_log = RequestLog(Metrics(self.catalog, follower), AccessLog("json", "error", BytesIO()))
        fast_path = GetConfigFastPath(
            self.catalog, Resolver(self.catalog, None), ConsumerTracker(self.store), UnknownNames(self.store)
        )
        self.pipeline = RequestPipeline(self._route, self.catalog, follower, request_log, fast_path)
        self.routed = 0
        self.before_response: Callable[[], object] = lambda: None

    def revoke(self, name: str) -> None:
        """Revoke a key, and let the catalog show it."""
        revoke_api_key(self.store, self.keys[name].id)
        self.catalog.apply(self.catalog.fetch())

    def get(self, *headers: tuple[bytes, bytes], query: bytes = b"") -> tuple[int, bytes]:
        """Send a request; return the status and the body of the response."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "GET", "path": "/name", "query_string": query, "http_version": "1.1",
            "headers": [(b"host", b"moorage"), *headers],
        }  # fmt: skip
        asyncio.run(self.pipeline(scope, receive, send))
        return sent[0]["status"], sent[1]["body"]

    def bearer(self, name: str, scheme: str = "Bearer", space: str = " ") -> tuple[bytes, bytes]:
        """Return the Authorization header of a key."""
        return b"authorization", f"{scheme}{space}{self.tokens[name]}".encode()

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.routed += 1
        status, body, headers = 401, b"who?", Headers()
        try:
            given = dict(scope["headers"]).get(b"authorization")
            caller = authenticate(self.catalog, None if given is None else given.decode())
        except NotAllowed:
            pass
        else:
            scope["moorage.caller"] = caller
            status, body = 200, caller.name.encode()
            self.before_response()
            revision = b"%d" % self.catalog.revision
            headers = [
                (b"content-type", b"text/plain"),
                (b"etag", b'"' + body + b'"'),
                (b"x-moorage-revision", revision),
            ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def harness(folder: Path) -> Harness:
    return Harness(folder)


def test_a_second_request_gets_the_cached_response(harness: Harness) -> None:
    assert [harness.get(harness.bearer("a")) for _ in range(3)] == [(200, b"a")] * 3
    assert harness.routed == 1


def test_all_forms_of_a_header_share_the_responses_of_their_key(harness: Harness) -> None:
    forms = [harness.bearer("a", scheme, space) for scheme in ("Bearer", "bearer", "BEARER") for space in (" ", "   ")]

    for form in forms * 2:
        assert harness.get(form) == (200, b"a")

    assert len(harness.pipeline._cache) == 1
    assert harness.routed == len(forms), "each form is verified once"


def test_no_other_header_leads_to_a_cached_response(harness: Harness) -> None:
    harness.get(harness.bearer("a"))
    header = harness.bearer("a")[1]

    for other in (
        [],
        [(b"cookie", header)],
        [(b"cookie", b"authorization=" + header)],
        [(b"proxy-authorization", header)],
        [(b"x-authorization", header)],
        [(b"authorization", b"")],
        [(b"authorization", harness.tokens["a"].encode())],
        [(b"authorization", b"Basic " + harness.tokens["a"].encode())],
        [(b"authorization", header[:-1])],
        [(b"authorization", harness.keys["a"].id.encode())],
        [(b"authorization", b"Bearer " + harness.keys["a"].id.encode())],
    ):
        assert harness.get(*other) == (401, b"who?"), other
        assert harness.get(*other) == (401, b"who?"), other
    assert harness.get(harness.bearer("b"), (b"cookie", header)) == (200, b"b")
    assert harness.get(harness.bearer("b"), (b"cookie", header)) == (200, b"b")


def test_two_authorization_headers_are_rejected_before_the_cache(harness: Harness) -> None:
    harness.get(harness.bearer("a"))

    status, body = harness.get(harness.bearer("a"), harness.bearer("b"))

    assert status == 400
    assert b'"code":"repeated_header"' in body
    assert harness.routed == 1


def test_a_response_to_a_key_that_was_revoked_meanwhile_is_not_cached(harness: Harness) -> None:
    def revoke() -> None:
        harness.revoke("a")
        harness.pipeline._clear_if_changed()  # as another request does

    harness.before_response = revoke
    harness.get(harness.bearer("a"))
    harness.before_response = lambda: None

    assert harness.get(harness.bearer("a")) == (401, b"who?")


def test_a_revocation_clears_the_keys_that_were_verified(harness: Harness) -> None:
    harness.get(harness.bearer("a"))
    assert harness.pipeline._callers.find(harness.bearer("a")[1]) is not None

    harness.revoke("a")

    assert harness.get(harness.bearer("a")) == (401, b"who?")


def test_forms_of_a_header_take_a_bounded_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller_cache, "MAX_BYTES", 50_000)
    callers, key = CallerCache(), ApiKey("k", "p", "n", DEFAULT_SCOPES, "", 0)

    for number in range(10_000):
        callers.add(b"Bearer %d" % number, key)
        callers.add(b"Bearer" + b" " * number + b"token", key)
        assert callers.held <= 50_000

    assert callers.find(b"Bearer 9999") is key
    assert callers.find(b"Bearer" + b" " * 9_999 + b"token") is None
