"""Requirements and migrations of a SQLite database."""

import apsw

from moorage.core.errors.storage import InvalidDatabase, UnsafeSqlite
from moorage.store.queries import load_migrations

#: The first SQLite without the WAL-reset bug.
SAFE_VERSION = (3, 51, 3)

#: "MOOR": identifies a Moorage database among SQLite files.
APPLICATION_ID = 0x4D4F4F52


def check_version(version: str) -> None:
    """Raise `UnsafeSqlite` for a SQLite library older than `SAFE_VERSION`."""
    if tuple(int(part) for part in version.split(".")[:3]) < SAFE_VERSION:
        raise UnsafeSqlite(found=version)


def find_schema(connection: apsw.Connection, url: str) -> int:
    """Return the schema of the database, 0 if it has no tables.

    Raises:
        InvalidDatabase: it has tables of another program.
        apsw.Error
    """
    is_empty = not connection.execute("SELECT count(*) FROM sqlite_schema").get
    if not is_empty and connection.pragma("application_id") != APPLICATION_ID:
        raise InvalidDatabase(url=url, reason="it is the SQLite database of another program")
    return int(connection.pragma("user_version"))


def migrate(connection: apsw.Connection) -> None:
    """Run the missing migrations.

    Raises:
        apsw.Error
    """
    found, scripts = connection.pragma("user_version"), load_migrations()
    for number, script in enumerate(scripts[found:], found + 1):
        with connection:  # one transaction: a killed process leaves the schema before it
            connection.execute(script)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}")
