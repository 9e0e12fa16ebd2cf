"""The request pipeline: request log, response cache, fast path of get_config, conditional requests.

They are four steps of one ASGI application and not four applications inside each other, because each level of nesting
costs about as much as a cached response (decision 0001). Their order is that of `__call__`.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

import uuid_utils
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moorage.api.endpoints.get_config import PATH
from moorage.api.errors import error_response
from moorage.api.middleware.conditional import ConditionalResponse, age_header, without_body
from moorage.api.middleware.get_config_fast_path import GetConfigFastPath
from moorage.api.middleware.response_cache import CachedResponse, CacheKey, ResponseCache
from moorage.api.middleware.timeouts import SharedTimeout
from moorage.api.request import BODY_SECONDS, SMALL_BODY
from moorage.api.request_log import RequestLog, RequestRecord
from moorage.api.responses import RawHeaders, etag_matches
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import FRESH_SECONDS, Follower
from moorage.core.access import ApiKey
from moorage.core.deployments.ids import accepts_request_id
from moorage.core.errors.base import MoorageError

_NO_BODY: Final[Message] = {"type": "http.response.body", "body": b""}
_READS: Final = frozenset({"GET", "HEAD"})
_READING_POSTS: Final = ("/get_config", "/explain", "/simulate")
_CLIENT_CLOSED_REQUEST: Final = 499  # nginx's status for the log; no client gets it

_log = logging.getLogger("moorage.api")


class RequestPipeline:
    """The outermost ASGI application."""

    def __init__(
        self,
        app: ASGIApp,
        catalog: Catalog,
        follower: Follower,
        request_log: RequestLog,
        fast_path: GetConfigFastPath,
    ) -> None:
        self._app = app
        self._catalog = catalog
        self._follower = follower
        self._request_log = request_log
        self._fast_path = fast_path
        self._cache = ResponseCache()
        self._timeout = SharedTimeout(BODY_SECONDS)
        self._state = catalog.state
        self._revision = catalog.revision

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one HTTP request, and record it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        authorization, if_none_match, request_id, min_revision, length = _read_headers(scope["headers"])
        age_of = self._follower.age
        if not (self._catalog.is_current() or await self._follower.catch_up()):
            age_of = self._age_behind
        self._clear_if_changed()
        raw_path = scope.get("raw_path") or b""
        if b"%2" in raw_path:
            scope["path"] = _path_of_segments(raw_path)
        method, path = scope["method"], scope["path"]
        cache_key = authorization, path, scope["query_string"]
        caller: ApiKey | None
        cached, age = None, 0.0  # the age is read as late as possible
        if method == "GET":
            age = age_of()
            cached = self._response_cache(cache_key, min_revision, age)
        elif path == PATH and method == "POST" and min_revision is None and not scope["query_string"]:
            receive, body = await self._receive_first(receive)
            age = age_of()
            cached = self._get_config_fast_path(authorization, length, body, age)
        if cached is not None:
            status, response_headers, message = 200, cached.headers, cached.body_message
            if if_none_match is not None and etag_matches(if_none_match, cached.etag):
                status, response_headers, message = 304, without_body(response_headers), _NO_BODY
            await _send(send, status, response_headers, message, request_id, age)
            route, caller = cached.route, cached.caller
        else:
            response = _conditional_response(send, receive, request_id, if_none_match, method, path, age_of)
            await self._run(scope, response)
            status, caller = response.status, scope.get("moorage.caller")
            route = scope["route"].path if "route" in scope else "none"
            if method == "GET" and caller is not None:
                self._store(cache_key, response, route, caller)
        seconds = time.perf_counter() - started
        key_id = caller.id if caller else None
        self._request_log.record(RequestRecord(time.time(), seconds, method, route, path, status, request_id, key_id))

    def _response_cache(self, key: CacheKey, min_revision: bytes | None, age: float) -> CachedResponse | None:
        """Return the cached response of a request, if it is still valid."""
        is_new_enough = min_revision is None or (min_revision.isdigit() and int(min_revision[:20]) <= self._revision)
        cached = self._cache.get(key) if is_new_enough and age <= self._follower.max_staleness else None
        return cached if cached is not None and time.time() < cached.valid_until else None

    def _get_config_fast_path(
        self, authorization: bytes | None, length: bytes | None, body: bytes, age: float
    ) -> CachedResponse | None:
        """Return the response to get_config, if the request is one for the fast path."""
        # The server sets `more_body` also for a body that arrived in one piece, so the length is compared.
        if length is None or length != b"%d" % len(body) or len(body) > SMALL_BODY:
            return None
        if age > self._follower.max_staleness:
            return None
        self._clear_if_changed()  # the body may have arrived late
        return self._fast_path.response(authorization, body)

    async def _run(self, scope: Scope, response: ConditionalResponse) -> None:
        """Run the application; an unexpected error becomes a 500."""
        request_id = response.request_id.decode()
        scope["moorage.request_id"] = request_id
        try:
            await self._app(scope, response.receive, response.send)
        except ClientDisconnect:
            response.status = _CLIENT_CLOSED_REQUEST
        except Exception:  # noqa: BLE001 -- the last place where it can become a response
            _log.exception("a request failed", extra={"fields": {"request_id": request_id}})
            if not response.status:
                await error_response(MoorageError(), request_id)(scope, response.receive, response.send)

    def _store(self, key: CacheKey, response: ConditionalResponse, route: str, caller: ApiKey) -> None:
        """Store a response in the cache, if it follows from the current revision alone."""
        etag, body = response.etag, response.body
        # A response that was made while the revision changed is valid, but not for the next request.
        if etag is None or body is None or response.revision != b"%d" % self._revision:
            return
        if any(name == b"vary" for name, _ in response.headers):
            return
        self._cache.set(key, CachedResponse.of(response.headers, body, etag, route, caller))

    async def _receive_first(self, receive: Receive) -> tuple[Receive, bytes]:
        """Receive the first part of the body; return a `receive` that starts with it (or with the timeout), and it."""
        try:
            message = await self._timeout.wait_for(receive())
        except TimeoutError:
            return _replay(TimeoutError(), receive), b""
        return _replay(message, receive), message.get("body", b"")

    def _age_behind(self) -> float:
        """Return the age while a newer revision is known to exist: such a response always has an age."""
        return max(self._follower.age(), FRESH_SECONDS + 0.001)

    def _clear_if_changed(self) -> None:
        if self._revision == self._catalog.revision and self._state is self._catalog.state:
            return
        self._fast_path.clear()
        self._cache.clear()
        self._revision, self._state = self._catalog.revision, self._catalog.state


def _conditional_response(
    send: Send,
    receive: Receive,
    request_id: bytes,
    if_none_match: bytes | None,
    method: str,
    path: str,
    age_of: Callable[[], float],
) -> ConditionalResponse:
    """Return the response of the application, which becomes a 304 if the client has it."""
    is_read = method in _READS
    if is_read or (method == "POST" and path.endswith(_READING_POSTS)):
        return ConditionalResponse(send, receive, request_id, if_none_match, age_of, is_body_read=is_read)
    return ConditionalResponse(send, receive, request_id, None, None, is_body_read=False)


async def _send(send: Send, status: int, headers: RawHeaders, body: Message, request_id: bytes, age: float) -> None:
    headers = [*headers, (b"x-request-id", request_id)]
    if age > FRESH_SECONDS:
        headers.append(age_header(age))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send(body)


def _read_headers(
    headers: RawHeaders,
) -> tuple[bytes | None, bytes | None, bytes, bytes | None, bytes | None]:
    """Return Authorization, If-None-Match, the request id, X-Moorage-Min-Revision, and Content-Length."""
    found = dict(reversed(headers))  # of two headers with one name, the first counts
    if_none_match = found.get(b"if-none-match")
    if if_none_match is not None:
        if_none_match = b",".join([value for name, value in headers if name == b"if-none-match"])
    request_id = found.get(b"x-request-id")
    if request_id is None or not accepts_request_id(request_id):
        request_id = str(uuid_utils.uuid7()).encode()
    return (
        found.get(b"authorization"),
        if_none_match,
        request_id,
        found.get(b"x-moorage-min-revision"),
        found.get(b"content-length"),
    )


def _path_of_segments(raw_path: bytes) -> str:
    """Return the decoded path with `%2F` for an encoded slash, which is a character of a segment and separates none.

    No key has a percent sign, so such a segment is equal to no key.
    """
    return unquote(re.sub(b"%2f", b"%252F", raw_path, flags=re.IGNORECASE).decode("latin-1"))


def _replay(first: Message | TimeoutError, receive: Receive) -> Receive:
    """Return a `receive` that starts with a message that was received, or with a timeout."""
    pending = [first]

    async def replay() -> Message:
        if not pending:
            return await receive()
        message = pending.pop()
        if isinstance(message, TimeoutError):
            raise message
        return message

    return replay
