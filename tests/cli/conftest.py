"""The server of the command-line tests."""

import pytest

from tests.support.server import Server


@pytest.fixture(scope="session")
def server(sqlite_server: Server) -> Server:
    """Return the server on SQLite; tests/api checks the HTTP API on both engines."""
    return sqlite_server
