"""The second level of the response cache: on PostgreSQL, all processes share responses through the database.

It may be slow or unreachable: then a call is made as if there were no response.
"""

import asyncio
import logging
import time
from functools import partial
from typing import Final

from moorage import clock
from moorage.core.errors.storage import StorageError
from moorage.gateway.response_cache import ResponseCache, decode_completion, encode_completion
from moorage.providers.completion import Completion
from moorage.store.cached_responses import CachedResponseTable

#: How long a call waits for a response from the database, and how long none looks after one that waited in vain
#: (seconds).
_PATIENCE_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 10.0

#: How many responses wait to be stored at most; others are not stored.
_MAX_WAITING: Final = 100

#: After how many stored responses the size of the table is looked at.
_STORES_PER_LOOK: Final = 50

_log = logging.getLogger("moorage.api")


class SharedCache:
    """The responses of a database, of at most `maximum` bytes; those that are found go into `memory`, too.

    Without a table, there are none.
    """

    def __init__(self, table: CachedResponseTable | None, memory: ResponseCache, maximum: int) -> None:
        self._table = table if maximum else None
        self._memory, self._maximum = memory, maximum
        self._storing = set[asyncio.Task[None]]()
        self._stores = 0
        self._not_before = 0.0

    async def find(self, key: bytes, seconds: float) -> tuple[Completion, float] | None:
        """Return a response that was stored in the last `seconds`, and its age in seconds."""
        if self._table is None or time.monotonic() < self._not_before:
            return None
        now_us = clock.now_us()
        look = partial(self._table.find, key.hex(), now_us - int(seconds * 1e6))
        try:
            found = await asyncio.wait_for(asyncio.to_thread(look), _PATIENCE_SECONDS)
            completion = None if found is None else decode_completion(found[1])
        except (StorageError, TimeoutError) as error:
            self._not_before = time.monotonic() + _PAUSE_SECONDS
            _log.warning("the response cache of the database is not read for a while: %r", error)
            return None
        except ValueError as error:
            _log.warning("a response in the cache of the database cannot be decoded: %s", error)
            return None
        if found is None or completion is None:
            return None
        age = max(0.0, (now_us - found[0]) / 1e6)
        self._memory.put(key, found[1], age)
        return completion, age

    def store(self, key: bytes, completion: Completion, seconds: float) -> None:
        """Store a response in the background; it is one that the memory has stored."""
        if self._table is None or len(self._storing) >= _MAX_WAITING:
            return
        task = asyncio.create_task(self._store(self._table, key, completion, seconds))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _store(self, table: CachedResponseTable, key: bytes, completion: Completion, seconds: float) -> None:
        now_us = clock.now_us()
        self._stores += 1
        try:
            encoded = encode_completion(completion)
            await asyncio.to_thread(table.store, key.hex(), encoded, now_us, now_us + int(seconds * 1e6))
            if self._stores % _STORES_PER_LOOK == 0:
                await asyncio.to_thread(table.limit, self._maximum)
        except StorageError as error:
            _log.warning("a response was not stored in the cache of the database: %s", error)
