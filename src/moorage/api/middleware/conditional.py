"""Conditional requests (RFC 9110 section 13): a 304 for an ETag that the client has."""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Send

from moorage.api.responses import RawHeaders, etag_matches
from moorage.catalog.follower import FRESH_SECONDS

#: How much of a body is received after the response is known, in bytes, and how long the server waits for each part
#: and for all.
_MAX_DISCARDED: Final = 64 * 1024 * 1024
_PART_SECONDS: Final = 1.0
_MAX_SECONDS: Final = 10.0

_NOT_IN_304: Final = frozenset({b"content-type", b"content-length"})


class ConditionalResponse:
    """A response on its way to the client: gets a request id, becomes a 304 if the client has it, and is recorded."""

    def __init__(
        self,
        send: Send,
        receive: Receive,
        request_id: bytes,
        if_none_match: bytes | None,
        age: Callable[[], float] | None,
        *,
        is_body_read: bool,
        expects_continue: bool = False,
    ) -> None:
        """`age` returns the catalog's age in seconds, for responses that come from it."""
        self._send = send
        self._receive = receive
        self._age = age
        self._is_body_read = is_body_read
        self._expects_continue = expects_continue
        self._has_received = False
        self._if_none_match = if_none_match
        self.request_id = request_id
        self.status = 0
        self.etag: bytes | None = None
        self.revision: bytes | None = None
        self.headers: RawHeaders = []
        self.body: bytes | None = None

    async def receive(self) -> Message:
        """Receive a message for the application."""
        message = await self._receive()
        self._has_received = True
        self._is_body_read = self._is_body_read or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the application."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
            headers = self.headers
            if self.status == 200:
                self.etag = next((value for name, value in headers if name == b"etag"), None)
                self.revision = next((value for name, value in headers if name == b"x-moorage-revision"), None)
                if self.etag and self._if_none_match and etag_matches(self._if_none_match, self.etag):
                    self.status, headers = 304, without_body(headers)
            message = {
                **message,
                "status": self.status,
                "headers": [*headers, (b"x-request-id", self.request_id)],
            }
            if self._age is not None and self.status < 500 and (age := self._age()) > FRESH_SECONDS:
                message["headers"].append(age_header(age))
            if not self._is_body_read and not await self._discard_body():
                # The rest of the body would be parsed as the next request, so the connection ends.
                message["headers"].append((b"connection", b"close"))
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            self.body = message.get("body", b"")
            if self.status == 304:
                message = {**message, "body": b""}
        await self._send(message)

    async def _discard_body(self) -> bool:
        """Receive and discard the rest of the body; return whether that was all of it.

        Many clients read the response only after they have sent the body. If the server closed the connection before,
        they would report that, and not the error in the response (RFC 9112 section 9.6). A client that waits for
        `100 Continue` reads the response at once.
        """
        if self._expects_continue and not self._has_received:
            return False
        size = 0
        with suppress(TimeoutError, ClientDisconnect):
            async with asyncio.timeout(_MAX_SECONDS):
                while not self._is_body_read and size <= _MAX_DISCARDED:
                    async with asyncio.timeout(_PART_SECONDS):
                        message = await self.receive()
                    size += len(message.get("body", b""))
                    if message["type"] == "http.disconnect":
                        return False
        return self._is_body_read


def age_header(age: float) -> tuple[bytes, bytes]:
    """Return the X-Moorage-Age header, rounded up: nothing that was committed before may be missing."""
    return b"x-moorage-age", b"%d" % math.ceil(age)


def without_body(headers: RawHeaders) -> RawHeaders:
    """Return the headers of the 304 that replaces a 200."""
    return [header for header in headers if header[0] not in _NOT_IN_304]
