"""The named queries on a connection to PostgreSQL."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from moorage.store.engine import Row
from moorage.store.postgres.connections import Connection
from moorage.store.queries import for_psycopg, load_queries, parameters

#: The queries that are fetched in batches, by the start of their names or by name; the results of others are small.
_STREAMED_STARTS = ("every_", "entries_", "changed_", "stray_")
_STREAMED = {
    "deployments", "pointers_of_changed_deployments", "history", "rotations", "purges", "clock_resets", "orphans",
    "emptied_versions", "items_of_proposals", "approvals_of_proposals",
}  # fmt: skip

#: The rows of the first batch, and the most of any. A row can have a megabyte, so a batch has twice the rows of the one
#: before if that one has less than half of so many characters, and fewer if it has more.
_FIRST_BATCH, _MAX_BATCH, _BATCH_SIZE = 8, 128, 1_048_576


class Queries:
    """The queries of queries.sql in the form of psycopg."""

    def __init__(self) -> None:
        queries = load_queries()
        self._queries = {name: for_psycopg(query).encode() for name, query in queries.items()}
        self._parameters = {name: parameters(query) for name, query in queries.items()}
        self._cursors = itertools.count(1)

    def __getitem__(self, name: str) -> bytes:
        """Return the SQL of a query."""
        return self._queries[name]

    def run(self, connection: Connection, name: str, values: Mapping[str, object]) -> list[Row]:
        """Run a query and return all rows."""
        if name.startswith("find_") and any("\0" in value for value in values.values() if isinstance(value, str)):
            return []  # PostgreSQL stores no text with a NUL, and rejects one in a query
        cursor = connection.execute(self._queries[name], values)
        return cursor.fetchall() if cursor.description else []

    def run_for_each(self, connection: Connection, name: str, rows: Sequence[Row]) -> list[Row]:
        """Run an INSERT for each row."""
        columns = self._parameters[name]
        with connection.cursor() as cursor:
            cursor.executemany(self._queries[name], [dict(zip(columns, row, strict=True)) for row in rows])
        return []

    def stream(self, connection: Connection, name: str, values: Mapping[str, object]) -> Iterator[Row]:
        """Run a query and return its rows, in batches if it is a large result."""
        if name in _STREAMED or name.startswith(_STREAMED_STARTS):
            return self._fetch_in_batches(connection, name, values)
        return iter(self.run(connection, name, values))

    def _fetch_in_batches(self, connection: Connection, name: str, values: Mapping[str, object]) -> Iterator[Row]:
        """Yield the rows from a cursor of the database, which ends with the transaction."""
        cursor = b"rows_%d" % next(self._cursors)
        connection.execute(b"DECLARE " + cursor + b" NO SCROLL CURSOR FOR " + self._queries[name], values)
        count, is_last = _FIRST_BATCH, False
        while not is_last:
            found = connection.execute(b"FETCH %d FROM " % count + cursor)
            is_last, size = found.rowcount < count, 0
            for row in found:  # psycopg decodes one row at a time
                size += sum(len(value) for value in row if isinstance(value, str | bytes))
                yield row
            count = next_count(count, size)


def next_count(count: int, size: int) -> int:
    """Return how many rows to fetch after a batch of `count` rows, which have `size` characters and bytes."""
    if size > _BATCH_SIZE:
        return max(1, count * _BATCH_SIZE // size)
    return min(2 * count, _MAX_BATCH) if 2 * size < _BATCH_SIZE else count
