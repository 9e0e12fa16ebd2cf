"""One of three nodes, each in a network of its own, is cut off from the others and the database, and comes back."""

import random
import time
from collections import Counter
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import NamedTuple, Self

from tests.support.nodes import Node
from tests.support.postgres import PostgresServer
from tests.support.server import Project
from tests.support.threads import until

from faults.clients import CLIENTS, Clients
from faults.crowd import Crowd
from faults.diary import FRESH_SECONDS, Diary
from faults.lan import Lan
from faults.outcome import Outcome, Tally
from faults.visitor import Visitor
from moorage.registry.audit import verify_ledger
from moorage.store.opening import open_store

_NODES = 3

#: How long a node is cut off, in seconds: sometimes so long that the operating systems give up its connections.
_SHORTEST, _LONGEST = 3.0, 15.0

#: How long all is well before and after, in seconds.
_BETWEEN = 1.0


class Round(NamedTuple):
    """Which node was cut off from when to when, and when it was whole again (moments of `time.perf_counter`)."""

    node: int
    cut: float
    joined: float
    whole: float


class Site:
    """Three nodes and a PostgreSQL on a `Lan`, with a visitor that reads on each and one that writes."""

    def __init__(self, folder: Path) -> None:
        self.diary = Diary()
        self.projects: list[Project] = []
        self.writers: list[Visitor] = []
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.lan = stack.enter_context(Lan(_NODES + 1))
            with self.lan.machines[_NODES].inside():
                postgres = stack.enter_context(PostgresServer(address=self.lan.address(_NODES)))
                self.database = postgres.new_database()
            nodes = [Node(self._folder / f"node{number}", self.database) for number in range(_NODES)]
            for number, node in enumerate(nodes):
                with self.lan.machines[number].inside():
                    stack.enter_context(node)
            with self.lan.machines[0].inside():
                made = nodes[0].new_project()
            for number, node in enumerate(nodes):
                with self.lan.machines[number].inside():
                    self.projects.append(made.seen_by(node))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def visit(self, crowd: Crowd) -> None:
        """Read and write on each node, each visitor on the node's own machine."""
        for number, project in enumerate(self.projects):
            reader, writer = (
                crowd.keep(Visitor(self.diary, number, project.server.port, project.token, f"pulse{number}"))
                for _ in range(2)
            )
            self.writers.append(writer)
            with self.lan.machines[number].inside():
                crowd.start(reader.read)
                crowd.start(writer.write)


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Cut off so often; see `Part`."""
    rng, tally, rounds = random.Random(f"{seed} partition"), Tally(), list[Round]()
    with Site(folder) as site:
        with Crowd() as crowd:
            site.visit(crowd)
            for number in range(count):
                rounds.append(_cut_off(site, rng, number, tally))
        with site.lan.machines[_NODES].inside(), closing(open_store(site.database)) as store:
            tally.violations += verify_ledger(store)
    diary = site.diary
    tally.violations += [*diary.faults(), *(what for writer in site.writers for what in writer.wrong())]
    tally.violations += [what for each in rounds for what in faults(each, site)]
    forged = Diary([read._replace(age=None) for read in diary.reads], diary.writes)
    untold = [what for each in rounds for what in untold_ages(each, forged)]
    refused = Counter("none" if reply is None else reply.status for w in site.writers for _, _, reply in w.refused)
    slowest = max((seconds for w in site.writers for _, seconds, _ in w.refused), default=0.0)
    return Outcome(
        fault="of three nodes with a network namespace each, one is cut off by its link for "
        f"{min(each.joined - each.cut for each in rounds):.0f} to "
        f"{max(each.joined - each.cut for each in rounds):.0f} s; {CLIENTS} clients publish on each node, two visitors "
        "read and write",
        invariant="every read is answered with 200, never goes back, and shows all that was acknowledged 1,000 ms "
        "before, or tells its age; the node that is cut off tells it from the second on, and acknowledges nothing; it "
        "comes back by itself; each publish is there once, sent again with its key where the answer was 503 or lost",
        count=count,
        result=f"{len(diary.reads):,} reads; {tally.acknowledged:,} publishes and {len(diary.writes):,} puts "
        f"acknowledged, {tally.cut_off:,} publishes sent again; puts refused: "
        f"{', '.join(f'{times:,} with {status}' for status, times in refused.items()) or 'none'}, after "
        f"{slowest:.1f} s at most; whole again {median(each.whole - each.joined for each in rounds):.1f} s after the "
        f"link, at most {max(each.whole - each.joined for each in rounds):.1f} s; meanwhile the others waited for a "
        f"put {max(longest_wait(each, site) for each in rounds):.1f} s at most",
        violations=tally.violations,
        control=f"the same reads, their ages not counted: {len(untold):,} without one, {len(forged.too_old()):,} too "
        "old",
        is_control_found=bool(untold),
        not_shown=[
            "How long the others wait for a write while a node is cut off in the middle of one: the database gives it "
            "up after 5 seconds."
        ],
    )


def _cut_off(site: Site, rng: random.Random, number: int, tally: Tally) -> Round:
    """Cut off a node while clients publish on all, and wait until it is whole again."""
    node = rng.randrange(_NODES)
    clients = []
    for place, project in enumerate(site.projects):
        with site.lan.machines[place].inside():
            clients.append(Clients(project.server.port, project.token, f"r{number}-n{place}"))
    with ExitStack() as stack:
        for place, some in enumerate(clients):
            with site.lan.machines[place].inside():
                stack.enter_context(some)
        time.sleep(_BETWEEN)  # see there
        site.lan.cut(node)
        cut = time.perf_counter()
        time.sleep(rng.uniform(_SHORTEST, _LONGEST))  # how long it is cut off is the matter
        joined = time.perf_counter()
        site.lan.join(node)
        until(lambda: _is_whole(site.diary, node, joined), seconds=60)
        whole = time.perf_counter()
        time.sleep(_BETWEEN)  # see there
    for place, some in enumerate(clients):
        tally.acknowledged += some.account.count()
        tally.cut_off += some.cut_off
        with site.lan.machines[place].inside():
            tally.violations += [f"round {number}, node {place}: {what}" for what in some.faults()]
    return Round(node, cut, joined, whole)


def _is_whole(diary: Diary, node: int, joined: float) -> bool:
    """Whether a node has acknowledged a write that was sent since, and tells no age any more."""
    written = any(write.node == node and write.asked > joined for write in reversed(diary.writes[-1_000:]))
    last = next(read for read in reversed(diary.reads) if read.node == node)
    return written and last.asked > joined and last.age is None


def faults(each: Round, site: Site) -> list[str]:
    """What is wrong with what was told while a node was cut off."""
    done = [
        f"node {each.node} acknowledged {write.shown} while it was cut off"
        for write in site.diary.writes
        if write.node == each.node and write.asked > each.cut and write.answered < each.joined
    ]
    return [*done, *untold_ages(each, site.diary)]


def untold_ages(each: Round, diary: Diary) -> list[str]:
    """Reads on the node that was cut off, from the second on, that do not tell their age."""
    return [
        f"a read at {read.asked:.3f} on the node that was cut off at {each.cut:.3f} tells no age"
        for read in diary.reads
        if read.node == each.node
        and each.cut + FRESH_SECONDS < read.asked
        and read.answered < each.joined
        and read.age is None
    ]


def longest_wait(each: Round, site: Site) -> float:
    """How many seconds the others waited at most between two puts that were acknowledged."""
    longest = 0.0
    for node in set(range(_NODES)) - {each.node}:
        moments = [w.answered for w in site.diary.writes if w.node == node and each.cut < w.answered < each.whole]
        moments = sorted([each.cut, *moments, each.whole])
        longest = max(longest, *(later - one for one, later in pairwise(moments)))
    return longest
