"""`moorage db check`: a sound database is called sound, and each kind of damage is found and named."""

import re
import threading
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from moorage.diagnostics.integrity import check
from tests.cli.whole_database import contents, fill
from tests.support.postgres import sql
from tests.support.program import moorage
from tests.support.registry import create_project
from tests.support.stores import Database, create, sqlite_in

ANSWERS = (
    "the database finds no damage in itself",
    "rows can be read, none is newer than revision",
    "24 entries of the history are as they were written",
    "17 contents of versions are as they were written (2 are erased)",
    "the versions of 14 deployments are numbered from 1.0 without gaps",
    "14 deployments serve a version of their own",
)

_HOT = "(SELECT id FROM deployment WHERE key = 'answers')"
_MIDDLE = "(SELECT max(rev) FROM history WHERE action = 'undone')"

#: What is done to a database, past Moorage; which of the answers it turns, and what is told of it.
DAMAGES = {
    "a character of a content": (
        "UPDATE version SET prompt_config = replace(prompt_config, 'openai', 'openaj') "
        f"WHERE major = 1 AND minor = 0 AND deployment_id = {_HOT}",
        3, "version 1.0 (",
    ),
    "a variable of a content": (
        "UPDATE version SET variables = replace(variables, 'without', 'wizhout') WHERE variables <> ''",
        3, "its content was changed after it was written",
    ),
    "a content that is half there": (
        f"UPDATE version SET prompt_config = '{{\"model\": ' WHERE minor = 4 AND deployment_id = {_HOT}",
        3, "version 1.4 (",
    ),
    "the hash of a content": (
        f"UPDATE version SET content_sha256 = '00' WHERE minor = 4 AND deployment_id = {_HOT}",
        3, "version 1.4 (",
    ),
    "an entry that was changed": (
        f"UPDATE history SET reason = 'I was never here' WHERE rev = {_MIDDLE}",
        2, "was changed after it was written",
    ),
    "an entry that was removed": (f"DELETE FROM history WHERE rev = {_MIDDLE}", 2, "or one before is gone"),
    "a history without its end": (
        "DELETE FROM history WHERE rev = (SELECT max(rev) FROM history)",
        2, "the newest entry is not the one that was written last",
    ),
    "an empty history": ("DELETE FROM history", 2, "the newest entry is not the one"),
    "a pointer to nothing": (
        "UPDATE deployment SET live_version_id = 'nowhere' WHERE key = 'big'",
        5, "its live version nowhere is none of its versions",
    ),
    "a pointer to another's version": (
        "UPDATE deployment SET live_version_id = (SELECT live_version_id FROM deployment WHERE key = 'values') "
        "WHERE key = 'big'",
        5, "the deployment big (",
    ),
    "a first version that is gone": (
        f"DELETE FROM version WHERE major = 1 AND minor = 0 AND deployment_id = {_HOT}",
        4, "1.0 should come first, and is missing",
    ),
    "a version that is gone from the middle": (
        f"DELETE FROM version WHERE major = 1 AND minor = 2 AND deployment_id = {_HOT}",
        4, "1.2 or 2.0 should come first, and is missing",
    ),
    "a revision that went back": ("UPDATE revision SET rev = 3", 1, "later than the newest"),
    "a project of the future": ("UPDATE project SET rev = 999 WHERE name = 'default'", 1, "project is of revision 999"),
    "a key of the future": ("UPDATE api_key SET rev = 999 WHERE name = 'over'", 1, "api_key is of revision 999"),
    "a version of the future": ("UPDATE version SET rev = 999 WHERE minor = 4", 1, "version is of revision 999"),
    "a deployment of the future": ("UPDATE deployment SET rev = 999 WHERE key = 'big'", 1, "deployment is of revision"),
    "an entry of the future": (f"UPDATE history SET rev = 999 WHERE rev = {_MIDDLE}", 1, "row 999 of history is of"),
}  # fmt: skip


def harm(database: Database, statement: str) -> None:
    """Do something to a database that it would not let Moorage do."""
    if database.url.startswith("sqlite"):
        with closing(apsw.Connection(database.url.removeprefix("sqlite:///"))) as connection:
            connection.execute(statement)
    else:
        sql(database.url, f"SET session_replication_role = replica; {statement}")


