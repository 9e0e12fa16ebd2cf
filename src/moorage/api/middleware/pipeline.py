"""The request pipeline: request log, response cache, fast path of get_config, conditional requests.

They are four steps of one ASGI application and not four applications inside each other, because each level of nesting
costs about as much as a cached response (decision 0001). Their order is that of `__call__`.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moorage import clock
from moorage.api.body import BODY_SECONDS
from moorage.api.endpoints.get_config import PATH
from moorage.api.errors import error_response
from moorage.api.middleware.caller_cache import CallerCache
from moorage.api.middleware.calls import CallRoutes
from moorage.api.middleware.conditional import ConditionalResponse, age_header, without_body
from moorage.api.middleware.get_config_fast_path import GetConfigFastPath
from moorage.api.middleware.headers import RequestHeaders, read_headers
from moorage.api.middleware.proxies import Proxies
from moorage.api.middleware.response_cache import CachedResponse, CacheKey, ResponseCache
from moorage.api.middleware.timeouts import SharedTimeout
from moorage.api.request_limits import RequestLimits
from moorage.api.request_log import RequestLog
from moorage.api.request_reader import SMALL_BODY
from moorage.api.responses import RawHeaders, etag_matches
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import FRESH_SECONDS, Follower
from moorage.core.access import ApiKey
from moorage.core.errors.base import MoorageError, TooManyRequests
from moorage.logs import RequestRecord

_NO_BODY: Final[Message] = {"type": "http.response.body", "body": b""}
_READS: Final = frozenset({"GET", "HEAD"})
_READING_POSTS: Final = ("/get_config", "/explain", "/simulate", "/render")
_CLIENT_CLOSED_REQUEST: Final = 499  # nginx's status for the log; no client gets it

_NO_PROXIES: Final = Proxies()
_NO_LIMITS: Final = RequestLimits()

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
        proxies: Proxies = _NO_PROXIES,
        limits: RequestLimits = _NO_LIMITS,
        calls: CallRoutes | None = None,
    ) -> None:
        self._app = app
        self._catalog = catalog
        self._follower = follower
        self._request_log = request_log
        self._fast_path = fast_path
        self._calls = calls
        self._proxies = proxies
        self._limits = limits
        self._callers = CallerCache()
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
        headers = read_headers(scope)
        age_of = self._follower.age if self._catalog.is_current() else await self._catch_up()
        self._clear_if_changed()
        path_problem = self._proxies.normalize_path(scope)
        problem: MoorageError | None = headers.problem or path_problem
        method, path, query = scope["method"], scope["path"], scope["query_string"]
        caller: ApiKey | None
        error: str | None = None
        client = scope["moorage.client"] = self._proxies.client(scope)
        cached, age = None, 0.0  # the age is read as late as possible
        if method == "GET":
            age = age_of()
            cached = self._response_cache(headers, path, query, age)
        elif path == PATH and method == "POST" and headers.min_revision is None and not query:
            receive, body = await self._receive_first(receive)
            if not self._catalog.is_current():  # the body arrived late
                age_of = await self._catch_up()
            age = age_of()
            cached = self._get_config_fast_path(headers, body, age)
        elif self._is_call(method, path):
            receive = await self._prepare_call(scope, receive, headers)
            cached = self._calls.repeated(scope, headers, age_of()) if self._calls is not None else None
        if cached is not None and self._limits.per_key and (refusal := self._refusal(cached.caller)) is not None:
            scope["moorage.caller"] = cached.caller
            cached, problem = None, refusal
        if cached is not None:
            status, response_headers, message = 200, cached.headers, cached.body_message
            if headers.if_none_match is not None and cached.etag and etag_matches(headers.if_none_match, cached.etag):
                status, response_headers, message = 304, without_body(response_headers), _NO_BODY
            await _send(send, status, response_headers, message, headers.request_id, age)
            route, caller = cached.route, cached.caller
        else:
            is_complete = "moorage.body" in scope
            response = _conditional_response(send, receive, headers, method, path, age_of, is_complete=is_complete)
            await self._run(scope, response, problem)
            status, caller, error = response.status, scope.get("moorage.caller"), scope.get("moorage.error")
            route = scope["route"].path if "route" in scope else "none"
            if caller is not None:
                self._keep(scope, headers.authorization, response, route, caller)
        seconds = time.perf_counter() - started
        key_id = caller.id if caller else None
        record = RequestRecord(
            clock.now_seconds(), seconds, method, route, path, status, headers.request_id, key_id, client, error
        )
        self._request_log.record(record)

    def _is_call(self, method: str, path: str) -> bool:
        return method == "POST" and self._calls is not None and self._calls.has(path)

    def _refusal(self, caller: ApiKey) -> TooManyRequests | None:
        """Count a request of an API key, and return the reason to refuse it."""
        try:
            self._limits.check_key(caller.id)
        except TooManyRequests as error:
            return error
        return None

    def _response_cache(self, headers: RequestHeaders, path: str, query: bytes, age: float) -> CachedResponse | None:
        """Return the cached response to a request, if it is still valid."""
        caller, minimum = self._callers.find(headers.authorization), headers.min_revision
        if caller is None or headers.problem is not None or age > self._follower.max_staleness:
            return None
        if minimum is not None and not (minimum.isdigit() and int(minimum[:20]) <= self._revision):
            return None
        return self._cache.get((caller.id, path, query))

    def _get_config_fast_path(self, headers: RequestHeaders, body: bytes, age: float) -> CachedResponse | None:
        """Return the response to get_config, if the request is one for the fast path."""
        # The server sets `more_body` also for a body that arrived in one piece, so the length is compared.
        length = headers.content_length
        if length is None or length != b"%d" % len(body) or len(body) > SMALL_BODY or headers.problem is not None:
            return None
        if age > self._follower.max_staleness:
            return None
        self._clear_if_changed()
        return self._fast_path.response(headers.authorization, body, self._callers)

    async def _run(self, scope: Scope, response: ConditionalResponse, problem: MoorageError | None) -> None:
        """Run the application, or send the error `problem`; an unexpected error becomes a 500."""
        request_id, root_path = response.request_id.decode(), self._proxies.root_path
        scope["moorage.request_id"], scope["moorage.root_path"] = request_id, root_path
        app = self._app
        if self._calls is not None and self._is_call(scope["method"], scope["path"]):
            app = self._calls
        if problem is not None:
            app, scope["moorage.error"] = error_response(problem, request_id, root_path), problem.code
        try:
            await app(scope, response.receive, response.send)
        except ClientDisconnect:
            response.status = _CLIENT_CLOSED_REQUEST
        except Exception:  # noqa: BLE001 -- the last place where it can become a response
            _log.exception("a request failed", extra={"fields": {"request_id": request_id}})
            scope["moorage.error"] = MoorageError.code
            if not response.status:
                await error_response(MoorageError(), request_id, root_path)(scope, response.receive, response.send)

    def _keep(
        self, scope: Scope, authorization: bytes | None, response: ConditionalResponse, route: str, caller: ApiKey
    ) -> None:
        """Cache what the next request needs: the response to a read, or the API key of a call."""
        if scope["method"] == "GET":
            key = caller.id, scope["path"], scope["query_string"]
            self._store(authorization, key, response, route, caller)
        elif scope.get("moorage.verified", caller) is None:
            self._remember(authorization, caller)

    def _store(
        self, authorization: bytes | None, key: CacheKey, response: ConditionalResponse, route: str, caller: ApiKey
    ) -> None:
        """Cache a response and its API key, if they follow from the current revision alone."""
        etag, body = response.etag, response.body
        # A response that was made while the revision changed is valid, but not for the next request.
        if etag is None or body is None or response.revision != b"%d" % self._revision:
            return
        if self._catalog.find_api_key(caller.id) is not caller or any(name == b"vary" for name, _ in response.headers):
            return
        self._remember(authorization, caller)
        self._cache.set(key, CachedResponse.of(response.headers, body, etag, route, caller))

    def _remember(self, authorization: bytes | None, caller: ApiKey) -> None:
        """Cache an API key that was verified, unless it has changed since."""
        if self._revision == self._catalog.revision and self._catalog.find_api_key(caller.id) is caller:
            self._callers.add(authorization, caller)

    async def _prepare_call(self, scope: Scope, receive: Receive, headers: RequestHeaders) -> Receive:
        """Add what is known of a call to its scope: its API key, and its body if that arrived in one piece.

        Return the rest of the request.
        """
        if headers.problem is not None or headers.expects_continue:
            scope["moorage.verified"] = None
            return receive
        replayed, body = await self._receive_first(receive)
        self._clear_if_changed()  # the body can arrive late
        scope["moorage.verified"] = self._callers.find(headers.authorization)
        if not body or headers.content_length != b"%d" % len(body):
            return replayed
        scope["moorage.body"] = body
        return receive

    async def _receive_first(self, receive: Receive) -> tuple[Receive, bytes]:
        """Receive the first part of the body; return a `receive` that starts with it (or with the error), and it."""
        try:
            message = await self._timeout.wait_for(receive())
        except TimeoutError as error:
            return _replay(error, receive), b""
        return _replay(message, receive), message.get("body", b"")

    async def _catch_up(self) -> Callable[[], float]:
        """Catch up with the database; return the function of the catalog's age."""
        return self._follower.age if await self._follower.catch_up() else self._age_behind

    def _age_behind(self) -> float:
        """Return the age while a newer revision is known to exist: such a response always has an age."""
        return max(self._follower.age(), FRESH_SECONDS + 0.001)

    def _clear_if_changed(self) -> None:
        if self._revision == self._catalog.revision and self._state is self._catalog.state:
            return
        self._callers.clear()
        self._cache.clear()
        self._revision, self._state = self._catalog.revision, self._catalog.state


def _conditional_response(
    send: Send,
    receive: Receive,
    headers: RequestHeaders,
    method: str,
    path: str,
    age_of: Callable[[], float],
    *,
    is_complete: bool,
) -> ConditionalResponse:
    """Return the response of the application, which becomes a 304 if the client has it."""
    is_read = method in _READS
    is_conditional = is_read or (method == "POST" and path.endswith(_READING_POSTS))
    return ConditionalResponse(
        send, receive, headers.request_id,
        headers.if_none_match if is_conditional else None, age_of if is_conditional else None,
        is_body_read=is_read or is_complete, expects_continue=headers.expects_continue,
    )  # fmt: skip


async def _send(send: Send, status: int, headers: RawHeaders, body: Message, request_id: bytes, age: float) -> None:
    headers = [*headers, (b"x-request-id", request_id)]
    if age > FRESH_SECONDS:
        headers.append(age_header(age))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send(body)


def _replay(first: Message | TimeoutError, receive: Receive) -> Receive:
    """Return a `receive` that starts with a message that was received, or with an error."""
    pending = [first]

    async def replay() -> Message:
        if not pending:
            return await receive()
        message = pending.pop()
        if isinstance(message, TimeoutError):
            raise message
        return message

    return replay
