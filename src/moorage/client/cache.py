"""The files that a client uses without the server: its disk cache with a signed snapshot, and the lockfile."""

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from moorage import clock
from moorage.client.body import MAX_SNAPSHOT
from moorage.client.state import ClientState
from moorage.core.access import find_key_id
from moorage.core.resolution.snapshot import InvalidSnapshot, Snapshot, digest_of, is_signed, read_snapshot
from moorage.files import remove_leftovers, write_file

#: The longest signature in a disk cache, with the end of its line (bytes).
_MAX_SIGNATURE = 256


class DiskCache:
    """A file with the last snapshot from a server for an API key and an environment; its mtime is when it was current.

    Without an environment, it is that of the API key.

    The file has the snapshot and the signature as the server sent them. The client signs nothing itself, so the file
    cannot claim more than the server did.
    """

    def __init__(self, folder: Path, url: str, api_key: str, environment: str | None = None) -> None:
        server = hashlib.sha256(url.encode()).hexdigest()[:8]
        suffix = "" if environment is None else f"-{environment}"
        self.path = folder.absolute() / f"{find_key_id(api_key) or 'unknown'}-{server}{suffix}.snapshot"
        self._api_key, self._environment = api_key, environment

    def load(self) -> ClientState:
        """Return the cached deployments.

        Raises:
            OSError: the file cannot be read.
            InvalidSnapshot: it is damaged, or belongs to another API key or environment.
        """
        data, current_at = _read(self.path, MAX_SNAPSHOT + _MAX_SIGNATURE)
        signature, _, body = data.partition(b"\n")
        if not is_signed(body, self._api_key, signature[:_MAX_SIGNATURE].decode("latin-1")):
            raise InvalidSnapshot(f"{self.path} is damaged, or was written with another API key")
        snapshot = read_snapshot(body)
        if self._environment is not None:
            _check_environment(self.path, snapshot, self._environment)
        return ClientState(snapshot, digest_of(body), "disk", current_at)

    def save(self, state: ClientState, signature: str, body: bytes | None) -> None:
        """Write a signed state and when it was current, atomically. `body` has its bytes, if they are at hand.

        Several processes can share the file. It keeps the newest state: a process that is behind changes neither the
        file nor its time.

        Raises:
            OSError
        """
        is_new = not self._has(signature)
        if is_new:
            with suppress(OSError, InvalidSnapshot):
                other = self.load()
                if not state.supersedes(other):
                    return
            if body is None:
                body = state.encoded()
                if (
                    digest_of(body) != state.digest
                ):  # the server is newer: its snapshot has fields that are unknown here
                    return
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            remove_leftovers(self.path.parent)
            write_file(self.path, _line(signature) + body, is_private=True)
        self._set_time(signature, state.current_at, is_new=is_new)

    def _has(self, signature: str) -> bool:
        """Return whether the file has the state with this signature."""
        with suppress(OSError, InvalidSnapshot), _opened(self.path) as file:
            return file.read(_MAX_SIGNATURE).startswith(_line(signature))
        return False

    def _set_time(self, signature: str, current_at: float, *, is_new: bool) -> None:
        """Record when a state was current, if the file still has it, and does not have a later time already."""
        now = clock.now_seconds()
        seconds = now - (time.monotonic() - current_at)
        with suppress(InvalidSnapshot), _opened(self.path) as file:
            if file.read(_MAX_SIGNATURE).startswith(_line(signature)):
                found = os.fstat(file.fileno()).st_mtime
                if is_new or not seconds <= found <= now:
                    os.utime(file.fileno(), (seconds, seconds))


def read_lockfile(path: Path, environment: str) -> ClientState:
    """Return the content of the lockfile of an environment. It contains no date, so its age is that of the file.

    Raises:
        OSError: the file cannot be read.
        InvalidSnapshot: it is damaged, or belongs to another environment.
    """
    data, current_at = _read(path, MAX_SNAPSHOT)
    try:
        snapshot = read_snapshot(data)
    except InvalidSnapshot as error:
        raise InvalidSnapshot(f"{path} cannot be used: {error}; write it again with `moorage lock`") from error
    _check_environment(path, snapshot, environment)
    return ClientState(snapshot, b"", "lockfile", current_at)


def _check_environment(path: Path, snapshot: Snapshot, environment: str) -> None:
    if snapshot.environment != environment:
        raise InvalidSnapshot(
            f"{path} is of the environment {snapshot.environment!r}, and this client is of {environment!r}"
        )


def _read(path: Path, maximum: int) -> tuple[bytes, float]:
    """Return the content of a regular file, and the time of its last change as a time of `time.monotonic`."""
    with _opened(path) as file:
        found = os.fstat(file.fileno())
        if found.st_size > maximum:
            raise InvalidSnapshot(f"{path} is larger than {maximum} bytes")
        return file.read(found.st_size), _monotonic(found.st_mtime)


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise InvalidSnapshot(f"{path} is not a regular file")
        yield file


def _line(signature: str) -> bytes:
    return signature.encode("latin-1") + b"\n"


def _monotonic(seconds: float) -> float:
    """Convert seconds since 1970 to a time of `time.monotonic`."""
    return time.monotonic() - max(0.0, clock.now_seconds() - seconds)
