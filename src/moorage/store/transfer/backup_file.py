"""A backup file: a SQLite database without side files."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw

from moorage.core.errors.storage import BackupInProgress, CopyUnfinished, InvalidBackup, InvalidDatabase, SchemaTooNew
from moorage.core.secret_keys import NO_KEYS, SecretKeys
from moorage.files import check_target, move_into_place
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
    """Write a new database into the folder `FILE.partial`, from which it replaces `file` at the end of the block.

    SQLite creates several files, so it gets a folder in which no other user can prepare any. The new file is durable.
    If the block raises or the program is killed, `file` does not change.

    Raises:
        BackupInProgress: another program writes a backup there.
        InvalidDatabase: the file is not writable, or is not a regular file.
    """
    partial = file.with_name(f"{file.name}.partial")
    try:
        check_target(file)
        with _locked(partial, file):
            database = partial / "backup.db"
            try:
                _empty(partial)
                with closing(SqliteEngine(database)) as engine:
                    yield engine
                with closing(apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
                    connection.pragma("journal_mode", "delete")  # without a WAL it can be read in a read-only folder
                move_into_place(database, file)
            finally:
                _empty(partial)
                partial.rmdir()
    except OSError as error:
        raise InvalidDatabase(url=file, reason=error.strerror or str(error)) from error


@contextmanager
def open_backup(file: Path, secret_keys: SecretKeys = NO_KEYS) -> Iterator[Store]:
    """Open a temporary copy of a backup, upgraded to the current schema.

    Raises:
        InvalidBackup: it is not a Moorage database, or it is incomplete.
        SchemaTooNew: a newer Moorage wrote it.
    """
    if not file.is_file():
        raise InvalidBackup(file=file, reason="it is not a regular file")
    with tempfile.TemporaryDirectory(prefix="moorage-backup-") as folder:
        copy = Path(folder) / "backup.db"
        try:
            _copy(file, copy)
            store = open_store(f"sqlite:///{copy}", mode="upgrade", secret_keys=secret_keys)
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
    """Create the folder `partial`, or take over the one that a killed program left; lock it for this program."""
    with suppress(FileExistsError):
        partial.mkdir(mode=0o700)
    try:
        handle = os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except NotADirectoryError as error:
        raise InvalidDatabase(url=file, reason=f"{partial} is not a folder; remove it") from error
    try:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise InvalidDatabase(url=file, reason=f"{partial} is not a folder of this user alone; remove it")
        if not _acquire_lock(handle, partial):
            raise BackupInProgress(file=file)
        yield
    finally:
        os.close(handle)


def _acquire_lock(handle: int, partial: Path) -> bool:
    """Lock the folder; return whether it is locked and was not removed since it was opened."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return partial.exists() and os.path.samestat(partial.lstat(), os.fstat(handle))


def _copy(file: Path, copy: Path) -> None:
    with (
        closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as source,
        closing(apsw.Connection(str(copy))) as target,
        target.backup("main", source, "main") as pages,
    ):
        while not pages.done:
            pages.step(_PAGES)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
