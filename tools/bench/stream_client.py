"""Client of one connection for streams: the time of the first event, and the number of events."""

import socket
import time
from collections.abc import Mapping
from typing import Self

import msgspec

from tools.common.client import Request

_END = b"0\r\n\r\n"
_CHUNK = 262_144


class Streamed(msgspec.Struct, frozen=True):
    """A stream that was received. `first` is the time from the request to the first event (seconds)."""

    first: float
    received: bytes


class StreamClient:
    """Client of 127.0.0.1."""

    def __init__(self, port: int, target: str, token: str = "", headers: Mapping[str, str] | None = None) -> None:
        self._target, self._token = target, token
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        self._socket = socket.create_connection(("127.0.0.1", port), 30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, body: str) -> Streamed:
        """Send a request, and receive its stream up to the end.

        Raises:
            RuntimeError: the response is no stream, or not complete.
        """
        request = Request("POST", self._target, body.encode())
        encoded = request.encode(self._token, self._headers)
        started, first, received = time.perf_counter(), 0.0, b""
        self._socket.sendall(encoded)
        while not received.endswith(_END):
            piece = self._socket.recv(_CHUNK)
            received += piece
            if not piece or not received.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"{self._target} returned {received[:1000]!r}")
            if not first and b"data: " in received:
                first = time.perf_counter() - started
        return Streamed(first, received)
