"""Two machines on one database."""

from pathlib import Path

import pytest

from moorage.store.store import Store
from tests.support.stores import Database


@pytest.fixture
def afar(postgresql: Database, folder: Path) -> Store:
    """The same database, as another machine has it."""
    (folder / "afar").mkdir()
    return postgresql.store(folder=folder / "afar")
