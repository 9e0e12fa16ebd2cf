"""A plain client on one connection that is kept."""

import http.client
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import msgspec


class Reply(msgspec.Struct, frozen=True):
    """What came back. The names of headers are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


class Client:
    """One connection to 127.0.0.1, with one API key (or none)."""

    def __init__(self, port: int, token: str = "", timeout: float = 10.0) -> None:
        """The timeout is in seconds."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def request(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request."""
        self._connection.request(method, target, body, {**self._headers, **(headers or {})})
        response = self._connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, response.read())

    def get(self, target: str) -> Reply:
        """GET, which must be answered with 200."""
        reply = self.request("GET", target)
        if reply.status != 200:
            raise RuntimeError(f"GET {target} was answered with {reply.status}: {reply.body[:500]!r}")
        return reply
