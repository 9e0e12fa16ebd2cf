"""A small disk that a test can fill."""

import errno
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

_MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'

_PIECE = 16_384


class SmallDisk:
    """A file system in memory of `size` bytes, mounted at a folder.

    Each process that is started with `prefix` has its own file system, which ends with the process. This does not need
    root.
    """

    def __init__(self, folder: Path, size: int) -> None:
        folder.mkdir()
        self.folder = folder
        namespace = ("unshare", "--mount", "--user", "--map-root-user", "--")
        self.prefix = (*namespace, "sh", "-c", _MOUNT, "sh", str(size), str(folder))

    def unsupported_reason(self) -> str:
        """Return why this machine does not support it; empty if it does."""
        probe = subprocess.run([*self.prefix, "true"], capture_output=True, text=True, check=False)
        return "" if probe.returncode == 0 else f"a process cannot mount a file system: {probe.stderr.strip()}"

    def path_in(self, pid: int) -> Path:
        """Return a path to the folder in the mount namespace of a process."""
        return Path(f"/proc/{pid}/root{self.folder}")


class SharedDisk:
    """A small disk that all processes with `prefix` share. The end of the block kills them.

    They do not run as root, because PostgreSQL does not start as root. `outside` is a path to the folder for other
    processes.
    """

    def __init__(self, folder: Path, size: int) -> None:
        folder.mkdir()
        self.folder = folder
        self.prefix: tuple[str, ...] = ()
        self._stack = ExitStack()
        self._command = (
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "--user", "--map-user=1000", "--map-group=1000",
            "--keep-caps", "--", "sh", "-c", f"{_MOUNT.partition(' && shift')[0]} && echo mounted && cat > /dev/null",
            "sh", str(size), str(folder),
        )  # fmt: skip

    def __enter__(self) -> Self:
        holder = self._stack.enter_context(
            subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        )
        assert holder.stdin is not None
        self._stack.callback(holder.stdin.close)  # ends the holder; the end of this process does it, too
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"mounted\n", "a process cannot mount a file system"
        (pid,) = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
        self.prefix = ("nsenter", "--target", pid, "--mount", "--pid", "--user", "--preserve-credentials", "--")
        self.outside = Path(f"/proc/{pid}/root{self.folder}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def fill(file: Path, left: int = 0) -> None:
    """Fill the disk with a file, except for `left` bytes."""
    with file.open("wb") as filling:
        try:
            while True:
                os.write(filling.fileno(), bytes(_PIECE))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        filling.truncate(max(0, filling.tell() - left))
