"""The order of tests in several processes: a test marked `serial` runs while no other test runs."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TESTS = Path(__file__).parent.parent

#: Two existing files, as locks. Every test passes the entrance first, so other tests do not keep out a serial one.
_ENTRANCE, _ROOM = _TESTS / "__init__.py", _TESTS / "conftest.py"


@contextmanager
def turn(*, is_alone: bool) -> Iterator[None]:
    """Wait until this test may run: alone, or with others."""
    with _ENTRANCE.open() as entrance, _ROOM.open() as room:
        fcntl.flock(entrance, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH)
        fcntl.flock(entrance, fcntl.LOCK_UN)
        try:
            yield
        finally:  # not only by closing it: a process that the test left behind can have it open
            fcntl.flock(room, fcntl.LOCK_UN)
