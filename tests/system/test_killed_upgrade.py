"""A program that is killed at any moment of an upgrade, or does not upgrade alone, leaves a database that is whole."""

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
from tests.support.threads import Background, until

PROGRAM = Path(__file__).with_name("open_and_die.py")

#: Schema -> a table that the next migration needs after it has already changed something.
NEEDED_LATE = {1: "project", 2: "history"}

Copies = Callable[[int], Iterator[Database]]


class Opener:
    """The program, which waits for what to open."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", str(PROGRAM), str(folder / "migrations"), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_environment(TMPDIR=str(folder)),
        )  # fmt: skip

    def begin(self, url: str, fatal: int = 0) -> None:
        """Have it open a database and die before the statement of that number."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{fatal} {url}\n")
        self._process.stdin.flush()

    def end(self) -> str:
        """What became of it."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=30)


@pytest.fixture(autouse=True)
def _later_migrations(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The migrations for tests are part of this program, and of those that it starts."""
    monkeypatch.setattr(queries, "MIGRATIONS", golden.write_migrations(folder / "migrations"))


@pytest.fixture(params=["sqlite", "postgresql"])
def copies(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    """Makes as many copies of a golden database as are asked for, on each engine."""
    with ExitStack() as opened:

        def of_sqlite(schema: int) -> Iterator[Database]:
            folder = tmp_path_factory.mktemp("copies")
            golden.load(schema, f"sqlite:///{folder}/golden.db")
            content = (folder / "golden.db").read_bytes()
            for number in itertools.count():
                (folder / f"{number}.db").write_bytes(content)
                yield opened.enter_context(closing(Database(f"sqlite:///{folder}/{number}.db", folder)))

        def of_postgresql(schema: int) -> Iterator[Database]:
            server: PostgresServer = request.getfixturevalue("postgres")
            folder = tmp_path_factory.mktemp("copies")
            template = server.new_database("template0")
            golden.load(schema, template)
            while True:
                url = server.new_database(template.rpartition("/")[2])
                yield opened.enter_context(closing(Database(url, folder)))

        yield of_sqlite if request.param == "sqlite" else of_postgresql


def killed_everywhere(opener: Opener, copies: Iterator[Database]) -> Iterator[Database]:
    """Copies, each as it was left by a program that was killed one statement later than the one before."""
    for fatal, database in enumerate(copies, 1):
        opener.begin(database.url, fatal)
        if (answer := opener.end()) != "killed":
            assert answer.startswith("opened")
            return
        yield database


def wrong(database: Database, schema: int, structure: object) -> str:
    """What is wrong with a database of that schema, when it is opened; nothing if it is upgraded and whole."""
    try:
        database.engine()
    except StorageError as error:
        return str(error)
    found = golden.rows(database.url)
    if (golden.schema_of(database.url), golden.structure(database.url)) != (NEWEST_IN_TESTS, structure):
        return "its tables are others"
    return "" if found == golden.upgraded(schema, found) else "its rows are others"


def structure_of(copies: Iterator[Database]) -> object:
    """How one that is upgraded in peace is built."""
    database = next(copies)
    database.engine()
    return golden.structure(database.url)


@pytest.mark.parametrize(
    ("copies", "schema"),
    [*(("sqlite", schema) for schema in range(1, NEWEST + 1)), ("postgresql", 1)],  # from 1 on, every step is taken
    indirect=["copies"],
)
def test_a_program_that_is_killed_before_any_statement_leaves_what_can_be_upgraded(
    copies: Copies, folder: Path, schema: int
) -> None:
    structure = structure_of(copies(schema))
    with closing(Opener(folder)) as opener:
        left = [wrong(database, schema, structure) for database in killed_everywhere(opener, copies(schema))]

    assert left == [""] * len(left)
    assert len(left) > 5 * (NEWEST_IN_TESTS - schema), "each step has some statements"


def test_a_migration_without_its_transaction_would_be_caught(copies: Copies, folder: Path) -> None:
    """The positive control of the one above."""
    structure = structure_of(copies(NEWEST))
    with closing(Opener(folder, "--without-transaction")) as opener:
        left = [wrong(each, NEWEST, structure) for each in killed_everywhere(opener, copies(NEWEST))]

    assert [reason for reason in left if "already exists" in reason or "duplicate column" in reason]


@pytest.mark.parametrize("schema", NEEDED_LATE)
def test_a_migration_whose_connection_the_server_ends_leaves_the_schema_before(
    postgres: PostgresServer, folder: Path, schema: int
) -> None:
    url = postgres.new_database("template0")
    golden.load(NEWEST, url)

    with psycopg.connect(url) as holder:
        holder.execute(f"LOCK TABLE {NEEDED_LATE[schema]} IN ACCESS EXCLUSIVE MODE".encode())
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


def test_two_programs_that_start_at_once_take_each_step_once(copies: Copies, folder: Path) -> None:
    structure = structure_of(copies(1))
    with closing(Opener(folder)) as one, closing(Opener(folder)) as other:
        for database in itertools.islice(copies(1), 10):
            for opener in (one, other):
                opener.begin(database.url)
            answers = [opener.end().split() for opener in (one, other)]

            assert [answer[0] for answer in answers] == ["opened"] * 2, answers
            assert sum(int(answer[1]) for answer in answers) == NEWEST_IN_TESTS - 1
            assert wrong(database, 1, structure) == ""
