"""`moorage db purge` permanently deletes tombstones; restorable ones if confirmed."""

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

#: In microseconds.
FORTY_DAYS = 40 * 86_400_000_000

NOTHING = "There is nothing to purge.\n"


def purged(count: int) -> str:
    """Return the output of a purge of `count` deployments and versions."""
    return f"Permanently deleted {count} deployments and versions.\n"


@pytest.fixture
def database(folder: Path) -> Path:
    """Return a database with three tombstones.

    `old` was deleted 40 days ago, `young` and version 1.0 of `a` just now.
    """
    file = folder / "moorage.db"
    with closing(open_store(f"sqlite:///{file}")) as store:
        project = get_project(store, "default").id
        for key, text in (("old", "old"), ("young", "young"), ("a", "first"), ("a", "second")):
            registry.put(store, project, key, content(f"the {text} text"))
        registry.delete(store, project, "old")
        registry.delete(store, project, "young")
        registry.delete_version(store, project, "a", "1.0")
    with closing(apsw.Connection(str(file))) as connection:
        times = ", ".join(f"{column} = {column} - {FORTY_DAYS}" for column in ("deleted_us", "updated_us"))
        connection.execute(f"UPDATE deployment SET {times} WHERE key = 'old'")
    assert texts(file) == ["first", "old", "second", "young"]
    return file


def texts(file: Path) -> list[str]:
    """Return the texts that the database contains."""
    with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        rows = str(list(connection.execute("SELECT * FROM version")))
    return [text for text in ("first", "old", "second", "young") if f"the {text} text" in rows]


@pytest.mark.parametrize("options", [(), ("--days", "30")], ids=["default", "30 days"])
def test_purge_deletes_content_that_was_deleted_30_days_ago_without_confirmation(
    database: Path, folder: Path, options: tuple[str, ...]
) -> None:
    first = moorage("db", "purge", *options, folder=folder)
    remaining = texts(database)
    second = moorage("db", "purge", *options, folder=folder)

    assert (first.returncode, first.stdout, first.stderr) == (0, purged(1), "")
    assert remaining == ["first", "second", "young"]
    assert (second.returncode, second.stdout) == (0, NOTHING)


@pytest.mark.parametrize(
    ("days", "answer"),
    [("29", b"n\n"), ("1", b"\n"), ("0", b""), ("0", b"maybe\nno\n")],
    ids=["no", "enter", "end of input", "invalid and no"],
)
def test_purge_of_restorable_content_deletes_nothing_without_confirmation(
    database: Path, folder: Path, days: str, answer: bytes
) -> None:
    result = moorage("db", "purge", "--days", days, folder=folder, stdin=answer)

    assert result.returncode == 1
    assert f"deleted {days} days ago or earlier can no longer be restored. Continue? [y/N]" in result.stdout
    assert result.stderr.strip().endswith("Aborted!")
    assert "Permanently deleted" not in result.stdout
    assert texts(database) == ["first", "old", "second", "young"]


def test_purge_deletes_restorable_content_after_confirmation(database: Path, folder: Path) -> None:
    result = moorage("db", "purge", "--days", "0", folder=folder, stdin=b"y\n")

    assert (result.returncode, result.stdout.endswith(purged(3))) == (0, True)
    assert texts(database) == ["second"]


def test_purge_with_yes_requires_no_confirmation(database: Path, folder: Path) -> None:
    result = moorage("db", "purge", "--yes", "--days", "0", folder=folder)

    assert (result.returncode, result.stdout, result.stderr) == (0, purged(3), "")
    assert texts(database) == ["second"]


@pytest.mark.parametrize(
    ("days", "output", "remaining"),
    [
        ("39", purged(1), ["first", "second", "young"]),
        ("41", NOTHING, ["first", "old", "second", "young"]),
    ],
)
def test_purge_counts_days_from_the_deletion(
    database: Path, folder: Path, days: str, output: str, remaining: list[str]
) -> None:
    result = moorage("db", "purge", "--days", days, "--yes", folder=folder)

    assert (result.returncode, result.stdout) == (0, output)
    assert texts(database) == remaining


def test_purge_does_not_delete_restorable_deployments_by_default(database: Path, folder: Path) -> None:
    moorage("db", "purge", folder=folder)

    with closing(open_store(f"sqlite:///{database}")) as store:
        project = get_project(store, "default").id
        assert registry.restore(store, project, "young").key == "young"


@pytest.mark.parametrize("days", ["-1", "soon", "1000000000", "9" * 30])
def test_purge_rejects_an_invalid_number_of_days(database: Path, folder: Path, days: str) -> None:
    result = moorage("db", "purge", "--days", days, "--yes", folder=folder)

    assert (result.returncode, result.stdout) == (1, "")
    assert "'--days'" in result.stderr
    assert texts(database) == ["first", "old", "second", "young"]


def test_purge_reports_a_database_that_cannot_be_opened(folder: Path) -> None:
    result = moorage("db", "purge", "--yes", "--database", "sqlite:////nowhere/moorage.db", folder=folder)

    assert (result.returncode, result.stdout) == (1, "")
    assert "the folder /nowhere does not exist" in result.stderr


def test_the_history_is_valid_after_a_purge(database: Path, folder: Path) -> None:
    moorage("db", "purge", "--days", "0", "--yes", folder=folder)

    result = moorage("db", "check", "--database", f"sqlite:///{database}", folder=folder)

    assert "ok     hash chain of the history (9 entries)\n" in result.stdout


def test_a_running_server_follows_a_purge_by_another_process(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        project.put("a")
        project.put("b")
        project.request("DELETE", "/v2/deployments/a")

        result = moorage("db", "purge", "--days", "0", "--yes", "--database", server.database, folder=folder)

        assert result.stdout == purged(1)
        assert "It was permanently deleted." in project.get("a").error["message"]
        assert project.put("a").status == 201
        assert project.page().keys == ["a", "b"]
