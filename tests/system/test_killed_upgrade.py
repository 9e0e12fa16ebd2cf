"""An upgrade that is killed, or runs twice concurrently, leaves a consistent database."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from moorage.core.errors.storage import InvalidDatabase, StorageError
from moorage.store import queries
from moorage.store.postgres.engine import PostgresEngine
from tests.support import golden
from tests.support.golden import NEWEST, NEWEST_IN_TESTS
from tests.support.postgres import PostgresServer, sql
from tests.support.server import clean_environment
from tests.support.stores import Database
from tests.support.threads import HANG_SECONDS, Background, until

PROGRAM = Path(__file__).with_name("open_and_die.py")

#: Schema -> a table that the next migration changes after its first statement.
CHANGED_LATE = {NEWEST: "project", NEWEST + 1: "history"}

Copies = Callable[[int], Iterator[Database]]


class Opener:
    """A process that runs `open_and_die.py`."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", str(PROGRAM), str(folder / "migrations"), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_environment(TMPDIR=str(folder)),
        )  # fmt: skip

    def begin(self, url: str, fatal: int = 0) -> None:
        """Make the process open a database and kill itself before statement number `fatal`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{fatal} {url}\n")
        self._process.stdin.flush()

    def result(self) -> str:
        """Return the line that the process prints."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """Stop the process."""
        self._process.communicate(timeout=HANG_SECONDS)


@pytest.fixture(autouse=True)
def _later_migrations(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the test migrations to this program and its processes."""
    monkeypatch.setattr(queries, "MIGRATIONS", golden.write_migrations(folder / "migrations"))


@pytest.fixture(params=["sqlite", "postgresql"])
def copies(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    """Return a function that yields copies of a golden database, on each engine."""
    with ExitStack() as opened:

        def copies_on_sqlite(schema: int) -> Iterator[Database]:
            folder = tmp_path_factory.mktemp("copies")
            golden.load(schema, f"sqlite:///{folder}/golden.db")
            content = (folder / "golden.db").read_bytes()
            for number in itertools.count():
                (folder / f"{number}.db").write_bytes(content)
                yield opened.enter_context(closing(Database(f"sqlite:///{folder}/{number}.db", folder)))

        def copies_on_postgresql(schema: int) -> Iterator[Database]:
            server: PostgresServer = request.getfixturevalue("postgres")
            folder = tmp_path_factory.mktemp("copies")
            template = server.new_database("template0")
            golden.load(schema, template)
            while True:
                url = server.new_database(template.rpartition("/")[2])
                yield opened.enter_context(closing(Database(url, folder)))

        yield copies_on_sqlite if request.param == "sqlite" else copies_on_postgresql


def killed_at_each_statement(opener: Opener, copies: Iterator[Database]) -> Iterator[Database]:
    """Yield copies. In each one, the program was killed one statement later."""
    for fatal, database in enumerate(copies, 1):
        opener.begin(database.url, fatal)
        if (result := opener.result()) != "killed":
            assert result.startswith("opened")
            return
        yield database


def error_in(database: Database, schema: int, structure: object) -> str:
    """Open a database; return an empty text if it is upgraded and complete, or else the error."""
    try:
        database.engine()
    except StorageError as error:
        return str(error)
    found = golden.rows(database.url)
    if (golden.schema_of(database.url), golden.structure(database.url)) != (NEWEST_IN_TESTS, structure):
        return "its tables differ"
    return "" if found == golden.upgraded(schema, found) else "its rows differ"


def structure_of(copies: Iterator[Database]) -> object:
    """Return the structure of a database after an upgrade without a kill."""
    database = next(copies)
    database.engine()
    return golden.structure(database.url)


@pytest.mark.parametrize(
    ("copies", "schema"),
    [*(("sqlite", schema) for schema in range(1, NEWEST + 1)), ("postgresql", 1)],  # from 1 on, every migration runs
    indirect=["copies"],
)
def test_an_upgrade_that_is_killed_before_any_statement_can_be_repeated(
    copies: Copies, folder: Path, schema: int
) -> None:
    structure = structure_of(copies(schema))
    with closing(Opener(folder)) as opener:
        errors = [
            error_in(database, schema, structure) for database in killed_at_each_statement(opener, copies(schema))
        ]

    assert errors == [""] * len(errors)
    assert len(errors) > 5 * (NEWEST_IN_TESTS - schema), "each migration has several statements"


def test_a_migration_without_a_transaction_is_detected(copies: Copies, folder: Path) -> None:
    """The positive control."""
    structure = structure_of(copies(NEWEST))
    with closing(Opener(folder, "--without-transaction")) as opener:
        errors = [
            error_in(database, NEWEST, structure) for database in killed_at_each_statement(opener, copies(NEWEST))
        ]

    assert [error for error in errors if "already exists" in error or "duplicate column" in error]


@pytest.mark.parametrize("schema", CHANGED_LATE)
def test_a_migration_whose_connection_is_terminated_leaves_the_previous_schema(
    postgres: PostgresServer, folder: Path, schema: int
) -> None:
    url = postgres.new_database("template0")
    golden.load(NEWEST, url)

    with psycopg.connect(url) as holder:
        holder.execute(f"LOCK TABLE {CHANGED_LATE[schema]} IN ACCESS EXCLUSIVE MODE".encode())
        starting = Background(lambda: PostgresEngine(url, folder=folder))
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        until(lambda: sql(url, f"{kill} AND datname = current_database()") != [])
        with pytest.raises(InvalidDatabase, match="terminating connection"):
            starting.result()

    found = golden.rows(url)
    assert (golden.schema_of(url), found) == (schema, golden.upgraded(NEWEST, found, schema))
    with closing(Database(url, folder)) as database:
        database.engine()
        found = golden.rows(url)
        assert (golden.schema_of(url), found) == (NEWEST_IN_TESTS, golden.upgraded(NEWEST, found))


def test_two_concurrent_programs_run_each_migration_once(copies: Copies, folder: Path) -> None:
    structure = structure_of(copies(1))
    with closing(Opener(folder)) as one, closing(Opener(folder)) as other:
        for database in itertools.islice(copies(1), 10):
            for opener in (one, other):
                opener.begin(database.url)
            results = [opener.result().split() for opener in (one, other)]

            assert [result[0] for result in results] == ["opened"] * 2, results
            assert sum(int(result[1]) for result in results) == NEWEST_IN_TESTS - 1
            assert error_in(database, 1, structure) == ""
