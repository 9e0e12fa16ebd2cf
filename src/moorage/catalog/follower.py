"""Follower: keeps a catalog as new as the store, beside the event loop, and knows how old it is when it cannot."""

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

#: A response without an age is at most this old (seconds).
FRESH_SECONDS: Final = 1.0

#: How often it is made sure that there is nothing new (seconds).
CONFIRM_SECONDS: Final = 0.25

#: How long a read waits for what is new before it is answered with what there is; nobody waits after one has in vain.
PATIENCE_SECONDS: Final = 0.5

#: How long a request waits for the revision it asks for.
WAIT_SECONDS: Final = 2

#: Between two looks for a revision that is waited for, at first and at most.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05

_log = logging.getLogger("moorage.catalog")


def open_disk_cache(store: Store, path: str) -> "DiskCache | None":
    """The snapshot for a store, if it is reached over a network and has a password to encrypt with."""
    secret = store.secret()
    if not secret:
        return None
    from moorage.catalog.disk_cache import DiskCache  # noqa: PLC0415 -- cryptography is there only beside psycopg

    return DiskCache(Path(path), store.url, secret)


class Follower:
    """Follows the store for one catalog."""

    def __init__(
        self, store: Store, catalog: Catalog, snapshot: "DiskCache | None" = None, max_staleness: float = math.inf
    ) -> None:
        """A `snapshot` stores the state for a start without the database. Older than `max_staleness` seconds
        it is not to be answered from."""
        self.max_staleness = max_staleness
        self._store = store
        self._catalog = catalog
        self._snapshot = snapshot
        self._thread = ThreadPoolExecutor(1, "moorage-follower")
        self._fetching: asyncio.Task[None] | None = None
        self._is_away = False
        self._is_from_snapshot = False
        self._current_at = 0.0

    def start(self) -> None:
        """Load the catalog; from the snapshot if the database is away.

        Raises:
            StorageError: neither can be read.
        """
        try:
            self._take(self._catalog.fetch(), time.monotonic())
        except StorageError as error:
            kept = self._snapshot.load() if self._snapshot else None
            if kept is None:
                raise
            contents, age = kept
            self._catalog.replace(contents)
            self._current_at = time.monotonic() - age
            self._is_away = self._is_from_snapshot = True
            _log.warning("%s Answering from the snapshot, which is %d seconds old.", error, age)

    def age(self) -> float:
        """Seconds since the catalog is known to have shown everything there was."""
        current_at = self._current_at
        if self._catalog.is_current() and not self._is_from_snapshot:
            current_at = max(current_at, self._store.confirmed_at())
        return time.monotonic() - current_at

    def check_age(self) -> None:
        """Raise `TooStale` if the catalog is older than it may be."""
        age = self.age()
        if age > self.max_staleness:
            raise TooStale(age=int(age), maximum=int(self.max_staleness))

    async def catch_up(self) -> bool:
        """Whether the catalog shows all that was known to be committed; waits for it while the database answers."""
        wanted = self._store.newest_revision()
        while self._is_behind(wanted):
            if self._is_away:
                return False
            done, _ = await asyncio.wait({self._fetch()}, timeout=PATIENCE_SECONDS)
            if not done:
                self._note_away(f"no answer within {PATIENCE_SECONDS} seconds")
        return True

    async def wait_for(self, rev: int) -> None:
        """Return when the catalog shows a revision.

        Raises:
            Stale: it does not after two seconds.
        """
        deadline, pause = time.monotonic() + WAIT_SECONDS, _FIRST_PAUSE
        await self.catch_up()
        while self._catalog.revision < rev:
            if time.monotonic() > deadline:
                raise Stale(
                    param="X-Moorage-Min-Revision", shown=self._catalog.revision, wanted=rev, seconds=WAIT_SECONDS
                )
            await asyncio.sleep(pause)  # another machine has no way to wake it
            pause = min(pause * 2, _LONGEST_PAUSE)
            await self.catch_up()

    async def run(self) -> None:
        """Follow until cancelled, whatever happens."""
        while True:
            await asyncio.sleep(CONFIRM_SECONDS)  # the poll that is the guarantee
            await asyncio.wait({self._fetch()})

    def close(self) -> None:
        """Wait for what is under way."""
        self._thread.shutdown()

    def _is_behind(self, wanted: int) -> bool:
        newest, shown = self._store.newest_revision(), self._catalog.revision
        return shown < min(wanted, newest) or newest < shown  # the latter: the database was put back

    def _fetch(self) -> asyncio.Task[None]:
        """The fetch that is under way, or a new one."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch_once())
        return self._fetching

    async def _fetch_once(self) -> None:
        asked_at = time.monotonic()
        try:
            news = await asyncio.get_running_loop().run_in_executor(self._thread, self._look)
            if news is not None:
                self._take(news, asked_at)
        except StorageError as error:
            self._note_away(str(error))
        except Exception as error:  # noqa: BLE001 -- without this task the worker would grow stale in silence
            if not self._is_away:
                _log.exception("following the database failed; trying again")
            self._note_away(f"what the database has cannot be followed ({type(error).__name__})")
        else:
            if self._is_away:
                _log.warning("the database answers again")
            self._is_away = False

    def _look(self) -> CatalogUpdate | None:
        """What is new, if anything is; beside that, what else is due."""
        self._store.confirm()
        if not self._catalog.is_current() or self._is_from_snapshot:
            return self._catalog.fetch()
        if self._snapshot is not None:
            self._snapshot.save(self._catalog.contents, self.age())
        return None

    def _take(self, news: CatalogUpdate, asked_at: float) -> None:
        self._catalog.apply(news)
        self._is_from_snapshot = False
        self._current_at = asked_at

    def _note_away(self, reason: str) -> None:
        if not self._is_away:
            _log.warning("%s; answering from memory", reason)
        self._is_away = True
