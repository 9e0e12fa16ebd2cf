"""Answers: finished ones that are remembered, up to a number and a size, until whoever keeps them forgets them."""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

import msgspec
from starlette.types import Message

from moorage.api.exchange import RawHeaders
from moorage.core.access import ApiKey

#: How much is remembered at most: this many answers, of this many bytes together.
MAX_ANSWERS: Final = 2_000
MAX_BYTES: Final = 16 * 1024 * 1024

FOREVER: Final = float("inf")

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A finished 200, and what is needed to give it again. `until` is when the API key expires (seconds, UTC)."""

    headers: RawHeaders
    body_message: Message
    etag: bytes
    route: str
    caller: ApiKey
    until: float

    @classmethod
    def of(cls, headers: RawHeaders, body: bytes, etag: bytes, route: str, key: ApiKey) -> "Answer":
        """The answer to a request with an API key."""
        until = FOREVER if key.expires_us is None else key.expires_us / 1e6
        return cls(headers, {"type": "http.response.body", "body": body}, etag, route, key, until)


class Answers(Generic[K, V]):
    """By what was asked. When there is no room, all are forgotten: what is asked often is soon there again."""

    def __init__(self) -> None:
        self._kept: dict[K, V] = {}
        self._bytes = 0
        self.find = self._kept.get  # no step between it and those who ask

    def __len__(self) -> int:
        """How many there are."""
        return len(self._kept)

    def keep(self, asked: K, answer: V, size: int) -> None:
        """Remember one, that takes so many bytes."""
        if len(self._kept) >= MAX_ANSWERS or self._bytes + size > MAX_BYTES:
            self.forget()
        self._kept[asked] = answer
        self._bytes += size

    def forget(self) -> None:
        """Forget them all."""
        self._kept.clear()
        self._bytes = 0
