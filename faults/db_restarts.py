"""PostgreSQL restarts at once, again and again, under two nodes behind a plain TCP balancer."""

import random
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from bench.report import Bound
from tests.support.nodes import Nodes
from tests.support.postgres import PostgresServer
from tests.support.threads import until

from faults.clients import CLIENTS, Clients
from faults.crowd import Crowd
from faults.diary import Diary
from faults.outcome import Outcome
from faults.relay import Relay
from faults.visitor import Visitor
from moorage.registry.audit import verify_ledger
from moorage.store.opening import open_store

_READERS = 4

#: How long at most it is loaded before a restart, and how long the database is away at most beside the time that it
#: takes to start, in seconds.
_LONGEST, _LONGEST_AWAY = 1.0, 1.5


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Restart so often; see `Part`."""
    rng = random.Random(f"{seed} db-restarts")
    diary, waits = Diary(), list[float]()
    with (
        PostgresServer() as postgres,
        Nodes(folder, postgres.new_database()) as nodes,
        Relay([node.port for node in nodes.all]) as balancer,
    ):
        token = nodes.projects[0].token
        with Crowd() as crowd, Clients(balancer.port, token, "restarts") as clients:
            for _ in range(_READERS):
                crowd.start(crowd.keep(Visitor(diary, 0, balancer.port, token)).read)
            writer = crowd.keep(Visitor(diary, 0, balancer.port, token))
            crowd.start(writer.write)
            for _ in range(count):
                time.sleep(rng.uniform(0, _LONGEST))  # the moment of the restart is the matter
                postgres.stop()
                time.sleep(rng.uniform(0, _LONGEST_AWAY))  # how long it is away, too
                postgres.start()
                waits.append(_until_written(diary))
        violations = [*clients.faults(), *diary.failed(), *diary.too_old(), *writer.wrong()]
        refused = len(writer.refused) + clients.cut_off
        with closing(open_store(nodes.all[0].database)) as store:
            violations += verify_ledger(store)
        broken = _kill_a_node(nodes, balancer, token)
        ways = clients.spoil() if not violations else 0
    return Outcome(
        fault="immediate restarts of PostgreSQL, which was away for up to 1.5 s longer than it takes to start, under "
        f"{_READERS} readers and {CLIENTS + 1} writers on two nodes behind a plain TCP balancer",
        invariant="every read is answered with 200 and shows all that was acknowledged 1,000 ms before, or tells its "
        "age; a write is acknowledged and there, once, or answered with 503 and `Retry-After`; the ledger verifies",
        count=count,
        result=f"{len(diary.reads):,} reads, {len(diary.failed()):,} failed; {clients.account.count():,} publishes and "
        f"{len(diary.writes):,} puts acknowledged, {refused:,} refused, {clients.cut_off:,} publishes sent again; the "
        f"first write was acknowledged {median(waits):.2f} s after the database was up, at most {max(waits):.2f} s",
        violations=violations,
        control=f"one of the two nodes killed: {broken:,} reads failed; {ways} ways to spoil a copy",
        is_control_found=broken > 0 and ways > 0,
        bounds=[
            Bound(f"failed reads in {count} immediate restarts of the database", len(diary.failed()), 0),
            Bound("first write after the database is up, longest", max(waits), 1.0, unit="s"),
        ],
    )


def _until_written(diary: Diary) -> float:
    """Wait for a write that is acknowledged; how many seconds it took."""
    up, before = time.perf_counter(), len(diary.writes)
    until(lambda: len(diary.writes) > before)
    return diary.writes[before].answered - up


def _kill_a_node(nodes: Nodes, balancer: Relay, token: str) -> int:
    """The positive control: how many reads fail when a node is killed, which nobody hides."""
    diary = Diary()
    with Crowd() as crowd:
        for _ in nodes.all:  # one connection to each of them
            crowd.start(crowd.keep(Visitor(diary, 0, balancer.port, token)).read)
        until(lambda: len(diary.reads) > 20)
        nodes.all[1].kill()
        seen = len(diary.reads)
        until(lambda: len(diary.reads) > seen + 50)
    return len(diary.failed())
