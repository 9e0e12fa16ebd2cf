"""Full disk under SQLite and under PostgreSQL while clients write and read, and free space again."""

from contextlib import suppress
from pathlib import Path

import psycopg

from tests.support.postgres import PostgresServer, sql
from tests.support.server import Server
from tests.support.small_disk import SharedDisk, SmallDisk, fill
from tests.support.threads import until
from tools.common.machine import rng as random_numbers
from tools.common.report import Bound, pluralize
from tools.faults.acknowledged import Acknowledged
from tools.faults.disk_load import MOST_FREE, DiskLoad
from tools.faults.inspection import inspect
from tools.faults.outcome import NotRun, Outcome, Part

#: Size of SQLite's disk, and more for each fault, because acknowledged publishes stay; size of PostgreSQL's disk.
_SIZE, _MORE, _POSTGRESQL_SIZE = 16 * 2**20, 2 * 2**20, 160 * 2**20


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Fill the disk of SQLite `count` times; see `Part`."""
    disk = SmallDisk(folder / "disk", _SIZE + count * _MORE)
    if reason := disk.unsupported_reason():
        raise NotRun(reason)
    rng = random_numbers(seed, "disk-full")
    server = Server(disk.folder, prefix=disk.prefix)
    server.log, server.output = folder / "log", folder / "output"
    with server:
        assert server.process is not None
        mounted = disk.path_in(server.process.pid)
        token = server.token()
        load = DiskLoad(server.port, token, rng)
        for number in range(count):
            fill(mounted / "ballast", left=rng.randrange(MOST_FREE))
            load.fill_up(f"f{number}")
            (mounted / "ballast").unlink()
            load.resume(f"f{number}")
            load.check()
        detected = load.check_detection()
        for name in ("moorage.db", "moorage.db-wal"):
            with suppress(FileNotFoundError):
                (folder / name).write_bytes((mounted / name).read_bytes())
    load.violations += inspect(folder / "moorage.db", Acknowledged())
    return _outcome(count, load, detected, "", "SQLite: longest time from free space to a write")


def run_postgresql(count: int, seed: int, folder: Path) -> Outcome:
    """Fill the disk of PostgreSQL `count` times; see `Part`."""
    if reason := SmallDisk(folder / "probe", _POSTGRESQL_SIZE).unsupported_reason():
        raise NotRun(reason)
    rng, stops = random_numbers(seed, "disk-full-postgresql"), 0
    with SharedDisk(folder / "disk", _POSTGRESQL_SIZE) as disk, PostgresServer(disk=disk) as postgres:
        database = postgres.new_database()
        with Server(folder, database=database) as server:
            load = DiskLoad(server.port, server.new_project().token, rng, can_stop=True)
            for number in range(count):
                fill(disk.outside / "ballast", left=rng.randrange(MOST_FREE))
                load.fill_up(f"f{number}")
                (disk.outside / "ballast").unlink()
                if not (disk.outside / "data/postmaster.pid").exists():
                    stops += 1
                    postgres.start()
                until(lambda: _is_up(database))
                load.resume(f"f{number}")
                load.check()
            detected = load.check_detection()
    more = f", {len(load.log.unacknowledged('hot')):,} with 503; PostgreSQL stopped {pluralize(stops, 'time')}"
    return _outcome(count, load, detected, more, "PostgreSQL: longest time from its recovery to a write")


def _outcome(count: int, load: DiskLoad, detected: tuple[int, int], more: str, figure: str) -> Outcome:
    copies, lost = detected
    return Outcome(
        count=count,
        result=f"{load.log.count():,} publishes acknowledged, {load.reads:,} reads, {len(load.rejected):,} publishes "
        f"rejected with 507{more}",
        violations=load.violations,
        control=f"rejected publishes counted as acknowledged: {lost:,} lost; {copies} corrupted copies",
        is_control_found=lost == len(load.rejected) > 0,
        bounds=[Bound(f"full disk, {figure}", load.slowest_resume, 1.0, unit="s")],
    )


def _is_up(database: str) -> bool:
    try:
        sql(database, "SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


PART = Part(
    "disk-full", run, 50, 3, "full disks",
    fault="the disk (a tmpfs) of a SQLite file runs full, with up to 0.3 MB free at first, while 3 clients publish and "
    "one reads; then there is space again",
    invariant="every read returns 200; a write is acknowledged, or returns 507 `storage_full` and is not stored; file "
    "and history chain are intact",
)  # fmt: skip

POSTGRESQL_PART = Part(
    "disk-full-postgresql", run_postgresql, 20, 2, "full disks",
    fault="the disk (a tmpfs) of PostgreSQL runs full in the same way; then there is space again, and PostgreSQL is "
    "restarted if it stopped",
    invariant="every read from memory returns 200; a write is acknowledged, or returns 507 and is not stored, or "
    "returns 503; a server whose database stopped recovers without a restart",
)  # fmt: skip
