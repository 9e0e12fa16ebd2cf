"""Time until other nodes show an acknowledged write, with and without notifications."""

import random
import time
from pathlib import Path
from statistics import quantiles

import msgspec

from tests.support.nodes import Node, Nodes
from tests.support.postgres import SESSIONS, PostgresServer, sql
from tests.support.server import Project
from tests.support.threads import until
from tools.common.machine import rng as random_numbers
from tools.common.report import Bound
from tools.faults.client import LoggingClient
from tools.faults.event_log import EventLog
from tools.faults.load import Load
from tools.faults.outcome import Outcome, Part
from tools.faults.relay import Relay

#: Pause between two writes in seconds, so that nodes notice each one separately.
_SHORTEST, _LONGEST = 0.01, 0.05

#: Seconds between two terminations of the LISTEN sessions.
_TERMINATION_INTERVAL = 0.05

#: Seconds of observation of the disconnected node; more than the allowed lag.
_DISCONNECTED_SECONDS = 3.0


class Delays(msgspec.Struct, frozen=True):
    """Milliseconds from an acknowledgement to the first response of another node that shows the write."""

    p50: float
    p99: float
    longest: float

    def __str__(self) -> str:
        return f"p50 {self.p50:,.1f} ms, p99 {self.p99:,.1f} ms, at most {self.longest:,.1f} ms"


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Write `count` times, a third of it in each of three states; see `Part`."""
    rng, each = random_numbers(seed, "staleness"), count // 3
    logs: dict[str, EventLog] = {}
    with PostgresServer() as postgres, Relay(postgres.port) as relay:
        database = postgres.new_database()
        through_relay = database.replace(f":{postgres.port}/", f":{relay.port}/")
        with (
            Nodes(folder, database, 3, "--database-listen", through_relay) as nodes,
            Node(folder / "disconnected", through_relay) as disconnected,
        ):
            project = nodes.projects[0]
            isolated = project.on_server(disconnected)
            until(lambda: len(_listening(database)) == 4)
            logs["healthy"] = measure(nodes.projects, each, rng)
            with Load() as load:
                load.start(lambda: _terminate(database))
                logs["LISTEN ended"] = measure(nodes.projects, each, rng)
            until(lambda: len(_listening(database)) == 4)
            relay.cut()
            logs["LISTEN half-open"] = measure(nodes.projects, each, rng)
            logs["disconnected"] = _measure_disconnected(project, isolated)
    violations = [f"{state}: {violation}" for state, log in logs.items() for violation in log.violations()]
    cut = logs.pop("disconnected")
    stale = EventLog([read._replace(age=None) for read in cut.reads], cut.writes).stale()
    found = {state: _delays(log) for state, log in logs.items()}
    figure = "staleness of another node"
    return Outcome(
        count=each * len(found),
        result="; ".join(f"{state}: {delays}" for state, delays in found.items()),
        violations=violations,
        control=f"the disconnected node without its ages: {len(stale):,} stale responses",
        is_control_found=bool(stale),
        bounds=[
            Bound(f"{figure}, healthy, p99", found["healthy"].p99, 50, unit="ms"),
            *(
                Bound(f"{figure}, {state}, longest", delays.longest, 1_000, unit="ms")
                for state, delays in list(found.items())[1:]
            ),
        ],
    )


def measure(projects: list[Project], count: int, rng: random.Random) -> EventLog:
    """Write on the first node while clients read from all nodes."""
    log = EventLog()
    with Load() as load:
        writer = load.enter(_client(log, projects, 0))
        for node in range(len(projects)):
            load.start(load.enter(_client(log, projects, node)).read)
        for _ in range(count):
            writer.write()
            time.sleep(rng.uniform(_SHORTEST, _LONGEST))  # so that nodes notice each write separately
        last = log.writes[-1].state
        until(lambda: all(_shows(log, node, last) for node in range(len(projects))))
    return log


def _listening(database: str) -> list[int]:
    return [pid for (pid,) in sql(database, f"SELECT pid {SESSIONS.format('LISTEN')}")]


def _terminate(database: str) -> None:
    sql(database, f"SELECT pg_terminate_backend(pid) {SESSIONS.format('LISTEN')}")
    time.sleep(_TERMINATION_INTERVAL)  # before the next termination


def _measure_disconnected(writing: Project, isolated: Project) -> EventLog:
    """Write on one node and read on another that has lost the database."""
    log = EventLog()
    with Load() as load:
        load.start(load.enter(_client(log, [writing], 0)).write)
        load.start(load.enter(_client(log, [writing, isolated], 1)).read)
        time.sleep(_DISCONNECTED_SECONDS)  # the time of observation
    return log


def _client(log: EventLog, projects: list[Project], node: int) -> LoggingClient:
    return LoggingClient(log, node, projects[node].server.port, projects[node].token)


def _shows(log: EventLog, node: int, revision: int) -> bool:
    last = next((read for read in reversed(log.reads) if read.node == node), None)
    return last is not None and last.state >= revision


def _delays(log: EventLog) -> Delays:
    cuts = quantiles([delay * 1e3 for delay in log.delays()], n=100, method="inclusive")
    return Delays(cuts[49], cuts[98], max(log.delays()) * 1e3)


PART = Part(
    "staleness", run, 3_000, 90, "writes",
    fault="a writer on one of three nodes; the other two are healthy, then have their LISTEN sessions terminated every "
    f"{_TERMINATION_INTERVAL * 1000:.0f} ms, then have a half-open LISTEN connection; at the end a node whose every "
    "connection to the database is half-open",
    invariant="a response shows all writes acknowledged 1,000 ms before, or has an age; no node goes back in time; the "
    "node of a write shows it immediately",
)  # fmt: skip
