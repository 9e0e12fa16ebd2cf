"""Measures, and writes docs/benchmarks.md."""

import argparse
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import (
    figure_apply,
    figure_client,
    figure_configuration,
    figure_depth,
    figure_paced,
    figure_page,
    figure_publish,
    figure_snapshot,
    figure_start,
    figure_storm,
    figure_streams,
    figure_writes,
)
from bench.data import Plain, rich
from bench.machine import check_tools, claim_cores, describe, versions
from bench.plan import Plan
from bench.publishing import WRITERS
from bench.report import Figure, counted, page
from bench.seeding import add_keys, seed

_RICH = 10_000
_PAGE = Path("docs/benchmarks.md")


def main() -> None:
    """Measure everything, one thing after the other."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes, to see that it works")
    parser.add_argument("--prompts", type=Path, help="JSONL of deployments to apply, instead of generated ones")
    parser.add_argument("--seed", type=int, default=20_261_122, help="what data and orders are drawn from")
    arguments = parser.parse_args()
    check_tools()
    machine = describe()
    plan = Plan.quick(arguments.seed) if arguments.quick else Plan(arguments.seed)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does: what was started is ended
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder:
            figures = _measure(plan, Path(folder), arguments.prompts)
    except KeyboardInterrupt:
        sys.exit("Stopped; nothing was written.")
    minutes = (time.monotonic() - started) / 60
    _PAGE.parent.mkdir(exist_ok=True)
    _PAGE.write_text(page(_introduction(plan, machine, minutes, has_prompts=bool(arguments.prompts)), figures))
    for figure in figures:
        for bound in figure.bounds:
            print(f"{bound.figure}: {bound.row[3]} ({bound.row[1]}): {bound.verdict.strip('*')}")
        for doubt in figure.doubts:
            print(f"In doubt: {doubt}")
    print(f"Wrote {_PAGE} after {minutes:.1f} minutes.")


def _measure(plan: Plan, folder: Path, prompts: Path | None) -> list[Figure]:
    cores = claim_cores()
    figures: list[Figure] = []
    _say(f"databases of up to {plan.sizes[-1]:,} deployments")
    plain = Plain(plan.seed)
    *smaller, longest = [seed(folder / f"plain-{n}", (plain.make(i) for i in range(n))) for n in plan.sizes]
    _say("start and memory")
    start = figure_start.measure(plan, cores, folder, longest)
    _say("pages deep in the list")
    lists = []
    for seeded in (*smaller, longest):
        tokens = add_keys(seeded.database, seeded.project_id, figure_depth.KEYS)
        lists.append(figure_depth.with_tokens(seeded, tokens))
    depth = figure_depth.measure(plan, cores, folder / "depth", lists)
    _say("a page against nginx")
    ten_thousand = seed(folder / "rich", (rich(number) for number in range(_RICH)))
    figures += figure_page.measure(plan, cores, folder / "page", ten_thousand)
    figures += [*depth, *start]
    _say("get_config")
    figures += figure_configuration.measure(plan, cores, folder, prompts)
    _say("moorage.client")
    figures += figure_client.measure(plan, cores, folder, prompts)
    _say("apply")
    figures += figure_apply.measure(plan, cores, folder, prompts)
    for what, measure in (
        ("reads during writes", figure_writes.measure),
        ("writes at an even pace", figure_paced.measure),
        ("publishes on one deployment", figure_publish.measure),
        ("reads during a storm of writes", figure_storm.measure),
        ("the snapshot", figure_snapshot.measure),
        ("idle streams of changes", figure_streams.measure),
    ):
        _say(what)
        figures += measure(plan, cores, folder, ten_thousand)
    return figures


def _introduction(plan: Plan, machine: list[str], minutes: float, *, has_prompts: bool) -> str:
    arguments = " --quick" * plan.is_quick + " --prompts FILE" * has_prompts + f" --seed {plan.seed}"
    caution = """
**This was a quick run, with shorter rounds and lists than were promised: it shows that the measurements work, and its
numbers say little.**
"""
    facts = "\n".join(f"- {fact}" for fact in [*machine, ", ".join(versions())])
    return f"""
What Moorage was promised to do, and what it did when this page was made. The program in `bench/` measures and writes
all of it; `make bench` does it again (it needs nginx and wrk: `apt install nginx-light wrk`).
{caution if plan.is_quick else ""}
This run: {datetime.now(UTC):%d %B %Y}, {counted(round(minutes), "minute")}, on

{facts}

Numbers of another machine will differ; ratios differ less, so the promises on speed are ratios to something measured
in the same minute. Everything runs on one machine over the loopback interface: the server, all its threads, on one
core, wrk and the measuring program on another. Where a list of rounds is summed up, the number is the median, and the
parentheses give the least and the most.

The commands, with a free PORT and a temporary folder:

    python -m bench{arguments}
    taskset -c 0 moorage serve --port PORT --database sqlite:///FOLDER/moorage.db
    taskset -c 0 nginx -p FOLDER -c FOLDER/nginx.conf
    taskset -c 1 wrk -t1 -c{figure_page.CONNECTIONS} -d{plan.seconds}s -H "Authorization: Bearer TOKEN" "http://127.0.0.1:PORT/v2/deployments?limit=10"
    taskset -c 1 wrk -t1 -c{WRITERS} -d{plan.publish_seconds}s -H "Authorization: Bearer TOKEN" -s bench/publish.lua \\
        "http://127.0.0.1:PORT/v2/deployments/KEY/versions" -- BODY {plan.seed} NAME

nginx: one worker, no access log, `sendfile off`, `output_buffers 1 128k`, `open_file_cache`, connections kept. Moorage:
as it comes, one worker unless two are named. The deployments are generated from the seed (`bench/data.py`), {_RICH:,}
for the pages against nginx and up to {plan.sizes[-1]:,} elsewhere. Before the pages are measured against nginx, the
program makes sure that keys are checked, ETags compared, ids given, and requests counted and logged. One failed request
ends a run without a page.
"""


def _say(what: str) -> None:
    print(f"Measuring: {what} …", flush=True)


if __name__ == "__main__":
    main()
