"""The files that a client uses without the server: its disk cache with a signed snapshot, and the lockfile."""

import hashlib
import os
import time
from pathlib import Path

from moorage.client.state import ClientState
from moorage.core.access import find_key_id, hash_token
from moorage.core.resolution.snapshot import InvalidSnapshot, digest_of, is_signed, read_snapshot, sign
from moorage.files import remove_leftovers, write_file


class DiskCache:
    """A file with the last snapshot from a server for an API key; its mtime is when that was current."""

    def __init__(self, folder: Path, url: str, api_key: str) -> None:
        server = hashlib.sha256(url.encode()).hexdigest()[:8]
        self.path = folder.absolute() / f"{find_key_id(api_key) or 'unknown'}-{server}.snapshot"
        self._api_key = api_key

    def load(self) -> ClientState:
        """Return the cached deployments.

        Raises:
            OSError: the file cannot be read.
            InvalidSnapshot: it is damaged, or belongs to another API key.
        """
        data, current_at = self.path.read_bytes(), self.path.stat().st_mtime
        signature, _, body = data.partition(b"\n")
        if not is_signed(body, self._api_key, signature.decode("latin-1")):
            raise InvalidSnapshot(f"{self.path} is damaged, or was written with another API key")
        return ClientState(read_snapshot(body), "disk", _monotonic(current_at))

    def write(self, body: bytes) -> None:
        """Write a snapshot atomically.

        Raises:
            OSError
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        signature = sign(hash_token(self._api_key), digest_of(body))
        remove_leftovers(self.path.parent)
        write_file(self.path, signature.encode() + b"\n" + body, is_private=True)

    def confirm(self, current_at: float) -> None:
        """Record that the snapshot was current at a time of `time.monotonic`.

        Raises:
            OSError
        """
        seconds = time.time() - (time.monotonic() - current_at)
        os.utime(self.path, (seconds, seconds))


def read_lockfile(path: Path) -> ClientState:
    """Return the content of a lockfile. It contains no date, so its age is that of the file.

    Raises:
        OSError: the file cannot be read.
        InvalidSnapshot
    """
    return ClientState(read_snapshot(path.read_bytes()), "lockfile", _monotonic(path.stat().st_mtime))


def _monotonic(seconds: float) -> float:
    """Convert a time of `time.time` to `time.monotonic`."""
    return time.monotonic() - max(0.0, time.time() - seconds)
