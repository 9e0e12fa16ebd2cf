"""Limits of time for many concurrent requests, with one timer for all of them.

A timer for each wait costs more than the wait. So each request writes down until when it waits, and one sweep for the
process cancels the tasks that wait too long.
"""

import asyncio
import math
from types import TracebackType
from typing import Final, Self

from moorage.gateway.http.errors import Limit, TimedOut

#: Seconds between two sweeps, which is how late a limit applies.
_PERIOD: Final = 0.25


class Watch:
    """The limits of time of one request: `with watch.limit(…)` around each wait.

    A wait that takes too long raises TimedOut. If the caller cancels the task, too, it stays a CancelledError.
    """

    __slots__ = ("_cancelled", "_deadline", "_fired", "_limit", "_seconds", "_sweep", "_task", "_total", "due")

    def __init__(self, sweep: "Sweep", deadline: float, total: float) -> None:
        self._sweep = sweep
        self._deadline = deadline
        self._total = total
        self._task: asyncio.Task[object] | None = None
        self._fired = False
        self._cancelled = 0
        self._limit: Limit = "total"
        self._seconds = total
        self.due = deadline

    def limit(self, limit: Limit, seconds: float = math.inf) -> Self:
        """Set the limit of the next wait; the deadline of the request holds in addition."""
        self._limit, self._seconds = limit, seconds
        self.extend()
        return self

    def extend(self) -> None:
        """Start the limit of the current wait again, because something went on."""
        due = self._sweep.now() + self._seconds
        self.due = min(due, self._deadline)

    def check(self) -> None:
        """Raise TimedOut if the deadline has passed. A request that never waits has no other limit."""
        if self._deadline <= self._sweep.now():
            raise TimedOut("total", self._total)

    def fire(self, now: float) -> None:
        """Cancel the wait if it takes too long."""
        if self._task is not None and not self._fired and self.due <= now:
            self._fired = True
            self._task.cancel()

    def __enter__(self) -> None:
        if self._deadline <= self._sweep.now():
            raise self._timed_out()
        self._task = asyncio.current_task()
        self._cancelled = self._task.cancelling() if self._task else 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if not self._fired or task is None:
            return
        self._fired = False
        is_ours = task.uncancel() <= self._cancelled
        if kind is not None and is_ours:
            raise self._timed_out() from error

    def _timed_out(self) -> TimedOut:
        is_total = self.due >= self._deadline and self._limit != "queue"
        return TimedOut("total", self._total) if is_total else TimedOut(self._limit, min(self._seconds, self._total))


class Sweep:
    """All watches of an event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watches: set[Watch] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.now = loop.time

    def watch(self, deadline: float, total: float) -> Watch:
        """Return a watch; `discard` it at the end. `total` is the length of the time until the deadline."""
        watch = Watch(self, deadline, total)
        self._watches.add(watch)
        if self._timer is None:
            self._timer = self._loop.call_later(_PERIOD, self._run)
        return watch

    def discard(self, watch: Watch) -> None:
        """Remove a watch."""
        self._watches.discard(watch)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        now = self.now()
        for watch in self._watches:
            watch.fire(now)
        self._timer = self._loop.call_later(_PERIOD, self._run) if self._watches else None
