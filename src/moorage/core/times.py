"""Times: microseconds since 1970 (UTC) in code, ISO 8601 with milliseconds and `Z` in responses."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

#: The latest time that `iso` can format: the end of 9999. A date with an offset can be later.
LAST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

#: The maximum length of a date.
_LONGEST = len("2026-03-01T09:30:00.123456789+00:00")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


def iso(us: int) -> str:
    """Format `1772357400123456` as `2026-03-01T09:30:00.123Z`, which every SDK can parse."""
    return f"{_seconds(us // 1_000_000)}.{us // 1000 % 1000:03d}Z"


def date_of(us: int) -> date:
    """Return the date of a time in UTC."""
    return datetime.fromtimestamp(us // 1_000_000, UTC).date()


@lru_cache(maxsize=8)  # the log formats the same second thousands of times
def _seconds(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def find_moment(text: str) -> int | None:
    """Return the microseconds since 1970 of an ISO 8601 date or date-time; otherwise `None`.

    A date means the start of its day, and a time without an offset is in UTC.
    """
    return _find_moment(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4_096)  # each rule of a table may use the same attribute
def _find_moment(text: str) -> int | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:  # the 30th of February
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
