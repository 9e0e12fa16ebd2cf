"""A server that renders jinja templates."""

from collections.abc import Iterator

import pytest

from tests.support.server import Server


@pytest.fixture(scope="module")
def jinja_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server on which jinja is enabled."""
    with Server(tmp_path_factory.mktemp("jinja"), "--jinja", "true") as server:
        yield server
