"""Commands on a database with damaged rows: they list what they leave out, and exit with 1."""

import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from moorage.cli.output import pluralize
from moorage.store.opening import open_engine, open_store
from moorage.store.transfer.copy import Copy
from moorage.store.transfer.dump import TABLES
from tests.cli.whole_database import fill
from tests.support.damage import damage
from tests.support.program import moorage
from tests.support.registry import create_project
from tests.support.server import Server
from tests.support.stores import Database, run_sql, sqlite_in

pytestmark = [pytest.mark.exhaustive, pytest.mark.system]

Run = Callable[..., subprocess.CompletedProcess[str]]

#: Damage that SQLite alone stores: it is of another type, or belongs to a row that does not exist.
LEFT_OUT = {
    "a blob": ("api_key", "name", "X'ff'", "name = 'over'"),
    "a text that is not UTF-8": ("version", "notes", "CAST(X'ff' AS TEXT)", "minor = 4"),
    "a text instead of a time": ("deployment", "updated_us", "'yesterday'", "key = 'big'"),
    "a NUL character": ("history", "reason", "'a' || char(0)", "action = 'undone'"),
    "a fraction": ("idempotency", "created_us", "1.5", "key > ''"),
    "a project that does not exist": ("api_key", "project_id", "'nowhere'", "name = 'over'"),
    "a deployment that does not exist": ("version", "deployment_id", "'nowhere'", "minor = 4"),
}

#: Damage that every database stores.
COPIED = {
    "an unknown scope": ("api_key", "scopes", "'deployments:fly'", "name = 'over'"),
    "a time after the calendar": ("deployment", "updated_us", "9223372036854775807", "key = 'big'"),
    "a quote in a key": ("deployment", "key", "'a\"b'", "key = 'big'"),
    "a content that is not JSON": ("version", "variables", "'{broken'", "minor = 4"),
    "a negative number": ("version", "major", "-1", "minor = 4"),
    "an unknown action": ("history", "action", "'eaten'", "action = 'undone'"),
    "a result that is not JSON": ("idempotency", "result", "'{broken'", "key > ''"),
    "a name of two lines": ("project", "name", "'a' || '\n' || 'b'", "name = 'läden'"),
}


def filled(url: str) -> None:
    with closing(open_store(url)) as store:
        fill(store)


def row_counts(url: str) -> dict[str, int]:
    """Return the number of rows of each table."""
    return {table.name: run_sql(url, f"SELECT count(*) FROM {table.name}")[0][0] for table in TABLES}


def lost_with(table: str) -> list[str]:
    """Return the table of each row that is left out.

    The deployment `big` has one version and one history entry, and the API key `over` two history entries.
    """
    entries = {"deployment": ["version", "history"], "api_key": ["history", "history"]}
    return [table, *entries.get(table, [])]


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_a_backup_without_a_damaged_row_says_so_and_fails(folder: Path, kind: str) -> None:
    url = f"sqlite:///{folder}/moorage.db"
    filled(url)
    table = LEFT_OUT[kind][0]
    damage(url, *LEFT_OUT[kind])

    result = moorage("db", "backup", "file.backup", folder=folder)

    assert (result.returncode, "file.backup" in result.stdout) == (1, True)
    assert f" of table {table}: " in result.stderr
    assert "Left out: row " in result.stderr
    assert "moorage db check" in result.stderr
    before, after = row_counts(url), row_counts(f"sqlite:///{folder}/file.backup")
    assert after == before | {name: before[name] - lost for name, lost in Counter(lost_with(table)).items()}
    assert f"{pluralize(len(lost_with(table)), 'row')} left out" in result.stderr


@pytest.mark.parametrize("kind", COPIED)
def test_a_backup_with_a_row_that_cannot_be_decoded_has_it_and_fails(
    database: Database, folder: Path, kind: str
) -> None:
    filled(database.url)
    damage(database.url, *COPIED[kind])

    result = moorage("db", "backup", "file.backup", "--database", database.url, folder=folder)

    assert result.returncode == 1
    assert "Cannot be decoded: row " in result.stderr
    assert f" of table {COPIED[kind][0]}: " in result.stderr
    assert "0 rows left out, 1 row copied" in result.stderr
    assert row_counts(f"sqlite:///{folder}/file.backup") == row_counts(database.url)


def test_a_damaged_backup_is_restored_on_request(folder: Path) -> None:
    url = f"sqlite:///{folder}/moorage.db"
    filled(url)
    damage(url, *COPIED["an unknown scope"])
    moorage("db", "backup", "file.backup", folder=folder)
    before = row_counts(url)

    rejected = moorage("db", "restore", "file.backup", "--replace", folder=folder)
    restored = moorage("db", "restore", "file.backup", "--replace", "--damaged", folder=folder)

    assert (rejected.returncode, rejected.stdout) == (1, "")
    assert "is damaged: row " in rejected.stderr
    assert "pass --damaged" in rejected.stderr
    assert (restored.returncode, restored.stdout[:8]) == (1, "Restored")
    assert "1 row copied that cannot be decoded" in restored.stderr
    assert row_counts(url) == before


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_a_copy_to_postgresql_without_a_damaged_row_says_so_and_fails(
    postgresql: Database, folder: Path, kind: str
) -> None:
    source = f"sqlite:///{folder}/source.db"
    filled(source)
    table = LEFT_OUT[kind][0]
    damage(source, *LEFT_OUT[kind])

    result = moorage("db", "copy", "--from", source, "--to", postgresql.url, folder=folder)

    assert (result.returncode, "The copy is complete" in result.stdout) == (1, True)
    assert "Left out: row " in result.stderr
    assert f" of table {table}: " in result.stderr
    before, after = row_counts(source), row_counts(postgresql.url)
    assert after == before | {name: before[name] - lost for name, lost in Counter(lost_with(table)).items()}
    with closing(open_store(postgresql.url)) as store:
        assert create_project(store, "next").name == "next"


