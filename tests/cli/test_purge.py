"""`moorage db purge`: on the database itself; it asks before it erases what could still be restored."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from moorage.registry.projects import get_project
from moorage.store.opening import open_store
from tests.api.test_versions import content
from tests.support import registry
from tests.support.program import moorage
from tests.support.server import Server

NOTHING = "There is nothing to purge.\n"


def erased(count: int) -> str:
    return f"Permanently deleted {count} deployments and versions.\n"


@pytest.fixture
def database(folder: Path) -> Path:
    """A database in `folder`: `old` was deleted 40 days ago in it, and `young` and the version 1.0 of `a` just now."""
    file = folder / "moorage.db"
    with closing(open_store(f"sqlite:///{file}")) as store:
        project = get_project(store, "default").id
        for key, text in (("old", "old"), ("young", "young"), ("a", "first"), ("a", "second")):
            registry.put(store, project, key, content(f"the {text} text"))
        registry.delete(store, project, "old")
        registry.delete(store, project, "young")
        registry.delete_version(store, project, "a", "1.0")
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute("UPDATE deployment SET deleted_us = deleted_us - 40 * 86400000000 WHERE key = 'old'")
    assert texts(file) == ["first", "old", "second", "young"]
    return file


def texts(file: Path) -> list[str]:
    """Which of the texts are in the database."""
    with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        rows = str(list(connection.execute("SELECT * FROM version")))
    return [text for text in ("first", "old", "second", "young") if f"the {text} text" in rows]


def test_what_was_deleted_thirty_days_ago_is_erased_unasked(database: Path, folder: Path) -> None:
    first = moorage("db", "purge", folder=folder)
    after_one = texts(database)
    again = moorage("db", "purge", folder=folder)

    assert (first.returncode, first.stdout, first.stderr) == (0, erased(1), "")
    assert after_one == ["first", "second", "young"]
    assert (again.returncode, again.stdout) == (0, NOTHING)


@pytest.mark.parametrize(
    ("days", "answer"),
    [("29", b"n\n"), ("1", b"\n"), ("0", b""), ("0", b"what?\nno\n")],
    ids=["no", "enter", "the end of the input", "nonsense and no"],
)
def test_what_could_still_be_restored_is_asked_about_and_a_no_erases_nothing(
    database: Path, folder: Path, days: str, answer: bytes
) -> None:
    result = moorage("db", "purge", "--days", days, folder=folder, stdin=answer)

    assert result.returncode == 1
    assert f"deleted {days} days ago or earlier can no longer be restored. Continue? [y/N]" in result.stdout
    assert result.stderr.strip().endswith("Aborted!")
    assert "Erased" not in result.stdout
    assert texts(database) == ["first", "old", "second", "young"]


def test_a_yes_erases(database: Path, folder: Path) -> None:
    result = moorage("db", "purge", "--days", "0", folder=folder, stdin=b"y\n")

    assert (result.returncode, result.stdout.endswith(erased(3))) == (0, True)
    assert texts(database) == ["second"]


def test_who_says_yes_before_is_not_asked(database: Path, folder: Path) -> None:
    result = moorage("db", "purge", "--yes", "--days", "0", folder=folder)

    assert (result.returncode, result.stdout, result.stderr) == (0, erased(3), "")
    assert texts(database) == ["second"]


@pytest.mark.parametrize(
    ("days", "printed", "left"),
    [
        ("39", erased(1), ["first", "second", "young"]),
        ("41", NOTHING, ["first", "old", "second", "young"]),
    ],
)
def test_days_are_counted_from_the_deletion(
    database: Path, folder: Path, days: str, printed: str, left: list[str]
) -> None:
    result = moorage("db", "purge", "--days", days, "--yes", folder=folder)

    assert (result.returncode, result.stdout) == (0, printed)
    assert texts(database) == left


def test_nobody_is_asked_about_what_cannot_be_restored_anyway(database: Path, folder: Path) -> None:
    result = moorage("db", "purge", "--days", "30", folder=folder)

    assert (result.returncode, result.stdout) == (0, erased(1))
    assert texts(database) == ["first", "second", "young"]


def test_what_was_not_erased_can_be_restored(database: Path, folder: Path) -> None:
    moorage("db", "purge", folder=folder)

    with closing(open_store(f"sqlite:///{database}")) as store:
        project = get_project(store, "default").id
        assert registry.restore(store, project, "young").key == "young"


@pytest.mark.parametrize("days", ["-1", "soon"])
def test_a_number_of_days_that_is_none_is_refused(database: Path, folder: Path, days: str) -> None:
    result = moorage("db", "purge", "--days", days, "--yes", folder=folder)

    assert (result.returncode, result.stdout) == (2, "")
    assert "'--days'" in result.stderr
    assert texts(database) == ["first", "old", "second", "young"]


@pytest.mark.parametrize("days", ["1000000000", "9" * 30])
def test_longer_ago_than_there_is_time_is_nothing_or_refused_in_a_line(database: Path, folder: Path, days: str) -> None:
    result = moorage("db", "purge", "--days", days, folder=folder)

    assert (result.returncode, result.stdout) in [(0, NOTHING), (2, "")]
    assert texts(database) == ["first", "old", "second", "young"]


def test_a_database_that_cannot_be_used_is_one_line(folder: Path) -> None:
    result = moorage("db", "purge", "--yes", "--database", "sqlite:////nowhere/moorage.db", folder=folder)

    assert (result.returncode, result.stdout) == (1, "")
    assert "the folder /nowhere does not exist" in result.stderr


def test_the_history_holds_after_a_purge(database: Path, folder: Path) -> None:
    moorage("db", "purge", "--days", "0", "--yes", folder=folder)

    result = moorage("db", "check", "--database", f"sqlite:///{database}", folder=folder)

    assert (result.returncode, "7 entries of the history are as they were written" in result.stdout) == (0, True)


def test_a_server_that_runs_follows_a_purge_beside_it(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        project.put("a")
        project.put("b")
        project.request("DELETE", "/v2/deployments/a")

        result = moorage("db", "purge", "--days", "0", "--yes", "--database", server.database, folder=folder)

        assert result.stdout == erased(1)
        assert "It was permanently deleted." in project.get("a").error["message"]
        assert project.put("a").status == 201
        assert project.page().keys == ["a", "b"]
