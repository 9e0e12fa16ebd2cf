"""Synchronization of a client's deployments with the server, or with files if it is unreachable.

A thread loads the disk cache and the server's snapshot, and follows the change feed. Callers only read.

Nothing is used that the server did not sign. The events of the change feed are not signed: they predict the next
snapshot, and the server confirms the prediction with a signature (304), or sends another snapshot.
"""

import logging
import random
import re
import threading
import time
from contextlib import closing
from pathlib import Path

from moorage.client.cache import DiskCache, read_lockfile
from moorage.client.changes import has_other_names, new_changes
from moorage.client.errors import ClientError, InvalidResponse, NoConfigurationError
from moorage.client.http import HttpClient
from moorage.client.sse import Event
from moorage.client.state import ClientState
from moorage.core.environments import PRODUCTION
from moorage.core.resolution.snapshot import InvalidSnapshot, read_snapshot

#: The time that a caller waits for the server before it uses a file (seconds).
WAIT_SECONDS = 2.0

#: The first and the longest pause before a retry (seconds). It doubles, and half of it is random.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0

#: The time that `close` waits for requests in progress (seconds).
_CLOSE_SECONDS = 5.0

#: The pause after the confirmation of a change, relative to its duration, so that constant changes, or forged ones,
#: use at most a fifth of the time; and the longest pause (seconds).
_REST, _LONGEST_REST = 4, 10.0

#: The most that a change stream may send without a change that the server confirms (bytes).
MAX_UNCONFIRMED = 64 * 1024 * 1024

_AGE = re.compile(rb"age ([0-9]{1,9})")

_log = logging.getLogger("moorage.client")


