"""The write queue: one thread writes, and writes that wait for it are committed together."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from typing import Any, NamedTuple, TypeVar

from moorage.catalog.catalog import Catalog, CatalogUpdate
from moorage.store.store import Store
from moorage.store.transaction import Transaction

#: How many writes are committed together at most: other processes wait as long.
MAX_GROUP = 32

#: The nice value of the writing thread and of the thread for long calculations. A read does not wait for them, and
#: where reads use a whole core they get a twentieth of it (decision 0018).
NICE = 13

T = TypeVar("T")


class _Waiting(NamedTuple):
    """A write that waits."""

    operation: Callable[[Transaction], Any]
    done: "asyncio.Future[Any]"
    on_end: Callable[[], None]
    is_large: bool


class WriteQueue:
    """Runs writes one after the other in a thread, so that no read waits for a disk."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog
        self._thread = ThreadPoolExecutor(1, "moorage-writer", lower_priority)
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._delivery: asyncio.Task[None] | None = None

    async def write(
        self,
        operation: Callable[[Transaction], T],
        on_end: Callable[[], None] = lambda: None,
        *,
        is_large: bool = False,
    ) -> T:
        """Run an operation in a transaction; when it returns, every read shows the write.

        The write happens even if the caller stops waiting. `on_end` is called when the queue no longer holds it. A
        large write is committed alone, because the catalog takes up to 30 ms to decode it.

        Raises:
            StorageFull, StorageUnavailable: nothing is acknowledged.
            Anything that `operation` raises: it is rolled back.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(operation, done, on_end, is_large))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        try:
            return await done
        finally:
            del done  # An error has this frame in its traceback, so the variable would be a cycle; see `_deliver`.

    def close(self) -> None:
        """Wait for the write in progress."""
        self._thread.shutdown()

    async def _drain(self) -> None:
        while self._waiting:
            group = self._take_group()
            results = await self._run([waiting.operation for waiting in group])
            if self._delivery is not None:
                await self._delivery
            self._delivery = asyncio.create_task(_deliver(group, results))
        self._task = None

    def _take_group(self) -> list[_Waiting]:
        """Take the writes to commit together: small ones up to the first large one, or a large one alone."""
        small = takewhile(lambda waiting: not waiting.is_large, self._waiting[:MAX_GROUP])
        count = len(list(small)) or 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _run(self, operations: Sequence[Callable[[Transaction], Any]]) -> list[Any]:
        """Commit a group, and apply it to the catalog; return what each operation returned or raised."""
        try:
            loop = asyncio.get_running_loop()
            results, update = await loop.run_in_executor(self._thread, self._commit, operations)
            if update is not None:
                self._catalog.apply(update)
        except Exception as error:  # noqa: BLE001 -- every waiting request must get it
            return [error] * len(operations)
        return results

    def _commit(self, operations: Sequence[Callable[[Transaction], Any]]) -> tuple[list[Any], CatalogUpdate | None]:
        results = self._store.group_commit(operations)
        return results, None if self._catalog.is_current() else self._catalog.fetch()


def lower_priority() -> None:
    """Give this thread the nice value `NICE`."""
    thread = threading.get_native_id()
    with contextlib.suppress(OSError):  # a container may not allow it
        os.setpriority(os.PRIO_PROCESS, thread, max(NICE, os.getpriority(os.PRIO_PROCESS, thread)))


async def _deliver(group: Sequence[_Waiting], results: list[Any]) -> None:
    """Deliver the results one by one: a read that arrives in between waits for one response, not for all.

    Afterwards the list is empty. The traceback of an error has the frames in which the list is a variable; with the
    error in it, the whole request would stay in memory until a garbage collection.
    """
    for waiting, result in zip(group, results, strict=True):
        done = waiting.done
        waiting.on_end()
        if done.done():
            continue  # its client disconnected
        if isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result(result)
        await asyncio.sleep(0)  # lets other requests run
    results.clear()
