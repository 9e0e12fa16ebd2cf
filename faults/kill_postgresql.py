"""kill -9 of the server, of PostgreSQL, or of both, while clients publish over HTTP and send again what was cut off."""

import random
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from bench.report import counted
from tests.support.postgres import PostgresServer, sql
from tests.support.proxy import Proxy
from tests.support.server import Project, Server
from tests.support.threads import until

from faults.clients import CLIENTS, Clients
from faults.outcome import Outcome, Tally
from faults.spoilt import SPOILT
from moorage.registry.audit import verify_ledger
from moorage.store.opening import open_store

_SERVER, _DATABASE, _BOTH = "the server", "PostgreSQL", "both"

#: The longest time that the clients publish before a kill, in seconds.
_LONGEST = 0.3

#: How many kills of the control there are at most until something is lost.
_CONTROLS = 40


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Kill so often; see `Part`."""
    rng, tally, ways = random.Random(f"{seed} kill-postgresql"), Tally(), 0
    killed = Counter[str]()
    with PostgresServer() as postgres:
        database = postgres.new_database()
        # In the folder, where it may leave what it needs for a start without its database.
        with Server(folder, prefix=("env", "-C", str(folder)), database=database) as server:
            project = server.new_project()
            for number in range(count):
                victim = rng.choice((_SERVER, _DATABASE, _BOTH))
                killed[victim] += 1
                clients = Clients(server.port, project.token, f"k{number}")
                wrong = kill(victim, clients, server, postgres, rng)
                tally.acknowledged += clients.account.count()
                tally.cut_off += clients.cut_off
                tally.violations += [f"kill {number} ({victim}): {what}" for what in (*wrong, *clients.faults())]
                ways = ways or clients.spoil()
            with closing(open_store(database)) as store:
                tally.violations += verify_ledger(store)
            doubled = _cut_without_keys(project)
        (folder / "unsynced").mkdir()
        with Server(folder / "unsynced", database=database, program=(*SPOILT, "unsynced")) as unsynced:
            lost = _kill_without_waiting(Project(unsynced, project.id, project.name, project.token), postgres, rng)
    victims = ", ".join(f"{times:,} of {victim}" for victim, times in sorted(killed.items()))
    return Outcome(
        fault=f"kill -9 ({victims}) after up to 0.3 s of publishes by {CLIENTS} clients on 2 deployments",
        invariant="as the API shows it: what was acknowledged is there, each publish once; versions are 1.0, 1.1, … "
        "without a gap; the ledger is intact; a server whose database was killed goes on by itself",
        count=count,
        result=f"{tally.acknowledged:,} publishes acknowledged; {tally.cut_off:,} cut off and sent again",
        violations=tally.violations,
        control=f"clients without `Idempotency-Key` whose answers are cut off: {doubled:,} doubled; "
        f"`synchronous_commit=off`: lost after {counted(lost or _CONTROLS, 'kill')}; {ways} ways to spoil a copy",
        is_control_found=doubled > 0 and lost is not None,
    )


def kill(victim: str, clients: Clients, server: Server, postgres: PostgresServer, rng: random.Random) -> list[str]:
    """Kill while the clients publish, and start again what was killed; what is wrong, in words."""
    before = server.process
    with clients:
        time.sleep(rng.uniform(0, _LONGEST))  # the moment of the kill is the matter
        if victim != _DATABASE:
            server.kill()
        if victim != _SERVER:
            postgres.kill()
            postgres.start()
        if victim != _DATABASE:
            server.start()
    is_the_same = server.process is before and before is not None and before.poll() is None
    return [] if is_the_same or victim != _DATABASE else ["the server ended when its database was killed"]


def _cut_without_keys(project: Project) -> int:
    """The positive control: clients that send again as if it were new, after an answer was cut off; how many publishes
    are doubled."""
    with Proxy(project.server.port) as proxy:
        with Clients(proxy.port, project.token, "no-key", is_keyed=False) as clients:
            proxy.cut_after = b"POST"
            until(lambda: proxy.cuts > 0)
            proxy.cut_after = None
        return sum("was done" in what for what in clients.faults())


def _kill_without_waiting(project: Project, postgres: PostgresServer, rng: random.Random) -> int | None:
    """The other one: a database that says it has committed before it has; after how many kills something is lost."""
    for number in range(1, _CONTROLS + 1):
        clients = Clients(project.server.port, project.token, f"no-wait-{number}")
        sql(
            postgres.url("postgres"), "CHECKPOINT"
        )  # or the deployments could be lost too, and there were nothing to look at
        kill(_DATABASE, clients, project.server, postgres, rng)
        if any("is not there" in what for what in clients.faults()):
            return number
    return None
