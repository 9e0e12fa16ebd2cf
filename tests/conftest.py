"""Servers and databases for all tests, and the markers `system`, `exhaustive` and `serial`."""

import gc
import logging
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path

import hypothesis
import pytest

from moorage.settings import SETTINGS
from tests.support.postgres import PostgresServer
from tests.support.serial import turn
from tests.support.server import Project, Server, SharedServer
from tests.support.stores import Database

_TESTS = Path(__file__).parent
_SYSTEM = _TESTS / "system"

#: Folders whose tests use HTTP. The tests of the store cover both engines, so these run on PostgreSQL only in the
#: system tier.
_HTTP = (_TESTS / "api", _TESTS / "console", _TESTS / "contract", _TESTS / "client")

ENGINES = ("sqlite", "postgresql")

# Hypothesis generates the same examples in each run, so that only a change of the code can cause a failure.
# `--hypothesis-seed=N` generates others. Examples have no deadline, because the speed of the machine is not under test.
hypothesis.settings.register_profile(
    "moorage",
    derandomize=True,
    print_blob=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("moorage")


# A shell starts background processes with these signals ignored, and their children inherit it: no test of Ctrl-C ends.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options `--engine` and `--triples`."""
    parser.addoption("--engine", choices=[*ENGINES, "all"], default="all", help="Omit the tests of the other engine.")
    parser.addoption("--triples", type=int, default=500, help="Number of requests that compare client and server.")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> None:
    """Load the plugin only for the file that needs it, because its import takes seconds."""
    name = "schemathesis.pytest.plugin"
    if file_path.name == "test_schema_fuzzing.py" and not parent.config.pluginmanager.has_plugin(name):
        parent.config.pluginmanager.register(import_module(name), name)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Assign the tests to their tiers, and deselect the tests of the other engine."""
    chosen: str = config.getoption("--engine")
    rejected = []
    for item in items:
        engine = _engine_of(item)
        is_http = any(folder in item.path.parents for folder in _HTTP)
        is_exhaustive = item.get_closest_marker("exhaustive") is not None
        if _SYSTEM in item.path.parents or (engine == "postgresql" and (is_http or is_exhaustive)):
            item.add_marker("system")
        if chosen != "all" and engine not in (None, chosen):
            rejected.append(item)
    if rejected:
        config.hook.pytest_deselected(items=rejected)
        items[:] = [item for item in items if item not in rejected]
    # One test of these takes minutes: as the last one, it would run while all other processes have nothing to do.
    items.sort(key=lambda item: "worst_cases" not in item.path.parts)


def pytest_collection_finish() -> None:
    """Exclude the modules and tests from garbage collection: every collection would go through all of them."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run a test that is marked `serial` while no other test runs."""
    with turn(is_alone=item.get_closest_marker("serial") is not None):
        return (yield)


def _engine_of(item: pytest.Item) -> str | None:
    """Return the engine of a test; None if it has none."""
    given = getattr(item, "callspec", None)
    engine = given.params.get("engine") if given else None
    if engine in ENGINES:
        return str(engine)
    return "postgresql" if "postgres" in getattr(item, "fixturenames", ()) else None


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Return an engine. The tests that use it run once on each engine."""
    return str(request.param)


@pytest.fixture(scope="session")
def new_database(engine: str, request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Return a function that returns the URL of a new database; SQLite creates it in the folder."""
    if engine == "sqlite":
        return lambda folder: f"sqlite:///{folder}/moorage.db"
    postgres: PostgresServer = request.getfixturevalue("postgres")
    return lambda folder: postgres.new_database()


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server on SQLite. A test that stops or damages a server starts its own."""
    with SharedServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def postgresql_server(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server on PostgreSQL."""
    with SharedServer(tmp_path_factory.mktemp("server"), database=postgres.new_database()) as running:
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
    """Create a temporary folder for this run, because killed servers leave files in it.

    A later run could create a database at the same address and read the revision of the earlier one.
    """
    os.environ["TMPDIR"] = str(tmp_path_factory.mktemp("temporary"))
    tempfile.tempdir = None  # so that Python reads TMPDIR again


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of the user who runs the tests."""
    for setting in SETTINGS.values():
        monkeypatch.delenv(setting.variable, raising=False)
        monkeypatch.delenv(f"{setting.variable}_FILE", raising=False)


@pytest.fixture(autouse=True)
def _no_change_of_logging() -> Iterator[None]:
    """Undo what an application in this process did to the root logger: its level would hide the log of later tests."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
