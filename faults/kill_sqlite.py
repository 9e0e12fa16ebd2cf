"""kill -9 while several write to one file of SQLite: most of the time without a server, which is quick to start, and
else through a whole one."""

import random
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from bench.kept import Marked
from bench.report import counted
from tests.support.server import Server

from faults.account import Account
from faults.clients import CLIENTS, Clients
from faults.forking import CONTEXT
from faults.inspection import inspect, spoil
from faults.outcome import Outcome, Tally
from faults.publishing import publish_for_ever

#: A new database after so many kills, so that all of it can be checked after each.
_KILLS_OF_A_DATABASE = 50

#: The longest time that they write, in seconds.
_LONGEST = 0.08

#: Of so many kills, one is at any time from the start on: while the database is made, migrated or recovered.
_EARLY = 10

#: Of so many kills, one is of a server; how long at most they write to it, in seconds.
_SERVERS = 20
_LONGEST_OF_SERVERS = 0.3

#: How many kills of the control there are at most until something is lost.
_CONTROLS = 200


class Teller:
    """In the process that will be killed: says through a pipe what is sent, and what was acknowledged as soon as it is.
    What was said is said, whatever happens to the process."""

    def __init__(self, pipe: "Connection[str, None]") -> None:
        self._pipe = pipe

    def note_sent(self, key: str, mark: str) -> None:
        """See `Account`."""
        self._pipe.send_bytes(f"sent {key} {mark}".encode())

    def note_acknowledged(self, key: str, published: Marked) -> None:
        """See `Account`."""
        self._pipe.send_bytes(f"acknowledged {key} {published.mark} {published.version}".encode())


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Kill so often; see `Part`."""
    rng, tally = random.Random(f"{seed} kill-sqlite"), Tally()
    of_servers = -(-count // _SERVERS)
    ways = _kill_writers(count - of_servers, rng, folder, tally)
    _kill_servers(of_servers, rng, folder, tally)
    needed = _kill_hasty(folder, rng)
    return Outcome(
        fault="kill -9 of a process with 6 writers on 2 deployments, after up to 80 ms; "
        f"{of_servers:,} of them of a whole server with {CLIENTS} clients",
        invariant="what was acknowledged is there, and nothing that was not sent; versions are 1.0, 1.1, … without a "
        "gap; the file and the ledger are intact; what is sent again with its key is there once",
        count=count,
        result=f"{tally.acknowledged:,} publishes acknowledged; {tally.cut_off:,} cut off and sent again",
        violations=tally.violations,
        control=f"a writer that answers before its commit, after {counted(needed or _CONTROLS, 'kill')}; "
        f"{ways} ways to spoil a copy",
        is_control_found=needed is not None,
        not_shown=["A kill leaves what the kernel has in memory: of power that fails it tells nothing."],
    )


def _kill_writers(count: int, rng: random.Random, folder: Path, tally: Tally) -> int:
    """Kill processes without a server; how many ways of spoiling the last database were found after."""
    account, database = Account(), folder
    for number in range(count):
        if number % _KILLS_OF_A_DATABASE == 0:
            account, database = Account(), folder / f"{number}.db"
        before = account.count()
        kill(database, f"k{number}", account, rng)
        tally.acknowledged += account.count() - before
        tally.cut_off += sum(len(account.unanswered(key)) for key in account.sent)
        tally.violations += [f"kill {number}: {what}" for what in inspect(database, account)]
    return spoil(database, account)


def _kill_servers(count: int, rng: random.Random, folder: Path, tally: Tally) -> None:
    """Kill whole servers, and look through them at what is there."""
    with Server(folder) as server:
        project = server.new_project()
        for number in range(count):
            with Clients(server.port, project.token, f"s{number}") as clients:
                time.sleep(rng.uniform(0, _LONGEST_OF_SERVERS))  # the moment of the kill is the matter
                server.kill()
                server.start()
            tally.acknowledged += clients.account.count()
            tally.cut_off += clients.cut_off
            tally.violations += [f"kill {number} of a server: {what}" for what in clients.faults()]
    tally.violations += [f"the servers' database: {what}" for what in inspect(folder / "moorage.db", Account())]


def kill(database: Path, prefix: str, account: Account, rng: random.Random, *, is_hasty: bool = False) -> None:
    """Have a process write, kill it, and note what it said."""
    mine, its = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_write, args=(database, prefix, its), kwargs={"is_hasty": is_hasty})
    process.start()
    its.close()
    try:
        if rng.randrange(_EARLY):
            _note(mine.recv_bytes(), account)
        time.sleep(rng.uniform(0, _LONGEST))  # the moment of the kill is the matter
    finally:
        process.kill()
        process.join()
    with suppress(EOFError):
        while True:
            _note(mine.recv_bytes(), account)
    mine.close()
    process.close()


def _write(database: Path, prefix: str, pipe: "Connection[str, None]", *, is_hasty: bool) -> None:
    publish_for_ever(database, prefix, Teller(pipe), is_hasty=is_hasty)


def _note(said: bytes, account: Account) -> None:
    match said.decode().split(" "):
        case ["sent", key, mark]:
            account.note_sent(key, mark)
        case ["acknowledged", key, mark, version]:
            account.note_acknowledged(key, Marked(version, mark))


def _kill_hasty(folder: Path, rng: random.Random) -> int | None:
    """The positive control: kill a process that acknowledges too early, until something is lost; after how many."""
    for number in range(1, _CONTROLS + 1):
        account, database = Account(), folder / f"hasty-{number}.db"
        kill(database, "hasty", account, rng, is_hasty=True)
        if any("is not there" in what for what in inspect(database, account)):
            return number
    return None
