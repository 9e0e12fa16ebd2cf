"""The response cache: complete responses to GET requests, until the next write."""

from typing import Final

import msgspec
from starlette.types import Message

from moorage.api.responses import RawHeaders
from moorage.core.access import ApiKey

#: The cache is cleared when it has this many responses, or this many bytes of bodies.
MAX_RESPONSES: Final = 2_000
MAX_BYTES: Final = 16 * 1024 * 1024

FOREVER: Final = float("inf")

#: Authorization header, path, query string.
CacheKey = tuple[bytes | None, str, bytes]


class CachedResponse(msgspec.Struct, frozen=True, gc=False):
    """A complete 200 response; `valid_until` is the expiry of the API key (seconds since 1970)."""

    headers: RawHeaders
    body_message: Message
    etag: bytes
    route: str
    caller: ApiKey
    valid_until: float

    @classmethod
    def of(cls, headers: RawHeaders, body: bytes, etag: bytes, route: str, caller: ApiKey) -> "CachedResponse":
        """Return the response to a request with an API key."""
        valid_until = FOREVER if caller.expires_us is None else caller.expires_us / 1e6
        return cls(headers, {"type": "http.response.body", "body": body}, etag, route, caller, valid_until)


class ResponseCache:
    """Responses by request. Cleared when full; hot entries are recreated quickly."""

    def __init__(self) -> None:
        self._responses: dict[CacheKey, CachedResponse] = {}
        self._bytes = 0
        self.get = self._responses.get  # without a method call in between

    def __len__(self) -> int:
        return len(self._responses)

    def set(self, key: CacheKey, response: CachedResponse) -> None:
        """Store a response."""
        size = len(response.body_message["body"])
        if len(self._responses) >= MAX_RESPONSES or self._bytes + size > MAX_BYTES:
            self.clear()
        self._responses[key] = response
        self._bytes += size

    def clear(self) -> None:
        """Remove all responses."""
        self._responses.clear()
        self._bytes = 0
