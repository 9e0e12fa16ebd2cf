"""Reports of usage: which versions this process used, with the names of inputs, and never their values.

The server then rejects the deletion of what is in use here, and detects changes that break this process.

A report is a background task of low value: it never delays a caller, a failure is counted and retried with the next
report, and what does not fit in memory is dropped.
"""

import atexit
import threading
import weakref
from collections.abc import Collection, Iterator
from itertools import islice

import msgspec

from moorage.client.http import HttpClient
from moorage.core.compatibility.consumers import MAX_NAME, MAX_NAMES, MAX_REPORTED, PostUsage, UsedVersion

#: The time in which first uses are collected, and after which continued use is reported again (seconds).
_COLLECT_SECONDS, _REPEAT_SECONDS = 2.0, 60.0

#: The time that `close` and the end of the program wait for the last report (seconds).
CLOSE_SECONDS = 1.0

#: The number of versions that are recorded between two reports.
MAX_VERSIONS = 5_000

_encode = msgspec.json.Encoder().encode


class _Entry:
    """The names of a version's inputs, and whether it was used since the last report."""

    __slots__ = ("is_used", "names")

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.is_used = True


class UsageReports:
    """Records what a client uses, and reports it with an HTTP client of its own. Its thread starts with the first use.

    `sent` and `failed` count reports.
    """

    def __init__(self, server: HttpClient) -> None:
        self._server = server
        self.sent = self.failed = 0
        self._is_abandoned = False
        self._reset()
        _open.add(self)

    def record(self, version_id: str, inputs: Collection[str]) -> None:
        """Record a use; from any thread, in less than a microsecond."""
        entry = self._entries.get(version_id)
        if entry is None:
            if len(self._entries) >= MAX_VERSIONS:
                return
            entry = self._entries[version_id] = _Entry()
            self._wake()
        entry.is_used = True
        names = entry.names
        if not names.issuperset(inputs) and len(names) < MAX_NAMES:
            new = [name for name in inputs if len(name) <= MAX_NAME and name not in names]
            if new:
                names.update(islice(new, MAX_NAMES - len(names)))
                self._wake()

    def close(self) -> None:
        """Send what is left, and stop. It waits at most a second."""
        self._closing.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
        self._server.close()

    def abandon(self) -> None:
        """Stop after the next report, without a lock: the garbage collector can call this at any point."""
        self._is_abandoned = True

    def restart_in_child(self) -> None:
        """Begin again in a process that was forked from this one, which reports its own use."""
        is_closed = self._closing.is_set()
        self._server = self._server.replace_in_child()
        self._reset()
        if is_closed:
            self._closing.set()

    def _reset(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._woken, self._closing = threading.Event(), threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def _wake(self) -> None:
        if self._thread is None and not self._closing.is_set():
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="moorage-client-usage", daemon=True)
                    self._thread.start()
        self._woken.set()

    def _run(self) -> None:
        while not (self._closing.is_set() or self._is_abandoned):
            self._woken.wait(_REPEAT_SECONDS)
            self._woken.clear()
            self._closing.wait(_COLLECT_SECONDS)
            self._send()

    def _send(self) -> None:
        """Send what was used since the last report, in reports of limited size, and drop the rest."""
        entries = list(self._entries.items())
        for version_id, entry in entries:
            if not entry.is_used:
                self._entries.pop(version_id, None)
        for batch in _batches([(version_id, entry) for version_id, entry in entries if entry.is_used]):
            for _, entry in batch:
                entry.is_used = False
            try:
                versions = [UsedVersion(version_id, sorted(entry.names)) for version_id, entry in batch]
                self._server.report_usage(_encode(PostUsage(versions)))
                self.sent += 1
            except Exception:  # noqa: BLE001 -- for example, the server is unreachable, or older than this route
                self.failed += 1
                for _, entry in batch:
                    entry.is_used = True


def _batches(used: list[tuple[str, _Entry]]) -> Iterator[list[tuple[str, _Entry]]]:
    for start in range(0, len(used), MAX_REPORTED):
        yield used[start : start + MAX_REPORTED]


#: Reports that are not closed; the end of the program closes them.
_open: "weakref.WeakSet[UsageReports]" = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for reports in list(_open):
        reports.close()
