"""`moorage db copy`: a copy is complete, or no server starts on it."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from moorage.core.access import DEFAULT_SCOPES
from moorage.core.errors.storage import CopyDiffers, CopyUnfinished, SourceChanged
from moorage.diagnostics.integrity import check
from moorage.registry.projects import get_project
from moorage.store.opening import open_engine, open_store
from moorage.store.transfer.copy import Copy
from moorage.store.transfer.dump import DEPLOYMENTS, TABLES
from tests.cli.whole_database import contents, epoch, fill
from tests.support.postgres import PostgresServer
from tests.support.program import moorage
from tests.support.registry import create_api_key, create_project
from tests.support.server import Project, Server, clean_environment
from tests.support.threads import HANG_SECONDS

pytestmark = pytest.mark.system

#: Runs `moorage` so that a copy prints a line before each step. After the last step, it sleeps until it is killed.
STEP_BY_STEP = """
import sys, time
from moorage.cli.db import copy
from moorage.cli.main import main
def show(steps):
    print(0, flush=True)
    for number, _ in enumerate(steps, 1):
        print(number, flush=True)
    print("all", flush=True)
    time.sleep(600)  # until the test kills the process
copy._show = show
main(sys.argv[1:])
"""
KILLS = 10
SEED = 20_261_122

NewUrl = Callable[[str], str]


@pytest.fixture
def new_url(request: pytest.FixtureRequest, folder: Path) -> NewUrl:
    """Return a function that returns the URL of a new, empty database of an engine."""
    numbers = iter(range(100))

    def make(engine: str) -> str:
        if engine == "sqlite":
            return f"sqlite:///{folder}/{next(numbers)}.db"
        postgres: PostgresServer = request.getfixturevalue("postgres")
        return postgres.new_database("template0")

    return make


def filled(url: str, extra: int = 0) -> str:
    """Fill a database; return its URL."""
    with closing(open_store(url)) as store:
        fill(store, extra)
    return url


@pytest.mark.parametrize(
    ("from_", "to"),
    [
        ("sqlite", "sqlite"),
        ("sqlite", "postgresql"),
        ("postgresql", "sqlite"),
        pytest.param("postgresql", "postgresql", marks=pytest.mark.system),
    ],
)
def test_everything_is_copied_between_any_two_engines(new_url: NewUrl, folder: Path, from_: str, to: str) -> None:
    source, target = filled(new_url(from_), extra=1_200), new_url(to)

    result = moorage("db", "copy", "--from", source, "--to", target, folder=folder)

    assert result.returncode == 0, result.stderr
    assert "version: 1233 rows" in result.stderr
    rows = [line.split() for line in result.stdout.splitlines()[1:-1]]
    assert [row[0] for row in rows] == [table.name for table in TABLES]
    assert all(expected == copied for _, _, expected, copied in rows)
    with closing(open_store(source)) as one, closing(open_store(target)) as other:
        assert contents(one) == contents(other)
        assert epoch(one) != epoch(other) != ""
        assert not any(each.findings for each in check(other))
        create_project(other, "next")
        assert other.current_revision() == one.current_revision() + 1


def test_a_server_on_the_copy_continues_from_the_state_of_the_source(new_url: NewUrl, folder: Path) -> None:
    source, target = new_url("sqlite"), new_url("postgresql")
    with closing(open_store(source)) as store:
        fill(store)
        project = get_project(store, "default")
        _, token = create_api_key(store, project.id, "app", DEFAULT_SCOPES)
    assert moorage("db", "copy", "--from", source, "--to", target, folder=folder).returncode == 0

    with Server(folder, database=target) as server:
        owner = Project(server, project.id, project.name, token)
        keys = [key for page in owner.walk(50) for key in page.keys]
        assert keys[0] == "gone"
        assert owner.put("more").json["version"] == "1.0"
        assert owner.page().keys[0] == "more"


@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_a_target_that_is_not_empty_is_rejected_and_not_changed(new_url: NewUrl, folder: Path, to: str) -> None:
    source, target = filled(new_url("sqlite")), new_url(to)
    with closing(open_store(target)) as store:
        create_project(store, "theirs")
        before = contents(store)

    result = moorage("db", "copy", "--from", source, "--to", target, folder=folder)

    assert (result.returncode, result.stdout) == (1, "")
    assert "is not empty (deployments: 0, revision: 1)" in result.stderr
    with closing(open_store(target)) as store:
        assert contents(store) == before


def test_a_copy_of_a_database_into_itself_is_rejected(new_url: NewUrl, folder: Path) -> None:
    source = filled(new_url("sqlite"))

    result = moorage("db", "copy", "--from", source, "--to", source, folder=folder)

    assert (result.returncode, "is not empty" in result.stderr) == (1, True)


@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_commands_reject_a_database_with_an_unfinished_copy(new_url: NewUrl, folder: Path, to: str) -> None:
    source, target = filled(new_url("sqlite")), new_url(to)
    begin(source, target, steps=3)

    with pytest.raises(CopyUnfinished, match="to resume it"):
        open_store(target)
    for arguments in (["serve", "--port", "1"], ["keys", "create", "a"], ["db", "check"], ["db", "backup", "file"]):
        result = moorage(*arguments, "--database", target, folder=folder)
        assert (result.returncode, "Run the same `moorage db copy` again" in result.stderr) == (1, True), result.stderr


@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_an_interrupted_copy_resumes(new_url: NewUrl, folder: Path, to: str) -> None:
    source, target = filled(new_url("sqlite"), extra=1_200), new_url(to)
    begin(source, target, steps=5)

    result = moorage("db", "copy", "--from", source, "--to", target, folder=folder)

    assert (result.returncode, "Resuming the copy" in result.stderr) == (0, True), result.stderr
    assert_equal(source, target)


@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_an_interrupted_copy_restarts_from_scratch_if_the_source_changed(
    new_url: NewUrl, folder: Path, to: str
) -> None:
    source, target = filled(new_url("sqlite"), extra=1_200), new_url(to)
    begin(source, target, steps=5)
    with closing(open_store(source)) as store:
        create_project(store, "later")

    result = moorage("db", "copy", "--from", source, "--to", target, folder=folder)

    assert (result.returncode, "restarting from scratch" in result.stderr) == (0, True), result.stderr
    assert_equal(source, target)


def test_an_unfinished_copy_of_another_database_is_not_overwritten(new_url: NewUrl, folder: Path) -> None:
    source, other, target = filled(new_url("sqlite")), filled(new_url("sqlite")), new_url("sqlite")
    begin(other, target, steps=3)

    result = moorage("db", "copy", "--from", source, "--to", target, folder=folder)

    assert (result.returncode, result.stdout) == (1, "")
    assert f"holds an unfinished copy of {other}." in result.stderr
    assert moorage("db", "copy", "--from", other, "--to", target, folder=folder).returncode == 0


@pytest.mark.parametrize("from_", ["sqlite", "postgresql"])
def test_a_write_to_the_source_during_a_copy_is_reported(new_url: NewUrl, folder: Path, from_: str) -> None:
    source, target = filled(new_url(from_)), new_url("sqlite")
    with closing(open_store(source)) as store, closing(open_engine(target)) as engine:
        with store.dump() as dump:
            copying = Copy(store, dump, engine)
            copying.begin()
            steps = copying.steps()
            next(steps)
            with closing(open_store(source)) as server:
                create_project(server, "later")
            list(steps)
        copying.compare()
        with pytest.raises(SourceChanged, match=rf"from revision {dump.rev} to {dump.rev + 1}.*Stop the servers"):
            copying.finish()

    with pytest.raises(CopyUnfinished):
        open_store(target)
    assert moorage("db", "copy", "--from", source, "--to", target, folder=folder).returncode == 0
    assert_equal(source, target)


@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_the_comparison_detects_a_copy_that_differs(new_url: NewUrl, to: str) -> None:
    """The copy has an additional row, and a description that differs."""
    source, target = filled(new_url("sqlite")), new_url(to)
    with closing(open_store(source)) as store, closing(open_engine(target)) as engine, store.dump() as dump:
        copying = Copy(store, dump, engine)
        copying.begin()
        list(copying.steps())
        assert len(copying.compare()) == len(TABLES)
        with engine.write() as run:
            run("insert_project", id="x", name="x", created_us=0, rev=0)
            run("set_description", id=next(dump.rows(DEPLOYMENTS))[0], description="?", now_us=0, rev=0)
        with pytest.raises(CopyDiffers, match=r"\(project, deployment\)"):
            copying.compare()

    with pytest.raises(CopyUnfinished):
        open_store(target)


def test_a_copy_that_is_killed_at_any_moment_completes_when_it_is_run_again(new_url: NewUrl, folder: Path) -> None:
    rng = random.Random(SEED)
    source, target = filled(new_url("sqlite"), extra=6_000), new_url("postgresql")
    command = [sys.executable, "-c", STEP_BY_STEP, "db", "copy", "--from", source, "--to", target]
    for _ in range(KILLS):
        with subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            last_lines = (f"{rng.randrange(30)}\n", "all\n")
            next(line for line in process.stdout if line in last_lines)
            time.sleep(rng.uniform(0, 0.02))  # the test varies the time of the kill
            process.kill()
            assert process.wait(HANG_SECONDS) == -signal.SIGKILL
        with pytest.raises(CopyUnfinished):
            open_store(target)
    last = moorage("db", "copy", "--from", source, "--to", target, folder=folder)

    assert (last.returncode, "Resuming the copy" in last.stderr) == (0, True), last.stderr
    assert_equal(source, target)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "sqlite:///nowhere.db", "--to", "sqlite:///b.db"), "the file does not exist"),
        (("--from", "mysql://u:secret@h/d", "--to", "sqlite:///b.db"), "sqlite:///PATH"),
        (("--from", "sqlite:///a.db"), "--to"),
    ],
)
def test_an_invalid_argument_is_reported_and_creates_no_file(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = moorage("db", "copy", *arguments, folder=folder)

    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr
    assert "secret" not in result.stderr
    assert list(folder.iterdir()) == []


def begin(source: str, target: str, steps: int) -> None:
    """Begin a copy, and abandon it after `steps` steps."""
    with closing(open_store(source)) as store, closing(open_engine(target)) as engine, store.dump() as dump:
        copying = Copy(store, dump, engine)
        assert copying.begin() == "new"
        for _, _ in zip(range(steps), copying.steps(), strict=False):
            pass


def assert_equal(source: str, target: str) -> None:
    """Assert that two databases have the same content and different epochs."""
    with closing(open_store(source)) as one, closing(open_store(target)) as other:
        assert contents(one) == contents(other)
        assert epoch(one) != epoch(other)
