"""What a PostgreSQL database must be, and how it becomes that."""

import re

from moorage.core.errors.storage import InvalidDatabase
from moorage.store.postgres.connections import Connection
from moorage.store.queries import load_migrations
from moorage.store.schema import OpenMode, can_create, check_schema

#: As `server_version` tells it.
OLDEST_VERSION = 140_000

#: Of all advisory locks in the database, ours: "MOOR".
_LOCK = 0x4D4F4F52

# One program at a time brings a database to a schema: the others wait, and find it done. The lock goes with its
# transaction, so it is safe behind a pgbouncer too, and a program that is killed leaves the schema before.
_BEGIN = f"""
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL statement_timeout = '10min';
SET LOCAL lock_timeout = '1min';
SELECT pg_advisory_xact_lock({_LOCK})"""

_FIND_VERSION = "SELECT to_regclass('moorage_schema') IS NOT NULL"

_VERSION = "SELECT coalesce(max(version), 0) FROM moorage_schema"

_CREATE = "CREATE TABLE moorage_schema (version BIGINT PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now())"

#: Seconds to wait for a step of a migration.
_STEP_SECONDS = 660.0

_NOTE = "INSERT INTO moorage_schema (version) VALUES (%s)"

# Tables that an extension brought are nobody's data.
_STRANGERS = """
SELECT c.relname FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
    AND c.relkind IN ('r', 'p') AND NOT EXISTS (
        SELECT 1 FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY c.relname LIMIT 1"""

# What our promises rest on.
_SETTINGS = "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('server_encoding')"

# What a role that can only read would find out at its first write.
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
        shown = f"{found // 10_000}.{found % 10_000}"
        raise InvalidDatabase(url=url, reason=f"it is PostgreSQL {shown}, and {OLDEST_VERSION // 10_000} is the oldest")


def prepare(connection: Connection, url: str, mode: OpenMode) -> None:
    """Check that a database can keep what Moorage promises; create or upgrade its schema as the mode allows.

    Raises:
        InvalidDatabase: it is too old, is set so that it may lose what it committed, cannot be written, or holds
            something else, or nothing.
        SchemaTooNew, SchemaTooOld: another Moorage wrote it.
        psycopg.Error
    """
    check_settings(connection, url)
    if mode != "create":
        check_schema(find_schema(connection, url) or 0, url, mode)
    connection.deadline = _STEP_SECONDS
    while _migrate_once(connection, url):
        pass
    if can_create(mode):  # else there may be nothing to write
        for (table,) in connection.execute(_NOT_WRITABLE, [tables()]).fetchall():
            raise InvalidDatabase(url=url, reason=f"its user may not write into the table {table}")


def tables() -> list[str]:
    """Moorage's own tables, but for the one that has the schema's number."""
    return re.findall(r"^CREATE TABLE (\w+)", "\n".join(load_migrations()), re.MULTILINE)


def check_settings(connection: Connection, url: str) -> None:
    """Refuse a server that is too old, or that cannot keep what we promise.

    Raises:
        InvalidDatabase
        psycopg.Error
    """
    check_version(connection.info.server_version, url)
    fsync, synchronous, encoding = connection.execute(_SETTINGS).fetchall()[0]
    if "off" in (fsync, synchronous):
        setting = "fsync" if fsync == "off" else "synchronous_commit"
        raise InvalidDatabase(url=url, reason=f"its setting {setting} is off: it can lose what it has committed")
    if encoding != "UTF8":
        raise InvalidDatabase(url=url, reason=f"its encoding is {encoding}, not UTF8")


def _migrate_once(connection: Connection, url: str) -> bool:
    """Take the schema one step on, in one transaction; whether there was one to take."""
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
            connection.execute(scripts[found].encode())  # in bytes: a script is no literal of this program
            connection.execute(_NOTE, [found + 1])
        connection.execute("COMMIT")
    except BaseException:  # raised again: an interrupt leaves nothing behind either
        if not connection.closed:
            connection.execute("ROLLBACK")
        raise
    return is_behind


def find_schema(connection: Connection, url: str) -> int | None:
    """The schema of the database, None if it has no tables yet.

    Raises:
        InvalidDatabase: it holds something else.
        psycopg.Error
    """
    ((is_ours,),) = connection.execute(_FIND_VERSION).fetchall()
    if not is_ours:
        for (table,) in connection.execute(_STRANGERS).fetchall():
            raise InvalidDatabase(url=url, reason=f"it holds tables of another program ({table})")
        return None
    ((version,),) = connection.execute(_VERSION).fetchall()
    return int(version)
