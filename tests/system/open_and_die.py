"""A program that opens a database and kills itself before a given statement.

It reads lines with the number of a statement (0 for none) and a URL. It prints `killed`, `failed` with the reason, or
`opened` with the number of migrations that it ran. Each line runs in a child process, which needs no imports. With
`--without-transaction` the migrations run outside of a transaction.
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
from moorage.store.sqlite import engine as sqlite_engine
from moorage.store.sqlite.schema import APPLICATION_ID

#: The statements that record a migration, on each engine.
RECORDS = (f"PRAGMA application_id = {APPLICATION_ID}", "INSERT INTO moorage_schema")


class Killer:
    """A hook on both engines that kills the process before statement number `fatal`."""

    def __init__(self, fatal: int) -> None:
        self.migrations = 0
        self._fatal = fatal
        self._numbers = itertools.count(1)
        execute = Connection.execute

        def hooked(connection: Connection, query: Any, *arguments: Any, **options: Any) -> Any:
            self._before(query)
            return execute(connection, query, *arguments, **options)

        Connection.execute = hooked  # type: ignore[method-assign, assignment]  # psycopg has no hook
        apsw.connection_hooks.append(self._trace)

    def _before(self, statement: str | bytes) -> None:
        if next(self._numbers) == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        self.migrations += str(statement).strip().startswith(RECORDS)

    def _trace(self, connection: apsw.Connection) -> None:
        def trace(cursor: object, statement: str, bindings: object) -> bool:
            self._before(statement)
            return True

        connection.exec_trace = trace


def remove_transactions() -> None:
    """Replace the migration with one without a transaction, for the positive control."""

    def migrate(connection: apsw.Connection) -> None:
        for number, script in enumerate(load_migrations(), 1):
            if number > connection.pragma("user_version"):
                connection.execute(script)
                connection.execute(f"PRAGMA user_version = {number}")

    sqlite_engine.migrate = migrate  # type: ignore[attr-defined]  # the name of an import
    postgres_schema._BEGIN = "SELECT 1"


def open_and_die(fatal: int, url: str) -> None:
    """Open a database, and print the result."""
    killer = Killer(fatal)
    try:
        open_store(url).close()
    except StorageError as error:
        print("failed", error, flush=True)  # noqa: T201 -- the test reads it
    else:
        print("opened", killer.migrations, flush=True)  # noqa: T201 -- the test reads it


def main() -> None:
    """Run one child process for each line of the input."""
    queries.MIGRATIONS = Path(sys.argv[1])
    if "--without-transaction" in sys.argv:
        remove_transactions()
    for line in sys.stdin:
        number, url = line.split()
        child = os.fork()
        if child == 0:
            open_and_die(int(number), url)
            os._exit(0)
        if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            print("killed", flush=True)  # noqa: T201 -- the test reads it


if __name__ == "__main__":
    main()
