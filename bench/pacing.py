"""Pacing: requests at times that are fixed before the first one is sent (an open loop).

A request that waits for a slow answer before it counts from when it was due, not from when it could be sent: a server
that stops for a second is charged with all that should have been asked in it.
"""

import gc
import threading
import time
from collections.abc import Sequence
from statistics import quantiles
from types import TracebackType
from typing import Self

import msgspec

from bench.wire import Request, Wire


class Latencies(msgspec.Struct, frozen=True):
    """In milliseconds, from when a request was due to the end of its answer.

    `late_p99` is how late this program sent it, after it was due and its connection had the answer before: a wait for
    the processor, and not for the server.
    """

    p50: float
    p99: float
    max: float
    late_p99: float

    @classmethod
    def of(cls, times: Sequence["Timed"]) -> Self:
        """Of at least two requests."""
        waits = quantiles([(each.done - each.due) * 1e3 for each in times], n=100, method="inclusive")
        late = quantiles([(each.sent - each.ready) * 1e3 for each in times], n=100, method="inclusive")
        return cls(waits[49], waits[98], max(each.done - each.due for each in times) * 1e3, late[98])


class Timed(msgspec.Struct, frozen=True):
    """When one request was due, could be sent, was sent, and was answered: seconds of `time.perf_counter`."""

    due: float
    ready: float = 0.0
    sent: float = 0.0
    done: float = 0.0


class Pacer:
    """Sends requests in the background at an even pace, on so many connections in turn. Its block ends with them."""

    def __init__(
        self, port: int, token: str, requests: Sequence[Request], rate: float, connections: int = 1, first: float = 0.0
    ) -> None:
        """`rate` is in requests a second; the first is due `first` seconds after the start."""
        self._requests = requests
        self._prepared = [request.prepare(token) for request in requests]
        self._times = [Timed(first + number / rate) for number in range(len(requests))]
        self._error: Exception | None = None
        self._is_ended = threading.Event()
        self._wires = [Wire(port) for _ in range(connections)]
        self._threads = [threading.Thread(target=self._send, args=(n,), daemon=True) for n in range(connections)]

    def run(self) -> list[Timed]:
        """Send all; see `times`."""
        with self:
            pass
        return self.times()

    def times(self) -> list[Timed]:
        """When each request was due, sent and answered, after the last one was.

        Raises:
            RuntimeError: one was not answered as it must be.
        """
        if self._error is not None:
            raise RuntimeError(f"a paced request failed: {self._error}") from self._error
        return self._times

    def __enter__(self) -> Self:
        gc.collect()
        gc.freeze()  # what the program keeps is looked through now, and not in the middle of a request
        self._began = time.perf_counter()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._is_ended.set()
        for thread in self._threads:
            thread.join()
        gc.unfreeze()

    def _send(self, connection: int) -> None:
        try:
            with self._wires[connection] as wire:
                for number in range(connection, len(self._requests), len(self._wires)):
                    due = self._began + self._times[number].due
                    ready = max(due, time.perf_counter())
                    if self._is_ended.wait(max(0.0, ready - time.perf_counter())):
                        return
                    sent = time.perf_counter()
                    answer = wire.ask(self._prepared[number])
                    self._times[number] = Timed(due, ready, sent, time.perf_counter())
                    self._requests[number].check(answer)
        except Exception as error:  # noqa: BLE001 -- told in `times`
            self._error = error
            self._is_ended.set()
