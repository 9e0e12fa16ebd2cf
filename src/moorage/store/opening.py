"""From a database's address to a `Store`: the one place that knows which databases there are."""

from pathlib import Path

from moorage.core.storage_errors import InvalidDatabase
from moorage.store.engine import Engine
from moorage.store.sqlite import SqliteEngine
from moorage.store.store import Store

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


def open_store(url: str, listen_url: str | None = None, *, may_be_away: bool = False) -> Store:
    """Open the database at `url`, creating it where there is none (SQLite), or its tables (PostgreSQL).

    `sqlite:///moorage.db` is a path from the working directory, `sqlite:////var/lib/moorage.db` an absolute one.
    `postgresql://user:password@host:port/name` is what psycopg takes; `listen_url`, if `url` leads to a pgbouncer,
    leads to the database itself. One that `may_be_away` is waited for by whoever uses the store.

    Raises:
        InvalidDatabase, SchemaTooNew, UnsafeSqlite
    """
    if url.startswith(_POSTGRES):
        return Store(_open_postgres(url, listen_url, may_be_away=may_be_away))
    if not url.startswith(_SQLITE) or url in (_SQLITE, _SQLITE + ":memory:"):
        reason = "a database is named sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME"
        raise InvalidDatabase(url=_without_password(url), reason=reason)
    return Store(SqliteEngine(Path(url.removeprefix(_SQLITE))))


def _open_postgres(url: str, listen_url: str | None, *, may_be_away: bool) -> Engine:
    try:
        from moorage.store.postgres import PostgresEngine  # noqa: PLC0415 -- psycopg is there only where it is wanted
    except ModuleNotFoundError as error:
        reason = "PostgreSQL needs more than is installed: pip install 'moorage[postgres]'"
        raise InvalidDatabase(url=_without_password(url), reason=reason) from error
    return PostgresEngine(url, listen_url, may_be_away=may_be_away)


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2].partition('?')[0]}"
