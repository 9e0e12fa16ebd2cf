"""A real server, started as a user starts it, on each engine, and a project of its own for every test."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import hypothesis
import pytest

from moorage.settings import SETTINGS
from tests.support.postgres import PostgresServer
from tests.support.server import LastingServer, Project, Server
from tests.support.stores import Database

# The same examples at each run: a change is judged by what it changed. `--hypothesis-seed=N` tries others.
# No example is late: how fast the machine is just now is not what is tested.
hypothesis.settings.register_profile(
    "moorage",
    derandomize=True,
    print_blob=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("moorage")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long a search may be."""
    parser.addoption("--triples", type=int, default=500, help="How many calls are compared between client and server.")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine there is: what uses this is run on one after the other."""
    return str(request.param)


@pytest.fixture(scope="session")
def new_database(engine: str, request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Gives the address of a new database, on each engine: of a file in a folder, or one in the tests' PostgreSQL."""
    if engine == "sqlite":
        return lambda folder: f"sqlite:///{folder}/moorage.db"
    postgres: PostgresServer = request.getfixturevalue("postgres")
    return lambda folder: postgres.new_database()


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server on SQLite for all tests that do not harm it."""
    with LastingServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def postgresql_server(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same on PostgreSQL."""
    with LastingServer(tmp_path_factory.mktemp("server"), database=postgres.new_database()) as running:
        yield running


@pytest.fixture(scope="session")
def server(engine: str, request: pytest.FixtureRequest) -> Server:
    """Those servers, one after the other."""
    running: Server = request.getfixturevalue(f"{engine}_server")
    return running


@pytest.fixture
def project(server: Server) -> Project:
    """An empty project with an API key that may do everything to it."""
    return server.new_project()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests; each has databases of its own in it."""
    with PostgresServer() as running:
        yield running


@pytest.fixture
def postgresql(postgres: PostgresServer, folder: Path) -> Iterator[Database]:
    """A new database of the current schema on PostgreSQL."""
    with closing(Database(postgres.new_database(), folder)) as made:
        yield made


@pytest.fixture
def database(new_database: Callable[[Path], str], folder: Path) -> Iterator[Database]:
    """A new database, on each engine."""
    with closing(Database(new_database(folder), folder)) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    return tmp_path


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the person who runs the tests has set is not part of them."""
    for setting in SETTINGS.values():
        monkeypatch.delenv(setting.variable, raising=False)
        monkeypatch.delenv(f"{setting.variable}_FILE", raising=False)
