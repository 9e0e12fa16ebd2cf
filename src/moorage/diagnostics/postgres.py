"""The checks of `moorage doctor` for a PostgreSQL database. They change nothing."""

import time
from collections.abc import Iterator

import psycopg

from moorage import clock
from moorage.core.errors.storage import StorageError
from moorage.core.secret_keys import SecretKeys
from moorage.diagnostics.database import CLOCK_TOLERANCE_US, diagnose_content, error_finding
from moorage.diagnostics.finding import Finding, State
from moorage.store.errors import error_text
from moorage.store.postgres.connections import Address, Connection
from moorage.store.postgres.schema import check_settings, find_schema, tables
from moorage.store.queries import for_psycopg, load_queries

_URL_FIX = "correct MOORAGE_DATABASE (postgresql://USER:PASSWORD@HOST:PORT/NAME), or start PostgreSQL there"

#: Words in the reason of an error -> fix.
_FIXES = {
    "fsync": "set fsync = on in postgresql.conf, then reload PostgreSQL",
    "synchronous_commit": "ALTER DATABASE … RESET synchronous_commit, or set it to on in postgresql.conf",
    "encoding": "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, then set MOORAGE_DATABASE to it",
    "oldest": "upgrade PostgreSQL",
    "another program": "CREATE DATABASE … for Moorage only, then set MOORAGE_DATABASE to it",
}

_PRIVILEGES = """
SELECT quote_ident(current_user), quote_ident(current_schema()), has_schema_privilege(current_schema(), 'CREATE'),
    pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', to_regclass('moorage_schema') IS NOT NULL"""

# The schemas of the search_path, quoted for a statement, and whether they exist.
_SEARCH_PATH = """
SELECT name, EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE quote_ident(nspname) = name)
FROM unnest(string_to_array(current_setting('search_path'), ',')) WITH ORDINALITY AS path (entry, place),
    replace(trim(entry), '"$user"', quote_ident(current_user)) AS name
WHERE name NOT IN ('', '""') ORDER BY place"""

