"""The newest revision of a PostgreSQL database, updated by background threads.

A notification triggers a query for the revision at once. The query also runs a few times a second, because a LISTEN can
be disconnected, hang, or be unsupported (behind a pgbouncer).
"""

import logging
import os
import selectors
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from moorage.store.errors import error_text
from moorage.store.postgres.connections import Address, Connection

#: Seconds between two queries for the revision without a notification.
POLL_SECONDS = 0.25

CHANNEL = "moorage_revision"

#: Seconds to wait for the revision, and the first and the longest pause between two attempts to connect.
_RESPONSE_SECONDS = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

_log = logging.getLogger("moorage.store")


class Listener:
    """A watcher of the revision of the database.

    It calls `on_newer` or `on_older` when the revision differs from `current`. `current` was the revision of the
    database at `confirmed_at` (`time.monotonic`).
    """

    def __init__(
        self,
        address: Address,
        listen_address: Address,
        query: bytes,
        current: Callable[[], int],
        on_newer: Callable[[int], None],
        on_older: Callable[[int], None],
    ) -> None:
        """Start. `query` returns the revision; `listen_address` leads to the database itself."""
        self._address = address
        self._listen_address = listen_address
        self._query = query
        self._current = current
        self._on_newer = on_newer
        self._on_older = on_older
        self.confirmed_at = 0.0
        self._is_stopped = threading.Event()
        self._is_due = threading.Event()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._threads = [
            threading.Thread(target=self._run, args=(work, target), name=f"moorage-{work.__name__[1:]}", daemon=True)
            for work, target in ((self._poll, address), (self._listen, listen_address))
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop the threads and close their connections."""
        self._is_stopped.set()
        self._is_due.set()
        os.eventfd_write(self._wake, 1)
        for thread in self._threads:
            thread.join()
        os.close(self._wake)

    def _run(self, work: Callable[[Connection], None], address: Address) -> None:
        """Run `work` on a connection, and again on a new one when it breaks."""
        pause = _FIRST_PAUSE
        while not self._is_stopped.is_set():
            try:
                with address.connect() as connection:
                    connection.deadline = _RESPONSE_SECONDS
                    pause = _FIRST_PAUSE
                    work(connection)
            except psycopg.Error as error:
                _log.warning("Thread %s: %s; reconnecting", threading.current_thread().name, error_text(error))
            except Exception:  # noqa: BLE001 -- without this thread the catalog would become stale, unnoticed
                _log.exception("Thread %s failed; restarting it", threading.current_thread().name)
            self._is_stopped.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _poll(self, connection: Connection) -> None:
        while not self._is_stopped.is_set():
            self._is_due.clear()
            started_at, current = time.monotonic(), self._current()
            ((rev,),) = connection.execute(self._query).fetchall()
            if rev > current:
                self._on_newer(rev)
            elif rev < current:  # `current` was committed before the query
                _log.error("The database went back from revision %d to %d: was it restored?", current, rev)
                self._on_older(rev)
            self.confirmed_at = started_at
            self._is_due.wait(POLL_SECONDS)

    def _listen(self, connection: Connection) -> None:
        connection.execute(f"LISTEN {CHANNEL}".encode())
        self._is_due.set()  # there may be a commit since the last LISTEN ended
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._is_stopped.is_set():
                selector.select()
                for notify in connection.notifies(timeout=0):
                    if not self._is_current(notify.payload):
                        self._is_due.set()

    def _is_current(self, payload: str) -> bool:
        """Return whether a notification has no newer revision; other programs can notify too."""
        with suppress(ValueError):
            return int(payload) <= self._current()
        return False
