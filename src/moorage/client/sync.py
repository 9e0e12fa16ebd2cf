"""Synchronization of a client's deployments with the server, or with files if it is unreachable.

A thread loads the disk cache and the server's snapshot, and then applies changes. Callers only read.
"""

import logging
import random
import threading
import time
from contextlib import closing
from pathlib import Path

from moorage.client.cache import DiskCache, read_lockfile
from moorage.client.errors import ClientError, NoConfigurationError
from moorage.client.http import HttpClient
from moorage.client.sse import Event
from moorage.client.state import ClientState
from moorage.core.position import Position
from moorage.core.resolution.snapshot import InvalidSnapshot, read_gone, read_live, read_snapshot

#: The time that a caller waits for the server before it uses a file (seconds).
WAIT_SECONDS = 2.0

#: The first and the longest pause before a retry (seconds). It doubles, and half of it is random.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0

#: The time that `close` waits for requests in progress (seconds).
_CLOSE_SECONDS = 5.0

_log = logging.getLogger("moorage.client")


class Sync:
    """The synchronization with a server, and the files to use while it is unreachable."""

    def __init__(self, server: HttpClient, cache: DiskCache | None, lockfile: Path | None) -> None:
        self._server, self._cache, self._lockfile = server, cache, lockfile
        self._status = {"server": "no response yet", "cache": "none", "lockfile": "none"}
        self._synced: ClientState | None = None
        self._cached: ClientState | None = None
        self._fallback: ClientState | None = None
        self._needs_snapshot, self._is_cached = True, True
        self._tried, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="moorage-client", daemon=True)
        self._thread.start()

    @property
    def state(self) -> ClientState | None:
        """The current state; None until the first attempt to reach the server has ended."""
        return self._synced or self._fallback

    def wait(self) -> ClientState:
        """Return the current state, after waiting for the first attempt to reach the server.

        Raises:
            NoConfigurationError
        """
        self._tried.wait(WAIT_SECONDS)
        return self._synced or self._fall_back()

    def close(self) -> None:
        """Stop, and write the disk cache."""
        self._closing.set()
        self._server.close()
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        self._cached = self._load_cache()
        pause = _FIRST_PAUSE
        while not self._closing.is_set():
            started_at = time.monotonic()
            try:
                state = self._load() if self._needs_snapshot or self._synced is None else self._synced
                self._apply_changes(state)
            except (ClientError, InvalidSnapshot) as error:
                self._set_unreachable(str(error))
            except Exception:  # noqa: BLE001 -- without this thread, the client would become stale unnoticed
                self._status["server"] = "unexpected error"
                _log.exception("the synchronization with the server failed; retrying")
            self._tried.set()
            if self._synced is not None and self._synced.current_at > started_at:
                pause = _FIRST_PAUSE
            self._closing.wait(pause * random.uniform(0.5, 1))  # noqa: S311 -- so that clients do not retry at the same time
            pause = min(pause * 2, _LONGEST_PAUSE)
        self._write_cache()

    def _set_unreachable(self, reason: str) -> None:
        if reason != self._status["server"] and not self._closing.is_set():
            _log.warning("the server is unreachable: %s", reason)
        self._status["server"] = reason

    def _load(self) -> ClientState:
        """Return the state of the server's snapshot, or the existing state if it is unchanged."""
        requested_at, existing = time.monotonic(), self._synced or self._cached
        body = self._server.find_snapshot(existing.etag() if existing else None)
        if existing is not None and body is None:
            state, self._is_cached = existing, True
            state.source, state.current_at = "server", requested_at
        else:
            state, self._is_cached = ClientState(read_snapshot(body or b""), "server", requested_at), False
        self._synced, self._needs_snapshot = state, False
        self._tried.set()
        self._write_cache()
        return state

    def _apply_changes(self, state: ClientState) -> None:
        """Apply changes until the server ends the stream."""
        with closing(self._server.changes(Position(state.revision, state.epoch))) as events:
            for event in events:
                if event.name == "reset":
                    self._needs_snapshot = True
                    return
                self._apply(state, event)

    def _apply(self, state: ClientState, event: Event) -> None:
        if event.name == "comment":
            state.current_at = time.monotonic() - _age(event.data)
            self._status["server"] = "connected"
            self._write_cache()
        elif event.name == "deployment":
            state.put(read_live(event.data))
        elif event.name == "deleted":
            state.remove(read_gone(event.data))
        if event.id is not None:
            position = Position.parse(event.id)
            state.revision, state.epoch, self._is_cached = position.rev, position.epoch or "", False

    def _write_cache(self) -> None:
        """Write the server's deployments to the disk cache."""
        state = self._synced
        if self._cache is None or state is None:
            return
        try:
            if not self._is_cached:
                self._cache.write(state.encoded())
                self._is_cached = True
            self._cache.confirm(state.current_at)
        except OSError as error:
            _log.warning("the disk cache %s cannot be written: %s", self._cache.path, error.strerror)

    def _load_cache(self) -> ClientState | None:
        try:
            return self._cache.load() if self._cache is not None else None
        except FileNotFoundError:
            return None
        except (InvalidSnapshot, OSError) as error:
            self._status["cache"] = str(error)
            _log.warning("the disk cache is not used: %s", error)
            return None

    def _fall_back(self) -> ClientState:
        if self._fallback is None:
            try:
                self._fallback = self._cached or (read_lockfile(self._lockfile) if self._lockfile else None)
            except FileNotFoundError:
                pass
            except (InvalidSnapshot, OSError) as error:
                self._status["lockfile"] = str(error)
        if self._fallback is None:
            status = self._status
            raise NoConfigurationError(server=status["server"], cache=status["cache"], lockfile=status["lockfile"])
        return self._fallback


def _age(comment: bytes) -> float:
    """Return the seconds in the comment `age SECONDS`."""
    seconds = comment.rpartition(b" ")[2]
    return float(seconds) if seconds.isdigit() else 0.0
