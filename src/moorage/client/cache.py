"""The files of a client for a time without the server: the last snapshot, signed, and the lockfile, which is read
only."""

import hashlib
import os
import time
from pathlib import Path

from moorage.client.state import ClientState
from moorage.core.access import find_key_id, hash_token
from moorage.core.resolution.snapshot import InvalidSnapshot, digest_of, is_signed, read_snapshot, sign


class Cache:
    """The last bundle of one server and API key, in a folder. The file's time is when it was known to be current."""

    def __init__(self, folder: Path, url: str, api_key: str) -> None:
        server = hashlib.sha256(url.encode()).hexdigest()[:8]
        self.path = folder.absolute() / f"{find_key_id(api_key) or 'unknown'}-{server}.bundle"
        self._api_key = api_key

    def load(self) -> ClientState:
        """Return the cached deployments.

        Raises:
            OSError: there is none.
            BadBundle: it is damaged, or somebody else's.
        """
        data, current_at = self.path.read_bytes(), self.path.stat().st_mtime
        signature, _, body = data.partition(b"\n")
        if not is_signed(body, self._api_key, signature.decode("latin-1")):
            raise InvalidSnapshot(f"{self.path} is damaged, or was not made with this API key")
        return ClientState(read_snapshot(body), "disk", _monotonic(current_at))

    def keep(self, body: bytes) -> None:
        """Write a bundle, whole or not at all.

        Raises:
            OSError
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self.path.with_name(f"{self.path.name}.{os.getpid()}.partial")
        signature = sign(hash_token(self._api_key), digest_of(body))
        with open(partial, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as written:
            written.write(signature.encode() + b"\n" + body)
            written.flush()
            os.fsync(written.fileno())
        partial.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def confirm(self, current_at: float) -> None:
        """Record that the cached deployments were complete at a time of `time.monotonic`.

        Raises:
            OSError
        """
        seconds = time.time() - (time.monotonic() - current_at)
        os.utime(self.path, (seconds, seconds))


def read_lockfile(path: Path) -> ClientState:
    """Return the content of a lockfile. Its age is that of the file here: equal versions are equal bytes, without a
    date.

    Raises:
        OSError: there is none.
        BadBundle
    """
    return ClientState(read_snapshot(path.read_bytes()), "lockfile", _monotonic(path.stat().st_mtime))


def _monotonic(seconds: float) -> float:
    """A time of the clock on the wall as `time.monotonic` counts."""
    return time.monotonic() - max(0.0, time.time() - seconds)
