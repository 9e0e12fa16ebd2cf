"""Measures Moorage and writes docs/benchmarks.md."""

import argparse
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from tools.bench import (
    beside,
    calls,
    environment_memory,
    environments,
    moorage_client,
    open_streams,
    paced,
    pages,
    requests,
    start,
    storm,
    streams,
    worst,
)
from tools.bench.called import called
from tools.bench.compare import compare, processor_time
from tools.bench.plan import Plan
from tools.bench.publishing import WRITERS
from tools.bench.report import Figure, page
from tools.bench.subject import CONNECTIONS, started
from tools.common.machine import SEED, Cores, check_tools, claim_cores, commit, load_average, machine, versions
from tools.common.report import pluralize
from tools.common.servers import Checkout

_PAGE = Path("docs/benchmarks.md")
_PEERS = Path(".cache/peers")


def main() -> None:
    """Run all measurements, or compare two checkouts."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes, to see that it works; writes no page")
    parser.add_argument("--compare", type=Path, metavar="DIR", help="compare with the checkout in DIR; writes no page")
    parser.add_argument("--calls", action="store_true", help="only calls of models; writes no page")
    parser.add_argument("--environments", action="store_true", help="only environments; writes no page")
    parser.add_argument("--pages", action="store_true", help="only pages of the console; writes no page")
    parser.add_argument("--peers", action="store_true", help="install other gateways, and measure them beside Moorage")
    parser.add_argument("--peers-folder", type=Path, default=_PEERS, metavar="DIR", help=f"default: {_PEERS}")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of data and order")
    arguments = parser.parse_args()
    check_tools(nginx="nginx-light", wrk="wrk", taskset="util-linux")
    other = Checkout.at(arguments.compare) if arguments.compare else None
    plan = Plan.quick(arguments.seed) if arguments.quick else Plan(arguments.seed)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops the servers, as Ctrl-C does
    facts, began = [machine(), f"load average at the start: {load_average()}"], time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder:
            if other is not None:
                print(compare(plan, claim_cores(), Path(folder), other))
                return
            peers = arguments.peers_folder.absolute() if arguments.peers else None
            measure = _measure_environments if arguments.environments else _measure
            measure = _measure_pages if arguments.pages else measure
            measure = _measure_calls if arguments.calls else measure
            figures = measure(plan, claim_cores(), Path(folder), peers)
    except KeyboardInterrupt:
        sys.exit("Stopped; nothing was written.")
    minutes = round((time.monotonic() - began) / 60)
    for figure in figures:
        for bound in figure.bounds:
            print(f"{bound.figure}: {bound.row[2]} ({bound.row[1]}): {bound.verdict.strip('*')}")
        for doubt in figure.doubts:
            print(f"Doubt: {doubt}")
    text = page(_introduction(plan, facts, minutes), figures)
    if plan.is_quick or arguments.calls or arguments.environments or arguments.pages:
        print(text)
    else:
        _PAGE.write_text(text)
        print(f"Wrote {_PAGE} after {pluralize(minutes, 'minute')}.")


def _measure(plan: Plan, cores: Cores, folder: Path, peers: Path | None) -> list[Figure]:
    _print(f"seeding {plan.deployments:,} deployments")
    with started(plan, cores.server, folder / "moorage") as subject:
        _print("requests and processor time")
        figures, runs = requests.measure(plan, cores, folder / "nginx", subject)
        print(processor_time(runs), flush=True)
        _print("reads during publishes")
        figures += storm.measure(plan, subject)
        _print("writes at a constant rate")
        figures += paced.measure(plan, subject)
        _print("small requests beside the largest")
        figures += worst.measure(plan, subject)
        _print("moorage.client")
        client = moorage_client.measure(plan, folder, subject)
    _print(f"start and memory with {plan.largest:,} deployments")
    figures += [*start.measure(plan, cores, folder / "start"), *client]
    figures += _measure_environments(plan, cores, folder / "environments", None)
    figures += _measure_pages(plan, cores, folder / "pages", None)
    return figures + _measure_calls(plan, cores, folder / "calls", peers)


def _measure_environments(plan: Plan, cores: Cores, folder: Path, _: Path | None) -> list[Figure]:
    """Measure environments and promotions."""
    _print("environments and promotions")
    figures = environments.measure(plan, cores, folder / "requests")
    _print(f"memory with environments of {plan.largest:,} deployments")
    return figures + environment_memory.measure(plan, cores, folder / "memory")


def _measure_pages(plan: Plan, cores: Cores, folder: Path, _: Path | None) -> list[Figure]:
    """Measure pages of the console."""
    _print("pages of the console")
    return pages.measure(plan, cores, folder)


def _measure_calls(plan: Plan, cores: Cores, folder: Path, peers: Path | None) -> list[Figure]:
    """Measure calls of models; `peers` is the folder of other gateways, if they are measured, too."""
    with called(plan, cores, folder) as subject:
        _print("calls of models")
        others = beside.started(peers, cores, folder / "peers", subject) if peers else nullcontext(beside.Beside())
        with others as found:
            figures = calls.measure(plan, subject, found)
            figures += streams.measure(plan, subject, found)
        _print(f"memory of {plan.calls:,} calls")
        figures += open_streams.measure_growth(plan, subject)
    _print(f"{plan.open_streams:,} open streams")
    with called(plan, cores, folder / "open") as subject:
        return figures + open_streams.measure_open(plan, subject)


def _introduction(plan: Plan, facts: list[str], minutes: int) -> str:
    lines = "\n".join(f"- {fact}" for fact in [*facts, ", ".join([*versions(), *_tools()])])
    return f"""
