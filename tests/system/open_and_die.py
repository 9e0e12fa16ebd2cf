"""A program that opens a database as every command does, and kills itself just before a statement.

It reads lines of a number and an address, and answers each with `killed`, with `failed` and why, or with `opened` and
how many steps of the schema it took. Number 0 is no statement. Each is opened in a process of its own: a child of one
that has everything imported. With `--without-transaction` migrations are run as they must not be.
"""

import itertools
import os
import signal
import sys
from pathlib import Path
from typing import Any

import apsw

from moorage.core.errors.storage import StorageError
from moorage.store import queries
from moorage.store.opening import open_store
from moorage.store.postgres import schema as postgres_schema
from moorage.store.postgres.connections import Connection
from moorage.store.queries import load_migrations
from moorage.store.sqlite.engine import APPLICATION_ID, SqliteEngine

#: What notes a step of the schema, on each engine.
NOTES = (f"PRAGMA application_id = {APPLICATION_ID}", "INSERT INTO moorage_schema")


class Doom:
    """Sees every statement before it is run, on both engines."""

    def __init__(self, fatal: int) -> None:
        self.steps = 0
        self._fatal = fatal
        self._numbers = itertools.count(1)
        execute = Connection.execute

        def watched(connection: Connection, query: Any, *arguments: Any, **options: Any) -> Any:
            self.see(query)
            return execute(connection, query, *arguments, **options)

        Connection.execute = watched  # type: ignore[method-assign, assignment]  # there is no hook for it
        apsw.connection_hooks.append(self._watch)

    def see(self, statement: str | bytes) -> None:
        """Die, or note what it is."""
        if next(self._numbers) == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        self.steps += str(statement).strip().startswith(NOTES)

    def _watch(self, connection: apsw.Connection) -> None:
        def trace(cursor: object, statement: str, bindings: object) -> bool:
            self.see(statement)
            return True

        connection.exec_trace = trace


def forget_transactions() -> None:
    """Run migrations statement by statement, as they must not be."""

    def migrate(engine: SqliteEngine) -> None:
        for number, script in enumerate(load_migrations(), 1):
            if number > engine._writer.pragma("user_version"):
                engine._writer.execute(script)
                engine._writer.execute(f"PRAGMA user_version = {number}")

    SqliteEngine._migrate = migrate  # type: ignore[method-assign, assignment]  # the positive control
    postgres_schema._BEGIN = "SELECT 1"


def open_and_die(fatal: int, url: str) -> None:
    """Open it, as far as it goes, and say how far."""
    doom = Doom(fatal)
    try:
        open_store(url).close()
    except StorageError as error:
        print("failed", error, flush=True)  # noqa: T201 -- its answer
    else:
        print("opened", doom.steps, flush=True)  # noqa: T201 -- its answer


def main() -> None:
    """Answer line by line."""
    queries.MIGRATIONS = Path(sys.argv[1])
    if "--without-transaction" in sys.argv:
        forget_transactions()
    for line in sys.stdin:
        number, url = line.split()
        child = os.fork()
        if child == 0:
            open_and_die(int(number), url)
            os._exit(0)
        if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            print("killed", flush=True)  # noqa: T201 -- its answer


if __name__ == "__main__":
    main()
