"""Log of responses from several servers, and the violations of the consistency guarantees in it."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

#: A response without an age shows every write that was acknowledged this many seconds before the request.
MAX_LAG_SECONDS = 1.0


class Event(NamedTuple):
    """Response of a server; `sent` and `received` are moments of `time.perf_counter`.

    `state` is a revision or the number of a version. `age` is the `X-Moorage-Age`. A status of 0 is no response.
    """

    node: int
    sent: float
    received: float
    state: int
    age: int | None = None
    status: int = 200


class EventLog:
    """Reads and acknowledged writes in any order; threads may append to both."""

    def __init__(self, reads: Iterable[Event] = (), writes: Iterable[Event] = ()) -> None:
        self.reads = list(reads)
        self.writes = list(writes)

    def violations(self) -> list[str]:
        """Return all violations, in words."""
        return [*self.failed(), *self.backward(), *self.stale(), *self.out_of_order()]

    def failed(self) -> list[str]:
        """Return the reads that did not return 200."""
        return [f"a read {_describe(read)} returned {read.status}" for read in self.reads if read.status != 200]

    def backward(self) -> list[str]:
        """Return the reads that show an older state than a response that the same server sent before."""
        found = []
        for node in self._nodes():
            reads = [read for read in self._successful() if read.node == node]
            newest = _Newest([*reads, *(write for write in self.writes if write.node == node)])
            found += [
                f"a read {_describe(read)} shows {read.state} after {newest.at(read.sent)}"
                for read in reads
                if read.state < newest.at(read.sent)
            ]
        return found

    def stale(self) -> list[str]:
        """Return the reads without a write that any server acknowledged longer ago than their age."""
        newest = _Newest(self.writes)
        found = []
        for read in self._successful():
            needed = newest.at(read.sent - (MAX_LAG_SECONDS if read.age is None else read.age))
            if read.state < needed:
                found.append(f"a read {_describe(read)} with age {read.age} shows {read.state}, not {needed}")
        return found

    def out_of_order(self) -> list[str]:
        """Return the writes that are not newer than every response received before they were sent."""
        newest = _Newest([*self._successful(), *self.writes])
        return [
            f"a write {_describe(write)} became {write.state} after {newest.at(write.sent)}"
            for write in self.writes
            if write.state <= newest.at(write.sent)
        ]

    def delays(self) -> list[float]:
        """Return the seconds from each acknowledgement to the first response of each other server that shows it."""
        found = []
        for node in self._nodes():
            reads = sorted((read for read in self._successful() if read.node == node), key=lambda read: read.received)
            states = list(accumulate((read.state for read in reads), max))
            for write in self.writes:
                if write.node != node:
                    place = bisect_left(states, write.state)
                    moment = reads[place].received if place < len(reads) else float("inf")
                    found.append(max(0.0, moment - write.received))
        return found

    def _successful(self) -> Iterator[Event]:
        return (read for read in self.reads if read.status == 200)

    def _nodes(self) -> set[int]:
        return {read.node for read in self.reads}


class _Newest:
    """Newest state in the responses that were received before a moment."""

    def __init__(self, events: Iterable[Event]) -> None:
        ordered = sorted(events, key=lambda event: event.received)
        self._moments = [event.received for event in ordered]
        self._states = list(accumulate((event.state for event in ordered), max))

    def at(self, moment: float) -> int:
        place = bisect_left(self._moments, moment)
        return self._states[place - 1] if place else 0


def _describe(event: Event) -> str:
    return f"on node {event.node} at {event.sent:.3f}"
