"""A backup as a file: a SQLite database that needs no other file beside it."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from moorage.core.errors.storage import BackupInProgress, CopyUnfinished, InvalidBackup, InvalidDatabase, SchemaTooNew
from moorage.store.engine import Engine
from moorage.store.opening import open_store
from moorage.store.sqlite.engine import SqliteEngine
from moorage.store.store import Store

#: Pages that are copied at a time.
_PAGES = 1_000

# SQLite makes files beside a database to read it, but for a backup.
_IN_A_CLOSED_FOLDER = (
    "it is a database's own file, not one of `moorage db backup`; it can be read in a folder that this user can write"
)

#: Why a file is no backup, where SQLite has no better words.
_REASONS = {
    apsw.ReadOnlyError: _IN_A_CLOSED_FOLDER,
    apsw.CantOpenError: _IN_A_CLOSED_FOLDER,
    apsw.NotADBError: "it is no SQLite database",
    apsw.CorruptError: "it is damaged, or a part is missing",
}


@contextmanager
def new_backup(file: Path) -> Iterator[Engine]:
    """A new database to write into, in `FILE.partial`; when the block ends, `file` is that, whole and on the disk. If
    it raises, or the program is killed, `file` is what it was.

    Raises:
        BackupUnderWay: another program writes a backup there.
        InvalidDatabase: it cannot be written.
    """
    partial = file.with_name(f"{file.name}.partial")
    with _alone(partial, file):
        try:
            _remove_sides(partial)
            with closing(SqliteEngine(partial)) as engine:
                yield engine
            with closing(apsw.Connection(str(partial), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
                connection.pragma("journal_mode", "delete")  # without a WAL it can be read where nothing can be written
            _sync(partial)
            partial.replace(file)
            _sync(file.parent)
        finally:
            partial.unlink(missing_ok=True)
            _remove_sides(partial)


@contextmanager
def open_backup(file: Path) -> Iterator[Store]:
    """What is in a backup, in a temporary copy that is brought to the current schema; the file itself is only read.

    Raises:
        InvalidBackup: it is no database of Moorage's, or not a whole one.
        SchemaTooNew: a newer Moorage wrote it.
    """
    with tempfile.TemporaryDirectory(prefix="moorage-backup-") as folder:
        copy = Path(folder) / "backup.db"
        try:
            _copy(file, copy)
            store = open_store(f"sqlite:///{copy}", mode="upgrade")
        except apsw.Error as error:
            raise InvalidBackup(file=file, reason=_REASONS.get(type(error), str(error))) from error
        except InvalidDatabase as error:
            raise InvalidBackup(file=file, reason=error.fields["reason"]) from error
        except SchemaTooNew as error:
            raise SchemaTooNew(url=file, found=error.fields["found"], known=error.fields["known"]) from error
        except CopyUnfinished as error:
            raise InvalidBackup(file=file, reason="it is a copy that is not finished") from error
        with closing(store):
            yield store


@contextmanager
def _alone(partial: Path, file: Path) -> Iterator[None]:
    """Be the only program that writes a backup there. What one that was killed has left is emptied."""
    try:
        held = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InvalidDatabase(url=file, reason=os.strerror(error.errno or 0)) from error
    try:  # closed only after SQLite has closed it: its own locks on the file go with the first that closes it
        if not _take(held, partial):
            raise BackupInProgress(file=file)
        os.ftruncate(held, 0)
        yield
    finally:
        os.close(held)


def _take(held: int, partial: Path) -> bool:
    """Whether nobody else has it, nor had, and made a backup of it, since it was opened."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return partial.exists() and os.path.samestat(partial.stat(), os.fstat(held))


def _copy(file: Path, copy: Path) -> None:
    with (
        closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as source,
        closing(apsw.Connection(str(copy))) as target,
        target.backup("main", source, "main") as pages,
    ):
        while not pages.done:
            pages.step(_PAGES)


def _remove_sides(partial: Path) -> None:
    for side in ("-wal", "-shm", "-revision"):
        partial.with_name(f"{partial.name}{side}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
