"""The named queries on a connection to PostgreSQL."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from moorage.store.engine import Row
from moorage.store.postgres.connections import Connection
from moorage.store.queries import for_psycopg, load_queries, parameters

#: The queries that are fetched in batches of `_BATCH` rows; the results of the others are small.
_STREAMED = {
    "deployments", "changed_deployments", "changed_pointers", "pointers_of_changed_deployments",
    "history", "every_project", "every_api_key", "every_deployment",
    "every_version", "every_result", "every_consumer", "stray_pointers", "entries_of_projects", "entries_of_api_keys",
    "every_integration", "entries_of_integrations", "rotations",
    "entries_of_deployments", "entries_of_versions", "entries_without_row", "purges", "clock_resets",
    "orphans", "emptied_versions", "every_environment", "every_pointer", "every_proposal", "every_proposal_item",
    "every_approval", "entries_of_environments", "entries_of_pointers", "entries_of_proposals", "items_of_proposals",
    "approvals_of_proposals",
}  # fmt: skip
_BATCH = 500


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
        if name in _STREAMED:
            return self._fetch_in_batches(connection, name, values)
        return iter(self.run(connection, name, values))

    def _fetch_in_batches(self, connection: Connection, name: str, values: Mapping[str, object]) -> Iterator[Row]:
        """Yield the rows from a cursor of the database, which ends with the transaction."""
        cursor = b"rows_%d" % next(self._cursors)
        connection.execute(b"DECLARE " + cursor + b" NO SCROLL CURSOR FOR " + self._queries[name], values)
        batch = connection.execute(b"FETCH %d FROM " % _BATCH + cursor).fetchall()
        while batch:
            yield from batch
            batch = connection.execute(b"FETCH %d FROM " % _BATCH + cursor).fetchall()
