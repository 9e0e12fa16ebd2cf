"""Network partition of one of three nodes from the other nodes and the database."""

import random
import time
from collections import Counter
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple, Self

from tests.support.nodes import Node
from tests.support.postgres import PostgresServer
from tests.support.server import Project
from tests.support.threads import until
from tools.common.machine import rng as random_numbers
from tools.faults.client import LoggingClient
from tools.faults.event_log import MAX_LAG_SECONDS, EventLog
from tools.faults.inspection import check_history
from tools.faults.lan import Lan
from tools.faults.load import Load
from tools.faults.outcome import Outcome, Part, Tally
from tools.faults.retrying_clients import CLIENTS, RetryingClients

_NODES = 3

#: Length of a partition in seconds; the longest exceed the timeout of open connections.
_SHORTEST, _LONGEST = 3.0, 15.0

#: Seconds of load before and after a partition.
_BETWEEN = 1.0


class Partition(NamedTuple):
    """Node, and moments (`time.perf_counter`) of the cut, of the join, and of the recovery."""

    node: int
    cut: float
    joined: float
    recovered: float


class Cluster:
    """Three nodes and PostgreSQL on a `Lan`, with a reading and a writing client on the machine of each node."""

    def __init__(self, folder: Path) -> None:
        self.log = EventLog()
        self.projects: list[Project] = []
        self.writers: list[LoggingClient] = []
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
                project = nodes[0].new_project()
            for number, node in enumerate(nodes):
                with self.lan.machines[number].inside():
                    self.projects.append(project.on_server(node))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start_clients(self, load: Load) -> None:
        """Start to read and write on each node."""
        for number, project in enumerate(self.projects):
            reader, writer = (
                load.enter(LoggingClient(self.log, number, project.server.port, project.token, f"pulse{number}"))
                for _ in range(2)
            )
            self.writers.append(writer)
            with self.lan.machines[number].inside():
                load.start(reader.read)
                load.start(writer.write)


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Cut off a node `count` times; see `Part`."""
    rng, tally, partitions = random_numbers(seed, "partition"), Tally(), list[Partition]()
    with Cluster(folder) as cluster:
        with Load() as load:
            cluster.start_clients(load)
            for number in range(count):
                partitions.append(_cut_off(cluster, rng, number, tally))
        with cluster.lan.machines[_NODES].inside():
            tally.violations += check_history(cluster.database)
    log, writers = cluster.log, cluster.writers
    tally.violations += [*log.violations(), *(violation for writer in writers for violation in writer.violations())]
    tally.violations += [text for each in partitions for text in violations(each, log)]
    ageless = EventLog([read._replace(age=None) for read in log.reads], log.writes)
    missing = [text for each in partitions for text in missing_ages(each, ageless)]
    rejected = [each for writer in writers for each in writer.rejected]
    statuses = Counter("no response" if response is None else response.status for _, _, response in rejected)
    slowest = max((seconds for _, seconds, _ in rejected), default=0.0)
    lengths = [each.joined - each.cut for each in partitions]
    recoveries = [each.recovered - each.joined for each in partitions]
    return Outcome(
        count=count,
        result=f"partitions of {min(lengths):.0f} to {max(lengths):.0f} s; {len(log.reads):,} reads; "
        f"{tally.acknowledged:,} publishes and {len(log.writes):,} puts acknowledged, {tally.retried:,} publishes "
        f"retried; puts rejected: {', '.join(f'{n:,} with {status}' for status, n in statuses.items()) or 'none'}, "
        f"after at most {slowest:.1f} s; recovery {median(recoveries):.1f} s after the join, at most "
        f"{max(recoveries):.1f} s; puts on other nodes waited at most "
        f"{max(longest_wait(each, log) for each in partitions):.1f} s",
        violations=tally.violations,
        control=f"the same reads without their ages: {len(missing):,} without an age, {len(ageless.stale()):,} stale",
        is_control_found=bool(missing),
    )


def _cut_off(cluster: Cluster, rng: random.Random, number: int, tally: Tally) -> Partition:
    """Cut off a node while clients publish on all nodes, and wait until it has recovered."""
    node, lan = rng.randrange(_NODES), cluster.lan
    clients = []
    for place, project in enumerate(cluster.projects):
        with lan.machines[place].inside():
            clients.append(RetryingClients(project.server.port, project.token, f"r{number}-n{place}"))
    with ExitStack() as stack:
        for place, each in enumerate(clients):
            with lan.machines[place].inside():
                stack.enter_context(each)
        time.sleep(_BETWEEN)  # load without a partition
        lan.cut(node)
        cut = time.perf_counter()
        time.sleep(rng.uniform(_SHORTEST, _LONGEST))  # the length of the partition
        joined = time.perf_counter()
        lan.join(node)
        until(lambda: _has_recovered(cluster.log, node, joined), seconds=60)
        recovered = time.perf_counter()
        time.sleep(_BETWEEN)  # load without a partition
    for place, each in enumerate(clients):
        tally.acknowledged += each.log.count()
        tally.retried += each.retried
        with lan.machines[place].inside():
            tally.violations += [f"partition {number}, node {place}: {text}" for text in each.violations()]
    return Partition(node, cut, joined, recovered)


def _has_recovered(log: EventLog, node: int, joined: float) -> bool:
    """Return whether a node has acknowledged a write since the join and sends responses without an age."""
    has_written = any(write.node == node and write.sent > joined for write in reversed(log.writes[-1_000:]))
    last = next(read for read in reversed(log.reads) if read.node == node)
    return has_written and last.sent > joined and last.age is None


def violations(each: Partition, log: EventLog) -> list[str]:
    """Return the violations of the node that was cut off."""
    acknowledged = [
        f"node {each.node} acknowledged {write.state} during its partition"
        for write in log.writes
        if write.node == each.node and write.sent > each.cut and write.received < each.joined
    ]
    return [*acknowledged, *missing_ages(each, log)]


def missing_ages(each: Partition, log: EventLog) -> list[str]:
    """Return the reads without an age on the node that was cut off, from one second after the cut on."""
    return [
        f"a read at {read.sent:.3f} has no age on the node that was cut off at {each.cut:.3f}"
        for read in log.reads
        if read.node == each.node
        and each.cut + MAX_LAG_SECONDS < read.sent
        and read.received < each.joined
        and read.age is None
    ]


def longest_wait(each: Partition, log: EventLog) -> float:
    """Return the most seconds between two acknowledged puts on the other nodes."""
    longest = 0.0
    for node in set(range(_NODES)) - {each.node}:
        moments = [w.received for w in log.writes if w.node == node and each.cut < w.received < each.recovered]
        moments = sorted([each.cut, *moments, each.recovered])
        longest = max(longest, *(later - earlier for earlier, later in pairwise(moments)))
    return longest


PART = Part(
    "partition", run, 8, 1, "partitions",
    fault="of three nodes in their own network namespaces, the link of one is cut for 3 to 15 s; "
    f"{CLIENTS} clients publish on each node, two more read and write",
    invariant="every read returns 200, never goes back in time, and shows all writes acknowledged 1,000 ms before, or "
    "has an age; the node that is cut off sends an age from one second on, acknowledges nothing, and recovers by "
    "itself; each publish is stored once, retried with its key after a 503 or a lost response",
    limit="How long other nodes wait for a write while a node is cut off inside a transaction: PostgreSQL aborts the "
    "transaction after 5 seconds.",
)  # fmt: skip
