"""Whole: everything that a database keeps, table by table, row by row, as it stands there."""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from moorage.store.engine import Row, Stream
from moorage.store.queries import load_queries, parameters

#: A piece of a table: as many rows, or fewer of so many characters.
_ROWS = 500
_CHARACTERS = 4_000_000

_encode = msgspec.json.Encoder().encode


class TableSpec(msgspec.Struct, frozen=True):
    """A table, and the queries that read it whole, put rows into it and empty it."""

    name: str
    every: str
    put: str
    empty: str

    @property
    def columns(self) -> list[str]:
        """The names of what a row has, in order."""
        return parameters(load_queries()[self.put])


VERSIONS = TableSpec("version", "every_version", "put_version", "empty_version")
HISTORY = TableSpec("history", "history", "insert_entry", "empty_history")

#: What is kept, each table after those that its rows belong to, in the order of the query `counts`.
TABLES = (
    TableSpec("project", "every_project", "insert_project", "empty_project"),
    TableSpec("api_key", "every_api_key", "put_api_key", "empty_api_key"),
    TableSpec("deployment", "every_deployment", "put_deployment", "empty_deployment"),
    VERSIONS,
    HISTORY,
    TableSpec("idempotency", "every_result", "put_result", "empty_idempotency"),
    TableSpec("consumer", "every_consumer", "put_consumer", "empty_consumer"),
)


class DatabaseDump:
    """A database in one committed state. A `rev` says how new it is within its `epoch`."""

    def __init__(self, stream: Stream) -> None:
        """Read with `stream`."""
        self._stream = stream
        ((self.epoch, self.rev, self.last_created_us, self.history_hash),) = stream("state")

    def rows(self, table: TableSpec) -> Iterator[Row]:
        """Every row of a table, one by one, in the order of its query."""
        return self._stream(table.every)

    def counts(self) -> dict[str, int]:
        """How many rows each table has, by its name."""
        return counts(self._stream("counts"))

    def deployments(self) -> int:
        """How many deployments there are that are not deleted."""
        ((count,),) = self._stream("count_deployments")
        return int(count)

    def stray_pointers(self) -> Iterator[tuple[str, str, str]]:
        """The deployments whose live version is none of theirs: id, key, id of that version."""
        return ((deployment_id, key, version_id) for deployment_id, key, version_id in self._stream("stray_pointers"))


class Fingerprint:
    """What tells the rows of one table from those of another, in whatever order they come: their number, and the sum
    of their SHA-256. The databases sort texts each in their own way."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Fingerprint":
        """The fingerprint of these."""
        made = cls()
        for row in rows:
            made.add(row)
        return made

    def add(self, row: Row) -> None:
        """One more row."""
        self.count += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(_encode(row)).digest())) % 2**256

    @property
    def digest(self) -> str:
        """In 64 hexadecimal digits."""
        return f"{self._sum:064x}"


def counts(answer: Iterable[Row]) -> dict[str, int]:
    """The answer of the query `counts`, by the names of the tables."""
    (row,) = answer
    return {table.name: count for table, count in zip(TABLES, row, strict=True)}


def pieces(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in pieces that are small enough to hold."""
    piece: list[Row] = []
    characters = 0
    for row in rows:
        piece.append(row)
        characters += sum(len(value) for value in row if isinstance(value, str))
        if len(piece) == _ROWS or characters > _CHARACTERS:
            yield piece
            piece, characters = [], 0
    if piece:
        yield piece
