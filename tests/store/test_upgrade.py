"""A newer program upgrades a database of an older schema without loss of data.

The program of each schema created its golden database (tests/store/golden); each migration needs a new one. Two
migrations that exist only in tests represent later migrations (`tests/support/golden.py`).
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moorage.core.environments import production_of
from moorage.diagnostics.ledger import verify_ledger
from moorage.store import queries
from tests.support import golden
from tests.support.golden import FOLDER, NEWEST, NEWEST_IN_TESTS
from tests.support.postgres import names_of_tables
from tests.support.program import moorage
from tests.support.server import Project, Server
from tests.support.stores import Database, sqlite_in

pytestmark = pytest.mark.system


@pytest.fixture(params=range(1, NEWEST + 1))
def schema(request: pytest.FixtureRequest) -> int:
    """Return each schema."""
    return int(request.param)


@pytest.fixture
def later_migrations(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the test migrations to this program."""
    monkeypatch.setattr(queries, "MIGRATIONS", golden.write_migrations(folder / "migrations"))


@pytest.fixture
def old(empty: Database, schema: int) -> Database:
    """Return the golden database of the schema."""
    golden.load(schema, empty.url)
    return empty


@pytest.fixture
def new(empty: Database, folder: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Return a new database on the same engine, for a comparison."""
    if not empty.url.startswith("sqlite"):
        yield request.getfixturevalue("postgresql")
        return
    (folder / "new").mkdir()
    with closing(sqlite_in(folder / "new")) as database:
        yield database


#: Commands that need an existing database.
COMMANDS: list[tuple[str, ...]] = [
    ("db", "backup", "backup.db"), ("db", "check"), ("keys", "list"), ("projects", "list"), ("db", "purge", "--yes"),
]  # fmt: skip


@pytest.mark.usefixtures("later_migrations")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_of_a_newer_program_does_not_upgrade_the_database_of_a_running_server(
    empty: Database, folder: Path, command: tuple[str, ...]
) -> None:
    """After an upgrade, the older program would reject the database."""
    golden.load(NEWEST, empty.url)
    before = golden.rows(empty.url)

    result = moorage(*command, "--database", empty.url, folder=folder)

    assert result.returncode == 1
    assert f"has schema {NEWEST}, and this version of Moorage requires schema {NEWEST_IN_TESTS}" in result.stderr
    assert golden.schema_of(empty.url) == NEWEST
    assert golden.rows(empty.url) == before
    assert not (folder / "backup.db").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_that_needs_an_existing_database_does_not_create_one(
    empty: Database, folder: Path, command: tuple[str, ...]
) -> None:
    """The URL could have a typing error."""
    result = moorage(*command, "--database", empty.url, folder=folder)

    assert result.returncode == 1
    assert ("the file does not exist" if empty.url.startswith("sqlite") else "it is empty") in result.stderr
    if empty.url.startswith("sqlite"):
        assert not (folder / "moorage.db").exists()
    else:
        assert names_of_tables(empty.url) == []


def test_each_migration_has_a_golden_database() -> None:
    names = {path.name for path in FOLDER.glob("schema_*")}

    assert names == {f"schema_{number}.{kind}" for number in range(1, NEWEST + 1) for kind in ("sql", "json")}


@pytest.mark.usefixtures("later_migrations")
def test_an_upgrade_preserves_every_row_and_adds_the_defaults_of_later_columns(old: Database, schema: int) -> None:
    assert golden.schema_of(old.url) == schema
    assert golden.rows(old.url) == golden.original(schema)

    old.store()

    assert golden.schema_of(old.url) == NEWEST_IN_TESTS
    found = golden.rows(old.url)
    assert found == golden.upgraded(schema, found)


@pytest.mark.usefixtures("later_migrations")
def test_an_upgraded_database_has_the_tables_and_indexes_of_a_new_one(old: Database, new: Database) -> None:
    old.engine()
    new.engine()

    assert golden.structure(old.url) == golden.structure(new.url)


@pytest.mark.usefixtures("later_migrations")
def test_opening_an_upgraded_database_again_changes_nothing(old: Database) -> None:
    old.engine()
    before = golden.rows(old.url), golden.structure(old.url), golden.schema_of(old.url)

    old.engine()

    assert (golden.rows(old.url), golden.structure(old.url), golden.schema_of(old.url)) == before


def test_the_history_of_an_upgraded_database_is_valid(old: Database, schema: int) -> None:
    store = old.store()

    assert verify_ledger(store) == []
    with store.dump() as dump:
        assert dump.counts()["history"] == len(golden.original(schema).get("history", []))


def test_the_api_returns_the_recorded_responses_and_accepts_writes(old: Database, schema: int) -> None:
    recording = golden.recording(schema)

    with Server(old.folder, database=old.url) as server:
        projects = {by: Project(server, "", "", token) for by, token in recording.tokens.items()}
        for recorded in recording.responses:
            response = projects[recorded.by].request("GET", f"/v2/{recorded.path}")
            assert response.status == recorded.status, recorded.path
            if recorded.status == 200:
                assert_contains(response.json, recorded.body, recorded.path)
        before = projects["all"].get("greeting").json
        assert projects["all"].put("greeting", query="?allow_breaking=true").json["version"] == next_minor(
            before["version"]
        )
        assert projects["all"].request("POST", "/v2/deployments/greeting/undo").json["version"] == before["version"]
        assert projects["reader"].put("greeting").status == 403
    assert verify_ledger(old.store()) == []


def assert_contains(value: Any, recorded: Any, path: str) -> None:
    """Check that a value contains the recorded value; an ETag can differ."""
    if isinstance(recorded, dict):
        for key, field in recorded.items():
            assert key in value, path
            if key != "etag":
                assert_contains(value[key], field, f"{path}.{key}")
    elif isinstance(recorded, list):
        assert len(value) == len(recorded), path
        for number, (item, recorded_item) in enumerate(zip(value, recorded, strict=True)):
            assert_contains(item, recorded_item, f"{path}[{number}]")
    else:
        assert value == recorded, path


def next_minor(version: str) -> str:
    """Return the next minor version."""
    major, minor = map(int, version.split("."))
    return f"{major}.{minor + 1}"


# Environments, which schema 3 added


@pytest.fixture(params=range(1, 3))
def before_environments(request: pytest.FixtureRequest) -> int:
    """Return each schema without environments."""
    return int(request.param)


def test_an_upgrade_puts_everything_into_production(empty: Database, before_environments: int) -> None:
    golden.load(before_environments, empty.url)

    store = empty.store()

    for project in store.projects():
        with store.read() as reader:
            assert list(reader.environments(project.id)) == ["production"]
            assert reader.environments(project.id)["production"] == production_of(
                project.id, project.created_us, rev_of(empty.url, project.id)
            )
    assert {(row["environment_id"],) for row in golden.rows(empty.url)["consumer"]} == {("",)}
    assert golden.rows(empty.url)["pointer"] == []


def test_an_upgrade_binds_no_key_and_grants_no_scope(empty: Database, before_environments: int) -> None:
    golden.load(before_environments, empty.url)
    before = {row["id"]: row["scopes"] for row in golden.original(before_environments)["api_key"]}

    keys = {key.id: key for key in empty.store().api_keys()}

    assert {id_: " ".join(sorted(key.scopes)) for id_, key in keys.items()} == before
    assert {key.environment_id for key in keys.values()} == {None}
    by_a_key = next(key for key in keys.values() if key.name == "von einem Schlüssel")
    assert keys[by_a_key.created_by or ""].name == "admin", "the history has the author"


def test_a_backup_of_each_schema_is_restored(empty: Database, schema: int) -> None:
    golden.load(schema, f"sqlite:///{empty.folder}/old.backup")

    result = moorage("db", "restore", "old.backup", "--database", empty.url, folder=empty.folder)

    assert result.returncode == 0, result.stderr
    found, expected = golden.rows(empty.url), golden.upgraded(schema, golden.rows(empty.url), newest=NEWEST)
    assert {table: rows for table, rows in found.items() if table != "revision"} == {
        table: rows for table, rows in expected.items() if table != "revision"
    }
    assert verify_ledger(empty.store()) == []


def rev_of(url: str, project_id: str) -> int:
    """Return the revision of a project."""
    return int(next(row["rev"] for row in golden.rows(url)["project"] if row["id"] == project_id))
