"""Names in the contexts of calls that are no environments: probably typing errors, which `environments list` shows."""

import asyncio
from collections.abc import Callable

from moorage.clock import now_ns
from moorage.core.compatibility.consumers import IN_USE_DAYS
from moorage.store.store import Store

#: The number of names in memory; others are not recorded until the next flush. Longer names are cut.
MAX_NAMES, MAX_LENGTH = 200, 64

#: How often a name is stored again (microseconds).
_RENEW_US = 3_600_000_000
_DAY_US = 86_400_000_000


class UnknownNames:
    """The recorded names by project, until they are stored. `on_record` is called for each call."""

    def __init__(
        self, store: Store, clock: Callable[[], int] = now_ns, on_record: Callable[[], None] = lambda: None
    ) -> None:
        """Store names in `store`; `clock` returns nanoseconds since 1970."""
        self._store = store
        self._on_record = on_record
        self._clock = clock
        self._stored_us: dict[tuple[str, str], int] = {}
        self._new: dict[tuple[str, str], int] = {}

    def record(self, project_id: str, name: str) -> None:
        """Record a name that a call sent."""
        self._on_record()
        now_us, key = self._clock() // 1000, (project_id, name[:MAX_LENGTH])
        if len(self._new) < MAX_NAMES and not now_us - _RENEW_US < self._stored_us.get(key, 0) <= now_us:
            self._new[key] = now_us

    async def flush(self) -> None:
        """Store new names, and delete those that were sent a week ago.

        Raises:
            StorageFull, StorageUnavailable: the names stay in memory for the next flush.
        """
        new = dict(self._new)
        if not new:
            return
        before_us = self._clock() // 1000 - IN_USE_DAYS * _DAY_US
        await asyncio.to_thread(self._store.record_unknown_names, new, before_us)
        for key, at_us in new.items():
            if len(self._stored_us) >= MAX_NAMES:
                self._stored_us.clear()
            self._stored_us[key] = at_us
            if self._new.get(key) == at_us:
                del self._new[key]
