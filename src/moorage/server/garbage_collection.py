"""Garbage collection: full collections happen while the process has little to do (decision 0026).

A full collection visits every object of the caches, and all threads wait for it. Requests leave nothing for it:
reference counts free what they used, and collections of young objects the rest.
"""

import asyncio
import gc
import time
from typing import Final

#: How often the process may collect (seconds).
SECONDS: Final = 10

#: The process has little to do if it uses less than this share of a core.
_IDLE_SHARE: Final = 0.1

#: A full collection is worthwhile after so many collections of young objects. Automatically, it happens after so many
#: that a server in use reaches an idle moment before.
_WORTHWHILE: Final = 100
_NEVER: Final = 1_000_000


async def collect_when_idle() -> None:
    """Make the full collections of this process."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)
    while True:
        before = time.process_time()
        await asyncio.sleep(SECONDS)  # nothing else signals that there is little to do
        if is_due(time.process_time() - before):
            gc.collect()


def is_due(used: float) -> bool:
    """Return whether to collect, after the process used so many seconds of processor time in `SECONDS`."""
    return used < _IDLE_SHARE * SECONDS and gc.get_count()[2] >= _WORTHWHILE
