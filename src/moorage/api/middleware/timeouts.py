"""Timeouts of many requests with one shared timer."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

T = TypeVar("T")

#: How often the timer runs; a timeout may be that much late (seconds).
TICK_SECONDS: Final = 1.0


class SharedTimeout:
    """A timeout like `asyncio.timeout` with one timer for all requests, for a path that every request takes."""

    def __init__(self, seconds: float, tick_seconds: float = TICK_SECONDS) -> None:
        self._seconds = seconds
        self._tick_seconds = tick_seconds
        self._started: dict[asyncio.Task[Any], float] = {}  # the oldest first
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def wait_for(self, awaitable: Awaitable[T]) -> T:
        """Return the result of an awaitable.

        Raises:
            TimeoutError: it took longer.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- a coroutine runs in one
        self._started[task] = time.monotonic()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._tick_seconds, self._cancel_late)
        try:
            return await awaitable
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() <= 0:
                raise TimeoutError from None
            raise
        finally:
            self._started.pop(task, None)
            self._late.discard(task)

    def _cancel_late(self) -> None:
        deadline = time.monotonic() - self._seconds
        for task, started in self._started.items():
            if started > deadline:
                break
            if task not in self._late:
                self._late.add(task)
                task.cancel()
        call_later = asyncio.get_running_loop().call_later
        self._timer = call_later(self._tick_seconds, self._cancel_late) if self._started else None
