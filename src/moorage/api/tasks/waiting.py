"""An event stream that has its events at once, after a wait: meanwhile, comments say what the call waits for."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from moorage.api.calls.running import RunningCall
from moorage.api.calls.stream import PING_SECONDS

#: How often the state of the call is looked at (seconds).
_LOOK_SECONDS: Final = 0.25

#: The longest text of a comment.
_MAX_NOTE: Final = 200


class WaitingStream(Response):
    """The events that `make` returns as the body of a response.

    Its status is that of the call until the provider says that it is not ready, or for `PING_SECONDS`. After that it is
    200, and a failure is the end of the connection without the end of the body: no client takes it for a response.
    """

    def __init__(self, running: RunningCall, make: Callable[[], Awaitable[Response]]) -> None:
        super().__init__(media_type="text/event-stream")
        self._running = running
        self._make = make
        self._sent_at = time.monotonic()
        self._note = ""
        self._has_started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send comments until there are events, then these."""
        making = asyncio.ensure_future(self._make())
        try:
            while not (await asyncio.wait({making}, timeout=_LOOK_SECONDS))[0]:
                await self._comment(send)
            response = making.result()
        finally:
            making.cancel()
        if not self._has_started:
            await response(scope, receive, send)
        elif response.status_code == 200:
            await response(scope, receive, partial(_send_body, send))

    async def _comment(self, send: Send) -> None:
        """Send a comment if the state of the call is another one, or nothing was sent for long."""
        note, now = self._running.progress.note, time.monotonic()
        is_news = note != self._note or now - self._sent_at >= PING_SECONDS
        if not is_news or "x-sdk-version" in self._running.ctx.request.headers:  # such an SDK cannot read comments
            return
        if not self._has_started:
            self._has_started = True
            await send({"type": "http.response.start", "status": 200, "headers": self._raw_headers()})
        self._note, self._sent_at = note, now
        text = " ".join(note.split())[:_MAX_NOTE] or "waiting"
        await send({"type": "http.response.body", "body": f": {text}\n\n".encode(), "more_body": True})

    def _raw_headers(self) -> list[tuple[bytes, bytes]]:
        headers = {
            **self._running.headers(), "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no",
        }  # fmt: skip
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def _send_body(send: Send, message: Message) -> None:
    """Send a message of a response whose start was sent before."""
    if message["type"] == "http.response.body":
        await send(message)
