"""From a database's address to a `Store`: the one place that knows which databases there are."""

from pathlib import Path

from moorage.core.storage_errors import InvalidDatabase
from moorage.store.sqlite import SqliteEngine
from moorage.store.store import Store

_SQLITE = "sqlite:///"


def open_store(url: str) -> Store:
    """Open the database at `url`, creating it where there is none.

    `sqlite:///moorage.db` is a path from the working directory, `sqlite:////var/lib/moorage.db` an absolute one.

    Raises:
        InvalidDatabase, SchemaTooNew, UnsafeSqlite
    """
    if not url.startswith(_SQLITE) or url in (_SQLITE, _SQLITE + ":memory:"):
        raise InvalidDatabase(url=_without_password(url), reason="a database is named sqlite:///PATH")
    return Store(SqliteEngine(Path(url.removeprefix(_SQLITE))))


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
