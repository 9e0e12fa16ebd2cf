"""Errors of the database.

    MoorageError
    └── StorageError
        ├── StorageFull, DatabaseUnavailable, StorageUnavailable (CommitUnknown)
        ├── Stale, TooStale
        ├── InvalidDatabase (DatabaseUnreachable), SchemaTooNew, SchemaTooOld, UnsafeSqlite
        ├── CopyUnfinished, TargetNotEmpty, SourceChanged, CopyDiffers
        ├── InvalidBackup (DamagedBackup), BackupInProgress, DatabaseNotEmpty
        └── SecretKeyMissing

They are built like all errors, see `moorage.core.errors.base`.
"""

from typing import ClassVar

from moorage.core.errors.base import MoorageError


class StorageError(MoorageError):
    """The database cannot do this now."""

    code = "storage_error"
    # Whether a response can have the message. Others have the address of the database, or the text of its driver.
    is_public: ClassVar[bool] = False


class StorageFull(StorageError):
    """The disk of the database is full. Nothing of this request was stored."""

    code = "storage_full"
    hint = "Free some space and retry."
    is_public = True


class DatabaseUnavailable(StorageError):
    """The database is not available. Nothing of this request was acknowledged."""

    code = "storage_unavailable"
    hint = "Retry later. The log of the server has the reason, with the id of this request."
    is_public = True


class StorageUnavailable(StorageError):
    """The database is not available ({reason}). Nothing of this request was acknowledged."""

    code = "storage_unavailable"
    hint = "Retry later."


class CommitUnknown(StorageUnavailable):
    """The connection to the database was lost while it committed, so the change may or may not be stored. Nothing of
    this request was acknowledged."""

    hint = "Retry with the same Idempotency-Key or the same If-Match, or read the current state."
    is_public = True


class Stale(StorageError):
    """Revision {requested} was not available within {seconds} seconds; this node is at revision {revision}."""

    code = "stale"
    is_public = True
    hint = "Retry, or omit X-Moorage-Min-Revision."


class TooStale(StorageError):
    """Database unreachable for {age} seconds (limit: {maximum}). API keys are rejected because revocations cannot be
    checked."""

    code = "stale"
    hint = "Retry later."
    is_public = True


#: The reason for a SQLite file that a command does not create.
MISSING_FILE = "the file does not exist"


class InvalidDatabase(StorageError):
    """The database {url} cannot be used: {reason}."""

    code = "invalid_database"


class DatabaseUnreachable(InvalidDatabase):
    """The database {url} cannot be used: {reason}."""


class SchemaTooNew(StorageError):
    """The database {url} has schema {found}, and this version of Moorage supports schemas up to {supported}."""

    code = "schema_too_new"
    hint = "Start the newer Moorage that wrote it, or restore a backup from before the upgrade into another database."


class SchemaTooOld(StorageError):
    """The database {url} has schema {found}, and this version of Moorage requires schema {supported}."""

    code = "schema_too_old"
    hint = (
        "`moorage serve` upgrades it; then an older Moorage rejects it. Make a backup first, with the Moorage that"
        " uses it now."
    )


class UnsafeSqlite(StorageError):
    """SQLite {found} can corrupt a database when its write-ahead log is reset (fixed in 3.51.3)."""

    code = "unsafe_sqlite"
    hint = "Install apsw 3.51.3 or newer."


class CopyUnfinished(StorageError):
    """The database {url} holds an unfinished copy of {source}."""

    code = "copy_unfinished"
    hint = (
        "Run the same `moorage db copy` again to resume it. To abandon the copy, restore a backup with --replace, or"
        " use another database."
    )


class TargetNotEmpty(StorageError):
    """The database {url} is not empty (deployments: {deployments}, revision: {rev}). Nothing was changed."""

    code = "database_not_empty"
    hint = "Copy into a new database."


class SourceChanged(StorageError):
    """{url} changed during the copy, from revision {before} to {after}. The copy is unfinished: no server starts on
    it."""

    code = "source_changed"
    hint = "Stop the servers on {url} and run the same command again: it restarts from scratch."


class CopyDiffers(StorageError):
    """The copy in {url} differs from the source ({tables}): another program wrote into it. The copy is unfinished: no
    server starts on it."""

    code = "copy_differs"
    hint = "Copy into a new database."


class InvalidBackup(StorageError):
    """The backup {file} cannot be used: {reason}."""

    code = "invalid_backup"


class DamagedBackup(InvalidBackup):
    """The backup {file} is damaged: {reason}."""

    hint = "Restore an older backup, or pass --damaged to restore this one as it is."


class BackupInProgress(StorageError):
    """Another backup into {file} is in progress."""

    code = "backup_in_progress"
    hint = "Wait for it, or choose another file."


class DatabaseNotEmpty(StorageError):
    """The database {url} is not empty. It holds {deployments} deployments at revision {rev}, and the backup holds
    {backup_deployments} at revision {backup_rev}."""

    code = "database_not_empty"
    hint = "With --replace, the current content is lost: make a backup of it with `moorage db backup` first."


class SecretKeyMissing(StorageError):
    """The history of this database is authenticated with the secret key {key_id}, and this process has no secret
    key."""

    code = "secret_key_missing"
    is_public = True
    hint = "Set MOORAGE_SECRET_KEY to that key, as for the other processes that use this database."