class Sync:
    """The synchronization with a server, and the files to use while it is unreachable."""

    def __init__(
        self, server: HttpClient, cache: DiskCache | None, lockfile: Path | None, environment: str | None = None
    ) -> None:
        """`environment` is the requested one; without it, the server chooses that of the API key."""
        self._server, self._cache, self._lockfile = server, cache, lockfile
        self._environment = environment
        self._status = {"server": "no response yet", "cache": "none", "lockfile": "none"}
        self._synced: ClientState | None = None
        self._cached: ClientState | None = None
        self._fallback: ClientState | None = None
        self._signature = ""
        self._unsaved: bytes | None = None
        self._needs_snapshot = True
        self._is_abandoned = False
        self._start()

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

    def abandon(self) -> None:
        """Stop without waiting. It takes no lock, so that the garbage collector can call it at any point."""
        self._is_abandoned = True
        self._server.close()

    def restart_in_child(self) -> None:
        """Continue in a process that was forked from this one, unless the client is closed.

        No other thread survives a fork, and a lock that one of them held stays locked. The child therefore gets new
        locks, a new thread and its own connections. The state in memory is never changed in place, so it is complete.
        """
        self._server = self._server.replace_in_child()
        if not self._closing.is_set():
            self._status["server"], self._unsaved = "no response yet", None
            self._start()

    def _start(self) -> None:
        self._tried, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="moorage-client", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        if self._synced is None and self._cached is None:
            self._cached = self._load_cache()
        pause = _FIRST_PAUSE
        while not (self._closing.is_set() or self._is_abandoned):
            started_at, is_valid = time.monotonic(), True
            try:
                state = self._load() if self._needs_snapshot or self._synced is None else self._synced
                self._follow(state)
            except (ClientError, InvalidSnapshot) as error:
                is_valid = not isinstance(error, InvalidResponse | InvalidSnapshot)
                self._set_unusable("the server is unreachable" if is_valid else "the response is rejected", str(error))
            except Exception:  # noqa: BLE001 -- without this thread, the client would become stale unnoticed
                self._status["server"] = "unexpected error"
                _log.exception("the synchronization with the server failed; retrying")
            self._tried.set()
            if is_valid and self._synced is not None and self._synced.current_at > started_at:
                pause = _FIRST_PAUSE
            self._closing.wait(pause * random.uniform(0.5, 1))  # noqa: S311 -- so that clients do not retry at the same time
            pause = min(pause * 2, _LONGEST_PAUSE)
        self._write_cache()

    def _set_unusable(self, problem: str, reason: str) -> None:
        if reason != self._status["server"] and not (self._closing.is_set() or self._is_abandoned):
            _log.warning("%s: %s", problem, reason)
        self._status["server"] = reason

    def _load(self, predicted: ClientState | None = None) -> ClientState:
        """Return the state of the server's snapshot, which can be the predicted or the known one.

        Raises:
            InvalidResponse: it is not signed, older than the known one, or of another environment.
        """
        requested_at, known = time.monotonic(), self._synced or self._cached
        expected = predicted or known
        signed = self._server.find_snapshot(expected.digest if expected else None)
        if signed.body is None and expected is not None:
            state = expected
        else:
            state = ClientState(read_snapshot(signed.body or b""), signed.digest, "server", requested_at)
            if self._environment is not None:
                state.check_environment(self._environment)
        if known is not None and state is not known:
            state.check_follows(known)
            state.reuse(known)
        state.source, state.current_at = "server", requested_at
        self._signature = signed.signature
        if state is not known:
            self._unsaved = signed.body
        self._synced, self._needs_snapshot = state, False
        self._status["server"] = "connected"
        self._tried.set()
        return state

    def _follow(self, state: ClientState) -> None:
        """Follow the changes until the server ends the stream."""
        self._write_cache()
        pending: list[Event] = []
        unconfirmed, has_names = 0, False
        with closing(self._server.changes(state.position)) as batches:
            for batch in batches:
                for event in batch:
                    unconfirmed += event.size
                    if event.name == "reset" or (event.name == "environments" and has_other_names(state, event)):
                        self._needs_snapshot = True
                        return
                    has_names = has_names or event.name == "environments"
                    if event.name == "comment" and state.environments and not has_names:
                        self._needs_snapshot = True  # they were deleted after the snapshot
                        return
                    if event.name in {"deployment", "deleted"}:
                        pending.append(event)
                    elif event.name == "comment" and (age := _AGE.fullmatch(event.data)):
                        if pending:
                            self._needs_snapshot = True
                            raise InvalidResponse(reason="the change stream omitted the id of an event")
                        state.current_at = time.monotonic() - int(age[1])
                        self._write_cache()
                if pending and pending[-1].id is not None:
                    before, state = state, self._confirm(state, pending)
                    pending = []
                    unconfirmed = unconfirmed if state is before else 0
                if unconfirmed > MAX_UNCONFIRMED:
                    self._needs_snapshot = True
                    raise InvalidResponse(reason=f"the change stream sent {MAX_UNCONFIRMED} bytes without a change")

    def _confirm(self, state: ClientState, events: list[Event]) -> ClientState:
        """Return the state after events, as signed by the server. Events that are known already have no effect.

        Raises:
            InvalidResponse: the server did not sign a state that includes the events.
        """
        changes, revision = new_changes(state, events)
        if revision == state.revision:
            return state
        started_at = time.monotonic()
        confirmed = self._load(None if changes is None else state.after(changes, revision))
        if (confirmed.epoch, confirmed.revision) < (state.epoch, revision):
            raise InvalidResponse(
                reason=f"the change stream has revision {revision}, but the snapshot has {confirmed.revision}"
            )
        self._closing.wait(min((time.monotonic() - started_at) * _REST, _LONGEST_REST))
        return confirmed

    def _write_cache(self) -> None:
        """Write the server's snapshot to the disk cache."""
        state = self._synced
        if self._cache is None or state is None:
            return
        try:
            self._cache.save(state, self._signature, self._unsaved)
            self._unsaved = None
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
                self._fallback = self._cached or self._read_lockfile()
            except FileNotFoundError:
                pass
            except (InvalidSnapshot, OSError) as error:
                self._status["lockfile"] = str(error)
        if self._fallback is None:
            status = self._status
            raise NoConfigurationError(server=status["server"], cache=status["cache"], lockfile=status["lockfile"])
        return self._fallback

    def _read_lockfile(self) -> ClientState | None:
        """Return the state of the lockfile. Without a requested environment, it must be that of production."""
        return None if self._lockfile is None else read_lockfile(self._lockfile, self._environment or PRODUCTION)
