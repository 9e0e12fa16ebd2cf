"""Calls with an idempotency key: a call that is sent again gets the response of the first one, for 24 hours.

One process runs the call. It runs to its end also when its client leaves, because the client that sends it again wants
its response. A call without a complete response stores nothing, so the next one with the key calls the model.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from moorage import clock
from moorage.api.calls.watch import Watch
from moorage.api.request_reader import SMALL_BODY
from moorage.api.write_options import idempotency_key
from moorage.core.deployments.ids import new_id
from moorage.core.errors.base import IdempotencyConflict, IdempotencyQuotaExceeded, ResponseNotStored
from moorage.core.errors.storage import StorageError
from moorage.store.call_results import CLAIM_US, CallKey, CallResult

if TYPE_CHECKING:
    from moorage.api.request import RequestContext

#: A larger response is not stored (bytes).
MAX_STORED: Final = 1024 * 1024

#: How many bytes the stored responses of one API key may take in the database.
MAX_HELD: Final = 64 * 1024 * 1024

#: How often a claim is renewed, and how long a waiting request pauses between two looks at first and at most (seconds).
_RENEW_SECONDS: Final = CLAIM_US / 3_000_000
_PAUSE_SECONDS: Final = 0.05
_MAX_PAUSE_SECONDS: Final = 1.0

#: Headers of a response that depend on the connection, or are set anew.
_NOT_STORED: Final = frozenset({"content-length", "x-moorage-revision"})

T = TypeVar("T")
Handler = Callable[["RequestContext"], Awaitable[Response]]

_log = logging.getLogger("moorage.api")


async def call_once(ctx: "RequestContext", handler: Handler) -> Response:
    """Return the response of a handler, or the one that is stored under the idempotency key of the request.

    While another request runs with the key, wait for its response.

    Raises:
        InvalidIdempotencyKey
        IdempotencyConflict: the key was used for another request.
        IdempotencyQuotaExceeded: the responses of the API key take `MAX_HELD` bytes.
        ResponseNotStored: the response was too large to be stored.
        ResultUnreadable, StorageFull, StorageUnavailable, and the errors of the handler
    """
    name = idempotency_key(ctx.request)
    if name is None:
        return await handler(ctx)
    key = CallKey(ctx.project_id, name, await _digest(ctx), ctx.key.id)
    table, claim, pause = ctx.services.store.call_results, new_id(), _PAUSE_SECONDS
    held = await asyncio.to_thread(table.bytes_of, ctx.key.id)
    while True:
        found = await asyncio.to_thread(table.claim, key, claim, clock.now_us())
        if found is None and held >= MAX_HELD:
            await asyncio.to_thread(table.release, key, claim)
            raise IdempotencyQuotaExceeded(param="Idempotency-Key", held=held, maximum=MAX_HELD)
        if found is None:
            return await _Claim(ctx, key, claim).run(handler)
        if found.request_sha256 != key.request_sha256:
            raise IdempotencyConflict(param="Idempotency-Key")
        if not found.is_running:
            await ctx.check_caller()  # the request can have waited
            return _stored_response(found)
        with Watch(ctx.request.receive):
            await asyncio.sleep(pause)  # another process cannot wake this one
        pause = min(pause * 1.5, _MAX_PAUSE_SECONDS)


async def _digest(ctx: "RequestContext") -> str:
    """Return the hash of the request. One by an API key that is bound to another environment is another one."""
    request = ctx.request
    head = f"{request.url.path}?{request.url.query}\n{ctx.key.environment_id or ''}\n".encode()
    body = await ctx.keep_call_body()

    def digest() -> str:
        return hashlib.sha256(head + body).hexdigest()

    return digest() if len(body) <= SMALL_BODY else await ctx.compute(digest)


def _stored_response(found: CallResult) -> Response:
    if found.headers is None:
        raise ResponseNotStored(param="Idempotency-Key", maximum=MAX_STORED)
    response = Response(found.body, headers=found.headers)
    response.headers["X-Moorage-Replayed"] = "true"
    return response


class _Claim:
    """A call that this process runs for a key."""

    def __init__(self, ctx: "RequestContext", key: CallKey, claim: str) -> None:
        self._ctx = ctx
        self._key, self._claim = key, claim
        self._table = ctx.services.store.call_results
        self._renewing = asyncio.create_task(self._renew())

    async def run(self, handler: Handler) -> Response:
        """Return the response of a handler, which stores itself when it is sent."""
        ctx = self._ctx
        ctx.request = Request(ctx.request.scope, _stay)
        try:
            response = await handler(ctx)
        except BaseException:  # raised again: a cancellation must end the claim, too
            await self.end(None, b"", is_complete=False)
            raise
        if response.status_code == 200:
            return _RecordedResponse(response, self)
        await self.end(None, b"", is_complete=False)
        return response

    async def end(self, headers: dict[str, str] | None, body: bytes, *, is_complete: bool) -> None:
        """Store a response in place of the claim; without a complete one, delete the claim."""
        self._renewing.cancel()
        if is_complete:
            write = partial(self._table.finish, self._key, self._claim, clock.now_us(), headers, body)
        else:
            write = partial(self._table.release, self._key, self._claim)
        try:
            await asyncio.shield(asyncio.to_thread(write))
        except StorageError as error:  # the client has its response; the claim ends by itself
            _log.warning("the response to a call was not stored: %s", error)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)  # the claim ends by itself if this process does
            with suppress(StorageError):
                await asyncio.to_thread(self._table.renew, self._key, self._claim, clock.now_us())


class _RecordedResponse(Response):
    """A response that is stored when it is complete. Its client can leave meanwhile."""

    def __init__(self, response: Response, claim: _Claim) -> None:
        self._response, self._claim = response, claim
        self.status_code, self.raw_headers, self.background = response.status_code, response.raw_headers, None
        self._sent: dict[str, str] = {}
        self._parts, self._size = list[bytes](), 0
        self._is_ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, and store it."""

        async def record(message: Message) -> None:
            self._record(message)
            await send(message)

        try:
            await self._response(scope, _stay, record)
        finally:
            # A stream reports its failure as an event, or by an end without the last message.
            is_complete = self._is_ended and scope.get("moorage.error") is None
            headers = self._sent if self._size <= MAX_STORED else None
            body = b"".join(self._parts) if headers is not None else b""
            await self._claim.end(headers, body, is_complete=is_complete)

    def _record(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            names = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"])
            self._sent = {name: value for name, value in names if name not in _NOT_STORED}
            return
        self._size += len(message.get("body", b""))
        if self._size <= MAX_STORED:
            self._parts.append(message.get("body", b""))
        else:
            self._parts.clear()
        self._is_ended = not message.get("more_body", False)


async def _stay() -> Message:
    """Receive nothing: the call does not end when its client leaves. The body has been read."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError
