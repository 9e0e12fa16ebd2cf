"""The checks of `moorage doctor` for a PostgreSQL database. They change nothing."""

import time
from collections.abc import Iterator

import psycopg

from moorage.core.errors.storage import StorageError
from moorage.diagnostics.database import CLOCK_SLACK_US, of_content, refusal
from moorage.diagnostics.finding import Finding, State
from moorage.store.errors import error_text
from moorage.store.postgres.connections import Address, Connection
from moorage.store.postgres.schema import check_settings, find_schema, tables
from moorage.store.queries import for_psycopg, load_queries

_ADDRESS = "put MOORAGE_DATABASE right (postgresql://USER:PASSWORD@HOST:PORT/NAME), or start PostgreSQL there"

#: The fix for an error, by a word of its reason.
_FIXES = {
    "fsync": "fsync = on in postgresql.conf, then reload it",
    "synchronous_commit": "ALTER DATABASE … RESET synchronous_commit, or on in postgresql.conf",
    "encoding": "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and use that one",
    "oldest": "upgrade PostgreSQL",
    "another program": "CREATE DATABASE for Moorage alone, and name it in MOORAGE_DATABASE",
}

_RIGHTS = """
SELECT quote_ident(current_user), quote_ident(current_schema()), has_schema_privilege(current_schema(), 'CREATE'),
    pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', to_regclass('moorage_schema') IS NOT NULL"""

# The schemas that tables could be made in, as a statement names them, and whether they are there.
_SEARCH_PATH = """
SELECT name, EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE quote_ident(nspname) = name)
FROM unnest(string_to_array(current_setting('search_path'), ',')) WITH ORDINALITY AS path (entry, place),
    replace(trim(entry), '"$user"', quote_ident(current_user)) AS name
WHERE name NOT IN ('', '""') ORDER BY place"""

# The user that upgrades a table must own it.
_TABLES = """
SELECT quote_ident(c.relname), pg_has_role(c.relowner, 'USAGE'),
    has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
    AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
    AND c.relname = ANY (%s)
ORDER BY c.relname"""

_CLOCK = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"

_CHANNEL = "moorage_doctor"

#: Seconds for a notification to arrive.
_NOTIFY_SECONDS = 2.0


def examine(url: str, listen_url: str | None) -> Iterator[Finding]:
    """Look at it, as far as can be seen."""
    try:
        address = Address(url)
        began = time.perf_counter()
        with address.connect() as connection:
            took = (time.perf_counter() - began) * 1000
            version = connection.info.server_version
            text = f"{address.redacted}, PostgreSQL {version // 10_000}.{version % 10_000}, answered in {took:.0f} ms"
            yield Finding("ok", "database", text)
            yield from _of_settings(connection, address.redacted)
            yield from _of_rights(connection)
            yield _of_clock(connection)
            yield _of_notifications(connection, listen_url, address)
            schema = find_schema(connection, address.redacted) or 0
            queries = {name: for_psycopg(query).encode() for name, query in load_queries().items()}
            yield from of_content(
                schema,
                lambda query, **parameters: iter(connection.execute(queries[query], parameters).fetchall()),
                address.redacted,
            )
    except psycopg.errors.InsufficientPrivilege:
        yield Finding("problem", "database", "its tables cannot be read", "see permissions")
    except psycopg.Error as error:
        yield Finding("problem", "database", error_text(error), _ADDRESS)
    except StorageError as error:
        yield _refusal(error)


def _refusal(error: StorageError) -> Finding:
    words = str(error.fields.get("reason"))
    return refusal("database", error, next((fix for word, fix in _FIXES.items() if word in words), _ADDRESS))


def _of_settings(connection: Connection, url: str) -> Iterator[Finding]:
    try:
        check_settings(connection, url)
    except StorageError as error:
        yield _refusal(error)


def _of_rights(connection: Connection) -> Iterator[Finding]:
    ((user, schema, may_create, is_read_only, is_made),) = connection.execute(_RIGHTS).fetchall()
    found = connection.execute(_TABLES, [["moorage_schema", *tables()]]).fetchall() if is_made else []
    closed = [table for table, _, may_write in found if not may_write]
    foreign = [table for table, is_own, may_write in found if may_write and not is_own]
    later: State = "warning" if is_made else "problem"
    if is_read_only:
        text = "it can only be read: it is a standby, or default_transaction_read_only is on"
        yield Finding("problem", "permissions", text, "name the primary in MOORAGE_DATABASE, or turn the setting off")
    if closed:
        text = f"{user} may not write {', '.join(closed)}"
        yield Finding("problem", "permissions", text, f"ALTER TABLE {schema}.… OWNER TO {user}, for each")
    if foreign:
        text = f"{user} does not own {', '.join(foreign)}, so it cannot upgrade them"
        yield Finding("warning", "permissions", text, f"ALTER TABLE {schema}.… OWNER TO {user}, for each")
    if not may_create:
        text = f"{user} may not make tables in {schema or 'any schema of its search_path'}"
        yield Finding(later, "permissions", text, _right_to_make(connection, user, schema))
    if may_create and not (is_read_only or closed or foreign):
        yield Finding("ok", "permissions", f"{user} may make and write tables in {schema}")


def _right_to_make(connection: Connection, user: str, schema: str | None) -> str:
    """Return the statement that lets a user create tables; without a `schema`, no schema of the search_path is
    usable."""
    path = connection.execute(_SEARCH_PATH).fetchall()
    if found := schema or next((name for name, is_there in path if is_there), None):
        return f"GRANT USAGE, CREATE ON SCHEMA {found} TO {user}"
    if path:
        return f"CREATE SCHEMA {path[0][0]} AUTHORIZATION {user}, or name another one in search_path"
    return f"ALTER ROLE {user} SET search_path = public"


def _of_clock(connection: Connection) -> Finding:
    before_us = time.time_ns() // 1000
    ((theirs_us,),) = connection.execute(_CLOCK).fetchall()
    after_us = time.time_ns() // 1000
    apart_us = max(before_us - theirs_us, theirs_us - after_us, 0)
    if apart_us > CLOCK_SLACK_US:
        text = f"the clocks of this machine and of the database are {apart_us / 1_000_000:,.0f} seconds apart"
        return Finding("warning", "clock", text, "timedatectl set-ntp true, on both")
    return Finding("ok", "clock", "as that of the database")


def _of_notifications(connection: Connection, listen_url: str | None, address: Address) -> Finding:
    """Check that notifications reach the other nodes: a pgbouncer in between drops them."""
    fix = "set MOORAGE_DATABASE_LISTEN to the database's own address"
    try:
        listen_at = Address(listen_url, "MOORAGE_DATABASE_LISTEN") if listen_url else address
    except StorageError as error:
        return refusal("notifications", error, fix)
    try:
        with listen_at.connect() as listening:
            listening.execute(f"LISTEN {_CHANNEL}".encode())
            connection.execute(f"NOTIFY {_CHANNEL}".encode())
            arrived = list(listening.notifies(timeout=_NOTIFY_SECONDS, stop_after=1))
    except psycopg.Error as error:
        return Finding("problem", "notifications", f"{listen_at.redacted}: {error_text(error)}", fix)
    if not arrived:
        text = f"none arrives at {listen_at.redacted}, so nodes are up to 250 ms behind each other"
        return Finding("warning", "notifications", text, fix)
    return Finding("ok", "notifications", "arrive")
