"""Backups: a whole database into a file, and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from moorage.core.deployments.ids import new_id
from moorage.core.errors.storage import DatabaseNotEmpty, InvalidBackup
from moorage.diagnostics.integrity import check
from moorage.store.engine import Engine, Run
from moorage.store.store import Store
from moorage.store.transfer.backup_file import new_backup, open_backup
from moorage.store.transfer.copy import fill, replace_all
from moorage.store.transfer.dump import DatabaseDump, counts


class BackupInfo(msgspec.Struct, frozen=True):
    """What a backup holds: how many deployments that are not deleted, at which revision. `now` is the revision that
    the database has after a restore."""

    deployments: int
    rev: int
    now: int


def backup(store: Store, file: Path) -> BackupInfo:
    """Write one committed state of a database into a file, while others write on into the database.

    Raises:
        BackupUnderWay, InvalidDatabase, StorageFull, StorageUnavailable: the file is what it was.
    """
    with new_backup(file) as engine, store.whole() as whole:
        fill(engine, whole)
        return BackupInfo(whole.deployments(), whole.rev, whole.rev)


@contextmanager
def sound_backup(file: Path) -> Iterator[Store]:
    """What is in a backup, once it is checked as a database is.

    Raises:
        InvalidBackup, SchemaTooNew: the backup cannot be used.
    """
    with open_backup(file) as saved:
        for each in check(saved):
            if each.findings:
                raise InvalidBackup(file=file, reason=f"{each.findings[0]} (and {len(each.findings) - 1} more)")
        yield saved


def restore(saved: Store, engine: Engine, *, replace: bool) -> BackupInfo:
    """Put a database into the state of a backup, all of it or nothing. Its revision does not go back for those who saw
    it, and the new epoch tells them to read everything anew.

    Raises:
        WouldBeLost: the database is not empty, and it is not to be replaced.
        StorageFull, StorageUnavailable: nothing was changed.
    """
    with saved.whole() as whole, engine.write() as run:
        ((rev, _, _),) = run("next_revision", now_us=0)
        if not replace:
            _refuse_loss(run, engine.url, rev - 1, whole)
        now = max(rev, whole.rev + 1)
        replace_all(run, whole, new_id(), now)
        return BackupInfo(whole.deployments(), whole.rev, now)


def _refuse_loss(run: Run, url: str, rev: int, whole: DatabaseDump) -> None:
    if any(counts(run("counts")).values()) or run("find_copy"):
        ((deployments,),) = run("count_deployments")
        raise DatabaseNotEmpty(
            url=url, deployments=deployments, rev=rev, backup_deployments=whole.deployments(), backup_rev=whole.rev
        )
