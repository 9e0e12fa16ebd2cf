"""Puts faults in, and writes docs/reliability.md."""

import argparse
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import describe, programs

from faults import (
    backups,
    db_restarts,
    disk_full,
    disk_full_postgresql,
    kill_postgresql,
    kill_sqlite,
    list_throughput,
    page_walks,
    partition,
    power_cut,
    publishes,
    slow,
    soak,
    staleness,
)
from faults.outcome import NotRun, Part
from faults.report import page, summary
from faults.results import Result, keep, load

#: name, what runs it, count of a full run, count of a quick one, what is counted
PARTS = (
    Part("backups", backups.run, 200, 6, "backups"),
    Part("disk-full", disk_full.run, 50, 3, "times full"),
    Part("disk-full-postgresql", disk_full_postgresql.run, 20, 2, "times full"),
    Part("kill-sqlite", kill_sqlite.run, 2_000, 40, "kills"),
    Part("kill-postgresql", kill_postgresql.run, 300, 9, "kills"),
    Part("power-cut", power_cut.run, 1_000, 50, "cuts"),
    Part("staleness", staleness.run, 3_000, 90, "writes"),
    Part("partition", partition.run, 8, 1, "times cut off"),
    Part("page-walks", page_walks.run, 20_000, 500, "walks"),
    Part("publishes", publishes.run, 50_000, 2_000, "publishes"),
    Part("db-restarts", db_restarts.run, 20, 3, "restarts"),
    Part("list-throughput", list_throughput.run, 5, 1, "rounds"),
    Part("slow", slow.run, 2_000, 100, "connections"),
    Part("soak", soak.run, 900, 6, "seconds"),
)

_PAGE = Path("docs/reliability.md")


def main() -> None:
    """Run parts, one after the other; exits with 1 if one of them failed or could not be run."""
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__, epilog=f"parts: {', '.join(names)}")
    parser.add_argument("parts", nargs="*", metavar="PART", help="the parts to run; all of them if none is named")
    parser.add_argument("--quick", action="store_true", help="small counts, to see that it works; nothing is written")
    parser.add_argument("--count", type=int, help="how many, instead of each part's own count")
    parser.add_argument("--seed", type=int, default=20_261_122, help="what all choices are drawn from")
    parser.add_argument(
        "--page", action="store_true", help="run nothing, only write the page from the results there are"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(names):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    chosen = [] if arguments.page else [part for part in PARTS if part.name in (arguments.parts or names)]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does: what was started is ended
    is_good = True
    for part in chosen:
        count = arguments.count or (part.quick if arguments.quick else part.count)
        print(f"{part.name}: {count:,} {part.unit} …", flush=True)
        result = _run(part, count, arguments.seed)
        print(summary(result), flush=True)
        is_good = is_good and result.outcome is not None and result.outcome.is_passed
        if not arguments.quick:
            keep(result)
    if not arguments.quick:
        _PAGE.write_text(page(load()))
        print(f"Wrote {_PAGE}.")
    sys.exit(not is_good)


def _run(part: Part, count: int, seed: int) -> Result:
    machine, load = describe()
    machine = ", ".join((machine, *programs()))
    started, outcome, reason = time.monotonic(), None, ""
    with tempfile.TemporaryDirectory(prefix="moorage-faults-") as folder:
        try:
            outcome = part.run(count, seed, Path(folder))
        except NotRun as error:
            reason = str(error)
    minutes = (time.monotonic() - started) / 60
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    return Result(part.name, part.unit, seed, day, minutes, machine, load, outcome, reason)


if __name__ == "__main__":
    main()
