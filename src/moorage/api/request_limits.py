"""Limits of requests: for each API key, and for the addresses that send requests without a valid API key.

A valid API key is never refused because of its address: behind a shared address, one client with an old key would lock
out all others. Tokens have 256 random bits, so the limit of addresses protects the log and the processor, not the keys.
"""

import math
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from moorage.core.errors.base import TooManyFailures, TooManyRequests

#: A limit is a number of requests in this time (seconds). All of them may come at once.
PERIOD: Final = 60.0

#: How many keys or addresses a limit counts at most, twice: those of this period, and those of the period before.
MAX_COUNTED: Final = 10_000

_IPV6_PREFIX: Final = 64  # a client has all addresses of such a network


class RequestLimits:
    """The limits of this process; None and 0 are no limit."""

    def __init__(
        self, per_key: int | None = None, per_address: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_key = per_key
        self._keys = _Counter(per_key, clock) if per_key else None
        self._addresses = _Counter(per_address, clock) if per_address else None

    def check_key(self, key_id: str) -> None:
        """Count a request of an API key.

        Raises:
            TooManyRequests
        """
        if self._keys is not None and (seconds := self._keys.add(key_id)):
            raise TooManyRequests(limit=self._keys.limit, retry_after=math.ceil(seconds))

    def check_failure(self, address: str) -> None:
        """Count a request without a valid API key.

        Raises:
            TooManyFailures
        """
        if self._addresses is not None and (seconds := self._addresses.add(_network(address))):
            raise TooManyFailures(address=address, limit=self._addresses.limit, retry_after=math.ceil(seconds))


class _Counter:
    """A leaky bucket for each name: the time at which it would be empty (GCRA)."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self.limit = limit
        self._clock = clock
        self._interval = PERIOD / limit
        self._empty_at: dict[str, float] = {}
        # A bucket is empty after a period. So those of the period before are enough, and no search for old ones is.
        self._before: dict[str, float] = {}
        self._since = clock()

    def add(self, name: str) -> float:
        """Add a request, and return 0; or return after how many seconds it can be added."""
        now = self._clock()
        if now - self._since >= PERIOD or len(self._empty_at) >= MAX_COUNTED:
            self._before, self._empty_at, self._since = self._empty_at, {}, now
        empty_at = max(self._empty_at.get(name) or self._before.get(name, now), now)
        seconds = empty_at + self._interval - now - PERIOD
        if seconds > 1e-6:  # rounding
            return seconds
        self._empty_at[name] = empty_at + self._interval
        return 0.0


def _network(address: str) -> str:
    """Return the name that addresses of one client share."""
    if ":" not in address:
        return address
    try:
        value = int(ip_address(address.partition("%")[0]))
    except ValueError:
        return address
    return f"{value >> (128 - _IPV6_PREFIX):x}"
