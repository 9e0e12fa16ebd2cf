"""The requirements on a SQLite file, and the errors of an unusable one."""

import fcntl
import os
import shutil
import threading
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from moorage.core.errors.storage import InvalidDatabase, SchemaTooNew, StorageFull, UnsafeSqlite
from moorage.store.changes import INITIAL
from moorage.store.opening import open_store
from moorage.store.sqlite.engine import SqliteEngine
from moorage.store.sqlite.schema import check_version
from tests.support.registry import create_project
from tests.support.stores import a_store
from tests.support.threads import run_concurrently


def test_a_commit_is_durable_before_it_is_acknowledged(folder: Path) -> None:
    engine = SqliteEngine(folder / "a.db")

    assert engine._writer.pragma("synchronous") == 2
    assert engine._writer.pragma("journal_mode") == "wal"
    assert engine._writer.pragma("mmap_size") == 0


def test_only_the_owner_can_open_the_files(folder: Path) -> None:
    a_store(folder)

    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("version", ["3.40.1", "3.50.6", "3.51.2", "3.7.0"])
def test_a_sqlite_with_the_wal_reset_bug_is_rejected(version: str) -> None:
    with pytest.raises(UnsafeSqlite, match=version):
        check_version(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.54.1", "4.0.0"])
def test_a_sqlite_without_the_wal_reset_bug_is_accepted(version: str) -> None:
    check_version(version)


def test_a_database_of_a_newer_moorage_is_rejected(folder: Path) -> None:
    a_store(folder).close()
    with apsw.Connection(str(folder / "moorage.db")) as newer:
        newer.execute("PRAGMA user_version = 999")

    with pytest.raises(SchemaTooNew, match="999"):
        a_store(folder)


def test_a_database_of_another_program_is_not_changed(folder: Path) -> None:
    with closing(apsw.Connection(str(folder / "moorage.db"))) as other:
        other.execute("CREATE TABLE other_table (a)")
    before = (folder / "moorage.db").read_bytes()

    with pytest.raises(InvalidDatabase, match="another program"):
        a_store(folder)
    assert (folder / "moorage.db").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["moorage.db"]


def test_an_interrupted_first_start_can_be_repeated(folder: Path) -> None:
    """A kill while SQLite turns on the write-ahead log leaves a rollback journal."""
    (folder / "cut").mkdir()
    with closing(apsw.Connection(str(folder / "moorage.db"))) as starting:
        starting.execute("BEGIN; CREATE TABLE begun (a)")
        starting.cache_flush()
        for file in folder.glob("moorage.db*"):
            shutil.copy(file, folder / "cut")
    assert (folder / "cut/moorage.db-journal").stat().st_size > 0

    with closing(a_store(folder / "cut")) as store:
        assert create_project(store, "first") in store.projects()


def test_a_file_that_is_not_a_database_is_not_changed(folder: Path) -> None:
    (folder / "moorage.db").write_text("hello, this is a text file and not a database\n" * 100)

    with pytest.raises(InvalidDatabase, match="not a SQLite database"):
        a_store(folder)
    assert (folder / "moorage.db").read_text().startswith("hello")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:////nowhere/at/all/moorage.db", "the folder /nowhere/at/all does not exist"),
        ("sqlite:////", "it is a folder"),
        ("sqlite:////proc/moorage.db", "No such file|writable"),
        ("sqlite:///", "sqlite:///PATH"),
        ("sqlite:///:memory:", "sqlite:///PATH"),
        ("mysql://user:secret@host/db", "sqlite:///PATH"),
    ],
)
def test_the_error_of_an_unusable_address_has_the_reason(url: str, reason: str) -> None:
    with pytest.raises(InvalidDatabase, match=reason) as raised:
        open_store(url)
    assert "secret" not in str(raised.value)


def test_concurrent_programs_can_start_on_a_new_file(folder: Path) -> None:
    run_concurrently(*[lambda: a_store(folder).close()] * 8)

    assert len(a_store(folder).projects()) == 0


def test_a_full_database_has_its_own_error_and_accepts_writes_again(folder: Path) -> None:
    engine = SqliteEngine(folder / "moorage.db")
    pages = engine._writer.pragma("page_count")
    engine._writer.pragma("max_page_count", pages)

    def fill() -> None:
        with engine.write() as run:
            for number in range(1000):
                run("insert_project", id=f"{number}" * 40, name=f"{number}" * 400, created_us=0, rev=1)

    with pytest.raises(StorageFull):
        fill()

    engine._writer.pragma("max_page_count", pages + 1000)
    with engine.write() as run:
        run("insert_project", id="a", name="b", created_us=0, rev=1)
    with engine.read() as stream:
        assert [row[1] for row in stream("projects")] == ["b"]


def test_publishing_a_revision_waits_for_the_lock_of_a_writer(folder: Path) -> None:
    engine = SqliteEngine(folder / "moorage.db")
    publisher = threading.Thread(target=engine.record_revision, args=(7,))
    lock = os.open(folder / "moorage.db-revision", os.O_RDWR)

    with engine.write():
        publisher.start()
        publisher.join(0.2)
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    publisher.join()
    os.close(lock)

    assert engine.newest_revision() == 7


def test_a_link_to_the_file_opens_the_same_database(folder: Path) -> None:
    a_store(folder)
    (folder / "other").mkdir()
    (folder / "other/link.db").symlink_to(folder / "moorage.db")
    one, other = a_store(folder), open_store(f"sqlite:///{folder}/other/link.db")

    create_project(other, "p")

    assert one.newest_revision() == 1
    assert [path.name for path in (folder / "other").iterdir()] == ["link.db"]


def test_a_read_finds_the_commit_of_a_killed_process(folder: Path) -> None:
    one, other = a_store(folder), a_store(folder)
    create_project(one, "p")
    SqliteEngine(folder / "moorage.db")._shared.set(0)  # a kill between the commit and its publication

    with other.changes(since=INITIAL) as changes:
        assert changes.position.rev == 1
    assert one.newest_revision() == 1, "the first read publishes the revision, so the reads of a client do not go back"
