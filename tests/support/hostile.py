"""A server that sends whatever a test says: it listens on a socket, and knows no HTTP but the end of a request."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit


class Request(NamedTuple):
    """A request as it arrived."""

    method: str
    target: str
    head: str
    body: bytes

    @property
    def path(self) -> str:
        """The path, as it was sent."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """The query parameters."""
        return parse_qs(urlsplit(self.target).query)


Respond = Callable[[Request], bytes | Iterable[bytes]]


class HostileServer:
    """A server that responds to each request with the bytes of `respond`, and closes the connection after them.

    `requests` has all requests, and `sent` the number of bytes that the clients took.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.requests: list[Request] = []
        self.sent = 0
        self.stopping = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in (*self._connections, self._listening):
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._connections.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if (request := _receive(connection)) is not None:
                self.requests.append(request)
                answer = self.respond(request)
                for piece in [answer] if isinstance(answer, bytes) else answer:
                    connection.sendall(piece)
                    self.sent += len(piece)
                    if self.stopping.is_set():
                        break
            connection.shutdown(socket.SHUT_WR)


def _receive(connection: socket.socket) -> Request | None:
    received = b""
    while b"\r\n\r\n" not in received:
        if not (piece := connection.recv(65_536)):
            return None
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
    while length is not None and len(body) < int(length[1]):
        body += connection.recv(65_536)
    method, target, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ", 2)
    return Request(method, target, head.decode("latin-1"), body)


def response(body: Any, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Return a complete response; a body that is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"} | dict(
        headers
    )
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content
