"""The API keys of Authorization headers that were verified before.

It only saves the hash of a token: nothing else is stored under a header as it was sent. Responses are cached by the id
of the API key (`ResponseCache`), so all forms of a header lead to the responses of one API key, and to no others.
"""

import sys
from typing import Final

from moorage import clock
from moorage.core.access import ApiKey
from moorage.core.bounded_cache import BoundedCache

#: The size of the cache: about 10,000 headers.
MAX_BYTES: Final = 4 * 1024 * 1024

#: The longest header that is cached. `Bearer` with a token has 76 bytes; the rest can only be spaces.
_MAX_HEADER = 128


class CallerCache:
    """API keys by Authorization header, until the next write."""

    def __init__(self) -> None:
        self._callers: BoundedCache[bytes, ApiKey] = BoundedCache(MAX_BYTES)

    @property
    def held(self) -> int:
        """The number of bytes in the cache."""
        return self._callers.held

    def find(self, authorization: bytes | None) -> ApiKey | None:
        """Return the API key of a header, if it was verified since the last write and has not expired."""
        if authorization is None:
            return None
        caller = self._callers.get(authorization)
        if caller is None or (caller.expires_us is not None and clock.now_us() >= caller.expires_us):
            return None
        return caller

    def add(self, authorization: bytes | None, caller: ApiKey) -> None:
        """Store the API key that `authenticate` returned for a header."""
        if authorization is not None and len(authorization) <= _MAX_HEADER:
            self._callers.set(authorization, caller, sys.getsizeof(authorization))

    def clear(self) -> None:
        """Remove all entries: something changed."""
        self._callers.clear()
