"""Writer: the one thread that writes. What comes in while it waits for the disk is committed together next time."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from moorage.catalog.catalog import Catalog, News
from moorage.store.store import Store, Writable

#: How many writes are committed together at most: other processes wait as long.
MAX_TOGETHER = 32

#: The writing thread's nice value. A read that comes in does not wait until it has had its turn on a core, and where
#: reads leave nothing of a core it gets a twentieth of it (decision 0018).
NICE = 13

T = TypeVar("T")


class Writer:
    """Writes, one after the other, beside the event loop: no read waits for a disk."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog
        self._thread = ThreadPoolExecutor(1, "moorage-writer", _step_back)
        self._waiting: list[tuple[Callable[[Writable], Any], asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None

    async def write(self, work: Callable[[Writable], T]) -> T:
        """Do a piece of work that writes, and have the catalog show it before anyone is told of it. It is done whether
        or not anybody goes on waiting for it.

        Raises:
            StorageFull, StorageUnavailable: nothing is acknowledged.
            Whatever `work` raises: it is undone.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return await done

    def close(self) -> None:
        """Wait for the write that is under way."""
        self._thread.shutdown()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            together, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
            try:
                works = [work for work, _ in together]
                outcomes, news = await loop.run_in_executor(self._thread, self._write, works)
                if news is not None:
                    self._catalog.take(news)
            except Exception as error:  # noqa: BLE001 -- whoever waits must be told
                outcomes = [error] * len(together)
            if self._telling is not None:
                await self._telling
            self._telling = asyncio.create_task(  # noqa: RUF006 -- it is kept
                _tell([done for _, done in together], outcomes)
            )
        self._task = None

    def _write(self, works: Sequence[Callable[[Writable], Any]]) -> tuple[Sequence[Any], News | None]:
        outcomes = self._store.write_together(works)
        return outcomes, None if self._catalog.is_current() else self._catalog.fetch()


def _step_back() -> None:
    thread = threading.get_native_id()
    with contextlib.suppress(OSError):  # a container may not allow it
        os.setpriority(os.PRIO_PROCESS, thread, max(NICE, os.getpriority(os.PRIO_PROCESS, thread)))


async def _tell(waiting: Sequence[asyncio.Future[Any]], outcomes: Sequence[Any]) -> None:
    """Answer one after the other: a read that comes in between waits for one of them, and not for all."""
    for done, outcome in zip(waiting, outcomes, strict=True):
        if done.done():
            continue  # its client left
        if isinstance(outcome, Exception):
            done.set_exception(outcome)
        else:
            done.set_result(outcome)
        await asyncio.sleep(0)  # whoever else waits for the event loop has its turn
