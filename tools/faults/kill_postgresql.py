"""SIGKILL of the server, of PostgreSQL, or of both, while clients publish over HTTP and retry."""

import random
import time
from collections import Counter
from pathlib import Path

from tests.support.postgres import PostgresServer, sql
from tests.support.proxy import Proxy
from tests.support.server import Project, Server
from tests.support.threads import until
from tools.common.machine import rng as random_numbers
from tools.common.report import pluralize
from tools.faults.broken_server import BROKEN
from tools.faults.inspection import check_history
from tools.faults.outcome import Outcome, Part, Tally
from tools.faults.retrying_clients import CLIENTS, RetryingClients

_SERVER, _DATABASE, _BOTH = "the server", "PostgreSQL", "both"

#: Longest time of publishes before a kill in seconds.
_LONGEST = 0.3

#: Most kills of the positive control.
_CONTROLS = 40


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Kill `count` times; see `Part`."""
    rng, tally, detected = random_numbers(seed, "kill-postgresql"), Tally(), 0
    killed = Counter[str]()
    with PostgresServer() as postgres:
        database = postgres.new_database()
        with Server(folder, database=database) as server:
            project = server.new_project()
            for number in range(count):
                victim = rng.choice((_SERVER, _DATABASE, _BOTH))
                killed[victim] += 1
                clients = RetryingClients(server.port, project.token, f"k{number}")
                wrong = kill(victim, clients, server, postgres, rng)
                tally.acknowledged += clients.log.count()
                tally.retried += clients.retried
                tally.violations += [f"kill {number} ({victim}): {text}" for text in (*wrong, *clients.violations())]
                detected = detected or clients.check_detection()
            tally.violations += check_history(database)
            duplicates = _retry_without_keys(project)
        (folder / "unsynced").mkdir()
        with Server(folder / "unsynced", database=database, program=(*BROKEN, "unsynced")) as unsynced:
            lost = _kill_unsynced(Project(unsynced, project.id, project.name, project.token), postgres, rng)
    victims = ", ".join(f"{times:,} of {victim}" for victim, times in sorted(killed.items()))
    return Outcome(
        count=count,
        result=f"kills: {victims}; {tally.acknowledged:,} publishes acknowledged; {tally.retried:,} interrupted and "
        "retried",
        violations=tally.violations,
        control=f"clients without `Idempotency-Key` that lose responses: {duplicates:,} duplicates; "
        f"`synchronous_commit=off`: lost after {pluralize(lost or _CONTROLS, 'kill')}; {detected} corrupted copies",
        is_control_found=duplicates > 0 and lost is not None,
    )


def kill(
    victim: str, clients: RetryingClients, server: Server, postgres: PostgresServer, rng: random.Random
) -> list[str]:
    """Kill while the clients publish, and restart; return the violations."""
    before = server.process
    with clients:
        time.sleep(rng.uniform(0, _LONGEST))  # the moment of the kill
        if victim != _DATABASE:
            server.kill()
        if victim != _SERVER:
            postgres.kill()
            postgres.start()
        if victim != _DATABASE:
            server.start()
    is_same = server.process is before and before is not None and before.poll() is None
    return [] if is_same or victim != _DATABASE else ["the server exited when its database was killed"]


def _retry_without_keys(project: Project) -> int:
    """Lose the response of clients that retry without a key; return the number of duplicates."""
    with Proxy(project.server.port) as proxy:
        with RetryingClients(proxy.port, project.token, "no-key", has_keys=False) as clients:
            proxy.cut_after = b"POST"
            until(lambda: proxy.cuts > 0)
            proxy.cut_after = None
        return sum("was published" in violation for violation in clients.violations())


def _kill_unsynced(project: Project, postgres: PostgresServer, rng: random.Random) -> int | None:
    """Kill a database that acknowledges before the commit is on disk; return the number of kills until a loss."""
    for number in range(1, _CONTROLS + 1):
        clients = RetryingClients(project.server.port, project.token, f"unsynced-{number}")
        sql(postgres.url("postgres"), "CHECKPOINT")  # or the kill could lose the deployments, too
        kill(_DATABASE, clients, project.server, postgres, rng)
        if any("is not stored" in violation for violation in clients.violations()):
            return number
    return None


PART = Part(
    "kill-postgresql", run, 300, 9, "kills",
    fault=f"SIGKILL of the server, of PostgreSQL, or of both, after up to 0.3 s of publishes by {CLIENTS} clients on "
    "2 deployments",
    invariant="the API shows every acknowledged publish, each retry once; versions are 1.0, 1.1, … without a gap; the "
    "history chain is valid; a server whose database was killed recovers without a restart",
)  # fmt: skip
