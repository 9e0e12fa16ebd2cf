"""A backup file: a SQLite database without side files."""

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

#: The number of pages that are copied at a time.
_PAGES = 1_000

# SQLite creates side files to read a WAL database; a backup is not one.
_IN_A_CLOSED_FOLDER = (
    "it is the file of a database, not of `moorage db backup`; copy it to a folder that this user can write"
)

#: Better messages than those of SQLite.
_REASONS = {
    apsw.ReadOnlyError: _IN_A_CLOSED_FOLDER,
    apsw.CantOpenError: _IN_A_CLOSED_FOLDER,
    apsw.NotADBError: "it is not a SQLite database",
    apsw.CorruptError: "it is damaged or incomplete",
}


@contextmanager
def new_backup(file: Path) -> Iterator[Engine]:
    """Write a new database into `FILE.partial`, which replaces `file` at the end of the block.

    The new file is durable. If the block raises or the program is killed, `file` does not change.

    Raises:
        BackupInProgress: another program writes a backup there.
        InvalidDatabase: the file is not writable.
    """
    partial = file.with_name(f"{file.name}.partial")
    with _locked(partial, file):
        try:
            _remove_side_files(partial)
            with closing(SqliteEngine(partial)) as engine:
                yield engine
            with closing(apsw.Connection(str(partial), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
                connection.pragma("journal_mode", "delete")  # without a WAL it can be read in a read-only folder
            _sync(partial)
            partial.replace(file)
            _sync(file.parent)
        finally:
            partial.unlink(missing_ok=True)
            _remove_side_files(partial)


@contextmanager
def open_backup(file: Path) -> Iterator[Store]:
    """Open a temporary copy of a backup, upgraded to the current schema.

    Raises:
        InvalidBackup: it is not a Moorage database, or it is incomplete.
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
            raise SchemaTooNew(url=file, found=error.fields["found"], supported=error.fields["supported"]) from error
        except CopyUnfinished as error:
            raise InvalidBackup(file=file, reason="it is an unfinished copy") from error
        with closing(store):
            yield store


@contextmanager
def _locked(partial: Path, file: Path) -> Iterator[None]:
    """Lock `partial` for this program, and truncate what a killed program left."""
    try:
        handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InvalidDatabase(url=file, reason=os.strerror(error.errno or 0)) from error
    try:  # closed after SQLite has closed it: the first close drops the locks of SQLite on the file
        if not _acquire_lock(handle, partial):
            raise BackupInProgress(file=file)
        os.ftruncate(handle, 0)
        yield
    finally:
        os.close(handle)


def _acquire_lock(handle: int, partial: Path) -> bool:
    """Lock the file; return whether it is locked and was not renamed since it was opened."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return partial.exists() and os.path.samestat(partial.stat(), os.fstat(handle))


def _copy(file: Path, copy: Path) -> None:
    with (
        closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as source,
        closing(apsw.Connection(str(copy))) as target,
        target.backup("main", source, "main") as pages,
    ):
        while not pages.done:
            pages.step(_PAGES)


def _remove_side_files(partial: Path) -> None:
    for side in ("-wal", "-shm", "-revision"):
        partial.with_name(f"{partial.name}{side}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
