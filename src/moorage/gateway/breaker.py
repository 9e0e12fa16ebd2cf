"""The circuit breaker of an integration: after failures in a row, calls with a fallback skip it for a short time."""

import time
from collections.abc import Callable
from typing import Final

#: How many failures in a row open the circuit, and for how long (seconds).
FAILURES: Final = 5
OPEN_SECONDS: Final = 10.0


class Breaker:
    """The failures of one integration.

    While the circuit is open, one call in each period still tries the provider: its success closes the circuit.
    """

    __slots__ = ("_clock", "_failures", "_open_until")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0

    def allows(self) -> bool:
        """Return whether a call that has a fallback should try the provider; it then counts as that one call."""
        if self._failures < FAILURES:
            return True
        now = self._clock()
        if now < self._open_until:
            return False
        self._open_until = now + OPEN_SECONDS
        return True

    def succeeded(self) -> None:
        """Record that the provider responded, also with an error of the request."""
        self._failures = 0

    def failed(self) -> None:
        """Record that it did not respond, or reported that it cannot."""
        self._failures += 1
        if self._failures == FAILURES:
            self._open_until = self._clock() + OPEN_SECONDS
