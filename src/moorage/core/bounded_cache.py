"""A cache with a limit in bytes: what its keys and values keep in memory counts, not their number."""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: The bytes that an entry takes without its key and its value.
ENTRY_BYTES: Final = 300


class BoundedCache(Generic[K, V]):
    """Values by key. Cleared when full; hot entries are recreated quickly.

    `held` is the number of bytes in the cache: the sizes given to `set`, and `ENTRY_BYTES` for each entry.
    """

    def __init__(self, maximum: int) -> None:
        """Hold at most `maximum` bytes."""
        self.maximum = maximum
        self.held = 0
        self._values: dict[K, V] = {}
        self._sizes: dict[K, int] = {}
        self.get = self._values.get  # without a method call in between

    def __len__(self) -> int:
        return len(self._values)

    def set(self, key: K, value: V, size: int) -> None:
        """Store a value that takes `size` bytes together with its key.

        A value that needs more than a quarter of the cache is not stored, because it would replace most others.
        """
        self.remove(key)
        size += ENTRY_BYTES
        if size > self.maximum // 4:
            return
        if self.held + size > self.maximum:
            self.clear()
        self._values[key] = value
        self._sizes[key] = size
        self.held += size

    def remove(self, key: K) -> None:
        """Remove an entry, if there is one."""
        if key in self._sizes:
            del self._values[key]
            self.held -= self._sizes.pop(key)

    def clear(self) -> None:
        """Remove all entries."""
        self._values.clear()
        self._sizes.clear()
        self.held = 0
