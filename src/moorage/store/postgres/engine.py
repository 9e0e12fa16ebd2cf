"""PostgreSQL through psycopg. Every program has its own connections; the database is what orders their writes.

The numbers of revisions come from one row that every write updates first. Writes are READ COMMITTED: the UPDATE waits
for the writer before and goes on from what that one committed, and every later statement, which takes a snapshot of its
own, sees it too. So writes are as if one came after the other, without the retries that a higher level needs: there the
snapshot would be older than the wait. A SAVEPOINT before the UPDATE (`Store.group_commit`) takes no snapshot and
changes nothing of this, and going back to it gives up the row only if no write that is kept holds it.
"""

import hashlib
import itertools
import os
import stat
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from moorage.core.errors.storage import DatabaseUnreachable, InvalidDatabase, StorageUnavailable
from moorage.store.engine import NO_REVISION, Row, Run, Stream
from moorage.store.postgres.connections import Address, Connection, Connections, reason, told
from moorage.store.postgres.listener import CHANNEL, Following
from moorage.store.postgres.schema import prepare
from moorage.store.queries import for_psycopg, load_queries, parameters
from moorage.store.revision_counter import RevisionCounter
from moorage.store.schema import OpenMode

# Settings are made in each transaction: behind a pgbouncer the next one may be on another connection.
_READ = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = '30s';
SET LOCAL idle_in_transaction_session_timeout = '60s'"""

# A writer that stands still in the middle of a write is cut off by the database before the next one gives up waiting.
# What somebody turned off since the start would lose what is acknowledged; what waits for more than `on` stays.
_WRITE = """
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL statement_timeout = '30s';
SET LOCAL lock_timeout = '15s';
SET LOCAL idle_in_transaction_session_timeout = '5s';
SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"""

# It is delivered when the transaction is committed, and only then.
_NOTIFY = f"SELECT rev, pg_notify('{CHANNEL}', rev::text) FROM revision WHERE id = 1"  # noqa: S608 -- a constant

#: Read a piece at a time, of so many rows; all other queries have a short answer.
_LONG = {
    "deployments", "changed_deployments", "history", "every_project", "every_api_key", "every_deployment",
    "every_version", "every_response", "stray_pointers",
}  # fmt: skip
_PIECE = 500


class PostgresEngine:
    """One PostgreSQL database (an `Engine`)."""

    def __init__(
        self,
        url: str,
        listen_url: str | None = None,
        folder: Path | None = None,
        *,
        mode: OpenMode = "create",
        may_be_down: bool = False,
    ) -> None:
        """Open the database, and create or upgrade the schema as the mode allows; a database that `may_be_down` is
        opened when it is reachable again.

        `listen_url` leads to the database itself where `url` leads to a pgbouncer. Processes of this machine share the
        newest revision through a file in `folder`.

        Raises:
            DatabaseAway: it cannot be reached.
            InvalidDatabase: it cannot be used, or holds something else, or nothing.
            SchemaTooNew, SchemaTooOld: another Moorage wrote it.
        """
        self._address = Address(url)
        self._listen_at = Address(listen_url, "its address for LISTEN") if listen_url else self._address
        self.url = self._address.shown
        queries = load_queries()
        self._queries = {name: for_psycopg(query).encode() for name, query in queries.items()}
        self._parameters = {name: parameters(query) for name, query in queries.items()}
        self._numbers = itertools.count(1)
        self._thread = threading.Lock()
        self._starting = threading.Lock()
        self._preparing = threading.Lock()
        self._following: Following | None = None
        self._connections = Connections(self._address)
        self._is_ready = False
        self._mode = mode
        name = f"{hashlib.sha256(self._address.identity.encode()).hexdigest()[:32]}-revision"
        try:
            self._shared = RevisionCounter((folder or _shared_folder(self.url)) / name)
        except OSError as error:
            raise InvalidDatabase(url=self.url, reason=os.strerror(error.errno or 0)) from error
        try:
            self._make_ready()
        except DatabaseUnreachable:
            if not may_be_down:
                self._shared.close()
                raise
        except BaseException:  # raised again: an interrupt leaves nothing behind either
            self._shared.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Stream]:
        """See `Engine.read`."""
        self._expect_ready()
        with self._connections.transaction(_READ) as connection:

            def stream(query: str, **parameters: object) -> Iterator[Row]:
                if query in _LONG:
                    return self._piece_by_piece(connection, query, parameters)
                return iter(self._run(connection, query, parameters))

            yield stream

    @contextmanager
    def write(self) -> Iterator[Run]:
        """See `Engine.write`."""
        self._expect_ready()
        with self._thread:
            with self._connections.transaction(_WRITE) as connection:

                def run(query: str, for_each: Sequence[Row] | None = None, **parameters: object) -> list[Row]:
                    try:
                        if for_each is not None:
                            return self._run_each(connection, query, for_each)
                        return self._run(connection, query, parameters)
                    except psycopg.Error as error:
                        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
                            connection.close()  # as after a failover: the server to write to is another one by now
                            self._connections.start_anew()
                        raise told(error) from error

                yield run
                ((rev, _),) = connection.execute(_NOTIFY).fetchall()
            self.saw_revision(rev)

    def damage(self) -> list[str]:
        """See `Engine.damage`. PostgreSQL tells of a bad page when it is read, and holds to its references always."""
        return []

    def newest_revision(self) -> int:
        """See `Engine.newest_revision`. From the first time on it is kept new, in threads of its own."""
        if self._following is None:
            self._follow()
        return self._shared.get()

    def confirmed_at(self) -> float:
        """See `Engine.confirmed_at`."""
        return 0.0 if self._following is None else self._following.confirmed_at

    def saw_revision(self, rev: int) -> None:
        """See `Engine.saw_revision`."""
        with self._shared.locked():
            self._shared.set(max(rev, self._shared.get()))

    def confirm(self) -> None:
        """See `Engine.confirm`: it is asked for all the time."""

    def secret(self) -> bytes | None:
        """See `Engine.secret`: the password, if the address has one."""
        return self._address.password

    def close(self) -> None:
        """See `Engine.close`."""
        if self._following is not None:
            self._following.close()
        self._connections.close()
        self._shared.close()

    def _expect_ready(self) -> None:
        if not self._is_ready:
            try:
                self._make_ready()
            except DatabaseUnreachable as error:
                raise StorageUnavailable(reason=error.fields["reason"]) from error

    def _make_ready(self) -> None:
        """Bring the database to the current schema, once."""
        with self._preparing:
            if self._is_ready:
                return
            try:
                connection = self._address.connect()
            except psycopg.Error as error:
                raise DatabaseUnreachable(url=self.url, reason=reason(error)) from error
            try:
                with closing(connection):
                    prepare(connection, self.url, self._mode)
                    with self._shared.locked():
                        self._shared.set(self._ask(connection))
            except psycopg.Error as error:
                raise InvalidDatabase(url=self.url, reason=reason(error)) from error
            self._is_ready = True

    def _follow(self) -> None:
        with self._starting:
            if self._following is None:
                query = self._queries["current_revision"]
                self._following = Following(
                    self._address, self._listen_at, query, self._shared.get, self.saw_revision, self._went_back
                )

    def _went_back(self, rev: int) -> None:
        with self._shared.locked():
            self._shared.set(rev)

    def _ask(self, connection: Connection) -> int:
        for (rev,) in connection.execute(self._queries["current_revision"]).fetchall():
            return int(rev)
        raise InvalidDatabase(url=self.url, reason=NO_REVISION)

    def _run(self, connection: Connection, query: str, parameters: dict[str, object]) -> list[Row]:
        if query.startswith("find_") and any("\0" in value for value in parameters.values() if isinstance(value, str)):
            return []  # PostgreSQL keeps no text with a NUL in it, and takes none to look for
        cursor = connection.execute(self._queries[query], parameters)
        return cursor.fetchall() if cursor.description else []

    def _run_each(self, connection: Connection, query: str, rows: Sequence[Row]) -> list[Row]:
        """No row comes back: what is run so inserts."""
        names = self._parameters[query]
        with connection.cursor() as cursor:
            cursor.executemany(self._queries[query], [dict(zip(names, row, strict=True)) for row in rows])
        return []

    def _piece_by_piece(self, connection: Connection, query: str, parameters: dict[str, object]) -> Iterator[Row]:
        """The rows through a cursor of the database, which ends with the transaction."""
        name = b"rows_%d" % next(self._numbers)
        connection.execute(b"DECLARE " + name + b" NO SCROLL CURSOR FOR " + self._queries[query], parameters)
        piece = connection.execute(b"FETCH %d FROM " % _PIECE + name).fetchall()
        while piece:
            yield from piece
            piece = connection.execute(b"FETCH %d FROM " % _PIECE + name).fetchall()


def _shared_folder(url: str) -> Path:
    """A folder that only this user's processes can write into, the same for all of them until the machine stops."""
    folder = Path(tempfile.gettempdir()) / f"moorage-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise InvalidDatabase(url=url, reason=f"{folder} is not a folder of this user alone; remove it")
    return folder
