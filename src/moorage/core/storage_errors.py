"""The errors of where things are kept.

    MoorageError
    └── StorageError
        ├── StorageFull, StorageUnavailable
        ├── Stale, TooOld
        └── InvalidDatabase (DatabaseAway), SchemaTooNew, UnsafeSqlite

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
    """The database cannot be written now ({reason}). Nothing of this request was acknowledged; send it again later."""

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
    wrote it, or restore a backup from before the upgrade."""

    code = "schema_too_new"


class UnsafeSqlite(StorageError):
    """SQLite {found} can corrupt a database when its write-ahead log is reset (fixed in 3.51.3). Install apsw 3.51.3
    or newer."""

    code = "unsafe_sqlite"
