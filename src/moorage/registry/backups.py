"""Backups of a whole database into a file, and restores."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from moorage.core.deployments.ids import new_epoch
from moorage.core.errors.storage import DamagedBackup, DatabaseNotEmpty
from moorage.core.secret_keys import NO_KEYS, SecretKeys
from moorage.diagnostics.integrity import check
from moorage.store.engine import Engine, Run, as_word, the_row
from moorage.store.store import Store
from moorage.store.transfer.backup_file import new_backup, open_backup
from moorage.store.transfer.checked_rows import CheckedRows
from moorage.store.transfer.copy import fill, replace_all
from moorage.store.transfer.dump import DatabaseDump, counts


class BackupInfo(msgspec.Struct, frozen=True):
    """The number of deployments in a backup, and its revision.

    `database_rev` is the revision of the database, which a restore increases; `checked` has reports of rows that cannot
    be decoded. `sealing_keys` counts the integrations by the id of the secret key of their credentials.
    """

    deployments: int
    rev: int
    database_rev: int
    checked: CheckedRows
    sealing_keys: dict[str, int] = {}


def backup(store: Store, file: Path) -> BackupInfo:
    """Write one committed state of a database into a file; writes to the database continue.

    Raises:
        BackupInProgress, InvalidDatabase, StorageFull, StorageUnavailable: the file did not change.
    """
    with new_backup(file) as engine, store.dump() as dump:
        checked = CheckedRows(dump)
        fill(engine, checked)
        return BackupInfo(dump.deployments(), dump.rev, dump.rev, checked, dump.sealing_keys())


@contextmanager
def checked_backup(
    file: Path, secret_keys: SecretKeys = NO_KEYS, *, is_damaged_allowed: bool = False
) -> Iterator[Store]:
    """Open a backup and check it as `moorage db check` does, with the secret keys that are known.

    Raises:
        DamagedBackup: the check has findings, and `is_damaged_allowed` is false.
        InvalidBackup, SchemaTooNew: the backup cannot be used.
    """
    with open_backup(file, secret_keys) as source:
        for result in () if is_damaged_allowed else check(source, is_backup=True):
            if result.findings:
                more = len(result.findings) - 1
                raise DamagedBackup(file=file, reason=result.findings[0] + (f" (and {more} more)" if more else ""))
        yield source


def restore(source: Store, engine: Engine, *, replace: bool) -> BackupInfo:
    """Replace the content of a database by a backup, in one transaction.

    The revision does not go back, so clients notice the change. The new epoch makes them read everything again.

    Raises:
        DatabaseNotEmpty: the database is not empty, and `replace` is false.
        StorageFull, StorageUnavailable: nothing was changed.
    """
    with source.dump() as dump, engine.write() as run:
        ((rev, *_),) = run("next_revision", now_us=0)
        if not replace:
            _check_empty(run, engine.url, rev - 1, dump)
        database_rev = max(rev, dump.rev + 1)
        epoch, *_ = the_row(run("state"))
        checked = CheckedRows(dump)
        replace_all(run, checked, new_epoch(as_word(epoch), dump.epoch), database_rev)
        return BackupInfo(dump.deployments(), dump.rev, database_rev, checked, dump.sealing_keys())


def _check_empty(run: Run, url: str, rev: int, dump: DatabaseDump) -> None:
    if any(counts(run("counts")).values()) or run("find_copy"):
        ((deployments,),) = run("count_deployments")
        raise DatabaseNotEmpty(
            url=url, deployments=deployments, rev=rev, backup_deployments=dump.deployments(), backup_rev=dump.rev
        )
