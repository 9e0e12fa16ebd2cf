"""The response cache: complete responses to GET requests, until the next write."""

import sys
from typing import Final

import msgspec
from starlette.types import Message

from moorage.api.responses import RawHeaders
from moorage.core.access import ApiKey
from moorage.core.bounded_cache import BoundedCache

#: The size of the cache: bodies, headers, paths and queries.
MAX_BYTES: Final = 16 * 1024 * 1024

#: The id of the API key, the path, the query string. Never a header: what a client sends is not who it is.
CacheKey = tuple[str, str, bytes]

#: The bytes of a response without its body, headers, path and query; and of a header without its name and value.
_RESPONSE_BYTES, _HEADER_BYTES = 600, 64


class CachedResponse(msgspec.Struct, frozen=True, gc=False):
    """A complete 200 response to an API key."""

    headers: RawHeaders
    body_message: Message
    etag: bytes
    route: str
    caller: ApiKey

    @classmethod
    def of(cls, headers: RawHeaders, body: bytes, etag: bytes, route: str, caller: ApiKey) -> "CachedResponse":
        """Return the response to a request with an API key."""
        return cls(headers, {"type": "http.response.body", "body": body}, etag, route, caller)


class ResponseCache:
    """Responses by API key, path and query."""

    def __init__(self) -> None:
        self._responses: BoundedCache[CacheKey, CachedResponse] = BoundedCache(MAX_BYTES)
        self.get = self._responses.get
        self.clear = self._responses.clear

    def __len__(self) -> int:
        return len(self._responses)

    @property
    def held(self) -> int:
        """The number of bytes in the cache."""
        return self._responses.held

    def set(self, key: CacheKey, response: CachedResponse) -> None:
        """Store a response."""
        _, path, query = key
        size = sys.getsizeof(path) + sys.getsizeof(query) + sys.getsizeof(response.body_message["body"])
        for name, value in response.headers:
            size += sys.getsizeof(name) + sys.getsizeof(value) + _HEADER_BYTES
        self._responses.set(key, response, size + _RESPONSE_BYTES)
