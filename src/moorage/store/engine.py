"""Engine: the whole contract a database must meet. Everything above it is the same for every database."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]

#: Run the named query of queries.sql with its parameters; all rows it returns. With `for_each`, many rows of
#: parameters in the order in which the query names them, run it once for each at the price of one question.
Run = Callable[..., list[Row]]

#: The same, its rows one by one: a whole catalog is read without ever being there twice.
Stream = Callable[..., Iterator[Row]]

#: Why a database without the row of the revision is refused.
NO_REVISION = "its row of the revision is gone; move it away and restore a backup in its place"


class Engine(Protocol):
    """A database, opened and at the current schema."""

    url: str

    def read(self) -> AbstractContextManager[Stream]:
        """Queries that only read, all on the same committed state.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        ...

    def write(self) -> AbstractContextManager[Run]:
        """One transaction: committed and durable when the block ends, undone when it raises. One at a time.

        Raises:
            StorageFull, StorageUnavailable: nothing was kept, or (a failed commit) nothing is acknowledged.
        """
        ...

    def damage(self) -> list[str]:
        """What the database itself finds wrong with how it keeps its rows; nothing where it tells when they are read.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        ...

    def newest_revision(self) -> int:
        """The newest revision any process on this machine has committed or seen. Costs no input or output. It goes back
        only if the database does."""
        ...

    def confirmed_at(self) -> float:
        """When `newest_revision` was last known to be the newest of all there are (`time.monotonic`)."""
        ...

    def saw_revision(self, rev: int) -> None:
        """Tell the other processes on this machine that `rev` is committed, before anybody is told so."""
        ...

    def confirm(self) -> None:
        """Called a few times a second: make sure of `newest_revision`, if the engine does not by itself.

        Raises:
            StorageUnavailable: the database cannot be asked.
        """
        ...

    def secret(self) -> bytes | None:
        """What only those know who may read the database over a network; None if it is on this machine."""
        ...

    def close(self) -> None:
        """Close the connections; the engine is not used after."""
        ...