def test_a_sound_database_is_called_sound_and_left_as_it_is(database: Database, folder: Path) -> None:
    store = database.store()
    fill(store)
    before = contents(store)

    result = moorage("db", "check", "--database", database.url, folder=folder)

    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line[:7] for line in lines] == ["ok     "] * len(ANSWERS)
    assert all(answer in line for answer, line in zip(ANSWERS, lines, strict=True)), lines
    assert contents(store) == before


def test_a_new_database_is_sound(database: Database, folder: Path) -> None:
    database.store()

    assert moorage("db", "check", "--database", database.url, folder=folder).returncode == 0


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_kind_of_damage_is_found_and_named(database: Database, damage: str) -> None:
    statement, answer, told = DAMAGES[damage]
    store = database.store()
    fill(store)
    before = contents(store)
    harm(database, statement)
    assert contents(store) != before

    answers = list(check(store))

    assert len(answers) == len(ANSWERS)
    assert any(told in finding for finding in answers[answer].findings), answers
    assert answers[0].findings == []


def test_what_is_wrong_is_printed_with_what_to_do(database: Database, folder: Path) -> None:
    fill(database.store())
    harm(database, DAMAGES["a pointer to nothing"][0])

    result = moorage("db", "check", "--database", database.url, folder=folder)

    lines = result.stdout.splitlines()
    assert result.returncode == 1
    assert [line[:7] for line in lines] == ["ok     "] * 5 + ["WRONG  ", "       "]
    assert re.fullmatch(r" {7}the deployment big \([0-9a-f-]{36}\): its live version nowhere is none .*", lines[-1])
    assert "moorage db restore FILE --replace" in result.stderr


def test_a_reference_to_nothing_is_found(folder: Path) -> None:
    with closing(sqlite_in(folder)) as database:
        fill(database.store())
        harm(database, "DELETE FROM project WHERE name = 'default'")

        result = moorage("db", "check", folder=folder)

    assert result.returncode == 1
    assert result.stdout.startswith("WRONG  the database finds no damage")
    assert "the row 1 of history belongs to no row of project" in result.stdout
    assert "… and " in result.stdout, "a long list is cut"


def test_pages_that_were_written_over_are_found(folder: Path) -> None:
    with closing(sqlite_in(folder)) as database:
        store = database.store()
        project = create_project(store, "p").id
        for number in range(200):
            create(store, project, f"d{number}")
    file = folder / "moorage.db"
    with file.open("r+b") as raw:
        raw.seek(file.stat().st_size // 2)
        raw.write(b"\xff" * 20_000)

    result = moorage("db", "check", folder=folder)

    assert result.returncode == 1
    assert "WRONG" in result.stdout
    assert "restore" in result.stderr


def test_a_table_that_cannot_be_read_is_told(postgresql: Database, folder: Path) -> None:
    fill(postgresql.store())
    sql(postgresql.url, "ALTER TABLE idempotency RENAME TO something_else")

    result = moorage("db", "check", "--database", postgresql.url, folder=folder)

    assert result.returncode == 1
    assert "WRONG  every row can be read\n" in result.stdout
    assert "idempotency" in result.stdout


def test_a_database_without_its_revision_is_refused_with_what_to_do(database: Database, folder: Path) -> None:
    database.store()
    harm(database, "DELETE FROM revision")

    for command in (["db", "check"], ["keys", "list"]):
        result = moorage(*command, "--database", database.url, folder=folder)

        assert (result.returncode, result.stdout) == (1, "")
        assert "its row with the revision is missing" in result.stderr
        assert "restore a backup" in result.stderr


def test_a_file_that_is_not_there_is_not_made(folder: Path) -> None:
    result = moorage("db", "check", folder=folder)

    assert (result.returncode, "the file does not exist" in result.stderr) == (1, True)
    assert list(folder.iterdir()) == []


def test_a_database_that_is_written_is_sound_at_every_moment(database: Database, folder: Path) -> None:
    store = database.store()
    fill(store)
    project, is_over = store.projects()[0].id, threading.Event()

    def write() -> None:
        number = 0
        while not is_over.is_set():
            create(store, project, f"more{number}")
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        results = [moorage("db", "check", "--database", database.url, folder=folder) for _ in range(3)]
    finally:
        is_over.set()
        writer.join()

    assert [result.returncode for result in results] == [0, 0, 0], results
    assert len({result.stdout for result in results}) == 3, "the check saw writes at all"
