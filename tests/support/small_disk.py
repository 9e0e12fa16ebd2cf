"""A disk that can be filled."""

import errno
import os
import subprocess
from pathlib import Path

_MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'

_PIECE = 16_384


class SmallDisk:
    """A file system in memory, of so many bytes, at a folder. Only processes that are started with `prefix` see it,
    each its own, and nothing of it is left when they ended. Neither root nor a mount of this machine is needed."""

    def __init__(self, folder: Path, size: int) -> None:
        folder.mkdir()
        self.folder = folder
        namespace = ("unshare", "--mount", "--user", "--map-root-user", "--")
        self.prefix = (*namespace, "sh", "-c", _MOUNT, "sh", str(size), str(folder))

    def problem(self) -> str:
        """Why it cannot be had on this machine; empty if it can."""
        probe = subprocess.run([*self.prefix, "true"], capture_output=True, text=True, check=False)
        return "" if probe.returncode == 0 else f"no mount of its own: {probe.stderr.strip()}"

    def seen_from(self, pid: int) -> Path:
        """The folder as a process sees it."""
        return Path(f"/proc/{pid}/root{self.folder}")


def fill(file: Path, left: int = 0) -> None:
    """Make a file as large as the disk allows, but for so many bytes. It goes away with the file."""
    with file.open("wb") as filling:
        try:
            while True:
                os.write(filling.fileno(), bytes(_PIECE))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        filling.truncate(max(0, filling.tell() - left))
