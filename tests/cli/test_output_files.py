"""Commands that write files: only regular files in the folder that the user named, completely or not at all."""

import os
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from moorage.store.opening import open_store
from moorage.store.transfer.backup_file import open_backup
from tests.cli.whole_database import fill
from tests.support.hostile import HostileServer, response
from tests.support.moorage_responses import MANIFEST, a_page
from tests.support.program import moorage
from tests.support.server import Project


def link(path: Path) -> None:
    victim = path.parent.parent / "victim"
    victim.write_text("victim")
    path.symlink_to(victim)


def dangling(path: Path) -> None:
    path.symlink_to(path.parent.parent / "nowhere")


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def a_folder(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


KINDS: list[Callable[[Path], None]] = [link, dangling, device, a_folder, fifo]

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@pytest.fixture
def place(folder: Path) -> Path:
    """Return the folder for the output; `folder` has what an attacker wants to change."""
    (folder / "out").mkdir()
    return folder / "out"


def state(folder: Path) -> dict[str, tuple[int, str, bytes]]:
    """Return kind, link and content of everything below a folder."""
    found = {}
    for path in folder.rglob("*"):
        is_regular = path.is_file() and not path.is_symlink()
        target = str(path.readlink()) if path.is_symlink() else ""
        found[str(path)] = (path.lstat().st_mode, target, path.read_bytes() if is_regular else b"")
    return found


def is_refused(result: subprocess.CompletedProcess[str], name: str) -> bool:
    """Return whether a command failed with one line that says what the output is."""
    kinds = (
        "it is a link",
        "it is a folder",
        "it is not a regular file",
        "exists and contains more than",
        "is a directory",
    )
    return result.returncode != 0 and name in result.stderr and any(kind in result.stderr for kind in kinds)


@every_kind
def test_export_replaces_nothing_but_regular_files(project: Project, place: Path, kind: Callable[[Path], None]) -> None:
    project.put("a")
    kind(place / "a.yaml")
    before = state(place.parent)

    result = moorage("export", "out", folder=place.parent, project=project)

    assert is_refused(result, "a.yaml"), result.stderr
    assert state(place.parent) == before


def test_export_follows_no_link_with_the_name_of_a_temporary_file(project: Project, place: Path) -> None:
    project.put("a")
    link(place / ".a.yaml.part")

    assert moorage("export", "out", folder=place.parent, project=project).returncode == 0

    assert (place.parent / "victim").read_text() == "victim"
    assert not (place / "a.yaml").is_symlink()


def test_export_writes_into_a_folder_that_is_a_link_to_one(project: Project, place: Path) -> None:
    """The user named it."""
    project.put("a")
    (place.parent / "linked").symlink_to("out")

    assert moorage("export", "linked", folder=place.parent, project=project).returncode == 0

    assert (place / "a.yaml").is_file()


@pytest.mark.parametrize(
    "key", ["../a", "/tmp/moorage-evil", "..", "a/../../b", "sub/a", "a\x00", ".\u2044a", "C:\\a", ""]
)
def test_export_writes_no_key_that_leads_elsewhere(place: Path, key: str) -> None:
    before = state(place.parent)
    page = a_page(MANIFEST, MANIFEST | {"key": key})
    with HostileServer(lambda request: response(page)) as server:
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        result = moorage("export", "out", folder=place.parent, settings=settings)

    assert (result.returncode, result.stdout) == (1, "")
    assert "not a deployment key" in result.stderr
    assert state(place.parent) == before
    assert not Path("/tmp/moorage-evil.yaml").exists()


@every_kind
def test_lock_replaces_nothing_but_regular_files(project: Project, place: Path, kind: Callable[[Path], None]) -> None:
    kind(place / "out.json")
    before = state(place.parent)

    result = moorage("lock", "--out", "out/out.json", folder=place.parent, project=project)

    assert is_refused(result, "out.json"), result.stderr
    assert state(place.parent) == before


@pytest.mark.parametrize("out", ["/dev/null", "/dev/stdout", "/dev/fd/1", "..", "/"])
def test_lock_writes_to_no_device(project: Project, folder: Path, out: str) -> None:
    result = moorage("lock", "--out", out, folder=folder, project=project)

    assert is_refused(result, out), result.stderr


@every_kind
@pytest.mark.parametrize("options", [(), ("--force",)])
def test_backup_replaces_nothing_but_regular_files(
    place: Path, kind: Callable[[Path], None], options: tuple[str, ...]
) -> None:
    with closing(open_store(f"sqlite:///{place.parent}/moorage.db")) as store:
        fill(store)
    kind(place / "a.backup")
    before = state(place)

    result = moorage("db", "backup", "out/a.backup", *options, folder=place.parent)

    assert is_refused(result, "a.backup"), result.stderr
    assert state(place) == before


@pytest.mark.parametrize("file", ["/dev/null", "/dev/stdout", "/dev/zero"])
def test_backup_writes_to_no_device(folder: Path, file: str) -> None:
    open_store(f"sqlite:///{folder}/moorage.db").close()

    result = moorage("db", "backup", file, "--force", folder=folder)

    assert is_refused(result, file), result.stderr


@pytest.mark.parametrize("side", ["a.backup.partial", "a.backup.partial-wal", "a.backup.partial-revision"])
@every_kind
def test_backup_follows_nothing_that_is_prepared_beside_it(
    place: Path, kind: Callable[[Path], None], side: str
) -> None:
    with closing(open_store(f"sqlite:///{place.parent}/moorage.db")) as store:
        fill(store)
    kind(place / side)
    before = state(place)

    result = moorage("db", "backup", "out/a.backup", folder=place.parent)

    after = state(place)
    after.pop(str(place / "a.backup"), None)
    if result.returncode == 0:
        with open_backup(place / "a.backup") as saved:
            assert saved.api_keys()
    else:
        assert "a.backup.partial" in result.stderr
    assert (place.parent / "victim").exists() == (kind is link)
    if kind is link:
        assert (place.parent / "victim").read_text() == "victim"
    if kind is not a_folder:  # a folder of this user is what a killed backup leaves
        assert after == before


def test_a_folder_of_a_backup_that_others_can_write_is_not_used(place: Path) -> None:
    open_store(f"sqlite:///{place.parent}/moorage.db").close()
    (place / "a.backup.partial").mkdir()
    (place / "a.backup.partial").chmod(0o777)

    result = moorage("db", "backup", "out/a.backup", folder=place.parent)

    assert result.returncode == 1
    assert "is not a folder of this user alone; remove it" in result.stderr
    assert not (place / "a.backup").exists()


@pytest.mark.parametrize("database", ["sqlite:////dev/null", "sqlite:////dev/zero", "sqlite:///fifo"])
def test_a_database_is_restored_and_copied_to_no_device(folder: Path, database: str) -> None:
    with closing(open_store(f"sqlite:///{folder}/moorage.db")) as store:
        fill(store)
    os.mkfifo(folder / "fifo")
    assert moorage("db", "backup", "a.backup", folder=folder).returncode == 0

    for command in (
        ("db", "restore", "a.backup", "--replace", "--database", database),
        ("db", "copy", "--from", "sqlite:///moorage.db", "--to", database),
        ("keys", "create", "x", "--database", database),
    ):
        result = moorage(*command, folder=folder)

        assert (result.returncode, result.stdout) == (1, "")
        assert "is not a regular file" in result.stderr


@pytest.mark.parametrize("file", ["/dev/null", "/dev/zero", "fifo"])
def test_no_device_is_restored(folder: Path, file: str) -> None:
    os.mkfifo(folder / "fifo")

    result = moorage("db", "restore", file, folder=folder)

    assert (result.returncode, result.stdout) == (1, "")
    assert "it is not a regular file" in result.stderr


def test_the_counter_beside_a_database_is_no_link(place: Path) -> None:
    link(place / "moorage.db-revision")

    result = moorage("keys", "create", "x", "--database", "sqlite:///out/moorage.db", folder=place.parent)

    assert result.returncode == 1
    assert (place.parent / "victim").read_text() == "victim"
