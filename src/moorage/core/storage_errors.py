"""The errors of where things are kept.

    MoorageError
    └── StorageError
        ├── StorageFull, StorageUnavailable
        ├── Stale, TooOld
        ├── InvalidDatabase (DatabaseAway), SchemaTooNew, SchemaTooOld, UnsafeSqlite
        ├── CopyUnfinished, TargetNotEmpty, SourceWentOn, CopyDiffers
        └── InvalidBackup, BackupUnderWay, WouldBeLost

They are made as all others are, see `moorage.core.errors`.
"""

from moorage.core.errors import MoorageError


class StorageError(MoorageError):
    """The database cannot do this now."""

    code = "storage_error"


class StorageFull(StorageError):
    """The disk that holds the database is full. Nothing of this request was kept; free some space and send it again."""

    code = "storage_full"


class StorageUnavailable(StorageError):
    """The database cannot do this now ({reason}). Nothing of this request was acknowledged; send it again later."""

    code = "storage_unavailable"


class Stale(StorageError):
    """This server shows revision {shown}, and X-Min-Revision asked for {wanted}, which was not there after {seconds}
    seconds. Send the request again, or without the header."""

    code = "stale"


class TooOld(StorageError):
    """This server has not reached its database for {age} seconds. Longer than {maximum} it trusts no API key, as it
    could have been revoked; send the request again later."""

    code = "stale"


class InvalidDatabase(StorageError):
    """The database {url} cannot be used: {reason}."""

    code = "invalid_database"


class DatabaseAway(InvalidDatabase):
    """The database {url} cannot be used: {reason}."""


class SchemaTooNew(StorageError):
    """The database {url} has schema {found}, and this Moorage knows schemas up to {known}. Start the newer Moorage that
    wrote it, or restore a backup from before the upgrade into another database."""

    code = "schema_too_new"


class SchemaTooOld(StorageError):
    """The database {url} has schema {found}, and this Moorage works on schema {known}. `moorage serve` brings it there,
    and an older Moorage refuses it from then on; make a backup before, with the Moorage that it has now."""

    code = "schema_too_old"


class UnsafeSqlite(StorageError):
    """SQLite {found} can corrupt a database when its write-ahead log is reset (fixed in 3.51.3). Install apsw 3.51.3
    or newer."""

    code = "unsafe_sqlite"


class CopyUnfinished(StorageError):
    """The database {url} holds a copy of {source} that is not finished. Run `moorage copy` from there to here again: it
    goes on where it stopped. To give the copy up, restore a backup here with --replace, or use another database."""

    code = "copy_unfinished"


class TargetNotEmpty(StorageError):
    """The database {url} is not empty (deployments: {deployments}, revision: {rev}). Nothing was changed in it; name a
    new one to copy into."""

    code = "target_not_empty"


class SourceWentOn(StorageError):
    """{url} went on from revision {before} to {after} while it was copied: what came later is not in the copy, so the
    copy is not finished, and no server starts on it. Stop the servers on {url}, and run the same command again: it
    begins anew."""

    code = "source_went_on"


class CopyDiffers(StorageError):
    """The copy in {url} is not what was read ({tables}): something else wrote there. It is not finished, and no server
    starts on it. Copy into another database, a new one."""

    code = "copy_differs"


class InvalidBackup(StorageError):
    """The backup {file} cannot be used: {reason}."""

    code = "invalid_backup"


class BackupUnderWay(StorageError):
    """Another backup into {file} is under way; wait for it, or name another file."""

    code = "backup_under_way"


class WouldBeLost(StorageError):
    """The database {url} is not empty. It holds {deployments} deployments at revision {rev}, and the backup holds
    {backup_deployments} at revision {backup_rev}. With --replace, what is there now is lost: keep it with
    `moorage backup` first."""

    code = "would_be_lost"