# Only the owner of a table can upgrade it.
_TABLE_PRIVILEGES = """
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


def diagnose(url: str, listen_url: str | None, secret_keys: SecretKeys) -> Iterator[Finding]:
    """Yield the findings about the database at `url`, until an error prevents further checks."""
    try:
        address = Address(url)
        start = time.perf_counter()
        with address.connect() as connection:
            milliseconds = (time.perf_counter() - start) * 1000
            number = connection.info.server_version
            version = f"PostgreSQL {number // 10_000}.{number % 10_000}"
            text = f"{address.redacted}, {version}, responded in {milliseconds:.0f} ms"
            yield Finding("ok", "database", text)
            yield from _settings_findings(connection, address.redacted)
            yield from _privilege_findings(connection)
            yield _clock_finding(connection)
            yield _notification_finding(connection, listen_url, address)
            schema = find_schema(connection, address.redacted) or 0
            queries = {name: for_psycopg(query).encode() for name, query in load_queries().items()}
            yield from diagnose_content(
                schema,
                lambda query, **parameters: iter(connection.execute(queries[query], parameters).fetchall()),
                address.redacted,
                secret_keys,
            )
    except psycopg.errors.InsufficientPrivilege:
        yield Finding("problem", "database", "the role cannot read the tables", "see the line `permissions` above")
    except psycopg.Error as error:
        yield Finding("problem", "database", error_text(error), _URL_FIX)
    except StorageError as error:
        yield _database_error_finding(error)


def _database_error_finding(error: StorageError) -> Finding:
    reason = str(error.fields.get("reason"))
    fix = next((fix for words, fix in _FIXES.items() if words in reason), _URL_FIX)
    return error_finding("database", error, fix)


def _settings_findings(connection: Connection, url: str) -> Iterator[Finding]:
    try:
        check_settings(connection, url)
    except StorageError as error:
        yield _database_error_finding(error)


def _privilege_findings(connection: Connection) -> Iterator[Finding]:
    ((role, schema, can_create, is_read_only, has_tables),) = connection.execute(_PRIVILEGES).fetchall()
    rows = connection.execute(_TABLE_PRIVILEGES, [["moorage_schema", *tables()]]).fetchall() if has_tables else []
    not_writable = [table for table, _, can_write in rows if not can_write]
    not_owned = [table for table, is_owner, can_write in rows if can_write and not is_owner]
    if is_read_only:
        text = "the database is read-only: it is a standby, or default_transaction_read_only is on"
        fix = "set MOORAGE_DATABASE to the primary, or turn default_transaction_read_only off"
        yield Finding("problem", "permissions", text, fix)
    if not_writable:
        text = f"the role {role} cannot write to {', '.join(not_writable)}"
        yield Finding("problem", "permissions", text, f"ALTER TABLE {schema}.… OWNER TO {role}, for each table")
    if not_owned:
        text = f"the role {role} does not own {', '.join(not_owned)}, so it cannot upgrade them"
        yield Finding("warning", "permissions", text, f"ALTER TABLE {schema}.… OWNER TO {role}, for each table")
    if not can_create:
        state: State = "warning" if has_tables else "problem"
        text = f"the role {role} cannot create tables in {schema or 'any schema of its search_path'}"
        yield Finding(state, "permissions", text, _create_privilege_fix(connection, role, schema))
    if can_create and not (is_read_only or not_writable or not_owned):
        yield Finding("ok", "permissions", f"the role {role} can create and write tables in {schema}")


def _create_privilege_fix(connection: Connection, role: str, schema: str | None) -> str:
    """Return the statement that lets a role create tables; no `schema`: none of its search_path is usable."""
    path = connection.execute(_SEARCH_PATH).fetchall()
    if usable := schema or next((name for name, exists in path if exists), None):
        return f"GRANT USAGE, CREATE ON SCHEMA {usable} TO {role}"
    if path:
        return f"CREATE SCHEMA {path[0][0]} AUTHORIZATION {role}, or add another schema to search_path"
    return f"ALTER ROLE {role} SET search_path = public"


def _clock_finding(connection: Connection) -> Finding:
    before_us = clock.now_us()
    ((database_us,),) = connection.execute(_CLOCK).fetchall()
    after_us = clock.now_us()
    difference_us = max(before_us - database_us, database_us - after_us, 0)
    if difference_us > CLOCK_TOLERANCE_US:
        text = f"the local clock and the clock of the database differ by {difference_us / 1_000_000:,.0f} seconds"
        return Finding("warning", "clock", text, "timedatectl set-ntp true, on both machines")
    return Finding("ok", "clock", "the local clock and the clock of the database agree")


def _notification_finding(connection: Connection, listen_url: str | None, address: Address) -> Finding:
    """Check that notifications arrive: a pgbouncer between the node and the database drops them."""
    fix = "set MOORAGE_DATABASE_LISTEN to the address of the database itself"
    try:
        listen_address = Address(listen_url, "MOORAGE_DATABASE_LISTEN") if listen_url else address
    except StorageError as error:
        return error_finding("notifications", error, fix)
    try:
        with listen_address.connect() as listener:
            listener.execute(f"LISTEN {_CHANNEL}".encode())
            connection.execute(f"NOTIFY {_CHANNEL}".encode())
            arrived = list(listener.notifies(timeout=_NOTIFY_SECONDS, stop_after=1))
    except psycopg.Error as error:
        return Finding("problem", "notifications", f"{listen_address.redacted}: {error_text(error)}", fix)
    if not arrived:
        text = f"notifications do not arrive at {listen_address.redacted}, so a node is up to 250 ms stale"
        return Finding("warning", "notifications", text, fix)
    return Finding("ok", "notifications", "notifications arrive")
