"""A store in this process, with a clock that a test sets."""

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw

from moorage.core.deployments.content import Content
from moorage.core.deployments.deployment import FIRST_VERSION
from moorage.core.deployments.history import OPERATOR, Subject
from moorage.core.deployments.ids import new_id
from moorage.core.deployments.prompt_config import PromptConfig
from moorage.store.engine import Engine
from moorage.store.opening import open_store
from moorage.store.postgres.engine import PostgresEngine
from moorage.store.sqlite.engine import SqliteEngine
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from tests.support.postgres import sql

CONTENT = Content(PromptConfig(model="m", model_type="chat", provider="openai")).encode()


class Clock:
    """A clock in nanoseconds since 1970 that a test sets."""

    def __init__(self) -> None:
        self.now = 1_772_357_400_000_000_000

    def __call__(self) -> int:
        return self.now


class Database:
    """The database of a test, and its engines."""

    def __init__(self, url: str, folder: Path) -> None:
        """PostgreSQL engines share their newest revision in `folder`, as on one node."""
        self.url = url
        self.folder = folder
        self._engines: list[Engine] = []

    def engine(self, folder: Path | None = None) -> Engine:
        """Open an engine as another process does: on this node, or on the node with its own `folder`."""
        engine: Engine
        if self.url.startswith("sqlite"):
            engine = SqliteEngine(Path(self.url.removeprefix("sqlite:///")))
        else:
            engine = PostgresEngine(self.url, folder=folder or self.folder)
        self._engines.append(engine)
        return engine

    def store(self, clock: Clock | None = None, folder: Path | None = None) -> Store:
        """Open another store on the database."""
        return Store(self.engine(folder), clock or Clock())

    def close(self) -> None:
        """Close all engines."""
        for engine in self._engines:
            engine.close()


def open_engine(url: str) -> Engine:
    """Open an engine as another process on this node does."""
    return SqliteEngine(Path(url.removeprefix("sqlite:///"))) if url.startswith("sqlite") else PostgresEngine(url)


def run_sql(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement on the database of a running server; return its rows."""
    if not url.startswith("sqlite"):
        return sql(url, statement)
    with closing(apsw.Connection(url.removeprefix("sqlite:///"))) as connection:
        connection.set_busy_timeout(5_000)
        return list(connection.execute(statement))


def sqlite_in(folder: Path) -> Database:
    """Return a SQLite database in a folder."""
    return Database(f"sqlite:///{folder}/moorage.db", folder)


def create_database(folder: Path) -> None:
    """Create the database of a folder, as the first start of a server does."""
    open_store(f"sqlite:///{folder}/moorage.db").close()


def a_store(folder: Path, clock: Clock | None = None) -> Store:
    """Open another store on the SQLite database in a folder."""
    return Store(SqliteEngine(folder / "moorage.db"), clock or Clock())


def insert(tx: Transaction, project_id: str, key: str) -> str:
    """Insert a small deployment; return its id."""
    version_id = new_id()
    deployment_id = tx.insert_deployment(project_id, key, "", version_id)
    digest = tx.insert_version(version_id, deployment_id, FIRST_VERSION, CONTENT, OPERATOR)
    tx.record("created", OPERATOR, Subject(project_id, deployment_id, to_version_id=version_id, content_sha256=digest))
    return deployment_id


def create(store: Store, project_id: str, key: str) -> str:
    """Insert a small deployment in its own transaction; return its id."""
    return store.run(insert, project_id, key)


def delete(store: Store, deployment_id: str) -> None:
    """Delete a deployment."""
    with store.write() as write:
        write.delete_deployment(deployment_id)
        write.record("deleted", OPERATOR, Subject(deployment_id=deployment_id))
