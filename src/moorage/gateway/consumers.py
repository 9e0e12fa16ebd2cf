"""Consumers: the API keys that each version is served to, recorded in memory and stored a few times a minute."""

import asyncio
import sys
from collections.abc import Callable, Collection
from itertools import islice

from moorage.clock import now_ns
from moorage.core.compatibility.consumers import MAX_NAME, MAX_NAMES, UsageRecord
from moorage.store.store import Store

#: The memory of all records. Others are not recorded: so many arrive only within a few seconds, or while the database
#: is unreachable.
MAX_BYTES = 32 * 1024 * 1024

#: The bytes of a record without its names, and of a name without its characters.
_RECORD_BYTES, _NAME_BYTES = 700, 100

#: How often a record with new requests is stored again (microseconds).
_RENEW_US = 60_000_000

#: How many records one transaction stores: other writes wait as long.
_MAX_BATCH = 500


class _Entry:
    """The requests of one API key for one version. `stored_us` is the newest time that is stored."""

    __slots__ = ("first_us", "has_new_names", "held", "last_us", "names", "stored_us")

    def __init__(self, now_us: int) -> None:
        self.first_us = self.last_us = now_us
        self.stored_us = 0
        self.names: set[str] = set()
        self.has_new_names = True
        self.held = _RECORD_BYTES


class ConsumerTracker:
    """Recorded requests by version, API key and environment, until they are stored and no more requests arrive.

    `held` is the number of bytes that they take.
    """

    def __init__(self, store: Store, clock: Callable[[], int] = now_ns) -> None:
        """Store records in `store`; `clock` returns nanoseconds since 1970."""
        self._store = store
        self._clock = clock
        self._entries: dict[tuple[str, str, str], _Entry] = {}
        self.held = 0
        self._flushing = asyncio.Lock()

    def record(
        self, version_id: str, api_key_id: str, inputs: Collection[str], environment_id: str | None = None
    ) -> None:
        """Record a request of an API key in an environment (None: production), with the names of its inputs.

        Takes less than a microsecond.
        """
        now_us, key = self._clock() // 1000, (version_id, api_key_id, environment_id or "")
        entry = self._entries.get(key)
        if entry is None:
            if self.held + _RECORD_BYTES > MAX_BYTES:
                return
            entry = self._entries[key] = _Entry(now_us)
            self.held += entry.held
        entry.last_us = now_us
        names = entry.names
        if not names.issuperset(inputs) and len(names) < MAX_NAMES:
            new = (name for name in inputs if len(name) <= MAX_NAME and name not in names)
            for name in islice(new, MAX_NAMES - len(names)):
                size = sys.getsizeof(name) + _NAME_BYTES
                if self.held + size > MAX_BYTES:
                    break
                names.add(name)
                entry.has_new_names = True
                entry.held += size
                self.held += size

    async def flush(self, *, is_last: bool = False) -> None:
        """Store new records now, and others once a minute; if it `is_last`, store all that changed.

        Raises:
            StorageFull, StorageUnavailable: the records stay in memory for the next flush.
        """
        async with self._flushing:
            now_us = self._clock() // 1000
            due = [key for key, entry in self._entries.items() if _is_due(entry, now_us, is_last=is_last)]
            for start in range(0, len(due), _MAX_BATCH):
                await self._store_batch(due[start : start + _MAX_BATCH])
            for key, entry in list(self._entries.items()):
                if entry.last_us == entry.stored_us and _is_old(entry, now_us) and not entry.has_new_names:
                    self.held -= self._entries.pop(key).held

    async def _store_batch(self, keys: Collection[tuple[str, str, str]]) -> None:
        records = []
        for key in keys:
            entry = self._entries[key]
            entry.has_new_names = False
            names = tuple(sorted(entry.names))
            records.append(UsageRecord(key[0], key[1], entry.first_us, entry.last_us, names, key[2]))
        try:
            await asyncio.to_thread(self._store.record_consumers, records)
        except BaseException:  # raised again; after a cancellation, a record may be stored twice, which is harmless
            for key in keys:
                self._entries[key].has_new_names = True
            raise
        for record in records:
            self._entries[record.version_id, record.api_key_id, record.environment_id].stored_us = record.last_us


def _is_due(entry: _Entry, now_us: int, *, is_last: bool) -> bool:
    can_renew = is_last or _is_old(entry, now_us)
    return entry.has_new_names or (can_renew and entry.last_us != entry.stored_us)


def _is_old(entry: _Entry, now_us: int) -> bool:
    """Return whether a record was stored a minute ago, or while the clock was ahead."""
    return not now_us - _RENEW_US < entry.stored_us <= now_us
