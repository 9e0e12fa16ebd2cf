"""The rows of a query, also those with a text that is not UTF-8.

SQLite stores any bytes as text, and apsw raises an error for the row. The usual case must not pay for that, so the
texts of a result are read as blobs only after such an error.
"""

from collections.abc import Iterator, Mapping

import apsw

from moorage.store.engine import Row


def stream_rows(connection: apsw.Connection, sql: str, parameters: Mapping[str, object]) -> Iterator[Row]:
    """Yield the rows of a SELECT. A text that is not UTF-8 is bytes."""
    count = 0
    cursor = connection.execute(sql, parameters)
    try:
        for row in cursor:
            count += 1
            yield row
    except UnicodeDecodeError:
        yield from _rows_of_bytes(connection, sql, parameters, len(cursor.get_description()), count)


def fetch_rows(connection: apsw.Connection, sql: str, parameters: Mapping[str, object]) -> list[Row]:
    """Run a query and return all rows, as `stream_rows`.

    A change is not run twice: in a row that it returns with such a text, all values are empty bytes.
    """
    cursor = connection.execute(sql, parameters)
    if not sql.startswith("SELECT"):
        return list(_returned_rows(cursor))
    try:
        return cursor.fetchall()
    except UnicodeDecodeError:
        return list(_rows_of_bytes(connection, sql, parameters, len(cursor.get_description()), 0))


def _returned_rows(cursor: apsw.Cursor) -> Iterator[Row]:
    while True:
        try:
            yield next(cursor)
        except StopIteration:
            return
        except UnicodeDecodeError:
            yield (b"",) * len(cursor.get_description())


def _rows_of_bytes(
    connection: apsw.Connection, sql: str, parameters: Mapping[str, object], width: int, skipped: int
) -> Iterator[Row]:
    names = [f"c{number}" for number in range(width)]
    values = [f"CASE typeof({name}) WHEN 'text' THEN CAST({name} AS BLOB) ELSE {name} END" for name in names]
    kinds = [f"typeof({name})" for name in names]
    # Materialized: otherwise SQLite may read the rows in another order.
    wrapped = f"""WITH found ({", ".join(names)}) AS MATERIALIZED ({sql})
        SELECT {", ".join(values + kinds)} FROM found LIMIT -1 OFFSET {skipped}"""  # noqa: S608 -- a query of ours
    for row in connection.execute(wrapped, parameters):
        yield tuple(
            _decoded(value) if kind == "text" else value for value, kind in zip(row[:width], row[width:], strict=True)
        )


def _decoded(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
