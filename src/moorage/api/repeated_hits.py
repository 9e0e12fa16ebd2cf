"""Calls whose response came from the cache, by the bytes of the request: an equal request need not be read again.

Reading a request, resolving the deployment and hashing what would be sent take most of the time of a hit. An equal
request of the same API key leads to the same entry of the response cache, until anything in the catalog changes. The
entry itself is looked up each time, and so are its age and the expiry of the key.
"""

import sys
from collections.abc import Callable
from typing import Final

from moorage.catalog.catalog import Catalog
from moorage.core.bounded_cache import BoundedCache

RawHeaders = list[tuple[bytes, bytes]]

#: The size of all entries: about 1,000 requests.
MAX_BYTES: Final = 8 * 1024 * 1024

#: The bytes of an entry without its request: what the response is made of, without messages.
_ENTRY_BYTES: Final = 6_000

#: Headers of a request that make its response another one.
_MEANINGFUL: Final = frozenset({
    b"cache-control", b"traceparent", b"idempotency-key", b"x-moorage-min-revision", b"content-encoding",
})  # fmt: skip

#: Makes the response to a request with an id; None if the response cache has none any more.
Repeat = Callable[[str], tuple[RawHeaders, bytes] | None]


class RepeatedHits:
    """Functions that make the responses to repeated requests."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._entries: BoundedCache[tuple[str, str, bytes], Repeat] = BoundedCache(MAX_BYTES)
        self._state, self._revision = catalog.state, catalog.revision

    @property
    def held(self) -> int:
        """The number of bytes of all entries."""
        return self._entries.held

    def find(self, caller_id: str, path: str, body: bytes, headers: RawHeaders) -> Repeat | None:
        """Return the function for a request of an API key, if an equal one was a hit since the last change."""
        if self._revision != self._catalog.revision or self._state is not self._catalog.state:
            self._entries.clear()
            self._state, self._revision = self._catalog.state, self._catalog.revision
            return None
        found = self._entries.get((caller_id, path, body))
        return found if found is not None and is_plain(headers) else None

    def add(self, caller_id: str, path: str, body: bytes, repeat: Repeat, revision: int) -> None:
        """Store the function for a request that was a hit at a revision."""
        if revision == self._revision == self._catalog.revision and self._state is self._catalog.state:
            self._entries.set((caller_id, path, body), repeat, _ENTRY_BYTES + 2 * sys.getsizeof(body))


def is_plain(headers: RawHeaders) -> bool:
    """Return whether a request has no header that makes its response another one."""
    return _MEANINGFUL.isdisjoint([name for name, _ in headers])
