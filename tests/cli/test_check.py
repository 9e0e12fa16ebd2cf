"""`moorage db check`: an intact database passes, and each kind of damage is detected and named."""

import re
import threading
from contextlib import closing
from pathlib import Path

import pytest

from moorage.diagnostics.integrity import check
from tests.cli.whole_database import contents, fill
from tests.support.postgres import sql
from tests.support.program import moorage
from tests.support.registry import create_project
from tests.support.stores import Database, create, sqlite_in
from tests.support.tampering import tamper

SUBJECTS = (
    "database files",
    "revisions of all rows (",
    "hash chain of the history (77 entries)",
    "content hashes (31 versions, without 2 purged versions)",
    "version numbers (21 deployments)",
    "live versions (21 deployments)",
    "aliases (0 aliases)",
    "projects, compared with the history (2 projects)",
    "environments, compared with the history (5 environments)",
    "API keys, compared with the history (8 API keys)",
    "integrations, compared with the history (",
    "deployments, compared with the history (21 deployments)",
    "versions, compared with the history (33 versions)",
    "pointers, compared with the history (5 pointers)",
    "proposals, compared with the history (4 proposals)",
    "purges, compared with the history",
    "history, compared with the rows",
)

_ANSWERS = "(SELECT id FROM deployment WHERE key = 'answers')"
_UNDO_REVISION = "(SELECT max(rev) FROM history WHERE action = 'undone')"

#: Damage -> the statement that causes it, the index of the check that detects it, and a part of the finding.
DAMAGES = {
    "a changed prompt configuration": (
        "UPDATE version SET prompt_config = replace(prompt_config, 'openai', 'openaj') "
        f"WHERE major = 1 AND minor = 0 AND deployment_id = {_ANSWERS}",
        3, "version 1.0 (",
    ),
    "a changed variable": (
        "UPDATE version SET variables = replace(variables, 'without', 'wizhout') WHERE variables <> ''",
        3, "its content was changed after it was written",
    ),
    "a truncated prompt configuration": (
        f"UPDATE version SET prompt_config = '{{\"model\": ' WHERE minor = 4 AND deployment_id = {_ANSWERS}",
        3, "version 1.4 (",
    ),
    "a changed content hash": (
        f"UPDATE version SET content_sha256 = '00' WHERE minor = 4 AND deployment_id = {_ANSWERS}",
        3, "version 1.4 (",
    ),
    "a changed history entry": (
        f"UPDATE history SET reason = 'I was never here' WHERE rev = {_UNDO_REVISION}",
        2, "it was changed, or the previous entry was removed",
    ),
    "a removed history entry": (
        f"DELETE FROM history WHERE rev = {_UNDO_REVISION}",
        2, "or the previous entry was removed",
    ),
    "a history without its newest entry": (
        "DELETE FROM history WHERE rev = (SELECT max(rev) FROM history)",
        2, "the newest history entry was removed or replaced",
    ),
    "an empty history": ("DELETE FROM history", 2, "the newest history entry was removed"),
    "a live version that does not exist": (
        "UPDATE deployment SET live_version_id = 'nowhere' WHERE key = 'big'",
        5, "its live version nowhere is not one of its versions",
    ),
    "a live version of another deployment": (
        "UPDATE deployment SET live_version_id = (SELECT live_version_id FROM deployment WHERE key = 'values') "
        "WHERE key = 'big'",
        5, "deployment big (",
    ),
    "a missing first version": (
        f"DELETE FROM version WHERE major = 1 AND minor = 0 AND deployment_id = {_ANSWERS}",
        4, "the version before it is missing (1.0)",
    ),
    "a missing middle version": (
        f"DELETE FROM version WHERE major = 1 AND minor = 2 AND deployment_id = {_ANSWERS}",
        4, "the version before it is missing (1.2 or 2.0)",
    ),
    "a decreased revision": ("UPDATE revision SET rev = 3", 1, "is newer than the current revision 3"),
    "a project with a later revision": (
        "UPDATE project SET rev = 999 WHERE name = 'default'",
        1, "of table project: its revision 999",
    ),
    "an API key with a later revision": (
        "UPDATE api_key SET rev = 999 WHERE name = 'over'",
        1, "of table api_key: its revision 999",
    ),
    "a version with a later revision": (
        "UPDATE version SET rev = 999 WHERE minor = 4",
        1, "of table version: its revision 999",
    ),
    "a deployment with a later revision": (
        "UPDATE deployment SET rev = 999 WHERE key = 'big'",
        1, "of table deployment: its revision 999",
    ),
    "a history entry with a later revision": (
        f"UPDATE history SET rev = 999 WHERE rev = {_UNDO_REVISION}",
        1, "row 999 of table history: its revision 999",
    ),
}  # fmt: skip


