"""The interface of a database engine. The code above it is the same for every database."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Protocol

from moorage.core.errors.storage import StorageUnavailable

Row = tuple[Any, ...]

#: Runs a named query of queries.sql with its parameters and returns all rows. With `for_each`, rows of parameters in
#: the order of the query, it runs the query once for each of them in one round trip.
Run = Callable[..., list[Row]]

#: The same, row by row, so that a whole catalog is never in memory twice.
Stream = Callable[..., Iterator[Row]]

#: Less than every revision, also than one that another program wrote.
EVERY: Final = -(2**63)

_MAX_REVISION = 2**62
_WORD = re.compile(r"[0-9A-Za-z-]{0,64}")

#: The name of the file with the key of the credentials.
KEY_FILE: Final = "moorage.key"

#: Why a database without its revision row is rejected.
NO_REVISION = "its row with the revision is missing; move the database away and restore a backup in its place"

#: Why a database with another value in this row is rejected.
INVALID_REVISION = (
    "its row with the revision cannot be decoded; move the database away and restore a backup in its place"
)


class Engine(Protocol):
    """A database that is open and has the current schema."""

    url: str

    def read(self) -> AbstractContextManager[Stream]:
        """Run queries that only read, all on the same committed state.

        A text that is not UTF-8 is returned as bytes.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        ...

    def write(self) -> AbstractContextManager[Run]:
        """Run one transaction at a time: durable when the block ends, rolled back if it raises.

        Raises:
            StorageFull, StorageUnavailable: nothing was stored, or (a failed commit) nothing is acknowledged.
        """
        ...

    def damage(self) -> list[str]:
        """Return the corruption that the database finds in its own files.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        ...

    def newest_revision(self) -> int:
        """Return the newest revision that any process on this machine has committed or read.

        It needs no I/O, and decreases only if the database does.
        """
        ...

    def confirmed_at(self) -> float:
        """Return when `newest_revision` was last confirmed by the database (`time.monotonic`)."""
        ...

    def record_revision(self, rev: int) -> None:
        """Publish a revision to the processes on this machine, before it is acknowledged."""
        ...

    def confirm(self) -> None:
        """Confirm `newest_revision`, a few times a second, if the engine does not do so itself.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        ...

    def secret(self) -> bytes | None:
        """Return the password of a database on the network; None for a local database."""
        ...

    def key_file(self) -> Path | None:
        """Return the file with the key of the credentials, beside a local database; None for one on the network."""
        ...

    def close(self) -> None:
        """Close the connections; the engine is not used afterwards."""
        ...


def the_row(rows: Iterable[Row]) -> Row:
    """Return the row with the revision.

    Raises:
        StorageUnavailable: it is missing.
    """
    for row in rows:
        return row
    raise StorageUnavailable(reason=NO_REVISION)


def checked_revision(rev: object) -> int:
    """Return the revision of that row.

    Raises:
        StorageUnavailable: another program wrote it, so that no change can be detected or made.
    """
    if isinstance(rev, int) and 0 <= rev < _MAX_REVISION:
        return rev
    raise StorageUnavailable(reason=INVALID_REVISION)


def as_word(value: object) -> str:
    """Return an epoch or a hash of that row; any other value is neither, and counts as empty."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""
