"""The connections that one integration may use concurrently, so that a slow provider does not starve the others."""

import asyncio
from collections import deque
from contextlib import suppress


class Slots:
    """The used connections of an integration, and the requests that wait for one in the order of their arrival."""

    __slots__ = ("_waiting", "used")

    def __init__(self) -> None:
        self.used = 0
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether no request uses or waits for a connection."""
        return not self.used and not self._waiting

    def take(self, maximum: int) -> bool:
        """Take a slot if one is free and nobody waits; return whether it did."""
        if self.used < maximum and not self._waiting:
            self.used += 1
            return True
        return False

    async def wait(self, maximum: int) -> None:
        """Wait for a slot, and take it. `maximum` is the limit now; the integration can change it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (future, maximum)
        self._waiting.append(entry)
        self._wake()
        try:
            await future
        except asyncio.CancelledError:
            if future.cancelled():
                with suppress(ValueError):  # another request has removed it
                    self._waiting.remove(entry)
                self._wake()
            else:  # the slot was given at the same time
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back."""
        self.used -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting:
            future, maximum = self._waiting[0]
            if not future.done():
                if self.used >= maximum:
                    return
                self.used += 1
                future.set_result(None)
            self._waiting.popleft()
