"""Values that another program, or a disk, can leave in any column of any table."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import apsw
import psycopg

#: Values as SQL. SQLite stores any type in any column; PostgreSQL checks types, but neither ranges nor meaning.
_TEXTS = ("''", "'a\"b'", "'a\\b'", "'{broken'", "'nothing that exists'", "'a' || chr(27) || 'b'", "'a' || chr(10)")
_NUMBERS = ("-1", "9223372036854775807", "253402300800000000")
_SQLITE_ONLY = ("X'ff'", "CAST(X'61ff62' AS TEXT)", "'a' || char(0) || 'b'", "1.5", "9e999", "'text'", "NULL")


class Damage(NamedTuple):
    """A value in a column of the rows that `where` selects: SQL, with `?` for `bound` on SQLite."""

    table: str
    column: str
    value: str
    where: str
    bound: Sequence[Any] = ()


def values(engine: str, column_type: str) -> tuple[str, ...]:
    """Return the values, as SQL, that an engine may store in a column of a type."""
    if engine == "sqlite":
        return (*(text.replace("chr(", "char(") for text in _TEXTS), *_NUMBERS, *_SQLITE_ONLY)
    return _TEXTS if column_type == "TEXT" else _NUMBERS


def damage(url: str, table: str, column: str, value: str, where: str) -> None:
    """Store a value, past all keys of other tables."""
    with closing(_Connection(url)) as connection:
        assert connection.change(f"UPDATE {table} SET {column} = {value} WHERE {where}", ())


@contextmanager
def damaged(url: str, damage: Damage) -> Iterator[bool]:
    """Store a value for the time of the block; yield whether the database stored it."""
    table, column, value, where, bound = damage
    with closing(_Connection(url)) as connection:
        before = connection.rows(f"SELECT * FROM {table}")
        is_stored = connection.change(f"UPDATE {table} SET {column} = {value} WHERE {where}", bound)
        try:
            yield is_stored
        finally:
            if is_stored:
                connection.replace(table, before)


class _Connection:
    """A connection that checks no keys of other tables."""

    def __init__(self, url: str) -> None:
        self._sqlite: apsw.Connection | None = None
        self._postgresql: psycopg.Connection[Any] | None = None
        if url.startswith("sqlite"):
            self._sqlite = apsw.Connection(url.removeprefix("sqlite:///"))
            self._sqlite.set_busy_timeout(5_000)
        else:
            self._postgresql = psycopg.connect(url, autocommit=True)
            self._postgresql.execute("SET session_replication_role = replica")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        if self._sqlite is not None:
            return list(self._sqlite.execute(query))
        assert self._postgresql is not None
        return self._postgresql.execute(query.encode()).fetchall()

    def change(self, statement: str, bound: Sequence[Any]) -> bool:
        """Run a statement; return whether the database accepted it."""
        try:
            if self._sqlite is not None:
                self._sqlite.execute(statement, bound)
            elif self._postgresql is not None:
                self._postgresql.execute(statement.encode(), bound or None)
        except (apsw.ConstraintError, psycopg.IntegrityError, psycopg.DataError):
            return False
        return True

    def replace(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        """Replace all rows of a table."""
        places = len(rows[0])
        if self._sqlite is not None:
            with self._sqlite:
                self._sqlite.execute(f"DELETE FROM {table}")
                self._sqlite.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * places)})", rows)
        elif self._postgresql is not None:
            with self._postgresql.transaction(), self._postgresql.cursor() as cursor:
                cursor.execute(f"DELETE FROM {table}".encode())
                cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * places)})".encode(), rows)

    def close(self) -> None:
        """Close it."""
        for connection in (self._sqlite, self._postgresql):
            if connection is not None:
                connection.close()
