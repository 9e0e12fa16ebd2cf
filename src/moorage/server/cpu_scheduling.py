"""CPU scheduling: the process asks for SCHED_BATCH while it uses most of a core (decision 0018).

With the default policy, the HTTP server's thread preempts Python's at each request, which costs throughput. With
SCHED_BATCH it waits for its turn, which costs latency where other processes compete for the core. So the policy is
changed only under load, and back.
"""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

Clock = Callable[[], float]

#: The share of a core that the process must use, and the share of that which its event loop must use.
PROCESS_SHARE: Final = 0.6
LOOP_SHARE: Final = 0.35

#: This part of both is enough to keep SCHED_BATCH.
HYSTERESIS: Final = 0.85


class CpuScheduler:
    """The scheduling policy of this process. `update` runs in the thread of the event loop."""

    def __init__(
        self, loop: Clock = time.thread_time, process: Clock = time.process_time, clock: Clock = time.monotonic
    ) -> None:
        """`loop` and `process` return processor time of the thread and of the process, `clock` the time; in seconds."""
        self._loop, self._process, self._clock = loop, process, clock
        self._last = loop(), process(), clock()
        self._can_change = False
        with contextlib.suppress(OSError):
            # Another policy than the default one was chosen by the operator.
            self._can_change = os.sched_getscheduler(0) == os.SCHED_OTHER
        self._is_batch = False

    def update(self) -> None:
        """Choose the policy by the processor time since the last update."""
        before, self._last = self._last, (self._loop(), self._process(), self._clock())
        loop, process, elapsed = (now - then for now, then in zip(self._last, before, strict=True))
        factor = HYSTERESIS if self._is_batch else 1
        is_batch = process > elapsed * PROCESS_SHARE * factor and loop > process * LOOP_SHARE * factor
        if self._can_change and is_batch != self._is_batch:
            self._is_batch = is_batch
            _set_policy(os.SCHED_BATCH if is_batch else os.SCHED_OTHER)


def _set_policy(policy: int) -> None:
    with contextlib.suppress(OSError):  # there is no /proc
        for thread in Path("/proc/self/task").iterdir():
            with contextlib.suppress(OSError):  # the thread ended, or a container does not allow it
                os.sched_setscheduler(int(thread.name), policy, os.sched_param(0))
