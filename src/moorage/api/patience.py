"""Patience: for how long something is waited for."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

T = TypeVar("T")

#: How often it is looked who has waited too long, so they wait up to that much longer (seconds).
LOOK_SECONDS: Final = 1.0


class Patience:
    """Waits as `asyncio.timeout` does, with one timer for all who wait, for where every call passes."""

    def __init__(self, seconds: float, look_seconds: float = LOOK_SECONDS) -> None:
        self._seconds = seconds
        self._look_seconds = look_seconds
        self._waiting: dict[asyncio.Task[Any], float] = {}  # since when, the longest first
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def wait_for(self, awaited: Awaitable[T]) -> T:
        """What is awaited.

        Raises:
            TimeoutError: it took longer.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- a coroutine runs in one
        self._waiting[task] = time.monotonic()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._look_seconds, self._look)
        try:
            return await awaited
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() <= 0:
                raise TimeoutError from None
            raise
        finally:
            self._waiting.pop(task, None)
            self._late.discard(task)

    def _look(self) -> None:
        began = time.monotonic() - self._seconds
        for task, since in self._waiting.items():
            if since > began:
                break
            if task not in self._late:
                self._late.add(task)
                task.cancel()
        again = asyncio.get_running_loop().call_later
        self._timer = again(self._look_seconds, self._look) if self._waiting else None
