"""The server that the command line talks to."""

import pytest

from tests.support.server import Server


@pytest.fixture(scope="session")
def server(sqlite_server: Server) -> Server:
    """On SQLite alone: a command sees nothing but HTTP, and that is the same on both engines (tests/api)."""
    return sqlite_server
