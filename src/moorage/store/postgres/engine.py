"""PostgreSQL through psycopg.

Every process has its own connections; the database orders the writes.

The revision numbers come from one row that every write updates first. Writes are READ COMMITTED. The UPDATE waits for
the previous writer and continues from its commit. Every later statement takes its own snapshot, which includes that
commit. So writes are serialized without the retries of a higher isolation level, whose snapshot would be older than the
wait. A SAVEPOINT before the UPDATE (`Store.group_commit`) takes no snapshot. A rollback to it releases the row only if
no earlier write of the group holds it.
"""

import hashlib
import os
import stat
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from moorage.core.errors.storage import DatabaseUnreachable, InvalidDatabase, StorageUnavailable
from moorage.store.engine import Row, Run, Stream, checked_revision, the_row
from moorage.store.errors import error_text
from moorage.store.postgres.connections import Address, Connection, Connections, translate_error
from moorage.store.postgres.listener import CHANNEL, Listener
from moorage.store.postgres.queries import Queries
from moorage.store.postgres.schema import prepare
from moorage.store.revision_counter import RevisionCounter
from moorage.store.schema import OpenMode

# Each transaction has its own settings: behind a pgbouncer, the next one may use another connection.
_READ = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = '30s';
SET LOCAL idle_in_transaction_session_timeout = '60s'"""

# The database aborts a writer that hangs inside a write, before the lock timeout of the next writer.
# `synchronous_commit` may have been turned off, which loses acknowledged writes; values stricter than `on` stay.
_WRITE = """
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL statement_timeout = '30s';
SET LOCAL lock_timeout = '15s';
SET LOCAL idle_in_transaction_session_timeout = '5s';
SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"""

# The notification is sent at the commit.
_NOTIFY = f"SELECT rev, pg_notify('{CHANNEL}', rev::text) FROM revision WHERE id = 1"  # noqa: S608 -- a constant


class PostgresEngine:
    """An `Engine` on one PostgreSQL database."""

    def __init__(
        self,
        url: str,
        listen_url: str | None = None,
        folder: Path | None = None,
        *,
        mode: OpenMode = "create",
        may_be_down: bool = False,
    ) -> None:
        """Open the database, and create or upgrade the schema as the mode allows.

        If it `may_be_down`, an unreachable database is opened later. If `url` leads to a pgbouncer, `listen_url` leads
        to the database itself. The processes on this machine share the newest revision in a file in `folder`.

        Raises:
            DatabaseUnreachable: it is unreachable.
            InvalidDatabase: it cannot be used, or has another program's tables, or no tables.
            SchemaTooNew, SchemaTooOld: another Moorage wrote it.
        """
        self._address = Address(url)
        self._listen_address = Address(listen_url, "its address for LISTEN") if listen_url else self._address
        self.url = self._address.redacted
        self._queries = Queries()
        self._write_lock = threading.Lock()
        self._listener_lock = threading.Lock()
        self._prepare_lock = threading.Lock()
        self._listener: Listener | None = None
        self._connections = Connections(self._address)
        self._is_ready = False
        self._mode = mode
        name = f"{hashlib.sha256(self._address.identity.encode()).hexdigest()[:32]}-revision"
        try:
            self._shared = RevisionCounter((folder or _shared_folder(self.url)) / name)
        except OSError as error:
            raise InvalidDatabase(url=self.url, reason=os.strerror(error.errno or 0)) from error
        try:
            self._prepare()
        except DatabaseUnreachable:
            if not may_be_down:
                self._shared.close()
                raise
        except BaseException:  # raised again: an interrupt must not leak the file
            self._shared.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Stream]:
        """See `Engine.read`."""
        self._ensure_ready()
        with self._connections.transaction(_READ) as connection:

            def stream(query: str, **parameters: object) -> Iterator[Row]:
                return self._queries.stream(connection, query, parameters)

            yield stream

    @contextmanager
    def write(self) -> Iterator[Run]:
        """See `Engine.write`."""
        self._ensure_ready()
        with self._write_lock:
            with self._connections.transaction(_WRITE) as connection:

                def run(query: str, for_each: Sequence[Row] | None = None, **parameters: object) -> list[Row]:
                    try:
                        if for_each is not None:
                            return self._queries.run_for_each(connection, query, for_each)
                        return self._queries.run(connection, query, parameters)
                    except psycopg.Error as error:
                        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
                            connection.close()  # after a failover another server accepts writes
                            self._connections.close_idle()
                        raise translate_error(error) from error

                yield run
                rev, _ = the_row(connection.execute(_NOTIFY).fetchall())
            self.record_revision(checked_revision(rev))

    def damage(self) -> list[str]:
        """See `Engine.damage`. PostgreSQL reports a bad page only when it is read, and its owner can disable keys."""
        try:
            with self.read() as stream:
                orphans = list(stream("orphans"))
        except StorageUnavailable as error:
            return [str(error.fields["reason"])]
        return [f"the row {name} of {table} belongs to no row of {parent}" for table, name, parent in orphans]

    def newest_revision(self) -> int:
        """See `Engine.newest_revision`. The first call starts the threads that update it."""
        if self._listener is None:
            self._start_listener()
        return self._shared.get()

    def confirmed_at(self) -> float:
        """See `Engine.confirmed_at`."""
        return 0.0 if self._listener is None else self._listener.confirmed_at

    def record_revision(self, rev: int) -> None:
        """See `Engine.record_revision`."""
        with self._shared.locked():
            self._shared.set(max(rev, self._shared.get()))

    def confirm(self) -> None:
        """See `Engine.confirm`: the listener does so all the time."""

    def secret(self) -> bytes | None:
        """See `Engine.secret`: the password, if the address has one."""
        return self._address.password

    def key_file(self) -> None:
        """See `Engine.key_file`."""

    def close(self) -> None:
        """See `Engine.close`."""
        if self._listener is not None:
            self._listener.close()
        self._connections.close()
        self._shared.close()

    def _ensure_ready(self) -> None:
        if not self._is_ready:
            try:
                self._prepare()
            except DatabaseUnreachable as error:
                raise StorageUnavailable(reason=error.fields["reason"]) from error

    def _prepare(self) -> None:
        """Bring the database to the current schema, once."""
        with self._prepare_lock:
            if self._is_ready:
                return
            try:
                connection = self._address.connect()
            except psycopg.Error as error:
                raise DatabaseUnreachable(url=self.url, reason=error_text(error)) from error
            try:
                with closing(connection):
                    prepare(connection, self.url, self._mode)
                    with self._shared.locked():
                        self._shared.set(self._fetch_revision(connection))
            except psycopg.Error as error:
                raise InvalidDatabase(url=self.url, reason=error_text(error)) from error
            self._is_ready = True

    def _start_listener(self) -> None:
        with self._listener_lock:
            if self._listener is None:
                query = self._queries["current_revision"]
                self._listener = Listener(
                    self._address,
                    self._listen_address,
                    query,
                    self._shared.get,
                    self.record_revision,
                    self._reset_revision,
                )

    def _reset_revision(self, rev: int) -> None:
        with self._shared.locked():
            self._shared.set(rev)

    def _fetch_revision(self, connection: Connection) -> int:
        try:
            (rev,) = the_row(connection.execute(self._queries["current_revision"]).fetchall())
            return checked_revision(rev)
        except StorageUnavailable as error:
            raise InvalidDatabase(url=self.url, reason=error.fields["reason"]) from error


def _shared_folder(url: str) -> Path:
    """Return the shared folder of this user's processes; other users cannot write it."""
    folder = Path(tempfile.gettempdir()) / f"moorage-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise InvalidDatabase(url=url, reason=f"{folder} is not a folder of this user alone; remove it")
    return folder
