"""SQLite through apsw, which brings its own library.

Every process has one connection that writes, and one for each thread that only reads. WAL with `synchronous=FULL`: a
commit is on the disk before it is acknowledged (with NORMAL a power cut takes acknowledged writes back). `mmap_size`
stays 0: it amplifies what a stray pointer can corrupt.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from moorage.core.errors.storage import InvalidDatabase, StorageError, StorageFull, StorageUnavailable, UnsafeSqlite
from moorage.store.engine import NO_REVISION, Row, Run, Stream
from moorage.store.queries import load_migrations, load_queries
from moorage.store.revision_counter import RevisionCounter
from moorage.store.schema import OpenMode, can_create, check_schema

#: The first SQLite without the WAL-reset bug.
SAFE_VERSION = (3, 51, 3)

#: "MOOR": tells a Moorage database from any other SQLite file.
APPLICATION_ID = 0x4D4F4F52

_BUSY_MS = 5_000


class SqliteEngine:
    """One SQLite file (an `Engine`)."""

    def __init__(self, path: Path, mode: OpenMode = "create") -> None:
        """Open the file, and create or upgrade the schema as the mode allows.

        Raises:
            InvalidDatabase: the path cannot be written, or holds something else, or nothing.
            SchemaTooNew, SchemaTooOld: another Moorage wrote it.
            UnsafeSqlite: the SQLite library has the WAL-reset bug.
        """
        check_version(apsw.sqlite_lib_version())
        self.url = f"sqlite:///{path}"
        self._path = path = path.resolve()  # by whatever link it is reached, the side files are the same
        self._queries = load_queries()
        self._thread = threading.Lock()
        self._own = threading.local()
        self._readers: list[apsw.Connection] = []
        self._lost_at: float | None = None
        _check_path(path, self.url, mode)
        try:
            try:
                found = self._check_content(apsw.SQLITE_OPEN_READONLY)
            except apsw.ReadOnlyError:  # its first start was cut off: the journal of that must be played back first
                found = self._check_content(apsw.SQLITE_OPEN_READWRITE)
            check_schema(found, self.url, mode)
            self._shared = RevisionCounter(path.with_name(path.name + "-revision"))
            with self._shared.locked():
                self._writer = _open(path, apsw.SQLITE_OPEN_READWRITE)
                self._inode = path.stat().st_ino
                self._migrate()
                rev = self._writer.execute(self._queries["current_revision"]).get
                if rev is None:
                    raise InvalidDatabase(url=self.url, reason=NO_REVISION)
                self._shared.set(rev)
        except (apsw.Error, OSError) as error:
            raise InvalidDatabase(url=self.url, reason=reason(error)) from error

    @contextmanager
    def read(self) -> Iterator[Stream]:
        """See `Engine.read`."""

        reader = self._reader()

        def stream(query: str, **parameters: object) -> Iterator[Row]:
            return reader.execute(self._queries[query], parameters)

        with _transaction(reader, "BEGIN"):
            yield stream

    @contextmanager
    def write(self) -> Iterator[Run]:
        """See `Engine.write`."""

        def run(query: str, for_each: Sequence[Row] | None = None, **parameters: object) -> list[Row]:
            try:
                if for_each is not None:
                    return self._writer.executemany(self._queries[query], for_each).fetchall()
                return self._writer.execute(self._queries[query], parameters).fetchall()
            except apsw.Error as error:
                raise _told(error) from error

        with self._thread, self._shared.locked():
            self._check_in_place()
            with _transaction(self._writer, "BEGIN IMMEDIATE"):
                yield run
                ((rev,),) = run("current_revision")
            self._shared.set(rev)

    def damage(self) -> list[str]:
        """See `Engine.damage`."""
        reader = self._reader()
        try:
            found = [text for (text,) in reader.execute("PRAGMA integrity_check") if text != "ok"]
            strays = reader.execute("PRAGMA foreign_key_check").fetchall()
        except apsw.Error as error:
            return [reason(error)]
        return found + [f"the row {row} of {table} belongs to no row of {parent}" for table, row, parent, _ in strays]

    def newest_revision(self) -> int:
        """See `Engine.newest_revision`."""
        return self._shared.get()

    def confirmed_at(self) -> float:
        """See `Engine.confirmed_at`. Whoever writes tells all others on this machine, and nobody else can write."""
        return time.monotonic() if self._lost_at is None else self._lost_at

    def saw_revision(self, rev: int) -> None:
        """See `Engine.saw_revision`."""
        with self._thread, self._shared.locked():
            self._shared.set(max(rev, self._shared.get()))

    def confirm(self) -> None:
        """See `Engine.confirm`. A program that is not ours can put the file back to an earlier state in place."""
        try:
            self._check_in_place()
            known = self._shared.get()
            with self.read() as stream:
                ((rev,),) = stream("current_revision")
            if rev < known:
                with self._thread, self._shared.locked():
                    self._shared.set(self._writer.execute(self._queries["current_revision"]).get)
        except StorageError:
            self._lost_at = self._lost_at or time.monotonic()
            raise
        self._lost_at = None

    def secret(self) -> None:
        """See `Engine.secret`."""

    def close(self) -> None:
        """See `Engine.close`."""
        for reader in self._readers:
            reader.close()
        self._writer.close()
        self._shared.close()

    def _reader(self) -> apsw.Connection:
        """This thread's connection."""
        reader: apsw.Connection | None = getattr(self._own, "reader", None)
        if reader is None:
            try:
                reader = self._own.reader = _open(self._path, apsw.SQLITE_OPEN_READONLY)
            except apsw.Error as error:
                raise _told(error) from error
            self._readers.append(reader)
        return reader

    def _check_in_place(self) -> None:
        """SQLite writes on into a file that was moved or deleted, and whoever starts next would not find it."""
        try:
            is_in_place = self._path.stat().st_ino == self._inode and self._shared.is_in_place()
        except OSError:
            is_in_place = False
        if not is_in_place:
            raise StorageUnavailable(reason="its file was moved or replaced; put it back, or start the server again")

    def _check_content(self, flags: int) -> int:
        """The schema of what is there. Refuses what is not ours, before anything of it is touched."""
        with closing(apsw.Connection(str(self._path), flags=flags)) as connection:
            connection.set_busy_timeout(_BUSY_MS)
            return find_schema(connection, self.url)

    def _migrate(self) -> None:
        found, scripts = self._writer.pragma("user_version"), load_migrations()
        for number, script in enumerate(scripts[found:], found + 1):
            with self._writer:  # one transaction: a process killed inside leaves the schema before it
                self._writer.execute(script)
                self._writer.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}")


