"""One task for all callers that need the same result at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class SingleFlight(Generic[_T]):
    """Tasks by key. A caller that is cancelled does not cancel the task, which others wait for."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[_T]] = {}

    async def run(self, key: str, make: Callable[[], Awaitable[_T]]) -> _T:
        """Return the result of the running task of this key, or of a new one."""
        return await asyncio.shield(self._task(key, make))

    def start(self, key: str, make: Callable[[], Awaitable[_T]]) -> None:
        """Start a task, unless one of this key is running; nobody gets its error."""
        _ = self._task(key, make)

    def _task(self, key: str, make: Callable[[], Awaitable[_T]]) -> "asyncio.Task[_T]":
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.ensure_future(_await(make))
            task.add_done_callback(lambda done: self._finish(key, done))
        return task

    def _finish(self, key: str, task: "asyncio.Task[_T]") -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # nobody may wait for it any more, and asyncio would log it


async def _await(make: Callable[[], Awaitable[_T]]) -> _T:
    return await make()
