"""Turns: whether the HTTP server's thread interrupts Python's when a request comes in.

Where both have one core, each request that comes in while another is answered takes the core away from it, and gives it
back with cold caches. A thread of the policy `SCHED_BATCH` waits for its turn instead. But it waits for other programs
on the core too, milliseconds where it would have interrupted them, and for the thread that writes. So this policy is
for when answering is what a core is used for, and for no longer (decision 0018).
"""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

Clock = Callable[[], float]

#: From which part of the time on this process has a core, with room for what the machine itself takes; and from which
#: part of that on its event loop has it.
PROCESS: Final = 0.6
LOOP: Final = 0.35

#: As much of both is enough to go on.
STILL: Final = 0.85


class Turns:
    """Of this process. `look` is called from time to time, in the thread of the event loop."""

    def __init__(
        self, loop: Clock = time.thread_time, process: Clock = time.process_time, clock: Clock = time.monotonic
    ) -> None:
        """`loop` and `process` tell processor time, of the thread and of all, and `clock` the time; in seconds."""
        self._loop, self._process, self._clock = loop, process, clock
        self._before = loop(), process(), clock()
        self._may_change = False
        with contextlib.suppress(OSError):
            # Whoever started this process with another policy than the usual one has chosen.
            self._may_change = os.sched_getscheduler(0) == os.SCHED_OTHER
        self._is_batch = False

    def look(self) -> None:
        """Choose the policy by what was used since the last look."""
        before, self._before = self._before, (self._loop(), self._process(), self._clock())
        loop, process, passed = (now - then for now, then in zip(self._before, before, strict=True))
        enough = STILL if self._is_batch else 1
        is_batch = process > passed * PROCESS * enough and loop > process * LOOP * enough
        if self._may_change and is_batch != self._is_batch:
            self._is_batch = is_batch
            _set_policy(os.SCHED_BATCH if is_batch else os.SCHED_OTHER)


def _set_policy(policy: int) -> None:
    with contextlib.suppress(OSError):  # there is no /proc
        for thread in Path("/proc/self/task").iterdir():
            with contextlib.suppress(OSError):  # it has ended, or a container does not allow it
                os.sched_setscheduler(int(thread.name), policy, os.sched_param(0))