def test_an_intact_database_passes_and_is_not_changed(database: Database, folder: Path) -> None:
    store = database.store()
    fill(store)
    before = contents(store)

    result = moorage("db", "check", "--database", database.url, folder=folder)

    assert (result.returncode, result.stderr) == (0, "")
    *lines, head = result.stdout.splitlines()
    assert [line[:7] for line in lines] == ["ok     "] * len(SUBJECTS)
    assert re.fullmatch(r"head   77:[0-9a-f]{64}", head)
    assert all(subject in line for subject, line in zip(SUBJECTS, lines, strict=True)), lines
    assert contents(store) == before


def test_a_new_database_passes(database: Database, folder: Path) -> None:
    database.store()

    assert moorage("db", "check", "--database", database.url, folder=folder).returncode == 0


@pytest.mark.exhaustive
@pytest.mark.parametrize("damage", DAMAGES)
def test_each_kind_of_damage_is_detected_and_named(database: Database, damage: str) -> None:
    statement, index, expected = DAMAGES[damage]
    store = database.store()
    fill(store)
    before = contents(store)
    tamper(database.url, statement)
    assert contents(store) != before

    results = list(check(store))

    assert len(results) == len(SUBJECTS)
    assert any(expected in finding for finding in results[index].findings), results
    assert results[0].findings == []


def test_a_violation_is_printed_with_the_command_that_restores_a_backup(database: Database, folder: Path) -> None:
    fill(database.store())
    tamper(database.url, DAMAGES["a live version that does not exist"][0])

    result = moorage("db", "check", "--database", database.url, folder=folder)

    lines = result.stdout.splitlines()
    assert result.returncode == 1
    assert [line[:7] for line in lines[:7]] == ["ok     "] * 5 + ["FAILED ", "       "]
    assert re.fullmatch(r" {7}deployment big \([0-9a-f-]{36}\): its live version nowhere is not one .*", lines[6])
    assert not any(line.startswith("head") for line in lines), "only a valid history has a head"
    assert "moorage db restore FILE --replace" in result.stderr


def test_a_reference_to_a_missing_row_is_detected(folder: Path) -> None:
    with closing(sqlite_in(folder)) as database:
        fill(database.store())
        tamper(database.url, "DELETE FROM project WHERE name = 'default'")

        result = moorage("db", "check", folder=folder)

    assert result.returncode == 1
    assert result.stdout.startswith("FAILED database files\n")
    assert "row 1 of table history: it refers to a row of table project that does not exist" in result.stdout
    assert "… and " in result.stdout, "a long list is truncated"


def test_overwritten_pages_are_detected(folder: Path) -> None:
    with closing(sqlite_in(folder)) as database:
        store = database.store()
        project = create_project(store, "p").id
        for number in range(200):
            create(store, project, f"d{number}")
    file = folder / "moorage.db"
    with file.open("r+b") as raw:
        raw.seek(file.stat().st_size * 3 // 4)  # the first half has tables without which no database is opened
        raw.write(b"\xff" * 20_000)

    result = moorage("db", "check", folder=folder)

    assert result.returncode == 1
    assert "FAILED" in result.stdout
    assert "restore" in result.stderr


def test_an_unreadable_table_is_reported(postgresql: Database, folder: Path) -> None:
    fill(postgresql.store())
    sql(postgresql.url, "ALTER TABLE idempotency RENAME TO something_else")

    result = moorage("db", "check", "--database", postgresql.url, folder=folder)

    assert result.returncode == 1
    assert "FAILED readability of all rows\n" in result.stdout
    assert "idempotency" in result.stdout


def test_a_database_without_its_revision_is_rejected_with_a_fix(database: Database, folder: Path) -> None:
    database.store()
    tamper(database.url, "DELETE FROM revision")

    for command in (["db", "check"], ["keys", "list"]):
        result = moorage(*command, "--database", database.url, folder=folder)

        assert (result.returncode, result.stdout) == (1, "")
        assert "its row with the revision is missing" in result.stderr
        assert "restore a backup" in result.stderr


def test_a_missing_file_is_not_created(folder: Path) -> None:
    result = moorage("db", "check", folder=folder)

    assert (result.returncode, "the file does not exist" in result.stderr) == (1, True)
    assert list(folder.iterdir()) == []


def test_an_intact_database_passes_during_concurrent_writes(database: Database, folder: Path) -> None:
    store = database.store()
    fill(store)
    project, stop = store.projects()[0].id, threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            create(store, project, f"more{number}")
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        results = [moorage("db", "check", "--database", database.url, folder=folder) for _ in range(3)]
    finally:
        stop.set()
        writer.join()

    assert [result.returncode for result in results] == [0, 0, 0], results
    assert len({result.stdout for result in results}) == 3, "each check reads another revision"
