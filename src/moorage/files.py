"""Writing files: completely or not at all, and only to regular files.

The name of a file can come from a server, and other users can prepare links in its folder. So a file is written under a
fresh name that nobody can prepare, and then renamed. A rename replaces a link and does not follow it.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from moorage import clock

_PREFIX, _SUFFIX = ".moorage-", ".part"

#: A temporary file of this age (seconds) was left by a program that was killed.
_LEFTOVER_SECONDS = 3_600

_KINDS = {
    stat.S_IFLNK: "it is a link; name the file that it leads to",
    stat.S_IFDIR: "it is a folder; name a file in it",
}
_OTHER = "it is not a regular file; name another file"


class NotARegularFile(OSError):
    """The name of an output file leads to a link, a folder or a device."""


def check_target(path: Path) -> None:
    """Check that a file can be written to `path`: there is a regular file, or nothing.

    Raises:
        NotARegularFile, OSError
    """
    with _opened(path) as folder:
        _find_target(folder, path)


def write_file(path: Path, content: bytes, *, is_private: bool = False) -> None:
    """Write a file, durably. It keeps its permissions, or only its owner can read it if it `is_private`.

    Raises:
        NotARegularFile, OSError: the file did not change.
    """
    with _opened(path) as folder:
        existing = _find_target(folder, path)
        temporary = f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        mode = 0o666 if existing is None and not is_private else 0o600  # the old file may be private
        handle = os.open(temporary, flags, mode, dir_fd=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                if existing is not None and not is_private:
                    os.fchmod(handle, stat.S_IMODE(existing.st_mode) & 0o777)
                os.fsync(handle)
            os.rename(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:  # raised again: an interrupt must not leave the file
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)


def open_regular(path: Path, flags: int, mode: int = 0o600) -> int:
    """Open a regular file that is not a link, and return its descriptor.

    Raises:
        NotARegularFile, OSError
    """
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise NotARegularFile(errno.EINVAL, _OTHER, str(path))


def move_into_place(source: Path, path: Path) -> None:
    """Give a complete file in a private folder on the same file system its final name, durably.

    Raises:
        NotARegularFile, OSError: the file at `path` did not change.
    """
    handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    with _opened(path) as folder:
        _find_target(folder, path)
        os.rename(source, path.name, dst_dir_fd=folder)
        os.fsync(folder)


def has_content(path: Path, content: bytes) -> bool:
    """Return whether there is a regular file with this content.

    Raises:
        OSError: it cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        return stat.S_ISREG(found.st_mode) and found.st_size == len(content) and file.read() == content


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of programs that were killed while they wrote a file in `folder`."""
    oldest = clock.now_seconds() - _LEFTOVER_SECONDS
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with suppress(OSError):  # another program removed it, or another user wrote it
            if path.lstat().st_mtime < oldest:
                path.unlink()


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open the folder of a file, so that all steps use the same folder; errors name `path`."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield folder
        finally:
            os.close(folder)
    except NotARegularFile:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def _find_target(folder: int, path: Path) -> os.stat_result | None:
    """Return the status of the regular file at `path`, or None if there is nothing."""
    if path.name in ("", ".."):
        raise NotARegularFile(errno.EINVAL, _KINDS[stat.S_IFDIR], str(path))
    try:
        found = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise NotARegularFile(errno.EINVAL, _KINDS.get(stat.S_IFMT(found.st_mode), _OTHER), str(path))
    return found
