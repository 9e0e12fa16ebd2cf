"""Population: deployments that come and go, and which of them a walk through the list must meet."""

import random
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
from bench.client import Client
from bench.data import Plain

#: How many deployments each of those who change them keeps on average.
_SIZE = 25

#: The longest pause between two changes, in seconds.
_LONGEST = 0.04

_BODY = msgspec.json.encode(Plain(0).make(0).body)


class Change(NamedTuple):
    """When it was asked for and when it was acknowledged: it was done somewhere in between, and `revision` shows it."""

    asked: float
    answered: float
    revision: int


class Population:
    """Who was made when, and who was deleted. The newest revision that was told is `revision`."""

    def __init__(self) -> None:
        self.births: dict[str, Change] = {}
        self.deaths: dict[str, Change] = {}
        self.revision = 0
        self._living: dict[str, None] = {}
        self._lock = threading.Lock()

    def living(self) -> tuple[frozenset[str], int]:
        """Who is there for certain, nobody having begun to delete it, and a revision that shows them."""
        with self._lock:
            return frozenset(self._living), self.revision

    def born(self, name: str, change: Change) -> None:
        """It was acknowledged that it was made."""
        with self._lock:
            self.births[name] = change
            self._living[name] = None
            self.revision = max(self.revision, change.revision)

    def dying(self, name: str) -> None:
        """It will be deleted now."""
        with self._lock:
            del self._living[name]

    def died(self, name: str, change: Change) -> None:
        """It was acknowledged that it was deleted."""
        with self._lock:
            self.deaths[name] = change
            self.revision = max(self.revision, change.revision)

    def listed(self, moments: Sequence[float]) -> Iterator[list[str]]:
        """The list as it was at some moments, newest first, each change done when it was acknowledged."""
        births = sorted((change.answered, name) for name, change in self.births.items())
        for moment in moments:
            until = bisect_left(births, (moment, ""))
            yield [
                name for _, name in births[:until] if name not in self.deaths or self.deaths[name].answered > moment
            ][::-1]


class Changer:
    """Makes and deletes deployments on one node."""

    def __init__(self, population: Population, client: Client, prefix: str, rng: random.Random) -> None:
        """The keys begin with `prefix`."""
        self._population = population
        self._client = client
        self._prefix = prefix
        self._rng = rng
        self._mine: list[str] = []
        self._made = 0

    def change(self) -> None:
        """Make one or delete one, and pause."""
        if self._rng.randrange(2 * _SIZE) >= len(self._mine):
            self.make()
        else:
            self._delete(self._mine.pop(self._rng.randrange(len(self._mine))))
        time.sleep(self._rng.uniform(0, _LONGEST))  # see there

    def make(self) -> str:
        """Make one; its id."""
        self._made += 1
        asked = time.perf_counter()
        reply = self._client.request("PUT", f"/v2/deployments/{self._prefix}-{self._made}", _BODY)
        if reply.status != 201:
            raise RuntimeError(f"a deployment was not made: {reply.status} {reply.body[:300]!r}")
        name = str(reply.json["id"])
        self._population.born(name, Change(asked, time.perf_counter(), int(reply.headers["x-moorage-revision"])))
        self._mine.append(name)
        return name

    def fill(self) -> None:
        """Make as many as it keeps."""
        while len(self._mine) < _SIZE:
            self.make()

    def delete_all(self) -> None:
        """Delete all that it made."""
        while self._mine:
            self._delete(self._mine.pop())

    def _delete(self, name: str) -> None:
        self._population.dying(name)
        asked = time.perf_counter()
        reply = self._client.request("DELETE", f"/v2/deployments/{name}")
        if reply.status != 200:
            raise RuntimeError(f"{name} was not deleted: {reply.status} {reply.body[:300]!r}")
        self._population.died(name, Change(asked, time.perf_counter(), int(reply.headers["x-moorage-revision"])))