@contextmanager
def _transaction(connection: apsw.Connection, begin: str) -> Iterator[None]:
    try:
        connection.execute(begin)
        yield
        connection.execute("COMMIT")
    except apsw.Error as error:
        raise _told(error) from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def find_schema(connection: apsw.Connection, url: str) -> int:
    """The schema of the database, 0 if it has no tables yet.

    Raises:
        InvalidDatabase: it holds something else.
        apsw.Error
    """
    is_empty = not connection.execute("SELECT count(*) FROM sqlite_schema").get
    if not is_empty and connection.pragma("application_id") != APPLICATION_ID:
        raise InvalidDatabase(url=url, reason="it is the SQLite database of another program")
    return int(connection.pragma("user_version"))


def check_version(version: str) -> None:
    """Raise `UnsafeSqlite` for a SQLite library older than `SAFE_VERSION`."""
    if tuple(int(part) for part in version.split(".")[:3]) < SAFE_VERSION:
        raise UnsafeSqlite(found=version)


def _check_path(path: Path, url: str, mode: OpenMode) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise InvalidDatabase(url=url, reason=f"there is no folder {folder}")
    if path.is_dir():
        raise InvalidDatabase(url=url, reason="it is a folder; name a file in it")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise InvalidDatabase(url=url, reason="it is not writable for this user")
    # SQLite gives its side files the mode of the database, which holds prompts and hashes of API keys.
    if not path.exists():
        if not can_create(mode):
            raise InvalidDatabase(url=url, reason="there is no such file")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise InvalidDatabase(url=url, reason=reason(error)) from error


def _open(path: Path, flags: int) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=flags, statementcachesize=128)
    # Else a statement that may use a partial index is prepared again each time its parameters change, for 60 µs.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.set_busy_timeout(_BUSY_MS)  # for programs that do not take our lock: a backup, the sqlite3 shell
    connection.execute(
        "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA mmap_size = 0; PRAGMA secure_delete = ON"
    )
    if flags & apsw.SQLITE_OPEN_READWRITE:
        mode = connection.pragma("journal_mode", "wal")
        if mode != "wal":
            raise InvalidDatabase(url=f"sqlite:///{path}", reason=f"this file system has no WAL, only {mode}")
        synchronous = connection.pragma("synchronous")
        if synchronous != 2:
            raise InvalidDatabase(url=f"sqlite:///{path}", reason=f"synchronous is {synchronous}, not FULL (2)")
    return connection


def _told(error: apsw.Error) -> StorageError:
    if isinstance(error, apsw.FullError):
        return StorageFull()
    return StorageUnavailable(reason=reason(error))


def reason(error: Exception) -> str:
    """In a line."""
    if isinstance(error, OSError):
        return os.strerror(error.errno or 0)
    if isinstance(error, apsw.NotADBError):
        return "it is no SQLite database"
    return str(error).removeprefix(f"{type(error).__name__}: ")
