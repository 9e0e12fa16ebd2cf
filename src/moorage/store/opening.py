"""From a database's address to a `Store`: the one place that knows which databases there are."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from moorage.core.finding import Finding
from moorage.core.storage_errors import CopyUnfinished, InvalidDatabase, StorageError, StorageUnavailable
from moorage.store import sqlite_examination
from moorage.store.engine import Engine
from moorage.store.sqlite import SqliteEngine
from moorage.store.store import Store

if TYPE_CHECKING:
    from moorage.store.postgres import PostgresEngine

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")

_FORM = "a database is named sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME"


def open_store(
    url: str,
    listen_url: str | None = None,
    *,
    may_be_away: bool = False,
    may_be_new: bool = True,
    may_be_old: bool = True,
) -> Store:
    """Open the database at `url`, creating it where there is none (SQLite), or its tables (PostgreSQL).

    `sqlite:///moorage.db` is a path from the working directory, `sqlite:////var/lib/moorage.db` an absolute one.
    `postgresql://user:password@host:port/name` is what psycopg takes; `listen_url`, if `url` leads to a pgbouncer,
    leads to the database itself. One that `may_be_away` is waited for by whoever uses the store. Nothing is made where
    there is nothing but if it `may_be_new`, and no older schema is brought to this one but if it `may_be_old`.

    Raises:
        InvalidDatabase, SchemaTooNew, SchemaTooOld, UnsafeSqlite
        CopyUnfinished: another database is being copied into it.
    """
    engine = open_engine(url, listen_url, may_be_away=may_be_away, may_be_new=may_be_new, may_be_old=may_be_old)
    try:
        with engine.read() as stream:
            for source, _, _ in stream("find_copy"):
                raise CopyUnfinished(url=engine.url, source=source)
    except StorageError as error:
        if not (may_be_away and isinstance(error, StorageUnavailable)):
            engine.close()
            raise
    return Store(engine)


def open_existing(url: str) -> Store:
    """The same, for what has nothing to do in a new one, and is no upgrade.

    Raises:
        InvalidDatabase, SchemaTooNew, SchemaTooOld, UnsafeSqlite, CopyUnfinished
    """
    return open_store(url, may_be_new=False, may_be_old=False)


def open_engine(
    url: str,
    listen_url: str | None = None,
    *,
    may_be_away: bool = False,
    may_be_new: bool = True,
    may_be_old: bool = True,
) -> Engine:
    """The database alone, for what puts a whole database into it.

    Raises:
        InvalidDatabase, SchemaTooNew, SchemaTooOld, UnsafeSqlite
    """
    if url.startswith(_POSTGRES):
        engine = _postgres_engine(url)
        return engine(url, listen_url, may_be_away=may_be_away, may_be_new=may_be_new, may_be_old=may_be_old)
    if not _is_sqlite(url):
        raise InvalidDatabase(url=_without_password(url), reason=_FORM)
    return SqliteEngine(Path(url.removeprefix(_SQLITE)), may_be_new=may_be_new, may_be_old=may_be_old)


def examine(url: str, listen_url: str | None = None) -> Iterator[Finding]:
    """What is found about the database at `url`, which is not changed by it, nor made where there is none."""
    if url.startswith(_POSTGRES):
        try:
            from moorage.store import postgres_examination  # noqa: PLC0415 -- as below
        except ModuleNotFoundError:
            yield Finding("problem", "database", "psycopg is not installed", "pip install 'moorage[postgres]'")
            return
        yield from postgres_examination.examine(url, listen_url)
    elif _is_sqlite(url):
        yield from sqlite_examination.examine(Path(url.removeprefix(_SQLITE)).absolute(), url)
    else:
        yield Finding("problem", "database", f"{_without_password(url)} is no address of a database", _FORM)


def _postgres_engine(url: str) -> "type[PostgresEngine]":
    try:
        from moorage.store.postgres import PostgresEngine  # noqa: PLC0415 -- psycopg is there only where it is wanted
    except ModuleNotFoundError as error:
        reason = "PostgreSQL needs more than is installed: pip install 'moorage[postgres]'"
        raise InvalidDatabase(url=_without_password(url), reason=reason) from error
    return PostgresEngine


def _is_sqlite(url: str) -> bool:
    return url.startswith(_SQLITE) and url not in (_SQLITE, _SQLITE + ":memory:")


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2].partition('?')[0]}"
