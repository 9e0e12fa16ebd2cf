"""Walks through the list in pages, each from another node, while deployments are made and deleted on all of them."""

import itertools
import random
import threading
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import msgspec
from bench.client import Client
from tests.support.nodes import Nodes
from tests.support.postgres import PostgresServer
from tests.support.server import Project

from faults.crowd import Crowd
from faults.outcome import Outcome
from faults.population import Changer, Population

#: How many walk at the same time.
_WALKERS = 6

_LIMITS = range(1, 51)

#: How many walks the control takes again.
_SAMPLE = 300


class Page(msgspec.Struct, frozen=True):
    """A page: when it was asked for and there, who is on it in the order of the list, and what it says."""

    asked: float
    answered: float
    names: list[str]
    has_more: bool


class Walk(msgspec.Struct, frozen=True):
    """All pages of a walk, from the newest on, or backwards from the oldest. `there` are those who were there all the
    time, from before the first page to after the last."""

    is_backwards: bool
    limit: int
    pages: list[Page]
    there: frozenset[str]

    @property
    def met(self) -> list[str]:
        """Whom it met, in the order of its way."""
        return [name for page in self.pages for name in (page.names[::-1] if self.is_backwards else page.names)]


class _Item(msgspec.Struct):
    id: str


class _List(msgspec.Struct):
    data: list[_Item]
    has_more: bool


_decode = msgspec.json.Decoder(_List).decode


class Walker:
    """Takes walks, each page from a node drawn anew."""

    def __init__(self, population: Population, clients: Sequence[Client], oldest: str, rng: random.Random) -> None:
        """`oldest` is older than all others, and deleted: those who walk backwards begin there."""
        self._population = population
        self._clients = clients
        self._oldest = oldest
        self._rng = rng

    def walk(self) -> Walk:
        """Walk to the end."""
        limit, is_backwards = self._rng.choice(_LIMITS), self._rng.random() < 0.5
        before, revision = self._population.living()
        way = "ending_before" if is_backwards else "starting_after"
        cursor = f"&{way}={self._oldest}" if is_backwards else ""
        pages: list[Page] = []
        while not pages or (pages[-1].has_more and pages[-1].names):
            page, revision = self._page(f"/v2/deployments?limit={limit}{cursor}", revision)
            pages.append(page)
            if page.names:
                cursor = f"&{way}={page.names[0 if is_backwards else -1]}"
        after, _ = self._population.living()
        return Walk(is_backwards, limit, pages, before & after)

    def _page(self, target: str, revision: int) -> tuple[Page, int]:
        client = self._rng.choice(self._clients)
        asked = time.perf_counter()
        reply = client.request("GET", target, headers={"X-Min-Revision": str(revision)})
        answered = time.perf_counter()
        if reply.status != 200:
            raise RuntimeError(f"{target} was answered with {reply.status}: {reply.body[:300]!r}")
        decoded = _decode(reply.body)
        page = Page(asked, answered, [item.id for item in decoded.data], decoded.has_more)
        return page, int(reply.headers["x-moorage-revision"])


