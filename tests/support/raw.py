"""Requests byte by byte: their parts are sent when a test wants, and nothing is added to them."""

import http.client
import json
import select
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.threads import HANG_SECONDS

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class RawRequest:
    """A connection with one request, whose parts are sent one after the other."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS)

    def send(self, data: bytes) -> None:
        """Send some bytes."""
        self._socket.sendall(data)

    def send_head(
        self, method: str, target: str, headers: Mapping[str, str] | Iterable[tuple[str, str]], length: int
    ) -> None:
        """Send the request line and the headers of a request with a body of that length."""
        lines = [f"{method} {target} HTTP/1.1", "Host: moorage", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in (headers.items() if isinstance(headers, Mapping) else headers)]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def is_continued(self) -> bool:
        """Return whether the server wants the body of a request with `Expect: 100-continue`, or else responds."""
        if self._socket.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL) != b"HTTP/1.1 100":
            return False
        self._socket.recv(len(_CONTINUE), socket.MSG_WAITALL)
        return True

    def has_response(self) -> bool:
        """Return whether the response has begun to arrive."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close the connection without a response."""
        self._socket.close()

    def response(self) -> "RawResponse":
        """Receive the response, and close the connection."""
        received = http.client.HTTPResponse(self._socket)
        try:
            received.begin()
            return RawResponse(received.status, dict(received.getheaders()), received.read())
        finally:
            received.close()
            self._socket.close()


class RawResponse:
    """A response; the names of headers are in lower case."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def code(self) -> str | None:
        """The code of an error; None for a success."""
        found: dict[str, Any] = json.loads(self.body) if self.status >= 400 else {}
        code: str | None = found.get("error", {}).get("code")
        return code
