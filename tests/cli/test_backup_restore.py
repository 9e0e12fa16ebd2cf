"""`moorage db backup` saves a committed state, and `moorage db restore` restores it."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from moorage.core.errors.storage import BackupInProgress, CopyUnfinished, StorageFull
from moorage.diagnostics.integrity import check
from moorage.registry import backups
from moorage.store.opening import open_store
from moorage.store.queries import load_migrations
from moorage.store.sessions import Session
from moorage.store.sqlite.schema import APPLICATION_ID
from moorage.store.transfer.backup_file import new_backup, open_backup
from moorage.store.transfer.dump import TABLES
from tests.cli.whole_database import contents, epoch, fill
from tests.support.postgres import PostgresServer
from tests.support.program import moorage
from tests.support.registry import create_project
from tests.support.server import PROGRAM, clean_environment
from tests.support.stores import Database, sqlite_in
from tests.support.threads import until

pytestmark = pytest.mark.system

ENGINES = ("sqlite", "postgresql")

ProjectState = dict[str, Any]


@pytest.fixture(params=ENGINES)
def target(request: pytest.FixtureRequest, folder: Path) -> str:
    """Return the URL of another database, which is empty."""
    if request.param == "sqlite":
        return f"sqlite:///{folder}/target.db"
    postgres: PostgresServer = request.getfixturevalue("postgres")
    return postgres.new_database("template0")


@pytest.fixture
def file(database: Database, folder: Path) -> Path:
    """Return a backup of a database with every kind of row."""
    store = database.store()
    fill(store)
    backups.backup(store, folder / "file.backup")
    return folder / "file.backup"


def test_a_backup_of_either_engine_is_restored_into_either(
    database: Database, target: str, file: Path, folder: Path
) -> None:
    store = database.store()
    file.unlink()

    assert run(folder, "db", "backup", file.name, "--database", database.url).startswith("18 deployments, revision ")
    result = run(folder, "db", "restore", file.name, "--database", target)

    assert f"Restored 18 deployments of revision {store.current_revision()} into " in result
    with closing(open_store(target)) as restored:
        assert restorable(contents(restored)) == restorable(contents(store))
        assert restored.current_revision() == store.current_revision() + 1
        assert epoch(restored) not in ("", epoch(store))
        assert not any(each.findings for each in check(restored))
        create_project(restored, "next")


def test_a_backup_is_one_file_that_only_its_owner_can_access(database: Database, file: Path, folder: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir() if "file.backup" in path.name] == [file.name]
    with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        assert connection.pragma("journal_mode") == "delete"
    with open_backup(file) as saved:
        assert contents(saved) == contents(database.store())
        assert epoch(saved) == epoch(database.store())


def test_an_existing_file_is_replaced_only_with_force(database: Database, file: Path, folder: Path) -> None:
    before = file.read_bytes()
    create_project(database.store(), "later")

    rejected = moorage("db", "backup", file.name, "--database", database.url, folder=folder)
    assert (rejected.returncode, "--force" in rejected.stderr, file.read_bytes()) == (1, True, before)

    run(folder, "db", "backup", file.name, "--force", "--database", database.url)
    with open_backup(file) as saved:
        assert contents(saved) == contents(database.store())


def test_a_backup_never_overwrites_its_own_database(folder: Path) -> None:
    with closing(open_store(f"sqlite:///{folder}/moorage.db")) as store:
        fill(store)
        inode = (folder / "moorage.db").stat().st_ino

    result = moorage("db", "backup", "moorage.db", "--force", folder=folder)

    assert (result.returncode, "a database that is in use" in result.stderr) == (1, True)
    assert (folder / "moorage.db").stat().st_ino == inode


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("db", "backup", "a", "--database", "sqlite:///nowhere.db"), "the file does not exist"),
        (("db", "backup", "nowhere/a"), "No such file or directory"),
        (("db", "restore", "nowhere"), "does not exist"),
        (("db", "restore", "/etc/passwd", "--database", "sqlite:///nowhere.db"), "not a SQLite database"),
        (("db", "check", "--database", "sqlite:///nowhere.db"), "the file does not exist"),
        (("keys", "list", "--database", "sqlite:///nowhere.db"), "the file does not exist"),
        (("projects", "list", "--database", "sqlite:///nowhere.db"), "the file does not exist"),
        (("db", "purge", "--yes", "--database", "sqlite:///nowhere.db"), "the file does not exist"),
        (("db", "restore", "."), "is a directory"),
    ],
)
def test_an_invalid_argument_is_reported_and_creates_no_file(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    open_store(f"sqlite:///{folder}/moorage.db").close()
    before = sorted(folder.iterdir())

    result = moorage(*arguments, folder=folder)

    assert (result.returncode != 0, result.stdout) == (True, "")
    assert message in result.stderr
    assert sorted(folder.iterdir()) == before


def test_a_database_that_is_not_empty_is_replaced_only_with_the_replace_option(
    database: Database, file: Path, folder: Path
) -> None:
    store = database.store()
    saved = contents(store)
    for name in ("more", "and more"):
        create_project(store, name)
    now = contents(store)

    rejected = moorage("db", "restore", file.name, "--database", database.url, folder=folder)
    assert rejected.returncode == 1
    assert f"It holds 18 deployments at revision {now['rev']}, and the backup holds 18 at" in rejected.stderr
    assert (contents(store), epoch(store)) == (now, "")

    run(folder, "db", "restore", file.name, "--replace", "--database", database.url)
    assert restorable(contents(store)) == restorable(saved)
    assert store.current_revision() == now["rev"] + 1, "clients never get an older revision"
    until(lambda: store.newest_revision() == now["rev"] + 1)
    assert epoch(store) != ""
    assert create_project(store, "next").name == "next"


def test_a_restore_replaces_a_database_with_unknown_names_of_environments_and_with_sessions(
    database: Database, file: Path
) -> None:
    """A backup has neither. A name refers to its project, and a session to nothing."""
    store = database.store()
    project_id = store.projects()[0].id
    store.record_unknown_names({(project_id, "stagign"): store.now_us()}, before_us=0)
    store.sessions.start(Session("0" * 64, "key", "0" * 64, 1, 1, 2))

    with backups.checked_backup(file) as saved:
        backups.restore(saved, database.engine(), replace=True)

    with store.read() as reader:
        assert reader.unknown_names(project_id, since_us=0) == []
    assert store.sessions.find("0" * 64) is not None, "its API key decides whether it is valid"


def test_a_restore_of_a_later_revision_sets_the_revision_above_both(database: Database, folder: Path) -> None:
    (folder / "later").mkdir()
    later = sqlite_in(folder / "later").store()
    fill(later)
    backups.backup(later, folder / "later.backup")
    store = database.store()
    create_project(store, "one")

    with backups.checked_backup(folder / "later.backup") as saved:
        backups.restore(saved, database.engine(), replace=True)

    assert store.current_revision() == later.current_revision() + 1


def test_the_epoch_after_a_restore_sorts_after_an_epoch_from_a_clock_that_was_ahead(
    database: Database, file: Path
) -> None:
    """Clients reject a snapshot of an earlier epoch."""
    ahead = "fffffff0-0000-7000-8000-000000000000"
    with database.engine().write() as run:
        ((_, rev, last_created_us, history_hash, history_key),) = run("state")
        run(
            "set_state", epoch=ahead, rev=rev, last_created_us=last_created_us, history_hash=history_hash,
            history_key=history_key,
        )  # fmt: skip

    for _ in range(2):
        before = epoch(database.store())
        with backups.checked_backup(file) as saved:
            backups.restore(saved, database.engine(), replace=True)
        assert epoch(database.store()) > before >= ahead


def test_a_failed_restore_changes_nothing(database: Database, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = database.store()
    create_project(store, "more")
    before = contents(store)

    def fail(*_: object) -> None:
        raise StorageFull

    monkeypatch.setattr("moorage.store.transfer.copy._set_state", fail)
    with backups.checked_backup(file) as saved, pytest.raises(StorageFull):
        backups.restore(saved, database.engine(), replace=True)

    assert contents(store) == before
    assert create_project(store, "next").name == "next"


def test_a_restore_replaces_an_unfinished_copy(database: Database, file: Path) -> None:
    engine = database.engine()
    with engine.write() as run:
        run("begin_copy", source="sqlite:///gone.db", epoch="", rev=7)
    with pytest.raises(CopyUnfinished):
        open_store(database.url)

    with backups.checked_backup(file) as saved:
        backups.restore(saved, engine, replace=True)

    open_store(database.url).close()


def text_file(file: Path) -> None:
    file.write_text("hello, this is a text file and not a database\n" * 100)


def empty_file(file: Path) -> None:
    file.write_bytes(b"")


def database_of_another_program(file: Path) -> None:
    file.unlink()
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute("CREATE TABLE theirs (a)")


def newer_schema(file: Path) -> None:
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute("PRAGMA user_version = 999")


def changed_content(file: Path) -> None:
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute("UPDATE version SET prompt_config = replace(prompt_config, 'openai', 'nobody')")


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def unfinished_copy(file: Path) -> None:
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute("INSERT INTO copy VALUES (1, 'sqlite:///a.db', '', 1)")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (text_file, "not a SQLite database"),
        (empty_file, "it is empty"),
        (database_of_another_program, "another program"),
        (newer_schema, "schema 999"),
        (changed_content, "its content was changed after it was written"),
        (truncated, "damaged or incomplete"),
        (unfinished_copy, "an unfinished copy"),
    ],
)
def test_an_unusable_backup_is_rejected_and_the_database_is_not_changed(
    folder: Path, damage: Callable[[Path], None], message: str
) -> None:
    with closing(open_store(f"sqlite:///{folder}/moorage.db")) as store:
        fill(store)
        before = contents(store)
        run(folder, "db", "backup", "file.backup")
        damage(folder / "file.backup")
        damaged = (folder / "file.backup").read_bytes()

        result = moorage("db", "restore", "file.backup", "--replace", folder=folder)

        assert (result.returncode, result.stdout) == (1, "")
        assert "file.backup" in result.stderr
        assert message in result.stderr
        assert contents(store) == before
    assert (folder / "file.backup").read_bytes() == damaged


@pytest.mark.parametrize(
    "prefix",
    [
        ("unshare", "--user", "--map-user=1000", "--"),
        (
            "unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c",
            'mount --bind theirs theirs && mount -o remount,ro,bind theirs && exec "$@"', "sh",
        ),
    ],
    ids=["folder of another user", "read-only mount"],
)  # fmt: skip
def test_a_database_file_in_a_read_only_folder_must_be_copied_before_it_is_restored(
    folder: Path, prefix: tuple[str, ...]
) -> None:
    theirs = folder / "theirs" / "moorage.db"
    theirs.parent.mkdir()
    with closing(open_store(f"sqlite:///{theirs}")) as store:
        fill(store)
    shutil.copy(theirs, folder / "mine.db")
    theirs.chmod(0o444)
    theirs.parent.chmod(0o555)

    rejected = subprocess.run(
        [*prefix, *PROGRAM, "db", "restore", "theirs/moorage.db"],
        cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (rejected.returncode, rejected.stdout) == (1, "")
    assert "copy it to a folder that this user can write" in rejected.stderr
    assert run(folder, "db", "restore", "mine.db").startswith("Restored 18 deployments of revision ")


def test_a_restore_upgrades_an_older_schema_and_does_not_change_the_backup(database: Database, folder: Path) -> None:
    with closing(apsw.Connection(str(folder / "old.backup"))) as old:
        for number, script in enumerate(load_migrations()[:4], 1):
            old.execute(script)
            old.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}")
        old.execute("UPDATE revision SET rev = 41")
    before = (folder / "old.backup").read_bytes()

    run(folder, "db", "restore", "old.backup", "--database", database.url)

    assert database.store().current_revision() == 42
    assert (folder / "old.backup").read_bytes() == before


def test_a_failed_backup_changes_no_file(file: Path, folder: Path) -> None:
    before = sorted(folder.iterdir()), file.read_bytes()

    def fail() -> None:
        with new_backup(file):
            raise StorageFull

    with pytest.raises(StorageFull):
        fail()

    assert (sorted(folder.iterdir()), file.read_bytes()) == before


def test_a_concurrent_backup_into_the_same_file_is_rejected(folder: Path) -> None:
    with new_backup(folder / "a.backup"), pytest.raises(BackupInProgress), new_backup(folder / "a.backup"):
        pass

    assert (folder / "a.backup").exists()


def test_a_backup_that_just_finished_is_not_treated_as_an_abandoned_partial_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.backup.partial").mkdir(mode=0o700)

    def finish(*_: int) -> None:
        (folder / "a.backup").write_text("written by the other process")
        (folder / "a.backup.partial").rmdir()

    monkeypatch.setattr("moorage.store.transfer.backup_file.fcntl.flock", finish)
    with pytest.raises(BackupInProgress), new_backup(folder / "a.backup"):
        pass

    assert (folder / "a.backup").read_text() == "written by the other process"


def test_a_killed_backup_preserves_the_previous_file_and_the_next_one_succeeds(folder: Path) -> None:
    """The process is killed after all data is written, before the file is renamed."""
    with closing(open_store(f"sqlite:///{folder}/moorage.db")) as store:
        fill(store)
        run(folder, "db", "backup", "a.backup")
        before = (folder / "a.backup").read_bytes()
        create_project(store, "later")
        script = (
            "import os; from moorage.store.transfer import backup_file; from moorage.cli.main import main;"
            "backup_file.move_into_place = lambda *paths: os.kill(os.getpid(), 9);"
            "main(['db', 'backup', 'a.backup', '--force'])"
        )
        killed = subprocess.run([sys.executable, "-c", script], cwd=folder, env=clean_environment(), check=False)
        assert killed.returncode == -signal.SIGKILL
        assert (folder / "a.backup.partial" / "backup.db").exists()
        assert (folder / "a.backup").read_bytes() == before

        run(folder, "db", "backup", "a.backup", "--force")

        with open_backup(folder / "a.backup") as saved:
            assert contents(saved) == contents(store)
    assert sorted(path.name for path in folder.iterdir()) == ["a.backup", "moorage.db", "moorage.db-revision"]


def restorable(state: ProjectState) -> ProjectState:
    """Return the state that a restore preserves: the rows and the history hash."""
    return {name: state[name] for name in (*(table.name for table in TABLES), "hash")}


def run(folder: Path, *arguments: str) -> str:
    """Run a command, assert that it succeeds, and return its output."""
    result = moorage(*arguments, folder=folder)
    assert result.returncode == 0, result.stderr
    return result.stdout
