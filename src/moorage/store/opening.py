"""Opening a database by its URL. No other module lists the supported databases."""

from pathlib import Path
from typing import TYPE_CHECKING

from moorage.core.errors.storage import CopyUnfinished, InvalidDatabase, StorageError, StorageUnavailable
from moorage.core.secret_keys import NO_KEYS, SecretKeys
from moorage.store.engine import Engine
from moorage.store.schema import OpenMode
from moorage.store.sqlite.engine import SqliteEngine
from moorage.store.store import Store

if TYPE_CHECKING:
    from moorage.store.postgres.engine import PostgresEngine

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")

FORM = "use sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME"


def open_store(
    url: str,
    listen_url: str | None = None,
    *,
    mode: OpenMode = "create",
    may_be_down: bool = False,
    secret_keys: SecretKeys = NO_KEYS,
) -> Store:
    """Open the database at `url`.

    `sqlite:///moorage.db` is a path from the working directory, `sqlite:////var/lib/moorage.db` an absolute one.
    `postgresql://user:password@host:port/name` has the form that psycopg takes; if it leads to a pgbouncer,
    `listen_url` leads to the database itself. A database that `may_be_down` is opened when it is reachable.
    `secret_keys` authenticate the history.

    Raises:
        InvalidDatabase, SchemaTooNew, SchemaTooOld, UnsafeSqlite
        CopyUnfinished: another database is being copied into it.
    """
    engine = open_engine(url, listen_url, mode=mode, may_be_down=may_be_down)
    try:
        with engine.read() as stream:
            for source, _, _ in stream("find_copy"):
                raise CopyUnfinished(url=engine.url, source=source)
    except StorageError as error:
        if not (may_be_down and isinstance(error, StorageUnavailable)):
            engine.close()
            raise
    return Store(engine, secret_keys=secret_keys)


def open_existing(url: str, secret_keys: SecretKeys = NO_KEYS) -> Store:
    """Open a database that exists and has the current schema.

    Raises:
        InvalidDatabase, SchemaTooNew, SchemaTooOld, UnsafeSqlite, CopyUnfinished
    """
    return open_store(url, mode="existing", secret_keys=secret_keys)


def open_engine(
    url: str, listen_url: str | None = None, *, mode: OpenMode = "create", may_be_down: bool = False
) -> Engine:
    """Open the engine without a `Store`, to write a whole database into it.

    Raises:
        InvalidDatabase, SchemaTooNew, SchemaTooOld, UnsafeSqlite
    """
    if url.startswith(POSTGRES):
        return _postgres_engine(url)(url, listen_url, mode=mode, may_be_down=may_be_down)
    if not is_sqlite(url):
        raise InvalidDatabase(url=without_password(url), reason=FORM)
    return SqliteEngine(Path(url.removeprefix(SQLITE)), mode)


def _postgres_engine(url: str) -> "type[PostgresEngine]":
    try:
        from moorage.store.postgres.engine import (  # noqa: PLC0415 -- psycopg is an optional dependency
            PostgresEngine,
        )
    except ModuleNotFoundError as error:
        reason = "PostgreSQL requires additional packages: pip install 'moorage[postgres]'"
        raise InvalidDatabase(url=without_password(url), reason=reason) from error
    return PostgresEngine


def is_sqlite(url: str) -> bool:
    """Return whether a URL names a SQLite file."""
    return url.startswith(SQLITE) and url not in (SQLITE, SQLITE + ":memory:")


def without_password(url: str) -> str:
    """Return a URL without its user, password and options. Of a text that is not a URL, any part may be a password."""
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and "@" not in rest:
        return url
    _, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{place.partition('?')[0] if at else '…'}" if separator else "…"
