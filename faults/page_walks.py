"""Walks through the list in pages, each from another node, while deployments are made and deleted on all of them."""

import itertools
import math
import random
import threading
import time
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
from faults.population import Change, Changer, Population
from faults.walk import Judge, Page, Walk

#: How many walk at the same time.
_WALKERS = 6

_LIMITS = range(1, 51)

#: Across how many changes the control walks.
_SAMPLE = 300


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
            page = self._page(f"/v2/deployments?limit={limit}{cursor}", revision)
            pages.append(page)
            revision = page.revision
            if page.names:
                cursor = f"&{way}={page.names[0 if is_backwards else -1]}"
        after, _ = self._population.living()
        return Walk(is_backwards, limit, pages, before & after)

    def _page(self, target: str, revision: int) -> Page:
        client = self._rng.choice(self._clients)
        asked = time.perf_counter()
        reply = client.request("GET", target, headers={"X-Min-Revision": str(revision)})
        answered = time.perf_counter()
        if reply.status != 200:
            raise RuntimeError(f"{target} was answered with {reply.status}: {reply.body[:300]!r}")
        decoded = _decode(reply.body)
        shown = int(reply.headers["x-moorage-revision"])
        return Page(asked, answered, shown, [item.id for item in decoded.data], decoded.has_more)


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Take so many walks; see `Part`."""
    population = Population()
    with PostgresServer() as postgres, Nodes(folder, postgres.new_database(), 3) as nodes:
        walks = _take(count, seed, nodes.projects, population)
    judge = Judge(population)
    found = judge.all_faults(walks)
    changes = [*population.births.values(), *population.deaths.values()]
    sample = random.Random(f"{seed} control").sample(changes, min(_SAMPLE, len(changes)))
    by_number, by_living = (
        judge.all_faults(across(change, population, place) for change in sample)
        for place in (by_position, by_living_cursor)
    )
    pages = sum(len(walk.pages) for walk in walks)
    return Outcome(
        fault=f"{_WALKERS} walk in pages of 1 to 50, in both directions, each page from one of three nodes with the "
        "revision of the one before as `X-Min-Revision`, while others make and delete on all nodes",
        invariant="who was there all the time is met once, nobody twice; a page shows nobody who was deleted up to its "
        "revision, or never made; it is not older than the one before; in the order of the list; `has_more` is true",
        count=len(walks),
        result=f"{pages:,} pages; {len(population.births):,} made and {len(population.deaths):,} deleted meanwhile; "
        f"{found['met twice']:,} met twice, {found['skipped']:,} skipped",
        violations=[f"{what}: {times:,} times" for what, times in found.items()],
        control=f"{len(sample):,} walks through the same history that ask for one page before a change and one "
        f"after, by numbered places: {by_number['met twice']:,} met twice, {by_number['skipped']:,} skipped; with a "
        f"cursor that is not found once it is deleted: {by_living['skipped']:,} skipped",
        is_control_found=bool(by_number["met twice"] and by_number["skipped"] and by_living["skipped"]),
    )


def _take(count: int, seed: int, projects: Sequence[Project], population: Population) -> list[Walk]:
    """Walk so often while the population changes; the walks in the order in which they began."""
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


def across(change: Change, population: Population, place: Place) -> Walk:
    """A walk of two pages, one just before a change and one just after, on a server that finds the place of a page in
    another way. The first page ends with whom the change deletes, or in the middle."""
    moments = [math.nextafter(change.answered, -math.inf), math.nextafter(change.answered, math.inf)]
    before, after = population.listed(moments)
    limit = next((number for number, name in enumerate(before, 1) if name not in after), len(before) // 2)
    first = Page(moments[0], moments[0], change.revision - 1, before[:limit], has_more=limit < len(before))
    rest = after[place(after, first if first.names else None, limit) :]
    pages = [first, Page(moments[1], moments[1], change.revision, rest, has_more=False)]
    return Walk(
        is_backwards=False, limit=max(limit, len(rest)), pages=pages, there=frozenset(before) & frozenset(after)
    )
