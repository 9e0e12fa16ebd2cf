"""A disk that runs full under PostgreSQL while clients write and read, and has space again."""

import random
from pathlib import Path

import psycopg
from bench.kept import Marked, controls
from bench.report import Bound
from tests.support.postgres import PostgresServer, sql
from tests.support.server import Server
from tests.support.small_disk import HeldDisk, SmallDisk, fill
from tests.support.threads import until

from faults.filling import KEY, LEFT, Filling
from faults.outcome import NotRun, Outcome

_SIZE = 160 * 2**20


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Fill the disk so often; see `Part`."""
    if problem := SmallDisk(folder / "probe", _SIZE).problem():
        raise NotRun(problem)
    rng, downs = random.Random(f"{seed} disk-full-postgresql"), 0
    with HeldDisk(folder / "disk", _SIZE) as disk, PostgresServer(disk=disk) as postgres:
        database = postgres.new_database()
        with Server(folder, prefix=("env", "-C", str(folder)), database=database) as server:
            filling = Filling(server.port, server.new_project().token, rng, may_be_away=True)
            ballast, pid = disk.seen / "ballast", disk.seen / "data/postmaster.pid"
            for number in range(count):
                fill(ballast, left=rng.randrange(LEFT))
                filling.fill_up(f"f{number}")
                ballast.unlink()
                if not pid.exists():
                    downs += 1
                    postgres.start()
                until(lambda: _is_up(database))
                filling.resume(f"f{number}")
                filling.check()
            kept, acknowledged = filling.kept(), filling.account.acknowledged[KEY]
    slowest = filling.slowest_resume
    unanswered = len(filling.account.unanswered(KEY))
    ways = controls(kept, acknowledged, unanswered)
    claimed = [*acknowledged, *(Marked("1.1", mark) for mark in filling.refused)]
    lost = sum("is not there" in what for what in kept.faults(claimed, unanswered).lost)
    return Outcome(
        fault="the disk (a tmpfs) runs full under PostgreSQL, with up to 0.3 MB left at first, while 3 clients publish "
        "and one reads; then there is space again, and PostgreSQL is started again where it ended",
        invariant="every read of what is in memory is answered; a write is acknowledged, or gets 507 and nothing of it "
        "is there, or 503; a server whose database ended goes on by itself",
        count=count,
        result=f"{len(acknowledged):,} publishes acknowledged, {len(filling.refused):,} refused with 507, "
        f"{unanswered:,} with 503, {filling.reads:,} reads; PostgreSQL ended {downs:,} times",
        violations=filling.violations,
        control=f"the check with the refused publishes as if they had been acknowledged: {lost:,} lost; "
        f"{ways} ways to spoil a copy",
        is_control_found=lost == len(filling.refused) and ways > 0,
        bounds=[Bound("a full disk, PostgreSQL: longest time from its return to a write", slowest, 1.0, unit="s")],
    )


def _is_up(database: str) -> bool:
    try:
        sql(database, "SELECT 1")
    except psycopg.OperationalError:
        return False
    return True
