"""SQLite through apsw, which brings its own library.

Every process has one connection for writes, and one for each thread that reads. WAL with `synchronous=FULL`: a commit
is on the disk before it is acknowledged (with NORMAL, a power cut loses acknowledged writes). `mmap_size` stays 0,
because it increases the damage that a stray pointer can do.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from moorage.core.errors.storage import MISSING_FILE, InvalidDatabase, StorageError, StorageFull, StorageUnavailable
from moorage.store.engine import KEY_FILE, Row, Run, Stream, checked_revision, the_row
from moorage.store.errors import error_text
from moorage.store.queries import load_queries
from moorage.store.revision_counter import RevisionCounter
from moorage.store.schema import OpenMode, can_create, check_schema
from moorage.store.sqlite.rows import fetch_rows, stream_rows
from moorage.store.sqlite.schema import check_version, find_schema, migrate

_BUSY_MS = 5_000


class SqliteEngine:
    """An `Engine` on one SQLite file."""

    def __init__(self, path: Path, mode: OpenMode = "create") -> None:
        """Open the file, and create or upgrade the schema as the mode allows.

        Raises:
            InvalidDatabase: the path is not writable, or has another program's data, or no data.
            SchemaTooNew, SchemaTooOld: another Moorage wrote it.
            UnsafeSqlite: the SQLite library has the WAL-reset bug.
        """
        check_version(apsw.sqlite_lib_version())
        self.url = f"sqlite:///{path}"
        self._path = path = path.resolve()  # the side files are next to the file, not to a link
        self._queries = load_queries()
        self._write_lock = threading.Lock()
        self._local = threading.local()
        self._readers: list[apsw.Connection] = []
        self._unconfirmed_since: float | None = None
        _check_path(path, self.url, mode)
        try:
            try:
                found = self._find_schema(apsw.SQLITE_OPEN_READONLY)
            except apsw.ReadOnlyError:  # a killed first start left a journal to play back
                found = self._find_schema(apsw.SQLITE_OPEN_READWRITE)
            check_schema(found, self.url, mode)
            self._shared = RevisionCounter(path.with_name(path.name + "-revision"))
            with self._shared.locked():
                self._writer = _open(path, apsw.SQLITE_OPEN_READWRITE)
                self._inode = path.stat().st_ino
                migrate(self._writer)
                (rev,) = the_row(fetch_rows(self._writer, self._queries["current_revision"], {}))
                self._shared.set(checked_revision(rev))
        except StorageUnavailable as error:
            raise InvalidDatabase(url=self.url, reason=str(error.fields["reason"])) from error
        except (apsw.Error, OSError) as error:
            raise InvalidDatabase(url=self.url, reason=error_text(error)) from error

    @contextmanager
    def read(self) -> Iterator[Stream]:
        """See `Engine.read`."""
        reader = self._reader()

        def stream(query: str, **parameters: object) -> Iterator[Row]:
            return stream_rows(reader, self._queries[query], parameters)

        with _transaction(reader, "BEGIN"):
            yield stream

    @contextmanager
    def write(self) -> Iterator[Run]:
        """See `Engine.write`."""

        def run(query: str, for_each: Sequence[Row] | None = None, **parameters: object) -> list[Row]:
            try:
                if for_each is not None:
                    return self._writer.executemany(self._queries[query], for_each).fetchall()
                return fetch_rows(self._writer, self._queries[query], parameters)
            except apsw.Error as error:
                raise translate_error(error) from error

        with self._write_lock, self._shared.locked():
            self._check_in_place()
            with _transaction(self._writer, "BEGIN IMMEDIATE"):
                yield run
                (rev,) = the_row(run("current_revision"))
            self._shared.set(checked_revision(rev))

    def damage(self) -> list[str]:
        """See `Engine.damage`."""
        reader = self._reader()
        try:
            found = [text for (text,) in reader.execute("PRAGMA integrity_check") if text != "ok"]
            orphans = reader.execute("PRAGMA foreign_key_check").fetchall()
        except apsw.Error as error:
            return [error_text(error)]
        return found + [
            f"row {row} of table {table}: it refers to a row of table {parent} that does not exist"
            for table, row, parent, _ in orphans
        ]

    def newest_revision(self) -> int:
        """See `Engine.newest_revision`."""
        return self._shared.get()

    def confirmed_at(self) -> float:
        """See `Engine.confirmed_at`. All writers are on this machine and publish their revisions."""
        return time.monotonic() if self._unconfirmed_since is None else self._unconfirmed_since

    def record_revision(self, rev: int) -> None:
        """See `Engine.record_revision`."""
        with self._write_lock, self._shared.locked():
            self._shared.set(max(rev, self._shared.get()))

    def confirm(self) -> None:
        """See `Engine.confirm`. Another program can restore an earlier state into the file."""
        try:
            self._check_in_place()
            current = self._shared.get()
            with self.read() as stream:
                (rev,) = the_row(stream("current_revision"))
            if checked_revision(rev) < current:
                with self._write_lock, self._shared.locked():
                    (rev,) = the_row(fetch_rows(self._writer, self._queries["current_revision"], {}))
                    self._shared.set(checked_revision(rev))
        except StorageError:
            self._unconfirmed_since = self._unconfirmed_since or time.monotonic()
            raise
        self._unconfirmed_since = None

    def secret(self) -> None:
        """See `Engine.secret`."""

    def key_file(self) -> Path:
        """See `Engine.key_file`."""
        return self._path.with_name(KEY_FILE)

    def close(self) -> None:
        """See `Engine.close`."""
        for reader in self._readers:
            reader.close()
        self._writer.close()
        self._shared.close()

    def _reader(self) -> apsw.Connection:
        """Return the connection of this thread."""
        reader: apsw.Connection | None = getattr(self._local, "reader", None)
        if reader is None:
            try:
                reader = self._local.reader = _open(self._path, apsw.SQLITE_OPEN_READONLY)
            except apsw.Error as error:
                raise translate_error(error) from error
            self._readers.append(reader)
        return reader

    def _check_in_place(self) -> None:
        """Check that the file was not moved, because SQLite would still write into it."""
        try:
            is_in_place = self._path.stat().st_ino == self._inode and self._shared.is_in_place()
        except OSError:
            is_in_place = False
        if not is_in_place:
            raise StorageUnavailable(reason="its file was moved or replaced; put it back, or start the server again")

    def _find_schema(self, flags: int) -> int:
        """Return the schema of the file, without changing the file."""
        with closing(apsw.Connection(str(self._path), flags=flags)) as connection:
            connection.set_busy_timeout(_BUSY_MS)
            return find_schema(connection, self.url)


@contextmanager
def _transaction(connection: apsw.Connection, begin: str) -> Iterator[None]:
    try:
        connection.execute(begin)
        yield
        connection.execute("COMMIT")
    except apsw.Error as error:
        raise translate_error(error) from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _check_path(path: Path, url: str, mode: OpenMode) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise InvalidDatabase(url=url, reason=f"the folder {folder} does not exist")
    if path.is_dir():
        raise InvalidDatabase(url=url, reason="it is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise InvalidDatabase(url=url, reason="it is not a regular file; name another file")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise InvalidDatabase(url=url, reason="it is not writable for this user")
    # SQLite gives its side files the mode of the database, which contains prompts and hashes of API keys.
    if not path.exists():
        if not can_create(mode):
            raise InvalidDatabase(url=url, reason=MISSING_FILE)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
        except OSError as error:
            raise InvalidDatabase(url=url, reason=error_text(error)) from error


def _open(path: Path, flags: int) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=flags, statementcachesize=128)
    # Without it, a statement that can use a partial index is prepared again for new parameters, which takes 60 µs.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.set_busy_timeout(_BUSY_MS)  # for programs that do not use our lock: a backup, the sqlite3 shell
    connection.execute(
        "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA mmap_size = 0; PRAGMA secure_delete = ON"
    )
    if flags & apsw.SQLITE_OPEN_READWRITE:
        mode = connection.pragma("journal_mode", "wal")
        if mode != "wal":
            raise InvalidDatabase(
                url=f"sqlite:///{path}", reason=f"its file system does not support WAL (journal mode: {mode})"
            )
        synchronous = connection.pragma("synchronous")
        if synchronous != 2:
            raise InvalidDatabase(url=f"sqlite:///{path}", reason=f"synchronous is {synchronous}, not FULL (2)")
    return connection


def translate_error(error: apsw.Error) -> StorageError:
    """Return the storage error for an error of SQLite."""
    return StorageFull() if isinstance(error, apsw.FullError) else StorageUnavailable(reason=error_text(error))
