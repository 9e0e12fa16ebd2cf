"""Points in time: microseconds since 1970 (UTC) inside, ISO 8601 with milliseconds and `Z` outside."""

from datetime import UTC, datetime
from functools import lru_cache


def iso(us: int) -> str:
    """`1772357400123456` as `2026-03-01T09:30:00.123Z`, the form every SDK reads (contract §1.4)."""
    return f"{_seconds(us // 1_000_000)}.{us // 1000 % 1000:03d}Z"


@lru_cache(maxsize=8)  # the log asks for the same second thousands of times
def _seconds(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
