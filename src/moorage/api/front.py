"""Front: what stands before every route, and answers most reads itself.

It gives each request its id, times it, notes it for the log and the metrics, compares ETags, and remembers finished
answers: a read that was answered once is answered from here, for the same API key, path and query, until the revision
changes. Only what carries an ETag is remembered, and a handler sets one only on what follows from the revision alone;
not what has a `Vary`, which depends on more of the question.
"""

import logging
import time
from typing import Final

import uuid_utils
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moorage.api.answers import Answer, Answers
from moorage.api.call import BODY_SECONDS
from moorage.api.configurations import PATH, Quick
from moorage.api.etags import matches
from moorage.api.exchange import FRESH_SECONDS, Exchange, RawHeaders, age_header, without_body
from moorage.api.journal import Finished, Journal
from moorage.api.patience import Patience
from moorage.api.problems import problem
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.core.access import ApiKey
from moorage.core.errors import MoorageError
from moorage.core.ids import accepts_request_id

_NO_BODY: Final[Message] = {"type": "http.response.body", "body": b""}
_READS: Final = frozenset({"GET", "HEAD"})
_ASKING: Final = ("/get_config", "/explain", "/what-if")  # POST, and change nothing
_CLIENT_CLOSED_REQUEST: Final = 499  # nginx's status for a client that left; nobody is sent it

_log = logging.getLogger("moorage.api")


class Front:
    """The outermost ASGI application."""

    def __init__(self, app: ASGIApp, catalog: Catalog, follower: Follower, journal: Journal, quick: Quick) -> None:
        self._app = app
        self._quick = quick
        self._catalog = catalog
        self._follower = follower
        self._journal = journal
        self._patience = Patience(BODY_SECONDS)
        self._answers = Answers[tuple[bytes | None, str, bytes], Answer]()
        self._contents = catalog.contents
        self._revision = catalog.revision

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (or pass on what is none)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        authorization, if_none_match, request_id, min_revision, length = _read_headers(scope["headers"])
        age_of = self._follower.age
        if not (self._catalog.is_current() or await self._follower.catch_up()):
            age_of = self._age_behind
        self._forget_if_changed()
        method, path = scope["method"], scope["path"]
        asked = authorization, path, scope["query_string"]
        caller: ApiKey | None
        answer, age = None, 0.0  # the age is told as late as can be
        if method == "GET":
            age = age_of()
            answer = self._find(asked, min_revision, age)
        elif path == PATH and method == "POST" and min_revision is None and not scope["query_string"]:
            receive, first = await self._receive_first(receive)
            age = age_of()
            answer = self._ask_quick(first, length, authorization, age)
        if answer is not None:
            status, headers, body = 200, answer.headers, answer.body_message
            if if_none_match is not None and matches(if_none_match, answer.etag):
                status, headers, body = 304, without_body(headers), _NO_BODY
            await _send(send, status, headers, body, request_id, age)
            route, caller = answer.route, answer.caller
        else:
            is_read = method in _READS
            is_asking = is_read or (method == "POST" and path.endswith(_ASKING))
            known, told = (if_none_match, age_of) if is_asking else (None, None)
            exchange = Exchange(send, receive, request_id, known, told, is_body_read=is_read)
            await self._pass_on(scope, exchange)
            status, caller = exchange.status, scope.get("moorage.caller")
            route = scope["route"].path if "route" in scope else "none"
            if method == "GET" and caller is not None:
                self._remember(asked, exchange, route, caller)
        seconds = time.perf_counter() - started
        key_id = caller.id if caller else None
        self._journal.note(Finished(time.time(), seconds, method, route, path, status, request_id, key_id))

    def _find(self, asked: tuple[bytes | None, str, bytes], min_revision: bytes | None, age: float) -> Answer | None:
        """What was answered before, if it may be given again."""
        is_enough = min_revision is None or (min_revision.isdigit() and int(min_revision[:20]) <= self._revision)
        answer = self._answers.find(asked) if is_enough and age <= self._follower.max_age else None
        return answer if answer is not None and time.time() < answer.until else None

    async def _receive_first(self, receive: Receive) -> tuple[Receive, bytes]:
        """The body as far as it came at once; and a `receive` that begins with that, or with the waiting in vain."""
        try:
            message = await self._patience.wait_for(receive())
        except TimeoutError:
            return _received(TimeoutError(), receive), b""
        return _received(message, receive), message.get("body", b"")

    def _ask_quick(self, body: bytes, length: bytes | None, authorization: bytes | None, age: float) -> Answer | None:
        """A quick answer, if there is one."""
        # The server says `more_body` of a body that came in one piece too: it does not count.
        if length is None or length != b"%d" % len(body) or age > self._follower.max_age:
            return None
        self._forget_if_changed()  # the body may have taken its time
        return self._quick.answer(authorization, body)

    def _age_behind(self) -> float:
        """The age where something newer is known to be there: that is always told."""
        return max(self._follower.age(), FRESH_SECONDS + 0.001)

    def _forget_if_changed(self) -> None:
        if self._revision == self._catalog.revision and self._contents is self._catalog.contents:
            return
        self._quick.forget()
        self._answers.forget()
        self._revision, self._contents = self._catalog.revision, self._catalog.contents

    async def _pass_on(self, scope: Scope, exchange: Exchange) -> None:
        scope["moorage.request_id"] = exchange.request_id.decode()
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.status = _CLIENT_CLOSED_REQUEST
        except Exception:  # noqa: BLE001 -- the last place where it can become an answer
            request_id = exchange.request_id.decode()
            _log.exception("a request failed", extra={"fields": {"request_id": request_id}})
            if not exchange.status:
                await problem(MoorageError(), request_id)(scope, exchange.receive, exchange.send)

    def _remember(self, asked: tuple[bytes | None, str, bytes], exchange: Exchange, route: str, key: ApiKey) -> None:
        etag, body = exchange.etag, exchange.body
        # What was read while the revision changed is of the one before: it is an answer, but not to the next request.
        if etag is None or body is None or exchange.revision != b"%d" % self._revision:
            return
        if any(name == b"vary" for name, _ in exchange.headers):
            return
        self._answers.keep(asked, Answer.of(exchange.headers, body, etag, route, key), len(body))


async def _send(send: Send, status: int, headers: RawHeaders, body: Message, request_id: bytes, age: float) -> None:
    headers = [*headers, (b"x-request-id", request_id)]
    if age > FRESH_SECONDS:
        headers.append(age_header(age))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send(body)


def _received(first: Message | TimeoutError, receive: Receive) -> Receive:
    """A `receive` that begins with what was received, or was waited for, already."""
    waiting = [first]

    async def again() -> Message:
        if not waiting:
            return await receive()
        message = waiting.pop()
        if isinstance(message, TimeoutError):
            raise message
        return message

    return again


def _read_headers(
    headers: RawHeaders,
) -> tuple[bytes | None, bytes | None, bytes, bytes | None, bytes | None]:
    """Authorization, If-None-Match, the id of the request, X-Min-Revision, Content-Length."""
    found = dict(reversed(headers))  # of two of a name the first counts
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
        found.get(b"x-min-revision"),
        found.get(b"content-length"),
    )
