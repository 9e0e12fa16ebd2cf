"""A database of an older schema is upgraded without a loss when a newer program opens it.

The golden databases were made by the programs of their time (tests/store/golden); a new migration comes with a new one.
Two migrations that exist only in tests stand for later ones (`tests/support/golden.py`).
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moorage.diagnostics.history import verify_history
from moorage.store import queries
from tests.support import golden
from tests.support.golden import FOLDER, NEWEST, NEWEST_IN_TESTS
from tests.support.postgres import names_of_tables
from tests.support.program import moorage
from tests.support.server import Project, Server
from tests.support.stores import Database, sqlite_in


@pytest.fixture(params=range(1, NEWEST + 1))
def schema(request: pytest.FixtureRequest) -> int:
    """Each schema there was."""
    return int(request.param)


@pytest.fixture
def _later_migrations(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The migrations for tests are part of this program."""
    monkeypatch.setattr(queries, "MIGRATIONS", golden.write_migrations(folder / "migrations"))


@pytest.fixture
def old(empty: Database, schema: int) -> Database:
    """The golden database of that schema."""
    golden.load(schema, empty.url)
    return empty


@pytest.fixture
def new(empty: Database, folder: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A new database on the same engine."""
    if not empty.url.startswith("sqlite"):
        yield request.getfixturevalue("postgresql")
        return
    (folder / "new").mkdir()
    with closing(sqlite_in(folder / "new")) as made:
        yield made


#: Commands that have nothing to do in a new database.
LOOKING: list[tuple[str, ...]] = [
    ("db", "backup", "kept"), ("db", "check"), ("keys", "list"), ("projects", "list"), ("db", "purge", "--yes"),
]  # fmt: skip


@pytest.mark.usefixtures("_later_migrations")
@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
def test_a_command_of_a_newer_program_does_not_upgrade_the_database_of_a_running_server(
    empty: Database, folder: Path, command: tuple[str, ...]
) -> None:
    """The older program would reject the database from then on."""
    golden.load(NEWEST, empty.url)
    before = golden.rows(empty.url)

    done = moorage(*command, "--database", empty.url, folder=folder)

    assert done.returncode == 1
    assert f"has schema {NEWEST}, and this version of Moorage requires schema {NEWEST_IN_TESTS}" in done.stderr
    assert golden.schema_of(empty.url) == NEWEST
    assert golden.rows(empty.url) == before
    assert not (folder / "kept").exists()


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
def test_what_has_nothing_to_do_in_a_new_database_makes_none(
    empty: Database, folder: Path, command: tuple[str, ...]
) -> None:
    """The address may be mistyped."""
    done = moorage(*command, "--database", empty.url, folder=folder)

    assert done.returncode == 1
    assert ("there is no such file" if empty.url.startswith("sqlite") else "it is empty") in done.stderr
    if empty.url.startswith("sqlite"):
        assert not (folder / "moorage.db").exists()
    else:
        assert names_of_tables(empty.url) == []


def test_there_is_a_golden_database_for_each_migration() -> None:
    names = {path.name for path in FOLDER.glob("schema_*")}

    assert names == {f"schema_{number}.{kind}" for number in range(1, NEWEST + 1) for kind in ("sql", "json")}


@pytest.mark.usefixtures("_later_migrations")
def test_every_row_is_there_as_it_was_with_the_defaults_of_later_columns(old: Database, schema: int) -> None:
    assert golden.schema_of(old.url) == schema
    assert golden.rows(old.url) == golden.written(schema)

    old.store()

    assert golden.schema_of(old.url) == NEWEST_IN_TESTS
    found = golden.rows(old.url)
    assert found == golden.upgraded(schema, found)


@pytest.mark.usefixtures("_later_migrations")
def test_its_tables_and_indexes_are_those_of_a_new_database(old: Database, new: Database) -> None:
    old.engine()
    new.engine()

    assert golden.structure(old.url) == golden.structure(new.url)


@pytest.mark.usefixtures("_later_migrations")
def test_opening_it_once_more_changes_nothing(old: Database) -> None:
    old.engine()
    before = golden.rows(old.url), golden.structure(old.url), golden.schema_of(old.url)

    old.engine()

    assert (golden.rows(old.url), golden.structure(old.url), golden.schema_of(old.url)) == before


def test_its_history_holds(old: Database, schema: int) -> None:
    store = old.store()

    assert verify_history(store) == []
    with store.whole() as whole:
        assert whole.counts()["history"] == len(golden.written(schema).get("history", []))


def test_the_api_tells_what_it_told_then_and_goes_on(old: Database, schema: int) -> None:
    told = golden.told(schema)

    with Server(old.folder, database=old.url) as server:
        projects = {by: Project(server, "", "", token) for by, token in told.tokens.items()}
        for then in told.answers:
            now = projects[then.by].request("GET", f"/v2/{then.path}")
            assert now.status == then.status, then.path
            if then.status == 200:
                assert_tells(now.json, then.body, then.path)
        before = projects["all"].get("greeting").json
        assert projects["all"].put("greeting", query="?allow_breaking=true").json["version"] == after(before["version"])
        assert projects["all"].request("POST", "/v2/deployments/greeting/undo").json["version"] == before["version"]
        assert projects["reader"].put("greeting").status == 403
    assert verify_history(old.store()) == []


def assert_tells(now: Any, then: Any, where: str) -> None:
    """What was told then is told now; there may be more. An ETag is another program's, and may be another."""
    if isinstance(then, dict):
        for key, value in then.items():
            assert key in now, where
            if key != "etag":
                assert_tells(now[key], value, f"{where}.{key}")
    elif isinstance(then, list):
        assert len(now) == len(then), where
        for number, (one, other) in enumerate(zip(now, then, strict=True)):
            assert_tells(one, other, f"{where}[{number}]")
    else:
        assert now == then, where


def after(version: str) -> str:
    """The next number."""
    major, minor = map(int, version.split("."))
    return f"{major}.{minor + 1}"
