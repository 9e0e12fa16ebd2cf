"""Following the revision of a PostgreSQL database, in threads of its own: whoever needs it looks into memory.

A notification says that there is something new, and the revision is asked for at once; asking a few times a second
anyway is the guarantee, for a LISTEN that is cut, cannot be had (behind a pgbouncer), or hangs.
"""

import logging
import os
import selectors
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from moorage.store.postgres.connections import Address, Connection, reason

#: How often the revision is asked for without being told (seconds).
POLL_SECONDS = 0.25

CHANNEL = "moorage_revision"

#: Seconds to wait for the revision, and between attempts to connect at first and at most.
_ANSWER_SECONDS = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

_log = logging.getLogger("moorage.store")


class Following:
    """Tells `saw` every revision that is newer than `known` soon after it is committed, and `went_back` an older one.
    What is known was the newest at `confirmed_at` (`time.monotonic`)."""

    def __init__(
        self,
        address: Address,
        listen_at: Address,
        query: bytes,
        known: Callable[[], int],
        saw: Callable[[int], None],
        went_back: Callable[[int], None],
    ) -> None:
        """Start. `query` asks for the revision; `listen_at` is an address that leads to the database itself."""
        self._address = address
        self._listen_at = listen_at
        self._query = query
        self._known = known
        self._saw = saw
        self._went_back = went_back
        self.confirmed_at = 0.0
        self._is_over = threading.Event()
        self._is_due = threading.Event()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._threads = [
            threading.Thread(target=self._keep, args=(each, where), name=f"moorage-{each.__name__[1:]}", daemon=True)
            for each, where in ((self._poll, address), (self._listen, listen_at))
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End, and close the connections."""
        self._is_over.set()
        self._is_due.set()
        os.eventfd_write(self._wake, 1)
        for thread in self._threads:
            thread.join()
        os.close(self._wake)

    def _keep(self, work: Callable[[Connection], None], where: Address) -> None:
        """Do `work` on a connection to `where`, and again on another one whenever that breaks."""
        pause = _FIRST_PAUSE
        while not self._is_over.is_set():
            try:
                with where.connect() as connection:
                    connection.deadline = _ANSWER_SECONDS
                    pause = _FIRST_PAUSE
                    work(connection)
            except psycopg.Error as error:
                _log.warning("%s: %s; connecting again", threading.current_thread().name, reason(error))
            except Exception:  # noqa: BLE001 -- without this thread the program would grow stale in silence
                _log.exception("%s failed; starting again", threading.current_thread().name)
            self._is_over.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _poll(self, connection: Connection) -> None:
        while not self._is_over.is_set():
            self._is_due.clear()
            asked_at, known = time.monotonic(), self._known()
            ((rev,),) = connection.execute(self._query).fetchall()
            if rev > known:
                self._saw(rev)
            elif rev < known:  # what is known was committed before it was asked
                _log.error("the database went back from revision %d to %d: was it restored?", known, rev)
                self._went_back(rev)
            self.confirmed_at = asked_at
            self._is_due.wait(POLL_SECONDS)

    def _listen(self, connection: Connection) -> None:
        connection.execute(f"LISTEN {CHANNEL}".encode())
        self._is_due.set()  # something may have been committed since it was listened last
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._is_over.is_set():
                selector.select()
                for notify in connection.notifies(timeout=0):
                    if not self._is_known(notify.payload):
                        self._is_due.set()

    def _is_known(self, payload: str) -> bool:
        """Whether a notification says nothing new, as our own do. Anybody may notify, so it is not believed more."""
        with suppress(ValueError):
            return int(payload) <= self._known()
        return False