def test_a_copy_leaves_out_what_belongs_to_a_row_that_it_leaves_out(postgresql: Database, folder: Path) -> None:
    source = f"sqlite:///{folder}/source.db"
    filled(source)
    ((project,),) = run_sql(source, "SELECT id FROM project WHERE name = 'läden'")
    damage(source, "project", "rev", "'text'", "name = 'läden'")

    result = moorage("db", "copy", "--from", source, "--to", postgresql.url, folder=folder)

    assert result.returncode == 1
    assert f"it belongs to the row {project} of project, which is left out" in result.stderr
    assert run_sql(postgresql.url, "SELECT name FROM project") == [("default",)]
    expected = run_sql(source, f"SELECT count(*) FROM deployment WHERE project_id <> '{project}'")
    assert run_sql(postgresql.url, "SELECT count(*) FROM deployment") == expected


def test_a_copy_that_leaves_out_rows_can_be_resumed(postgresql: Database, folder: Path) -> None:
    source = f"sqlite:///{folder}/source.db"
    filled(source)
    damage(source, *LEFT_OUT["a text that is not UTF-8"])
    with (
        closing(open_store(source)) as store,
        closing(open_engine(postgresql.url)) as target,
        store.dump() as dump,
    ):
        copying = Copy(store, dump, target)
        copying.begin()
        next(step for step in copying.steps() if step.table == "version")

    result = moorage("db", "copy", "--from", source, "--to", postgresql.url, folder=folder)

    assert (result.returncode, "Resuming the copy" in result.stderr) == (1, True)
    assert "The copy is complete" in result.stdout


def test_lists_of_keys_and_projects_name_what_they_leave_out(database: Database, folder: Path) -> None:
    filled(database.url)
    damage(database.url, "api_key", "scopes", "'deployments:fly'", "name = 'over'")
    damage(database.url, "project", "created_us", "-1", "name = 'läden'")

    keys = moorage("keys", "list", "--database", database.url, folder=folder)
    projects = moorage("projects", "list", "--database", database.url, folder=folder)

    assert (keys.returncode, projects.returncode) == (0, 0)
    assert "für immer" in keys.stdout
    assert "over" not in keys.stdout.replace("soon over", "")
    assert "cannot be decoded: scopes has 'deployments:fly', which is no scope" in keys.stderr
    assert "default" in projects.stdout
    assert "created_us is -1" in projects.stderr


def test_the_check_names_each_damaged_row_and_what_to_do(database: Database, folder: Path) -> None:
    filled(database.url)
    for each in COPIED.values():
        damage(database.url, *each)
    before = run_sql(database.url, "SELECT count(*) FROM history")

    result = moorage("db", "check", "--database", database.url, folder=folder)

    assert result.returncode == 1
    for table, action in (
        ("project", "restore a backup"), ("api_key", "moorage keys create"), ("deployment", "is not served"),
        ("version", "moorage deployments undo"), ("history", "cannot be shown"), ("idempotency", "Delete the row"),
    ):  # fmt: skip
        (line,) = [line for line in result.stdout.splitlines() if f" of table {table}: " in line][:1]
        assert action in line
    assert result.stdout.count("\nok") + result.stdout.count("\nFAILED") >= 5, "the other checks ran, too"
    assert run_sql(database.url, "SELECT count(*) FROM history") == before


def test_doctor_reports_damaged_rows_without_a_traceback(folder: Path) -> None:
    with closing(sqlite_in(folder)) as database:
        fill(database.store())
        damage(database.url, "version", "prompt_config", "CAST(X'ff' AS TEXT)", "minor = 0")
        damage(database.url, "revision", "last_created_us", "'yesterday'", "id = 1")

        result = moorage("doctor", "--url", "http://127.0.0.1:1", folder=folder)

    assert result.returncode == 1
    assert "which is not a time" in result.stdout
    assert "cannot be decoded" in result.stdout


# With a server


def test_export_and_lock_list_what_they_leave_out(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        for key in ("a", "bad", "z"):
            project.put(key)
        server.stop()
        damage(server.database, "deployment", "owner", "'nobody'", "key = 'bad'")
        damage(server.database, "deployment", "seq", "'first'", "key = 'z'")
        server.start()
        run: Run = partial(moorage, folder=folder, project=project)

        exported = run("export", "files")
        locked = run("lock")
        (folder / "files" / "bad.yaml").write_text(
            (folder / "files" / "a.yaml").read_text().replace("key: a", "key: bad")
        )
        compared, drifted = run("diff", "files"), run("drift", "files")
        pruned = run("apply", "files/a.yaml", "--prune", "--yes")

    assert sorted(path.name for path in (folder / "files").iterdir()) == ["a.yaml", "bad.yaml"]
    for result in (exported, locked, compared, drifted, pruned):
        assert result.returncode == 1, result
        assert "bad" in result.stderr
        assert "moorage db check" in result.stderr
    assert "Left out: Deployment 'bad' cannot be decoded and is not served: owner is 'nobody'" in exported.stderr
    assert "Left out: Deployment 'z' cannot be decoded" in exported.stderr
    assert "1 deployment, written" in locked.stdout
    assert "bad,z" in locked.stderr.replace(" ", "")
