"""Injects faults and updates docs/reliability.md."""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from tools.common.machine import SEED
from tools.faults import (
    backups,
    disk_full,
    kill_postgresql,
    kill_sqlite,
    partition,
    power_cut,
    publishes,
    staleness,
)
from tools.faults.outcome import NotRun, Outcome, Part
from tools.faults.report import Record, page, parse, record, summary

PARTS = (
    backups.PART, disk_full.PART, disk_full.POSTGRESQL_PART, kill_sqlite.PART, kill_postgresql.PART,
    power_cut.PART, staleness.PART, partition.PART, publishes.PART,
)  # fmt: skip

PAGE = Path("docs/reliability.md")


def main() -> None:
    """Run parts one after the other; exit with 1 if one of them failed or did not run."""
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(prog="python -m tools.faults", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"parts to run (default: all): {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="small counts, to see that it works; writes no page")
    parser.add_argument("--count", type=int, help="count instead of the default of each part")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of all choices")
    parser.add_argument("--page", action="store_true", help="run nothing, only write the page with its stored results")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(names):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; choose from {', '.join(names)}")
    chosen = [] if arguments.page else [part for part in PARTS if part.name in (arguments.parts or names)]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops the servers, as Ctrl-C does
    is_passed = True
    for part in chosen:
        count = arguments.count or (part.quick if arguments.quick else part.count)
        print(f"{part.name}: {count:,} {part.unit} …", flush=True)
        outcome, row = _run(part, count, arguments.seed)
        print(summary(row, outcome), flush=True)
        is_passed = is_passed and outcome is not None and outcome.is_passed
        if not arguments.quick:
            _write({part.name: row})
    if arguments.page:
        _write({})
    sys.exit(not is_passed)


def _run(part: Part, count: int, seed: int) -> tuple[Outcome | None, Record]:
    started, outcome, reason = time.monotonic(), None, ""
    with tempfile.TemporaryDirectory(prefix="moorage-faults-") as folder:
        try:
            outcome = part.run(count, seed, Path(folder))
        except NotRun as error:
            reason = str(error)
    return outcome, record(part, outcome, reason, seed, (time.monotonic() - started) / 60)


def _write(rows: dict[str, Record]) -> None:
    PAGE.write_text(page(PARTS, parse(PAGE.read_text()) | rows))


if __name__ == "__main__":
    main()
