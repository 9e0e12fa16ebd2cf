"""Following: updates a client's deployments from the server, and from files if there is no server.

A thread reads the cache, then the server's snapshot, and then applies changes; callers only read.
"""

import logging
import random
import threading
import time
from contextlib import closing
from pathlib import Path

from moorage.client.cache import Cache, read_lockfile
from moorage.client.errors import ClientError, NoConfigurationError
from moorage.client.http import Server
from moorage.client.sse import Event
from moorage.client.state import ClientState
from moorage.core.position import Position
from moorage.core.resolution.snapshot import InvalidSnapshot, read_gone, read_live, read_snapshot

#: How long a caller waits for the server before it is answered from a file (seconds).
PATIENCE_SECONDS = 2.0

#: The pause before the server is tried again: at first, and at most (seconds). It doubles, and half of it is chance.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0

#: How long `close` waits for requests in progress (seconds).
_CLOSE_SECONDS = 5.0

_log = logging.getLogger("moorage.client")


class Following:
    """One server, one API key, and the files for a time without it."""

    def __init__(self, server: Server, cache: Cache | None, lockfile: Path | None) -> None:
        self._server, self._cache, self._lockfile = server, cache, lockfile
        self._said = {"server": "it did not answer yet", "cache": "there is none", "lockfile": "there is none"}
        self._followed: ClientState | None = None
        self._kept: ClientState | None = None
        self._fallback: ClientState | None = None
        self._is_behind, self._is_kept = True, True
        self._tried, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="moorage-client", daemon=True)
        self._thread.start()

    @property
    def known(self) -> ClientState | None:
        """The present state; None until the server was tried."""
        return self._followed or self._fallback

    def wait(self) -> ClientState:
        """Return the present state, once the server was tried.

        Raises:
            NothingKnown
        """
        self._tried.wait(PATIENCE_SECONDS)
        return self._followed or self._fall_back()

    def close(self) -> None:
        """Stop following, and keep the deployments."""
        self._closing.set()
        self._server.close()
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        self._kept = self._load_kept()
        pause = _FIRST_PAUSE
        while not self._closing.is_set():
            begun_at = time.monotonic()
            try:
                known = self._load() if self._is_behind or self._followed is None else self._followed
                self._listen(known)
            except (ClientError, InvalidSnapshot) as error:
                self._note_away(str(error))
            except Exception:  # noqa: BLE001 -- without this thread the client would grow stale in silence
                self._said["server"] = "it was not understood"
                _log.exception("following the server failed; trying again")
            self._tried.set()
            if self._followed is not None and self._followed.current_at > begun_at:
                pause = _FIRST_PAUSE
            self._closing.wait(pause * random.uniform(0.5, 1))  # noqa: S311 -- so that not all come at once
            pause = min(pause * 2, _LONGEST_PAUSE)
        self._keep()

    def _note_away(self, reason: str) -> None:
        if reason != self._said["server"] and not self._closing.is_set():
            _log.warning("the server cannot be followed: %s", reason)
        self._said["server"] = reason

    def _load(self) -> ClientState:
        """Return the server's snapshot, or the present one if nothing changed."""
        asked_at, before = time.monotonic(), self._followed or self._kept
        body = self._server.find_snapshot(before.etag() if before else None)
        if before is not None and body is None:
            known, self._is_kept = before, True
            known.source, known.current_at = "server", asked_at
        else:
            known, self._is_kept = ClientState(read_snapshot(body or b""), "server", asked_at), False
        self._followed, self._is_behind = known, False
        self._tried.set()
        self._keep()
        return known

    def _listen(self, known: ClientState) -> None:
        """Apply changes until the server ends the stream."""
        with closing(self._server.changes(Position(known.revision, known.epoch))) as events:
            for event in events:
                if event.name == "reset":
                    self._is_behind = True
                    return
                self._take(known, event)

    def _take(self, known: ClientState, event: Event) -> None:
        if event.name == "comment":
            known.current_at = time.monotonic() - _age(event.data)
            self._said["server"] = "it is followed"
            self._keep()
        elif event.name == "deployment":
            known.put(read_live(event.data))
        elif event.name == "deleted":
            known.remove(read_gone(event.data))
        if event.id is not None:
            position = Position.parse(event.id)
            known.revision, known.epoch, self._is_kept = position.rev, position.epoch or "", False

    def _keep(self) -> None:
        """Write the server's deployments to the disk cache."""
        known = self._followed
        if self._cache is None or known is None:
            return
        try:
            if not self._is_kept:
                self._cache.keep(known.encoded())
                self._is_kept = True
            self._cache.confirm(known.current_at)
        except OSError as error:
            _log.warning("the cache %s cannot be written: %s", self._cache.path, error.strerror)

    def _load_kept(self) -> ClientState | None:
        try:
            return self._cache.load() if self._cache is not None else None
        except FileNotFoundError:
            return None
        except (InvalidSnapshot, OSError) as error:
            self._said["cache"] = str(error)
            _log.warning("the cache is not used: %s", error)
            return None

    def _fall_back(self) -> ClientState:
        if self._fallback is None:
            try:
                self._fallback = self._kept or (read_lockfile(self._lockfile) if self._lockfile else None)
            except FileNotFoundError:
                pass
            except (InvalidSnapshot, OSError) as error:
                self._said["lockfile"] = str(error)
        if self._fallback is None:
            said = self._said
            raise NoConfigurationError(server=said["server"], cache=said["cache"], lockfile=said["lockfile"])
        return self._fallback


def _age(comment: bytes) -> float:
    """The seconds in the comment `age SECONDS`."""
    seconds = comment.rpartition(b" ")[2]
    return float(seconds) if seconds.isdigit() else 0.0
