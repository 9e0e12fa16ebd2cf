"""Requirements and migrations of a PostgreSQL database."""

import re

from moorage.core.errors.storage import InvalidDatabase
from moorage.store.postgres.connections import Connection
from moorage.store.queries import load_migrations
from moorage.store.schema import OpenMode, can_create, check_schema

#: In the form of `server_version`.
OLDEST_VERSION = 140_000

#: Our advisory lock in the database: "MOOR".
_LOCK = 0x4D4F4F52

# One program at a time runs a migration: the others wait, and then find it done. The lock ends with its transaction, so
# it also works behind a pgbouncer, and a killed program leaves the schema before the migration.
_BEGIN = f"""
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL statement_timeout = '10min';
SET LOCAL lock_timeout = '1min';
SELECT pg_advisory_xact_lock({_LOCK})"""

_FIND_VERSION = "SELECT to_regclass('moorage_schema') IS NOT NULL"

_VERSIONS = "SELECT version FROM moorage_schema ORDER BY version"

_CREATE = "CREATE TABLE moorage_schema (version BIGINT PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now())"

#: Seconds to wait for one migration.
_STEP_SECONDS = 660.0

_INSERT_VERSION = "INSERT INTO moorage_schema (version) VALUES (%s)"

# Tables of extensions do not count.
_FOREIGN_TABLES = """
SELECT c.relname FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
    AND c.relkind IN ('r', 'p') AND NOT EXISTS (
        SELECT 1 FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY c.relname LIMIT 1"""

# The settings that durability depends on.
_SETTINGS = "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('server_encoding')"

# The first table that the role cannot write; without this check the first write would fail.
_NOT_WRITABLE = """
SELECT c.relname FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
    AND c.relname = ANY (%s) AND NOT (
        has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
        AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
    )
ORDER BY c.relname LIMIT 1"""


def check_version(found: int, url: str) -> None:
    """Raise `InvalidDatabase` for a PostgreSQL older than `OLDEST_VERSION` (14.2 is 140002)."""
    if found < OLDEST_VERSION:
        version = f"{found // 10_000}.{found % 10_000}"
        raise InvalidDatabase(
            url=url,
            reason=f"it is PostgreSQL {version}, but the oldest supported version is {OLDEST_VERSION // 10_000}",
        )


def prepare(connection: Connection, url: str, mode: OpenMode) -> None:
    """Check the requirements of a database; create or upgrade its schema as the mode allows.

    Raises:
        InvalidDatabase: it is too old, can lose commits, is not writable, or has another program's tables, or no
            tables.
        SchemaTooNew, SchemaTooOld: another Moorage wrote it.
        psycopg.Error
    """
    check_settings(connection, url)
    if mode != "create":
        check_schema(find_schema(connection, url) or 0, url, mode)
    connection.deadline = _STEP_SECONDS
    while _migrate_once(connection, url):
        pass
    if can_create(mode):  # in the other modes the role may be read-only
        for (table,) in connection.execute(_NOT_WRITABLE, [tables()]).fetchall():
            raise InvalidDatabase(url=url, reason=f"its user lacks the privilege to write into the table {table}")


def tables() -> list[str]:
    """Return the names of all Moorage tables except `moorage_schema`."""
    return re.findall(r"^CREATE TABLE (\w+)", "\n".join(load_migrations()), re.MULTILINE)


def check_settings(connection: Connection, url: str) -> None:
    """Check the version and the settings of a server.

    Raises:
        InvalidDatabase
        psycopg.Error
    """
    check_version(connection.info.server_version, url)
    fsync, synchronous, encoding = connection.execute(_SETTINGS).fetchall()[0]
    if "off" in (fsync, synchronous):
        setting = "fsync" if fsync == "off" else "synchronous_commit"
        raise InvalidDatabase(url=url, reason=f"its setting {setting} is off: it can lose committed data")
    if encoding != "UTF8":
        raise InvalidDatabase(url=url, reason=f"its encoding is {encoding}, not UTF8")


def _migrate_once(connection: Connection, url: str) -> bool:
    """Run the next migration in one transaction; return whether there was one."""
    scripts = load_migrations()
    connection.execute(_BEGIN)
    try:
        found = find_schema(connection, url)
        if found is None:
            connection.execute(_CREATE)
            found = 0
        check_schema(found, url, "create")
        is_behind = found < len(scripts)
        if is_behind:
            connection.execute(scripts[found].encode())  # in bytes: psycopg types a text query as a literal
            connection.execute(_INSERT_VERSION, [found + 1])
        connection.execute("COMMIT")
    except BaseException:  # raised again: an interrupt must not leave a transaction open
        if not connection.closed:
            connection.execute("ROLLBACK")
        raise
    return is_behind


def find_schema(connection: Connection, url: str) -> int | None:
    """Return the schema of the database, None if it has no tables.

    Raises:
        InvalidDatabase: it has tables of another program, or another program changed the list of schemas.
        psycopg.Error
    """
    ((is_ours,),) = connection.execute(_FIND_VERSION).fetchall()
    if not is_ours:
        for (table,) in connection.execute(_FOREIGN_TABLES).fetchall():
            raise InvalidDatabase(url=url, reason=f"it holds tables of another program ({table})")
        return None
    versions = [version for (version,) in connection.execute(_VERSIONS).fetchall()]
    newest = max(versions, default=0)
    if newest <= len(load_migrations()) and versions != list(range(1, newest + 1)):
        reason = f"its table moorage_schema must have the versions 1 to {newest}, and has {versions}; restore a backup"
        raise InvalidDatabase(url=url, reason=reason)
    return int(newest)
