"""`moorage serve` with instruments: `python -m tests.support.measured_server INSTRUMENT serve …`.

- `counts` counts the lines of Python that each callback of the event loop and each commit of the writer executes, the
  bytes that each request allocates, and the objects in cycles that the requests left behind. These numbers are the same
  on a busy machine.
- `time` measures the processor time of each callback and each commit. It includes the work inside C functions. It also
  counts full garbage collections.

`GET /measured` returns the maxima since the last one. `GET /control/NAME` does too much of `NAME` on purpose (the
writer, in its next commit).
"""

import asyncio
import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from granian.constants import Loops
from starlette.types import ASGIApp, Receive, Scope, Send

from moorage.catalog.disk_cache import DiskCache
from moorage.cli import main as cli
from moorage.registry.write_queue import WriteQueue
from moorage.server import garbage_collection
from moorage.server.app import create_app
from moorage.store.store import Store

#: The command without the instrument.
MEASURED = ("env", f"PYTHONPATH={Path.cwd()}", sys.executable, "-m", "tests.support.measured_server")

#: What the controls do: lines of Python, processor time, bytes, objects in cycles.
TOO_MANY_LINES, TOO_MANY_SECONDS, TOO_MANY_BYTES, TOO_MANY_CYCLES = 1_000_000, 2, 80_000_000, 2_000


class Instruments:
    """The maxima since the last report. `callback` and `writer` are lines or milliseconds, `memory` is bytes."""

    def __init__(self, instrument: str) -> None:
        self._measure = _lines if instrument == "counts" else _milliseconds
        self.maxima: dict[str, float] = {}
        self.is_writer_slow = False

    def report(self) -> bytes:
        """Return the maxima as JSON, and start again."""
        if self._measure is _lines:
            self.record("cycles", gc.collect())
            gc.disable()  # so that the next report counts all that the requests until then leave behind
        maxima, self.maxima = self.maxima, {}
        return json.dumps(maxima).encode()

    def record(self, name: str, value: float) -> None:
        """Record a value."""
        self.maxima[name] = max(self.maxima.get(name, 0), value)

    def install(self) -> None:
        """Measure every callback of asyncio and everything that holds the writer."""
        self._wrap(asyncio.Handle, "_run", "callback")
        self._wrap(WriteQueue, "_commit", "writer")
        self._wrap(Store, "record_consumers", "writer")
        gc.callbacks.append(self._count_full_collection)

    def _count_full_collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2 and self._measure is _milliseconds:
            self.maxima["full collections"] = self.maxima.get("full collections", 0) + 1

    def _wrap(self, owner: type, name: str, measured_as: str) -> None:
        function = getattr(owner, name)

        def measured(*arguments: Any) -> Any:
            return self._measure(lambda: self._run(measured_as, function, *arguments), measured_as, self.record)

        setattr(owner, name, measured)

    def _run(self, measured_as: str, function: Callable[..., Any], *arguments: Any) -> Any:
        if measured_as == "writer" and self.is_writer_slow:
            self.is_writer_slow = False
            work_too_long()
        return function(*arguments)


class _LineCounter:
    """A trace function. It is no closure, which would refer to itself and count as a cycle."""

    count = 0

    def trace(self, frame: object, event: str, argument: object) -> Any:
        """Count a line."""
        self.count += 1
        return self.trace


def _lines(work: Callable[[], Any], name: str, record: Callable[[str, float], None]) -> Any:
    counter = _LineCounter()
    sys.settrace(counter.trace)
    try:
        return work()
    finally:
        sys.settrace(None)
        record(name, counter.count)


def _milliseconds(work: Callable[[], Any], name: str, record: Callable[[str, float], None]) -> Any:
    started = time.thread_time()
    try:
        return work()
    finally:
        record(name, (time.thread_time() - started) * 1000)


def work_too_long() -> None:
    """Execute too many lines of Python, for too long."""
    lines, end = 0, time.thread_time() + TOO_MANY_SECONDS
    while lines < TOO_MANY_LINES or time.thread_time() < end:
        lines += 1


class MeasuredApp:
    """Replacement of `create_app` in the worker."""

    def __init__(self, instrument: str) -> None:
        self._instrument = instrument

    def __call__(self, *arguments: Any) -> ASGIApp:
        """Return the application with its instruments."""
        instruments, app = Instruments(self._instrument), create_app(*arguments)
        instruments.install()
        garbage_collection.SECONDS = 10**9  # type: ignore[misc]  # no collection at an idle moment of the test
        DiskCache.save = lambda *_: None  # type: ignore[method-assign]  # it encodes the whole state, for no request
        if self._instrument == "counts":
            tracemalloc.start()

        async def measured(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            if path.startswith(("/measured", "/control")):
                body = instruments.report() if path == "/measured" else b""
                _control(path.removeprefix("/control/"), instruments)
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": body})
                return
            with _MemoryPeak(instruments):
                await app(scope, receive, send)

        return measured


def _control(name: str, instruments: Instruments) -> None:
    if name == "callback":
        work_too_long()
    elif name == "writer":
        instruments.is_writer_slow = True
    elif name == "memory":
        with _MemoryPeak(instruments):
            bytes(TOO_MANY_BYTES)
    elif name == "cycles":
        for _ in range(TOO_MANY_CYCLES):
            cycle = list[Any]()
            cycle.append(cycle)
    elif name == "full collections":
        gc.collect()


class _MemoryPeak:
    """Records the bytes that were allocated at once in a block, in all threads."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._before = 0

    def __enter__(self) -> None:
        if tracemalloc.is_tracing():
            tracemalloc.reset_peak()
            self._before = tracemalloc.get_traced_memory()[0]

    def __exit__(self, *error: object) -> None:
        if tracemalloc.is_tracing():
            self._instruments.record("memory", tracemalloc.get_traced_memory()[1] - self._before)


def main() -> None:
    """Start the server."""
    app = MeasuredApp(sys.argv.pop(1))
    process = import_module("moorage.server.process")
    # uvloop runs its callbacks in C, where they cannot be wrapped.
    with patch.multiple(process, Loops=SimpleNamespace(uvloop=Loops.asyncio), create_app=app):
        cli.main()


if __name__ == "__main__":
    main()
