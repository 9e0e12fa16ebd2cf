"""Diary: what clients of several servers were told and when, and where that was not what was promised."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

#: An answer that does not tell its age shows all that was acknowledged so many seconds before.
FRESH_SECONDS = 1.0


class Told(NamedTuple):
    """An answer of a server, asked for and there at moments of `time.perf_counter`.

    `shown` tells how new it is: a revision, or the number of a version. `age` is its `X-Moorage-Age`, and a status of 0
    is no answer at all.
    """

    node: int
    asked: float
    answered: float
    shown: int
    age: int | None = None
    status: int = 200


class Diary:
    """Answers to reads, and acknowledged writes, in any order; threads may add to both."""

    def __init__(self, reads: Iterable[Told] = (), writes: Iterable[Told] = ()) -> None:
        self.reads = list(reads)
        self.writes = list(writes)

    def faults(self) -> list[str]:
        """All that was not as promised, in words."""
        return [*self.failed(), *self.gone_back(), *self.too_old(), *self.out_of_order()]

    def failed(self) -> list[str]:
        """Reads that were not answered with 200."""
        return [f"a read {_where(read)} was answered with {read.status}" for read in self.reads if read.status != 200]

    def gone_back(self) -> list[str]:
        """Reads that show less than an answer that the same server had given before: to a read, or to a write."""
        found = []
        for node in self._nodes():
            reads = [read for read in self._good() if read.node == node]
            newest = _Newest([*reads, *(write for write in self.writes if write.node == node)])
            found += [
                f"a read {_where(read)} shows {read.shown} after {newest.at(read.asked)}"
                for read in reads
                if read.shown < newest.at(read.asked)
            ]
        return found

    def too_old(self) -> list[str]:
        """Reads that do not show what was acknowledged, by any server, as long before as their age allows."""
        newest = _Newest(self.writes)
        found = []
        for read in self._good():
            needed = newest.at(read.asked - (FRESH_SECONDS if read.age is None else read.age))
            if read.shown < needed:
                found.append(f"a read {_where(read)} of the age {read.age} shows {read.shown} and not {needed}")
        return found

    def out_of_order(self) -> list[str]:
        """Writes that did not come after all that anybody had been told before they were sent."""
        newest = _Newest([*self._good(), *self.writes])
        return [
            f"a write {_where(write)} became {write.shown} after {newest.at(write.asked)} was told"
            for write in self.writes
            if write.shown <= newest.at(write.asked)
        ]

    def delays(self) -> list[float]:
        """Seconds from each acknowledgement to the first answer that shows it, for each of the other servers."""
        found = []
        for node in self._nodes():
            reads = sorted((read for read in self._good() if read.node == node), key=lambda read: read.answered)
            shown = list(accumulate((read.shown for read in reads), max))
            for write in self.writes:
                if write.node != node:
                    place = bisect_left(shown, write.shown)
                    moment = reads[place].answered if place < len(reads) else float("inf")
                    found.append(max(0.0, moment - write.answered))
        return found

    def _good(self) -> Iterator[Told]:
        return (read for read in self.reads if read.status == 200)

    def _nodes(self) -> set[int]:
        return {read.node for read in self.reads}


class _Newest:
    """The newest that some answers had shown up to a moment."""

    def __init__(self, answers: Iterable[Told]) -> None:
        ordered = sorted(answers, key=lambda each: each.answered)
        self._moments = [each.answered for each in ordered]
        self._shown = list(accumulate((each.shown for each in ordered), max))

    def at(self, moment: float) -> int:
        place = bisect_left(self._moments, moment)
        return self._shown[place - 1] if place else 0


def _where(told: Told) -> str:
    return f"on node {told.node} at {told.asked:.3f}"
