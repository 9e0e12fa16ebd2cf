"""A second node on a database, and empty databases."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from moorage.store.store import Store
from tests.support.postgres import PostgresServer
from tests.support.stores import Database, sqlite_in


@pytest.fixture
def other_node(postgresql: Database, folder: Path) -> Store:
    """Return a store on the same database, as another node opens it."""
    (folder / "other").mkdir()
    return postgresql.store(folder=folder / "other")


@pytest.fixture
def empty(engine: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """Return a database without tables, on each engine."""
    if engine == "sqlite":
        database = sqlite_in(folder)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        database = Database(server.new_database("template0"), folder)
    with closing(database):
        yield database
