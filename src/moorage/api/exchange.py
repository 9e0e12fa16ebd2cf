"""Exchange: one answer of a handler on its way out, and the headers that every answer may get."""

import math
from collections.abc import Callable
from typing import Final

from starlette.types import Message, Receive, Send

from moorage.api.etags import matches

#: An answer to a read that says nothing of its age is not older than this (seconds).
FRESH_SECONDS: Final = 1.0

_NOT_IN_304: Final = frozenset({b"content-type", b"content-length"})

RawHeaders = list[tuple[bytes, bytes]]


class Exchange:
    """One answer on its way out: it gets its request id, becomes a 304 where the client has it, and is kept."""

    def __init__(
        self,
        send: Send,
        receive: Receive,
        request_id: bytes,
        if_none_match: bytes | None,
        age: Callable[[], float] | None,
        *,
        is_body_read: bool,
    ) -> None:
        """`age` tells that of the catalog, for what is answered from it."""
        self._send = send
        self._receive = receive
        self._age = age
        self._is_body_read = is_body_read
        self._if_none_match = if_none_match
        self.request_id = request_id
        self.status = 0
        self.etag: bytes | None = None
        self.revision: bytes | None = None
        self.headers: RawHeaders = []
        self.body: bytes | None = None

    async def receive(self) -> Message:
        """Receive for the application."""
        message = await self._receive()
        self._is_body_read = self._is_body_read or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send on what the application sends."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
            headers = self.headers
            if self.status == 200:
                self.etag = next((value for name, value in headers if name == b"etag"), None)
                self.revision = next((value for name, value in headers if name == b"x-moorage-revision"), None)
                if self.etag and self._if_none_match and matches(self._if_none_match, self.etag):
                    self.status, headers = 304, without_body(headers)
            message = {
                **message,
                "status": self.status,
                "headers": [*headers, (b"x-request-id", self.request_id)],
            }
            if self._age is not None and self.status < 500 and (age := self._age()) > FRESH_SECONDS:
                message["headers"].append(age_header(age))
            if not self._is_body_read:
                # The rest of the body would be taken for the next request, so the connection ends: say so.
                message["headers"].append((b"connection", b"close"))
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            self.body = message.get("body", b"")
            if self.status == 304:
                message = {**message, "body": b""}
        await self._send(message)


def age_header(age: float) -> tuple[bytes, bytes]:
    """Rounded up: of what was committed so many seconds before, nothing may be missing."""
    return b"x-moorage-age", b"%d" % math.ceil(age)


def without_body(headers: RawHeaders) -> RawHeaders:
    """Those of a 304 in the place of a 200."""
    return [header for header in headers if header[0] not in _NOT_IN_304]
