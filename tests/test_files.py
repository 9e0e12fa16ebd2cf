"""Writing files: completely or not at all, and only to regular files."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from moorage import files
from moorage.files import NotARegularFile, check_target, has_content, move_into_place, open_regular, write_file


def link(path: Path) -> None:
    path.with_name("victim").write_text("victim")
    path.symlink_to("victim")


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def circle(path: Path) -> None:
    path.symlink_to(path.name)


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def a_folder(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


KINDS: list[Callable[[Path], None]] = [link, dangling, circle, device, a_folder, fifo]


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return the kind and the content of everything in a folder."""
    return {
        path.name: (path.lstat().st_mode, path.read_bytes() if path.is_file() and not path.is_symlink() else b"")
        for path in folder.iterdir()
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_target_that_is_not_a_regular_file_does_not_change(folder: Path, kind: Callable[[Path], None]) -> None:
    target = folder / "target"
    kind(target)
    (folder / "source").write_text("new")
    before = state(folder)

    writes: list[Callable[[], None]] = [
        lambda: write_file(target, b"new"),
        lambda: write_file(target, b"new", is_private=True),
        lambda: move_into_place(folder / "source", target),
        lambda: check_target(target),
    ]
    for write in writes:
        with pytest.raises(NotARegularFile) as error:
            write()
        assert error.value.filename == str(target)
        assert error.value.strerror is not None
        assert "; " in error.value.strerror, "what is wrong, and what to do"

    assert state(folder) == before


@pytest.mark.parametrize(
    "path", ["/dev/null", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/", ".", "..", "x/..", ""]
)
def test_a_place_of_the_system_is_no_target(path: str) -> None:
    with pytest.raises(OSError, match=r"; name|No such") as error:
        write_file(Path(path), b"new")

    assert error.value.filename == str(Path(path))


@pytest.mark.parametrize("kind", [link, dangling, circle, device, a_folder, fifo], ids=lambda kind: kind.__name__)
def test_only_a_regular_file_is_opened(folder: Path, kind: Callable[[Path], None]) -> None:
    kind(folder / "target")

    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR | os.O_CREAT):
        with pytest.raises(OSError, match="target"):
            open_regular(folder / "target", flags)


def test_a_file_is_new_or_replaced(folder: Path) -> None:
    write_file(folder / "a", b"one")
    first = (folder / "a").stat()
    write_file(folder / "a", b"two")

    assert (folder / "a").read_bytes() == b"two"
    assert (folder / "a").stat().st_ino != first.st_ino, "a reader of the old file reads all of it"
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_other_names_of_a_file_do_not_change(folder: Path) -> None:
    (folder / "victim").write_text("victim")
    (folder / "a").hardlink_to(folder / "victim")

    write_file(folder / "a", b"new")

    assert ((folder / "victim").read_text(), (folder / "a").read_text()) == ("victim", "new")


def test_a_file_keeps_its_permissions_and_a_private_file_is_its_owners(folder: Path) -> None:
    for mode in (0o600, 0o644, 0o664, 0o400):
        (folder / "a").touch()
        (folder / "a").chmod(mode)

        write_file(folder / "a", b"new")
        assert stat.S_IMODE((folder / "a").stat().st_mode) == mode

        write_file(folder / "a", b"new", is_private=True)
        assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o600
        (folder / "a").unlink()


def test_a_private_file_is_never_readable_by_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []

    def note(source: object, *args: object, **options: int) -> None:
        modes.append(stat.S_IMODE(os.stat(str(source), dir_fd=options["src_dir_fd"]).st_mode))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("moorage.files.os.rename", note)
    with pytest.raises(OSError, match="No space"):
        write_file(folder / "a", b"new", is_private=True)

    assert modes == [0o600]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a").write_text("old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "temporary name")

    for step in ("fsync", "rename", "fchmod"):
        monkeypatch.setattr(f"moorage.files.os.{step}", fail)
        with pytest.raises(OSError, match="No space") as error:
            write_file(folder / "a", b"new")
        monkeypatch.undo()
        assert error.value.filename == str(folder / "a"), "not the temporary name"

    assert state(folder).keys() == {"a"}
    assert (folder / "a").read_text() == "old"


@pytest.mark.parametrize("kind", [link, dangling, fifo, a_folder], ids=lambda kind: kind.__name__)
def test_a_prepared_temporary_name_is_not_used(
    folder: Path, kind: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attacker cannot guess the name; here it is known."""
    monkeypatch.setattr("moorage.files.secrets.token_hex", lambda size: "known")
    kind(folder / ".moorage-known.part")
    before = state(folder)

    with pytest.raises(FileExistsError):
        write_file(folder / "a", b"new")

    assert state(folder) == before


def test_a_folder_that_is_moved_during_a_write_gets_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "inside").mkdir()
    (folder / "victim").mkdir()
    fsync = os.fsync

    def swap(handle: int) -> None:
        if (folder / "inside").is_dir() and not (folder / "inside").is_symlink():
            (folder / "inside").rename(folder / "moved")
            (folder / "inside").symlink_to("victim")
        fsync(handle)

    monkeypatch.setattr("moorage.files.os.fsync", swap)
    write_file(folder / "inside" / "a", b"new")

    assert list((folder / "victim").iterdir()) == []
    assert (folder / "moved" / "a").read_bytes() == b"new"


def test_the_content_of_a_regular_file_is_compared(folder: Path) -> None:
    (folder / "a").write_bytes(b"one")
    os.mkfifo(folder / "fifo")

    assert has_content(folder / "a", b"one")
    assert not has_content(folder / "a", b"two")
    assert not has_content(folder / "a", b"longer")
    assert not has_content(folder / "nowhere", b"")
    assert not has_content(folder / "fifo", b"")
    assert not has_content(Path("/dev/zero"), b"\x00" * 10)


def test_old_leftovers_are_removed_and_young_ones_are_not(folder: Path) -> None:
    for name, age in ((".moorage-1.part", 7_200), (".moorage-2.part", 60), ("mine.part", 7_200)):
        (folder / name).touch()
        now = (folder / name).stat().st_mtime
        os.utime(folder / name, (now - age, now - age))

    files.remove_leftovers(folder)

    assert {path.name for path in folder.iterdir()} == {".moorage-2.part", "mine.part"}
