"""Changes of a database without Moorage, as somebody makes them who can write to it."""

from contextlib import closing
from typing import Any

import apsw

from moorage.core.deployments.history import Entry
from moorage.core.errors.base import MoorageError
from moorage.core.secret_keys import NO_KEYS, SecretKeys
from moorage.diagnostics.history import Head
from moorage.diagnostics.integrity import check
from moorage.store.opening import open_existing
from moorage.store.store import Store
from moorage.store.transfer.dump import HISTORY
from tests.support.postgres import sql
from tests.support.stores import run_sql


def tamper(url: str, statement: str) -> None:
    """Change a database in a way that it would not let Moorage do."""
    if url.startswith("sqlite"):
        with closing(apsw.Connection(url.removeprefix("sqlite:///"))) as connection:
            connection.set_busy_timeout(5_000)
            connection.execute(statement)
    else:
        sql(url, f"SET session_replication_role = replica; {statement}")


def findings(url: str, secret_keys: SecretKeys = NO_KEYS, expected: Head | None = None) -> list[str]:
    """Return what `moorage db check` finds in a database, or why it cannot be opened."""
    try:
        with closing(open_existing(url, secret_keys)) as store:
            return [finding for result in check(store, expected) for finding in result.findings]
    except MoorageError as error:
        return [str(error)]


def head(url: str, secret_keys: SecretKeys = NO_KEYS) -> Head:
    """Return the head of the history of a sound database."""
    with closing(open_existing(url, secret_keys)) as store:
        found = Head.parse(next(result.head for result in check(store) if result.head))
    assert found is not None
    return found


def chain_again(store: Store, url: str) -> None:
    """Compute all hashes of the history again, without a secret key."""
    before = ""
    with store.dump() as dump:
        entries = [Entry(*columns) for *columns, _, _ in dump.rows(HISTORY)]
    for entry in entries:
        before = entry.hash(before)
        tamper(url, f"UPDATE history SET hash = '{before}', mac = '' WHERE id = '{entry.id}'")
    tamper(url, f"UPDATE revision SET history_hash = '{before}', history_key = ''")


def columns(url: str) -> list[tuple[str, str]]:
    """Return the name of each table with each of its columns."""
    if url.startswith("sqlite"):
        statement = (
            "SELECT s.name, c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c WHERE s.type = 'table'"
            " ORDER BY s.name, c.cid"
        )
    else:
        statement = (
            "SELECT table_name::text, column_name::text FROM information_schema.columns"
            " WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
        )
    return [(table, column) for table, column in run_sql(url, statement)]


def value(url: str, query: str) -> Any:
    """Return the value that a query selects, None for no row."""
    rows = run_sql(url, query)
    return rows[0][0] if rows else None
