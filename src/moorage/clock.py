"""The time of day. No other module reads it, so that a test can set it.

It can step back, and it can be ahead for a while. The order of writes therefore follows from their revisions, and
durations inside a process are measured with `time.monotonic`.
"""

import time
from datetime import UTC, date, datetime


def now_ns() -> int:
    """Return the nanoseconds since 1970."""
    return time.time_ns()


def now_us() -> int:
    """Return the microseconds since 1970."""
    return time.time_ns() // 1000


def now_seconds() -> float:
    """Return the seconds since 1970."""
    return time.time_ns() / 1e9


def today() -> date:
    """Return the date in UTC."""
    return datetime.fromtimestamp(now_seconds(), UTC).date()
