"""A disk that runs full under a file of SQLite while clients write and read, and has space again."""

import random
from contextlib import suppress
from pathlib import Path

from bench.kept import Marked, controls
from bench.report import Bound
from tests.support.server import Server
from tests.support.small_disk import SmallDisk, fill

from faults.account import Account
from faults.filling import KEY, LEFT, Filling
from faults.inspection import inspect
from faults.outcome import NotRun, Outcome

#: The size of the disk, and how much more for each time it is filled: what was acknowledged before stays.
_SIZE = 16 * 2**20
_MORE = 2 * 2**20


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Fill the disk so often; see `Part`."""
    disk = SmallDisk(folder / "disk", _SIZE + count * _MORE)
    if problem := disk.problem():
        raise NotRun(problem)
    rng = random.Random(f"{seed} disk-full")
    server = Server(disk.folder, prefix=disk.prefix)
    server.log, server.output = folder / "log", folder / "output"
    with server:
        assert server.process is not None
        seen = disk.seen_from(server.process.pid)
        token = next(word for word in server.greeting().split() if word.startswith("mrg_"))
        filling = Filling(server.port, token, rng)
        for number in range(count):
            fill(seen / "ballast", left=rng.randrange(LEFT))
            filling.fill_up(f"f{number}")
            (seen / "ballast").unlink()
            filling.resume(f"f{number}")
            filling.check()
        kept, acknowledged = filling.kept(), filling.account.acknowledged[KEY]
        ways = controls(kept, acknowledged, 0)
        claimed = [*acknowledged, *(Marked("1.1", mark) for mark in filling.refused)]
        lost = sum("is not there" in what for what in kept.faults(claimed, 0).lost)
        for name in ("moorage.db", "moorage.db-wal"):
            with suppress(FileNotFoundError):
                (folder / name).write_bytes((seen / name).read_bytes())
    violations = [*filling.violations, *inspect(folder / "moorage.db", Account())]
    return Outcome(
        fault="the disk (a tmpfs) runs full under SQLite, with up to 0.3 MB left at first, while 3 clients publish and "
        "one reads; then there is space again",
        invariant="every read is answered; a write is acknowledged, or it gets 507 `storage_full` and nothing of it is "
        "there; the file and the ledger are intact",
        count=count,
        result=f"{len(acknowledged):,} publishes acknowledged, {len(filling.refused):,} refused, "
        f"{filling.reads:,} reads",
        violations=violations,
        control=f"the check with the refused publishes as if they had been acknowledged: {lost:,} lost; "
        f"{ways} ways to spoil a copy",
        is_control_found=lost == len(filling.refused) > 0,
        bounds=[Bound("a full disk: longest time from space to a write", filling.slowest_resume, 1.0, unit="s")],
    )