Speed and memory of Moorage. `make bench` runs all measurements and writes this page. It needs nginx and wrk:

    apt install nginx-light wrk

With `--compare DIR`, `python -m tools.bench` compares the processor time per request with that of another checkout.
With `--peers`, it installs other gateways into a folder of their own (`.cache/peers`), and measures calls through them,
too.

Measured on {datetime.now(UTC):%d %B %Y} at commit {commit()} in {pluralize(minutes, "minute")}, on

{lines}

Absolute numbers of another machine differ; ratios differ less, so most limits are ratios of two measurements of the
same minute. Everything runs on one machine over the loopback interface: the server with all its threads on one core,
wrk and the measuring program on another. Numbers of several rounds are the median, with minimum and maximum in
parentheses.

The commands, with a free PORT and a temporary FOLDER:

    python -m tools.bench --seed {plan.seed}
    taskset -c 0 moorage serve --port PORT --database sqlite:///FOLDER/moorage.db
    taskset -c 0 nginx -p FOLDER -c FOLDER/nginx.conf
    taskset -c 1 wrk -t1 -c{CONNECTIONS} -d{plan.seconds}s -H "Authorization: Bearer TOKEN" "http://127.0.0.1:PORT/v2/deployments?limit=10"
    taskset -c 1 wrk -t1 -c{WRITERS} -d{plan.seconds}s -H "Authorization: Bearer TOKEN" -s tools/bench/publish.lua \\
        "http://127.0.0.1:PORT/v2/deployments/KEY/versions" -- BODY {plan.seed} PREFIX
    taskset -c 1 python -m tools.bench.provider PROVIDER_PORT
    OPENAI_API_KEY=sk-bench OPENAI_BASE_URL=http://127.0.0.1:PROVIDER_PORT/v1 MOORAGE_PRIVATE_HOSTS=127.0.0.1 \\
        taskset -c 0 moorage serve --port PORT --database sqlite:///FOLDER/calls.db
    taskset -c 1 wrk -t1 -c{CONNECTIONS} -d{plan.seconds}s -H "Authorization: Bearer TOKEN" -s tools/bench/post.lua \\
        http://127.0.0.1:PORT/v2/deployments/invoke -- BODIES 0

nginx: one worker, no access log, `sendfile off`, `output_buffers 1 128k`, `open_file_cache`, keep-alive. Moorage:
default settings, one worker. The deployments are generated from the seed
(`tools/common/data.py`) and created over HTTP. If one request fails, the run stops without a page.
"""


def _tools() -> list[str]:
    nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.partition("/")[2].split()
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout  # exits with 1
    found = re.search(r"wrk (?:debian/)?([0-9.]+)", wrk)
    return [f"nginx {nginx[0]}", f"wrk {found[1] if found else '(unknown)'}"]


def _print(step: str) -> None:
    print(f"Measuring: {step} …", flush=True)


if __name__ == "__main__":
    main()
