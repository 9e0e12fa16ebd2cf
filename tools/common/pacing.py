"""Open-loop load: requests at times that are fixed before the first request.

The latency of a request counts from its due time, not from the time of sending. A server that hangs for a second is
charged with every request that was due in that second.
"""

import gc
import threading
import time
from collections.abc import Sequence
from statistics import quantiles
from typing import Self

import msgspec

from tools.common.client import Client, Request


class Latencies(msgspec.Struct, frozen=True):
    """Latencies in milliseconds. `late_p99` is the delay that this program added before it sent a request."""

    p50: float
    p99: float
    max: float
    late_p99: float

    @classmethod
    def of(cls, times: Sequence["Times"]) -> Self:
        """Summarize at least two requests."""
        waits = quantiles([(each.done - each.due) * 1e3 for each in times], n=100, method="inclusive")
        late = quantiles([(each.sent - each.ready) * 1e3 for each in times], n=100, method="inclusive")
        return cls(waits[49], waits[98], max(each.done - each.due for each in times) * 1e3, late[98])


class Times(msgspec.Struct, frozen=True):
    """Moments of `time.perf_counter`: due, connection free, sent, response complete."""

    due: float
    ready: float = 0.0
    sent: float = 0.0
    done: float = 0.0


class Pacer:
    """Background load at a constant rate over some connections. Leaving the block waits for the last response."""

    def __init__(
        self, port: int, token: str, requests: Sequence[Request], rate: float, connections: int = 1, first: float = 0.0
    ) -> None:
        """`rate` is in requests per second; the first is due `first` seconds after the start."""
        self._requests = requests
        self._encoded = [request.encode(token) for request in requests]
        self._times = [Times(first + number / rate) for number in range(len(requests))]
        self._error: Exception | None = None
        self._stopped = threading.Event()
        self._clients = [Client(port) for _ in range(connections)]
        self._threads = [threading.Thread(target=self._send, args=(n,), daemon=True) for n in range(connections)]

    def run(self) -> list[Times]:
        """Send all requests; see `times`."""
        with self:
            pass
        return self.times()

    def times(self) -> list[Times]:
        """Return the times of all requests.

        Raises:
            RuntimeError: a request failed.
        """
        if self._error is not None:
            raise RuntimeError(f"a paced request failed: {self._error}") from self._error
        return self._times

    def __enter__(self) -> Self:
        gc.collect()
        gc.freeze()  # so that no collection of the existing objects delays a request
        self._started = time.perf_counter()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._stopped.set()
        for thread in self._threads:
            thread.join()
        gc.unfreeze()

    def _send(self, connection: int) -> None:
        try:
            with self._clients[connection] as client:
                for number in range(connection, len(self._requests), len(self._clients)):
                    due = self._started + self._times[number].due
                    ready = max(due, time.perf_counter())
                    if self._stopped.wait(max(0.0, ready - time.perf_counter())):
                        return
                    sent = time.perf_counter()
                    response = client.send(self._encoded[number])
                    self._times[number] = Times(due, ready, sent, time.perf_counter())
                    if response.status != self._requests[number].status:
                        raise RuntimeError(f"{self._requests[number].target} returned {response}")
        except Exception as error:  # noqa: BLE001 -- raised in `times`
            self._error = error
            self._stopped.set()
