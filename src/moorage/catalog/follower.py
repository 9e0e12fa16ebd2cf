"""The follower: updates a catalog from the store, in a thread, and tracks its age."""

import asyncio
import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moorage.catalog.catalog import Catalog, CatalogUpdate
from moorage.core.errors.storage import Stale, StorageError, TooStale
from moorage.store.store import Store

if TYPE_CHECKING:
    from moorage.catalog.disk_cache import DiskCache

#: The greatest age of a response without an age header (seconds).
FRESH_SECONDS: Final = 1.0

#: The interval in which the newest revision is confirmed (seconds).
CONFIRM_SECONDS: Final = 0.25

#: How long a read waits for an update before it is served from the current state. After one such timeout, reads do not
#: wait until the database has recovered.
READ_WAIT_SECONDS: Final = 0.5

#: How long a request waits for a revision.
WAIT_SECONDS: Final = 2

#: The first and the longest pause between two checks for a revision.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05

_log = logging.getLogger("moorage.catalog")


def open_disk_cache(store: Store, path: str) -> "DiskCache | None":
    """Return the disk cache for a database with a password, which encrypts the cache."""
    secret = store.secret()
    if not secret:
        return None
    from moorage.catalog.disk_cache import DiskCache  # noqa: PLC0415 -- cryptography is an optional dependency

    return DiskCache(Path(path), store.url, secret)


class Follower:
    """The updater of one catalog."""

    def __init__(
        self, store: Store, catalog: Catalog, disk_cache: "DiskCache | None" = None, max_staleness: float = math.inf
    ) -> None:
        """Create a follower; no request is served from a state older than `max_staleness` seconds."""
        self.max_staleness = max_staleness
        self._store = store
        self._catalog = catalog
        self._disk_cache = disk_cache
        self._thread = ThreadPoolExecutor(1, "moorage-follower")
        self._fetching: asyncio.Task[None] | None = None
        self._is_down = False
        self._is_from_disk_cache = False
        self._current_at = 0.0

    def start(self) -> None:
        """Load the catalog, from the disk cache if the database is unreachable.

        Raises:
            StorageError: neither can be read.
        """
        try:
            self._apply(self._catalog.fetch(), time.monotonic())
        except StorageError as error:
            cached = self._disk_cache.load() if self._disk_cache else None
            if cached is None:
                raise
            state, age = cached
            self._catalog.replace(state)
            self._current_at = time.monotonic() - age
            self._is_down = self._is_from_disk_cache = True
            _log.warning(
                "The database is unreachable: %s; serving the disk cache (%d seconds old)", _reason(error), age
            )

    def age(self) -> float:
        """Return the seconds since the catalog was last confirmed as current."""
        current_at = self._current_at
        if self._catalog.is_current() and not self._is_from_disk_cache:
            current_at = max(current_at, self._store.confirmed_at())
        return time.monotonic() - current_at

    def check_age(self) -> None:
        """Raise `TooStale` if the catalog is older than `max_staleness`."""
        age = self.age()
        if age > self.max_staleness:
            raise TooStale(age=int(age), maximum=int(self.max_staleness))

    async def catch_up(self) -> bool:
        """Catch up with the database while it is reachable; return whether that succeeded."""
        required = self._store.newest_revision()
        while self._is_behind(required):
            if self._is_down:
                return False
            done, _ = await asyncio.wait({self._fetch()}, timeout=READ_WAIT_SECONDS)
            if not done:
                self._set_down(f"no response within {READ_WAIT_SECONDS} seconds")
        return True

    async def wait_for(self, rev: int) -> None:
        """Return when the catalog has reached a revision.

        Raises:
            Stale: it has not after two seconds.
        """
        deadline, pause = time.monotonic() + WAIT_SECONDS, _FIRST_PAUSE
        await self.catch_up()
        while self._catalog.revision < rev:
            if time.monotonic() > deadline:
                raise Stale(
                    param="X-Moorage-Min-Revision", revision=self._catalog.revision, requested=rev, seconds=WAIT_SECONDS
                )
            await asyncio.sleep(pause)  # another machine cannot notify this process
            pause = min(pause * 2, _LONGEST_PAUSE)
            await self.catch_up()

    async def run(self) -> None:
        """Update the catalog until cancelled; errors do not stop it."""
        while True:
            await asyncio.sleep(CONFIRM_SECONDS)  # a notification can be lost, a poll cannot
            await asyncio.wait({self._fetch()})

    def close(self) -> None:
        """Wait for the fetch that is running."""
        self._thread.shutdown()

    def _is_behind(self, required: int) -> bool:
        newest, shown = self._store.newest_revision(), self._catalog.revision
        return shown < min(required, newest) or newest < shown  # the latter: the database was restored

    def _fetch(self) -> asyncio.Task[None]:
        """Return the running fetch, or start one."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch_once())
        return self._fetching

    async def _fetch_once(self) -> None:
        started_at = time.monotonic()
        try:
            update = await asyncio.get_running_loop().run_in_executor(self._thread, self._poll)
            if update is not None:
                self._apply(update, started_at)
        except StorageError as error:
            self._set_down(_reason(error))
        except Exception as error:  # noqa: BLE001 -- without this task the catalog would become stale, unnoticed
            if not self._is_down:
                _log.exception("The catalog cannot be updated from the database; retrying")
            self._set_down(f"its changes cannot be applied ({type(error).__name__})")
        else:
            if self._is_down:
                _log.warning("The database is reachable again")
            self._is_down = False

    def _poll(self) -> CatalogUpdate | None:
        """Return an update if there is one; otherwise save the disk cache."""
        self._store.confirm()
        if not self._catalog.is_current() or self._is_from_disk_cache:
            return self._catalog.fetch()
        if self._disk_cache is not None:
            self._disk_cache.save(self._catalog.state, self.age())
        return None

    def _apply(self, update: CatalogUpdate, started_at: float) -> None:
        self._catalog.apply(update)
        self._is_from_disk_cache = False
        self._current_at = started_at

    def _set_down(self, reason: str) -> None:
        if not self._is_down:
            _log.warning("The database is unreachable: %s; serving cached data", reason)
        self._is_down = True


def _reason(error: StorageError) -> str:
    return str(error.fields.get("reason", error))
