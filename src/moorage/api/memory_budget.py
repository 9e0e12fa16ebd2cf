"""The memory budget of waiting requests: bodies that arrive, and what was parsed from them, until the response.

Bodies of many requests can be in memory at the same time: clients send slowly, and writes wait for the writer. One body
is small, but thousands are not. So they share one budget, in bytes.
"""

from typing import Final

from moorage.core.errors.base import ApiKeyQueueFull, WriteQueueFull

#: The bytes that all waiting requests of a process may hold.
MAX_BYTES: Final = 64 * 1024 * 1024

#: The bytes of a waiting write without its body: its context, its place in the queue, and its connection.
WRITE_BYTES: Final = 16 * 1024

#: How many copies of a large value a call holds at most: in its body, parsed, and in its response.
_CALL_COPIES: Final = 3

#: A value of parsed JSON takes at most so many bytes for each of the characters that begin or separate values.
_VALUE_BYTES: Final = 64

#: The objects of the smallest deployment, which have a place for each field (bytes).
_OBJECT_BYTES: Final = 1_024

#: With more quotes, the strings of a body are not counted one by one.
_MAX_QUOTES: Final = 50_000


class MemoryBudget:
    """The bytes that waiting requests hold.

    An API key can take at most as much as it leaves free: half of the budget, or half of what other keys leave. So
    there is always something left for the next one.
    """

    def __init__(self, maximum: int = MAX_BYTES) -> None:
        self.maximum = maximum
        self.held = 0
        self._held_by_key: dict[str, int] = {}

    @classmethod
    def for_calls(cls, max_body: int) -> "MemoryBudget":
        """Return the budget of calls, in which an API key can make two of the maximum size at the same time.

        A call holds its body, then its values, then its response.
        """
        return cls(MAX_BYTES + 4 * _CALL_COPIES * max_body)

    def check(self, key_id: str, size: int) -> None:
        """Check that a request of an API key can take so many bytes.

        Raises:
            ApiKeyQueueFull: other requests of the key hold too much.
            WriteQueueFull: other API keys do.
        """
        own, free = self._held_by_key.get(key_id, 0), self.maximum - self.held - size
        if own + size <= free:
            return
        if own:
            raise ApiKeyQueueFull(held=own, needed=size, free=max(free, 0))
        raise WriteQueueFull(held=self.held, needed=size, maximum=self.maximum)

    def add(self, key_id: str, size: int) -> None:
        """Add bytes that a request of an API key holds; a negative number removes them."""
        self.held += size
        own = self._held_by_key.pop(key_id, 0) + size
        if own:
            self._held_by_key[key_id] = own


class Lease:
    """The bytes of one request, until its last owner releases them.

    The request is an owner, and so is a write in the queue: it is executed even if its request has ended.
    """

    __slots__ = ("_budget", "_key_id", "_owners", "_size")

    def __init__(self, budget: MemoryBudget, key_id: str) -> None:
        self._budget = budget
        self._key_id = key_id
        self._owners = 1
        self._size = 0

    def check(self, size: int) -> None:
        """Check that the request could hold more bytes.

        Raises:
            ApiKeyQueueFull, WriteQueueFull
        """
        self._budget.check(self._key_id, size)

    def take(self, size: int) -> None:
        """Hold more bytes.

        Raises:
            ApiKeyQueueFull, WriteQueueFull
        """
        self._budget.check(self._key_id, size)
        self._budget.add(self._key_id, size)
        self._size += size

    def share(self) -> None:
        """Add an owner."""
        self._owners += 1

    def release(self) -> None:
        """Remove an owner; the last one gives the bytes back."""
        self._owners -= 1
        if self._owners == 0 and self._size:
            self._budget.add(self._key_id, -self._size)
            self._size = 0


def parsed_bytes(body: bytes) -> int:
    """Return the most bytes that the values of a JSON body take when they are parsed.

    A character takes one byte in a string of ASCII, and up to four in one with any other character.
    """
    values = len(body) - len(body.translate(None, b"{[:,"))
    return _string_bytes(body) + _VALUE_BYTES * values + _OBJECT_BYTES


def _string_bytes(body: bytes) -> int:
    """Return the most bytes that the strings take; the parts between quotes are strings or parts of them."""
    if body.isascii() and b"\\u" not in body:
        return len(body)
    if body.count(b'"') > _MAX_QUOTES:
        return 4 * len(body)
    size, start = 0, 0
    while start <= len(body):
        end = body.find(b'"', start)
        part = body[start : end if end >= 0 else len(body)]
        size += len(part) * (1 if part.isascii() and b"\\u" not in part else 4)
        start = start + len(part) + 1
    return size
