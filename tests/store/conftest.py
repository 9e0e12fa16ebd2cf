"""Two machines on one database, and databases that nothing is in yet."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from moorage.store.store import Store
from tests.support.postgres import PostgresServer
from tests.support.stores import Database, sqlite_in


@pytest.fixture
def afar(postgresql: Database, folder: Path) -> Store:
    """The same database, as another machine has it."""
    (folder / "afar").mkdir()
    return postgresql.store(folder=folder / "afar")


@pytest.fixture
def empty(engine: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """A database without a table, on each engine."""
    if engine == "sqlite":
        made = sqlite_in(folder)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        made = Database(server.new_database("template0"), folder)
    with closing(made):
        yield made
