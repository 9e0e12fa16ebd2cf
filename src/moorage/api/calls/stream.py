"""The response to a call as server-sent events."""

import asyncio
import time
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from moorage.api.calls.running import CLIENT_CLOSED_REQUEST, RunningCall
from moorage.api.calls.watch import Watch
from moorage.api.errors import error_response, status_of
from moorage.core.errors.base import MoorageError

if TYPE_CHECKING:
    from moorage.gateway.exchange import CallStream

#: The longest silence in a stream (seconds): proxies close connections that are silent for 30 seconds.
PING_SECONDS: Final = 10.0

#: A client that receives nothing for so long is treated as one that disconnected (seconds).
SEND_SECONDS: Final = 60.0

#: How often the API key of a stream is checked again (seconds).
CHECK_SECONDS: Final = 1.0

_PING: Final = b": ping\n\n"


class CallStreamResponse(Response):
    """The stream of one call.

    Its status is that of the call if the model responds, or fails, within `PING_SECONDS`. After that it is 200, and a
    failure is an event, or the end of the connection. So no client takes a response that was cut off for a complete
    one.
    """

    def __init__(self, running: RunningCall) -> None:
        super().__init__(media_type="text/event-stream")
        self._running = running
        self._send: Send | None = None
        self._has_started = self._is_writing = False
        self._sending: asyncio.Task[None] | None = None
        self._watch: Watch | None = None
        self._last_sent = self._last_check = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the model, and send what it writes as it arrives."""
        running, self._send = self._running, send
        self._last_sent = self._last_check = time.monotonic()
        if "x-sdk-version" not in running.ctx.request.headers:  # the SDK of orq.ai of version 2 cannot read comments
            self._schedule(PING_SECONDS)
        stream: CallStream | None = None
        try:
            with Watch(running.ctx.request.receive) as self._watch:
                stream = await running.ctx.services.runner.stream(running.call(), running.progress)
                while (completions := await stream.next()) is not None:
                    self._check_caller()
                    if running.cache is not None:
                        running.cache.add(completions)
                    if chunk := running.shape.chunks(completions):
                        await self._write(chunk)
                if running.cache is not None:
                    running.cache.store(running)
                await self._write(running.shape.end(), more=False)
            running.record(200)
        except ClientDisconnect:
            running.record(CLIENT_CLOSED_REQUEST)
            raise
        except MoorageError as error:
            await self._fail(error, scope, receive, send)
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if stream is not None:
                stream.close()

    def _check_caller(self) -> None:
        """Raise the error of a key that was revoked, or expired, since the call began."""
        now = time.monotonic()
        if now - self._last_check > CHECK_SECONDS:
            self._last_check = now
            self._running.ctx.check_caller_now()

    async def _fail(self, error: MoorageError, scope: Scope, receive: Receive, send: Send) -> None:
        self._running.record(200 if self._has_started else status_of(type(error)), error)
        scope["moorage.error"] = error.code
        if not self._has_started:
            self._has_started = True  # no ping any more
            await self._running.error(error)(scope, receive, send)
            return
        request_id, root_path = scope["moorage.request_id"], scope["moorage.root_path"]
        body = bytes(error_response(error, request_id, root_path, self._running.progress.attempts).body)
        event = self._running.shape.failure(error, body)
        if event is not None:
            await self._write(event, more=False)
            return
        # Without the end of the body, the server closes the connection.
        await self._finish_sending()

    async def _write(self, chunk: bytes, *, more: bool = True) -> None:
        await self._finish_sending()
        assert self._send is not None  # noqa: S101 -- set at the start
        self._is_writing = True
        if not self._has_started:
            await self._start()
        await self._send({"type": "http.response.body", "body": chunk, "more_body": more})
        self._last_sent, self._is_writing = time.monotonic(), False

    async def _start(self) -> None:
        assert self._send is not None  # noqa: S101 -- as above
        self._has_started = True
        headers = {
            **self._running.headers(), "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no",
        }  # fmt: skip
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    def _schedule(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._tick)

    def _tick(self) -> None:
        """Send a comment if nothing else was sent for long enough. The call waits for the model meanwhile."""
        silent = time.monotonic() - self._last_sent
        if self._is_writing and silent > SEND_SECONDS and self._watch is not None:
            self._watch.give_up()
            return
        if silent < PING_SECONDS - 0.01:
            self._schedule(PING_SECONDS - silent)
            return
        if not self._is_writing and (self._sending is None or self._sending.done()):  # else, the client is slow
            self._sending = asyncio.ensure_future(self._ping())
        self._schedule(PING_SECONDS)

    async def _ping(self) -> None:
        assert self._send is not None  # noqa: S101 -- as above
        if not self._has_started:
            await self._start()
        self._last_sent = time.monotonic()
        await self._send({"type": "http.response.body", "body": _PING, "more_body": True})

    async def _finish_sending(self) -> None:
        if self._sending is not None:
            sending, self._sending = self._sending, None
            await sending
