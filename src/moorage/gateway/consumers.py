"""Usage: who is served by which version, noted in memory by each call and written down a few times a minute."""

import asyncio
import time
from collections.abc import Callable, Collection
from itertools import islice

from moorage.core.compatibility.consumers import MAX_NAME, MAX_NAMES, UsageRecord
from moorage.store.store import Store

#: How many pairs of a version and an API key are remembered, and how many names with all of them. What comes in beyond
#: that, while the database is away or within a few seconds, is not noted.
MAX_NOTES = 100_000
MAX_ALL_NAMES = 200_000

#: How often what goes on and on is written again (microseconds).
_RENEW_US = 60_000_000

#: How many are written at once: other writes wait as long.
_AT_ONCE = 500


class _Note:
    """One version that serves one API key. `written_us` is the newest time that is written down."""

    __slots__ = ("first_us", "is_news", "last_us", "names", "written_us")

    def __init__(self, now_us: int) -> None:
        self.first_us = self.last_us = now_us
        self.written_us = 0
        self.names: set[str] = set()
        self.is_news = True


class ConsumerTracker:
    """What was noted, until it is written down and not renewed any more."""

    def __init__(self, store: Store, clock: Callable[[], int] = time.time_ns) -> None:
        """Written into `store`; `clock` gives nanoseconds since 1970."""
        self._store = store
        self._clock = clock
        self._notes: dict[tuple[str, str], _Note] = {}
        self._names = 0
        self._writing = asyncio.Lock()

    def record(self, version_id: str, api_key_id: str, inputs: Collection[str]) -> None:
        """A version served an API key that sent these inputs. Costs less than a microsecond."""
        now_us = self._clock() // 1000
        note = self._notes.get((version_id, api_key_id))
        if note is None:
            if len(self._notes) >= MAX_NOTES:
                return
            note = self._notes[version_id, api_key_id] = _Note(now_us)
        note.last_us = now_us
        if not note.names.issuperset(inputs) and len(note.names) < MAX_NAMES and self._names < MAX_ALL_NAMES:
            new = (name for name in inputs if len(name) <= MAX_NAME and name not in note.names)
            added = list(islice(new, MAX_NAMES - len(note.names)))
            note.names.update(added)
            self._names += len(added)
            note.is_news = note.is_news or bool(added)

    async def flush(self, *, is_last: bool = False) -> None:
        """Write down what is new, and what goes on from time to time; all there is, if it `is_last`.

        Raises:
            StorageFull, StorageUnavailable: what was not written is kept for the next time.
        """
        async with self._writing:
            now_us = self._clock() // 1000
            due = [place for place, note in self._notes.items() if _is_due(note, now_us, is_last=is_last)]
            for start in range(0, len(due), _AT_ONCE):
                await self._write(due[start : start + _AT_ONCE])
            for place, note in list(self._notes.items()):
                if note.last_us <= note.written_us <= now_us - _RENEW_US and not note.is_news:
                    self._names -= len(self._notes.pop(place).names)

    async def _write(self, places: Collection[tuple[str, str]]) -> None:
        uses = []
        for place in places:
            note = self._notes[place]
            note.is_news = False
            uses.append(UsageRecord(*place, note.first_us, note.last_us, tuple(sorted(note.names))))
        try:
            await asyncio.to_thread(self._store.record_consumers, uses)
        except BaseException:  # raised again; if it is cancelled, it is noted twice at most
            for place in places:
                self._notes[place].is_news = True
            raise
        for use in uses:
            self._notes[use.version_id, use.api_key_id].written_us = use.last_us


def _is_due(note: _Note, now_us: int, *, is_last: bool) -> bool:
    is_old = is_last or now_us - note.written_us >= _RENEW_US
    return note.is_news or (is_old and note.last_us > note.written_us)
