"""How long it takes until others show what one node acknowledged: with notifications, and without."""

import random
import time
from pathlib import Path
from statistics import quantiles

import msgspec
from bench.report import Bound
from tests.support.nodes import Node, Nodes
from tests.support.postgres import SESSIONS, PostgresServer, sql
from tests.support.server import Project
from tests.support.threads import until

from faults.crowd import Crowd
from faults.diary import Diary
from faults.outcome import Outcome
from faults.relay import Relay
from faults.visitor import Visitor

#: The pause between two writes, in seconds: each is to be noticed by itself.
_SHORTEST, _LONGEST = 0.01, 0.05

#: Between two times that the LISTEN sessions are ended, in seconds.
_TERMINATED_EVERY = 0.05

#: How long the node that reaches nothing is looked at, in seconds; more than the bound.
_APART_SECONDS = 3.0


class Delays(msgspec.Struct, frozen=True):
    """In milliseconds, from an acknowledgement to the first answer of another node that shows it."""

    p50: float
    p99: float
    longest: float

    def __str__(self) -> str:
        return f"p50 {self.p50:,.1f} ms, p99 {self.p99:,.1f} ms, at most {self.longest:,.1f} ms"


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Write so often, a third of it in each of three states; see `Part`."""
    rng = random.Random(f"{seed} staleness")
    each = count // 3
    diaries: dict[str, Diary] = {}
    with PostgresServer() as postgres, Relay([postgres.port]) as cable:
        database = postgres.new_database()
        through_cable = database.replace(f":{postgres.port}/", f":{cable.port}/")
        with (
            Nodes(folder, database, 3, "--database-listen", through_cable) as nodes,
            Node(folder / "apart", through_cable) as apart,
        ):
            project = nodes.projects[0]
            lone = project.seen_by(apart)
            until(lambda: len(_listening(database)) == 4)
            diaries["healthy"] = measure(nodes.projects, each, rng)
            with Crowd() as crowd:
                crowd.start(lambda: _terminate(database))
                diaries["LISTEN ended"] = measure(nodes.projects, each, rng)
            until(lambda: len(_listening(database)) == 4)
            cable.cut()
            diaries["LISTEN half-open"] = measure(nodes.projects, each, rng)
            diaries["all cut"] = _measure_apart(project, lone)
    violations = [f"{state}: {what}" for state, diary in diaries.items() for what in diary.faults()]
    cut = diaries.pop("all cut")
    untold = Diary([read._replace(age=None) for read in cut.reads], cut.writes).too_old()
    found = {state: _delays(diary) for state, diary in diaries.items()}
    return Outcome(
        fault="a writer on one of three nodes; the two others as they are, then with their LISTEN sessions ended "
        f"every {_TERMINATED_EVERY * 1000:.0f} ms, then with a LISTEN connection through which nothing comes any more; "
        "at the end a node whose every connection to the database is like that",
        invariant="an answer shows all that was acknowledged 1,000 ms before, or tells its age; no node goes back; the "
        "node that took a write shows it at once",
        count=each * len(found),
        result="; ".join(f"{state}: {delays}" for state, delays in found.items()),
        violations=violations,
        control=f"the node that reaches nothing, its ages not counted: {len(untold):,} answers too old",
        is_control_found=bool(untold),
        bounds=[
            Bound("staleness of another node, healthy, p99", found["healthy"].p99, 50, unit="ms"),
            *(
                Bound(f"staleness of another node, {state}, longest", delays.longest, 1_000, unit="ms")
                for state, delays in list(found.items())[1:]
            ),
        ],
    )


def measure(projects: list[Project], count: int, rng: random.Random) -> Diary:
    """Write so often on the first node while the others, and it too, are read."""
    diary = Diary()
    with Crowd() as crowd:
        writer = crowd.keep(_visitor(diary, projects, 0))
        for node in range(len(projects)):
            crowd.start(crowd.keep(_visitor(diary, projects, node)).read)
        for _ in range(count):
            writer.write()
            time.sleep(rng.uniform(_SHORTEST, _LONGEST))  # see there
        last = diary.writes[-1].shown
        until(lambda: all(_shows(diary, node, last) for node in range(len(projects))))
    return diary


def _listening(database: str) -> list[int]:
    return [pid for (pid,) in sql(database, f"SELECT pid {SESSIONS.format('LISTEN')}")]


def _terminate(database: str) -> None:
    sql(database, f"SELECT pg_terminate_backend(pid) {SESSIONS.format('LISTEN')}")
    time.sleep(_TERMINATED_EVERY)  # see there


def _measure_apart(writing: Project, lone: Project) -> Diary:
    """Write on one node, and read on another that reaches nothing."""
    diary = Diary()
    with Crowd() as crowd:
        crowd.start(crowd.keep(_visitor(diary, [writing], 0)).write)
        crowd.start(crowd.keep(_visitor(diary, [writing, lone], 1)).read)
        time.sleep(_APART_SECONDS)  # how long it is looked at is the matter
    return diary


def _visitor(diary: Diary, projects: list[Project], node: int) -> Visitor:
    return Visitor(diary, node, projects[node].server.port, projects[node].token)


def _shows(diary: Diary, node: int, revision: int) -> bool:
    last = next((read for read in reversed(diary.reads) if read.node == node), None)
    return last is not None and last.shown >= revision


def _delays(diary: Diary) -> Delays:
    cuts = quantiles([delay * 1e3 for delay in diary.delays()], n=100, method="inclusive")
    return Delays(cuts[49], cuts[98], max(diary.delays()) * 1e3)
