"""SIGKILL while several writers share a SQLite file: mostly without a server, which starts quickly, and with one."""

import asyncio
import random
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from tests.support.server import Server
from tools.common.machine import rng as random_numbers
from tools.common.report import pluralize
from tools.common.stored import MarkedVersion
from tools.faults.acknowledged import Acknowledged
from tools.faults.inspection import check_inspection, inspect
from tools.faults.outcome import Outcome, Part, Tally
from tools.faults.publishing import PROCESSES, publish
from tools.faults.retrying_clients import CLIENTS, RetryingClients

#: Kills of one database, so that all of it can be inspected after each.
_KILLS_PER_DATABASE = 50

#: Longest time of writing in seconds, of a process and of a server.
_LONGEST, _LONGEST_SERVER = 0.08, 0.3

#: One in ten kills is at any time from the start on: while the database is created, migrated or recovered.
_EARLY = 10

#: One in twenty kills is of a server.
_SERVERS = 20

#: Most kills of the positive control.
_CONTROLS = 200


class PipeWriter:
    """Listener in the process that will be killed. A pipe delivers the events that were sent before the kill."""

    def __init__(self, pipe: "Connection[str, None]") -> None:
        self._pipe = pipe

    def add_sent(self, key: str, marker: str) -> None:
        """See `Acknowledged`."""
        self._pipe.send_bytes(f"sent {key} {marker}".encode())

    def add_acknowledged(self, key: str, version: MarkedVersion) -> None:
        """See `Acknowledged`."""
        self._pipe.send_bytes(f"acknowledged {key} {version.marker} {version.version}".encode())


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Kill `count` times; see `Part`."""
    rng, tally = random_numbers(seed, "kill-sqlite"), Tally()
    servers = -(-count // _SERVERS)
    detected = _kill_writers(count - servers, rng, folder, tally)
    _kill_servers(servers, rng, folder, tally)
    needed = _kill_early_writers(folder, rng)
    return Outcome(
        count=count,
        result=f"{tally.acknowledged:,} publishes acknowledged; {tally.retried:,} interrupted and retried; "
        f"{pluralize(servers, 'kill')} of a server",
        violations=tally.violations,
        control=f"a writer that acknowledges before its commit, after {pluralize(needed or _CONTROLS, 'kill')}; "
        f"{detected} corrupted copies",
        is_control_found=needed is not None,
    )


def _kill_writers(count: int, rng: random.Random, folder: Path, tally: Tally) -> int:
    """Kill processes without a server; return the number of corruptions that were detected in the last database."""
    log, database = Acknowledged(), folder
    for number in range(count):
        if number % _KILLS_PER_DATABASE == 0:
            log, database = Acknowledged(), folder / f"{number}.db"
        before = log.count()
        kill(database, f"k{number}", log, rng)
        tally.acknowledged += log.count() - before
        tally.retried += sum(len(log.unacknowledged(key)) for key in log.sent)
        tally.violations += [f"kill {number}: {violation}" for violation in inspect(database, log)]
    return check_inspection(database, log)


def _kill_servers(count: int, rng: random.Random, folder: Path, tally: Tally) -> None:
    """Kill servers and inspect the state through their API."""
    with Server(folder) as server:
        project = server.new_project()
        for number in range(count):
            with RetryingClients(server.port, project.token, f"s{number}") as clients:
                time.sleep(rng.uniform(0, _LONGEST_SERVER))  # the moment of the kill
                server.kill()
                server.start()
            tally.acknowledged += clients.log.count()
            tally.retried += clients.retried
            tally.violations += [f"kill {number} of a server: {violation}" for violation in clients.violations()]
    found = inspect(folder / "moorage.db", Acknowledged())
    tally.violations += [f"database of the servers: {violation}" for violation in found]


def kill(database: Path, prefix: str, log: Acknowledged, rng: random.Random, *, is_early: bool = False) -> None:
    """Start a writing process, kill it, and log the events that it sent."""
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_write, args=(database, prefix, sender), kwargs={"is_early": is_early})
    process.start()
    sender.close()
    try:
        if rng.randrange(_EARLY):
            _record(receiver.recv_bytes(), log)
        time.sleep(rng.uniform(0, _LONGEST))  # the moment of the kill
    finally:
        process.kill()
        process.join()
    with suppress(EOFError):
        while True:
            _record(receiver.recv_bytes(), log)
    receiver.close()
    process.close()


def _write(database: Path, prefix: str, pipe: "Connection[str, None]", *, is_early: bool) -> None:
    asyncio.run(publish(database, prefix, PipeWriter(pipe), is_early=is_early))


def _record(event: bytes, log: Acknowledged) -> None:
    match event.decode().split(" "):
        case ["sent", key, marker]:
            log.add_sent(key, marker)
        case ["acknowledged", key, marker, version]:
            log.add_acknowledged(key, MarkedVersion(version, marker))


def _kill_early_writers(folder: Path, rng: random.Random) -> int | None:
    """Run the positive control; return the number of kills until a publish was lost."""
    for number in range(1, _CONTROLS + 1):
        log, database = Acknowledged(), folder / f"early-{number}.db"
        kill(database, "early", log, rng, is_early=True)
        if any("is not stored" in violation for violation in inspect(database, log)):
            return number
    return None


PART = Part(
    "kill-sqlite", run, 2_000, 40, "kills",
    fault="SIGKILL of a process with 6 writers on 2 deployments, after up to 80 ms; one in 20 kills is of a server "
    f"with {CLIENTS} clients",
    invariant="every acknowledged publish is stored, and none that was not sent; versions are 1.0, 1.1, … without a "
    "gap; file and history chain are intact; a retry with the idempotency key is stored once",
    limit="A kill does not lose the page cache of the kernel, so it says nothing about power failures.",
)  # fmt: skip
