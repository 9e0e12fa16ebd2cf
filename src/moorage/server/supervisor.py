"""The parent process of the workers: it replaces those that end, stops them, and logs both."""

import logging
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing.synchronize import Event
from typing import Any

from granian.server.mp import MPServer, WorkerProcess
from starlette.types import ASGIApp

from moorage.server.service_manager import notify

_log = logging.getLogger("moorage.server")


class Supervisor(MPServer):
    """Granian's server, which also tells a worker to end its streams: they have no end of their own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stopping: dict[int, Event] = {}
        self._signal: int | None = None
        self._has_terminal = sys.stdout.isatty()  # asked now: a terminal that was closed is none

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Handle SIGTERM and SIGINT."""
        self._signal = args[0]
        for stopping in self._stopping.values():
            stopping.set()
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # it has no types

    def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
        """Handle SIGHUP: a terminal was closed, or the operator wants other workers."""
        handle = self.signal_handler_interrupt if self._has_terminal else super().signal_handler_reload
        handle(*args, **kwargs)

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop all workers."""
        reason = "workers end right after their start" if self._signal is None else signal.Signals(self._signal).name
        _log.info("the server is stopping", extra={"fields": {"reason": reason}})
        notify("STOPPING=1")
        try:
            super().shutdown(exit_code)  # type: ignore[no-untyped-call]  # it has no types
        finally:  # a failure exits with 1
            _log.info("the server has stopped")

    def _spawn_worker(
        self, idx: int, target: Any, callback_loader: Callable[[Event, int], ASGIApp], socket_loader: Any = None
    ) -> WorkerProcess:
        self._stopping[idx] = multiprocessing.Event()
        return super()._spawn_worker(idx, target, partial(callback_loader, self._stopping[idx], idx + 1))

    def _respawn_workers(self, workers: Iterable[int], spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        """Replace workers that ended, or (SIGHUP) all workers one after the other."""
        for idx in workers:
            old = self.wrks[idx].inner
            pid, exit_code = old.pid, old.exitcode
            if exit_code is None:  # a process that was killed can hold the lock of its event
                self._stopping[idx].set()
            super()._respawn_workers([idx], spawn_target, target_loader, delay)
            fields = {"worker": pid, "exit_code": exit_code, "new_worker": self.wrks[idx].inner.pid}
            level = logging.INFO if exit_code is None else logging.WARNING
            _log.log(level, "a worker was replaced", extra={"fields": fields})
