"""The newest revision, shared by all processes on one machine.

It is eight bytes of mapped memory. A reader compares one number per request instead of querying the database (0.1 µs
against 4 µs for SQLite's own `PRAGMA data_version`). So a read that starts after an acknowledged write detects that
write, whichever process committed it. The same file is the lock of the writers. The number changes only under the lock,
so it is never behind an acknowledged write. The operating system releases the lock of a process that dies.
"""

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SIZE = mmap.PAGESIZE


class RevisionCounter:
    """A number in a file that is mapped into every process that opened it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(self._file, 0, _SIZE)  # a page without a block would be a SIGBUS on a full disk
            self._map = mmap.mmap(self._file, _SIZE)
        except BaseException:  # raised again: an interrupt must not leak the file
            os.close(self._file)
            raise
        self._number = memoryview(self._map).cast("Q")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the writers; wait for it without polling."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def get(self) -> int:
        """Return the newest revision."""
        return self._number[0]

    def set(self, rev: int) -> None:
        """Publish a revision. The store is aligned: a reader gets the old number or the new one."""
        self._number[0] = rev

    def is_in_place(self) -> bool:
        """Return whether the path still leads to this file."""
        return self._path.exists() and os.path.samestat(self._path.stat(), os.fstat(self._file))

    def close(self) -> None:
        """Unmap and close the file."""
        self._number.release()
        self._map.close()
        os.close(self._file)