class Judge:
    """Finds what is wrong with walks, by the whole history of who came and went."""

    def __init__(self, population: Population) -> None:
        self._births = population.births
        self._deaths = population.deaths
        changes = sorted(self._deaths.values())
        self._deaths_asked = [change.asked for change in changes]
        self._longest_death = max((change.answered - change.asked for change in changes), default=0.0)

    def faults(self, walk: Walk) -> Counter[str]:
        """What is wrong, and how often."""
        met = walk.met
        began = walk.pages[0].asked
        found = Counter(
            {
                "met twice": sum(times - 1 for times in Counter(met).values()),
                "skipped": len(walk.there - set(met)),
                "never made": sum(name not in self._births for name in met),
                "deleted before": sum(name in self._deaths and self._deaths[name].answered < began for name in met),
                "out of order": sum(
                    map(self._is_swapped, met[1:], met) if walk.is_backwards else map(self._is_swapped, met, met[1:])
                ),
                "more than asked for": sum(len(page.names) > walk.limit for page in walk.pages),
                "has_more on a page that is not full": sum(
                    page.has_more and len(page.names) < walk.limit for page in walk.pages
                ),
                "has_more and then nothing, nobody having been deleted": sum(
                    not later.names and not self._any_died(page.asked, later.answered)
                    for page, later in itertools.pairwise(walk.pages)
                ),
            }
        )
        return +found

    def _is_swapped(self, newer: str, older: str) -> bool:
        """Whether one that is before another in the list is older than it for certain."""
        one, other = self._births.get(newer), self._births.get(older)
        return one is not None and other is not None and one.answered < other.asked

    def _any_died(self, since: float, until: float) -> bool:
        """Whether any deletion may have been done in between."""
        first = bisect_left(self._deaths_asked, since - self._longest_death)
        return first < bisect_right(self._deaths_asked, until)


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Take so many walks; see `Part`."""
    population = Population()
    with PostgresServer() as postgres, Nodes(folder, postgres.new_database(), 3) as nodes:
        walks = _take(count, seed, nodes.projects, population)
    judge = Judge(population)
    found = sum((judge.faults(walk) for walk in walks), Counter[str]())
    examples = [(walk, faults) for walk in walks if (faults := judge.faults(walk))][:5]
    sample = walks[:_SAMPLE]
    by_number, by_living = (
        sum((judge.faults(again) for again in again_all(sample, population, place)), Counter[str]())
        for place in (by_position, by_living_cursor)
    )
    pages = sum(len(walk.pages) for walk in walks)
    return Outcome(
        fault=f"{_WALKERS} walk in pages of 1 to 50, in both directions, each page from one of three nodes with the "
        "revision of the one before as `X-Min-Revision`, while others make and delete on all nodes",
        invariant="who was there all the time is met once, nobody twice, nobody who was deleted before or never made; "
        "in the order of the list; `has_more` is true",
        count=len(walks),
        result=f"{pages:,} pages; {len(population.births):,} made and {len(population.deaths):,} deleted meanwhile; "
        f"{found['met twice']:,} met twice, {found['skipped']:,} skipped",
        violations=[f"{what}: {times:,} times" for what, times in found.items()]
        + [f"limit {walk.limit}, backwards {walk.is_backwards}: {dict(faults)}" for walk, faults in examples],
        control=f"{len(sample):,} of these walks again through the same history, by numbered places: "
        f"{by_number['met twice']:,} met twice, {by_number['skipped']:,} skipped; with a cursor that is not found once "
        f"it is deleted: {by_living['skipped']:,} skipped",
        is_control_found=bool(by_number["met twice"] and by_number["skipped"] and by_living["skipped"]),
    )


def _take(count: int, seed: int, projects: Sequence[Project], population: Population) -> list[Walk]:
    """Walk so often while the population changes, and both ways once when it is at rest."""
    with ExitStack() as stack:

        def clients() -> list[Client]:
            made = [Client(project.server.port, project.token, timeout=30.0) for project in projects]
            return [stack.enter_context(client) for client in made]

        changers = [
            Changer(population, client, f"n{node}", random.Random(f"{seed} changer {node}"))
            for node, client in enumerate(clients())
        ]
        oldest = changers[0].make()
        changers[0].delete_all()
        for changer in changers:
            changer.fill()
        walkers = [
            Walker(population, clients(), oldest, random.Random(f"{seed} walker {number}"))
            for number in range(_WALKERS)
        ]
        tickets, lock = itertools.count(), threading.Lock()

        def walk_on(walker: Walker) -> Iterator[Walk]:
            while True:
                with lock:
                    if next(tickets) >= count:
                        return
                yield walker.walk()

        with Crowd() as crowd, ThreadPoolExecutor(_WALKERS) as pool:
            for changer in changers:
                crowd.start(changer.change)
            walks = [walk for some in pool.map(lambda walker: list(walk_on(walker)), walkers) for walk in some]
    return sorted(walks, key=lambda walk: walk.pages[0].asked)


Place = Callable[[Sequence[str], Page | None, int], int]


def by_position(listed: Sequence[str], before: Page | None, met: int) -> int:
    """Where a page begins that is asked for by how many were met before."""
    return met


def by_living_cursor(listed: Sequence[str], before: Page | None, met: int) -> int:
    """Where a page begins after the last of the page before, if that is still there; else there is nothing any more."""
    if before is None:
        return 0
    return listed.index(before.names[-1]) + 1 if before.names[-1] in listed else len(listed)


def again_all(walks: Sequence[Walk], population: Population, place: Place) -> Iterator[Walk]:
    """The same walks, those of them that went forwards, on a server that finds the place of a page in another way."""
    for walk in walks:
        if not walk.is_backwards:
            moments = [page.asked for page in walk.pages]
            pages: list[Page] = []
            met = 0
            for moment, listed in zip(moments, population.listed(moments), strict=True):
                start = place(listed, pages[-1] if pages else None, met)
                names = listed[start : start + walk.limit]
                is_last = moment == moments[-1]
                if is_last:
                    names = listed[start:]
                pages.append(Page(moment, moment, names, start + walk.limit < len(listed)))
                met += len(names)
                if not names:
                    break
            yield Walk(walk.is_backwards, walk.limit, pages, walk.there)
