"""Servers and databases for all tests, and the marker of `make test-system`."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path

import hypothesis
import pytest

from moorage.settings import SETTINGS
from tests.support.postgres import PostgresServer
from tests.support.server import LastingServer, Project, Server
from tests.support.stores import Database

_TESTS = Path(__file__).parent
_SYSTEM = _TESTS / "system"

#: Folders whose tests speak HTTP. The store's tests compare the engines, so these run on PostgreSQL in the system tier.
_HTTP = (_TESTS / "api", _TESTS / "contract", _TESTS / "client")

ENGINES = ("sqlite", "postgresql")

# Hypothesis makes the same examples in each run, so that a failure has its cause in the change. `--hypothesis-seed=N`
# makes others. Examples have no deadline, because the speed of the machine is not under test.
hypothesis.settings.register_profile(
    "moorage",
    derandomize=True,
    print_blob=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("moorage")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the engines to run on, and the length of a search."""
    parser.addoption(
        "--engine", choices=[*ENGINES, "all"], default="all", help="Run tests of one engine only, and tests of none."
    )
    parser.addoption("--triples", type=int, default=500, help="How many requests compare client and server.")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> None:
    """Load the plugin of the one file that needs it: its import takes seconds."""
    name = "schemathesis.pytest.plugin"
    if file_path.name == "test_schema_fuzzing.py" and not parent.config.pluginmanager.has_plugin(name):
        parent.config.pluginmanager.register(import_module(name), name)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Assign the tests to their tiers, and deselect those of the other engine."""
    chosen: str = config.getoption("--engine")
    rejected = []
    for item in items:
        engine = _engine_of(item)
        is_http = any(folder in item.path.parents for folder in _HTTP)
        if _SYSTEM in item.path.parents or (is_http and engine == "postgresql"):
            item.add_marker("system")
        if chosen != "all" and engine not in (None, chosen):
            rejected.append(item)
    if rejected:
        config.hook.pytest_deselected(items=rejected)
        items[:] = [item for item in items if item not in rejected]


def _engine_of(item: pytest.Item) -> str | None:
    """Return the engine of a test; None if it has none."""
    given = getattr(item, "callspec", None)
    engine = given.params.get("engine") if given else None
    if engine in ENGINES:
        return str(engine)
    return "postgresql" if "postgres" in getattr(item, "fixturenames", ()) else None


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Return an engine. The tests that use it run once on each."""
    return str(request.param)


@pytest.fixture(scope="session")
def new_database(engine: str, request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Return a function that returns the URL of a new database, in a folder if on SQLite."""
    if engine == "sqlite":
        return lambda folder: f"sqlite:///{folder}/moorage.db"
    postgres: PostgresServer = request.getfixturevalue("postgres")
    return lambda folder: postgres.new_database()


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server on SQLite. Tests that harm a server start their own."""
    with LastingServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def postgresql_server(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return the same on PostgreSQL."""
    with LastingServer(tmp_path_factory.mktemp("server"), database=postgres.new_database()) as running:
        yield running


@pytest.fixture(scope="session")
def server(engine: str, request: pytest.FixtureRequest) -> Server:
    """Return the server of the engine."""
    running: Server = request.getfixturevalue(f"{engine}_server")
    return running


@pytest.fixture
def project(server: Server) -> Project:
    """Return an empty project with an API key of the default scopes."""
    return server.new_project()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server. Each test creates its own databases."""
    with PostgresServer() as running:
        yield running


@pytest.fixture
def postgresql(postgres: PostgresServer, folder: Path) -> Iterator[Database]:
    """Return a new database of the current schema on PostgreSQL."""
    with closing(Database(postgres.new_database(), folder)) as made:
        yield made


@pytest.fixture
def database(new_database: Callable[[Path], str], folder: Path) -> Iterator[Database]:
    """Return a new database of the current schema."""
    with closing(Database(new_database(folder), folder)) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder."""
    return tmp_path


@pytest.fixture(scope="session", autouse=True)
def _temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give this run a temporary folder, because servers that are killed leave files there.

    A later run could reserve the same port, and take the revision of the database that was there before.
    """
    os.environ["TMPDIR"] = str(tmp_path_factory.mktemp("temporary"))
    tempfile.tempdir = None  # read again


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of the user who runs the tests."""
    for setting in SETTINGS.values():
        monkeypatch.delenv(setting.variable, raising=False)
        monkeypatch.delenv(f"{setting.variable}_FILE", raising=False)
