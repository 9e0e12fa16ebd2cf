"""Many streams that are open at the same time, and the memory of many calls."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import msgspec

from tools.bench.called import CHAT, INVOKE, STREAM, Called
from tools.bench.plan import Plan
from tools.bench.provider import BURSTS, HELD, UNARY
from tools.bench.report import Figure
from tools.bench.subject import CONNECTIONS, LIST
from tools.bench.wrk import run
from tools.common.client import Client, Request
from tools.common.pacing import Latencies, Pacer
from tools.common.process import resident_mb
from tools.common.report import Bound, pluralize, spread, table
from tools.common.servers import REPOSITORY

_RATE = 100
_READS = 500
_SETTLE_SECONDS = 2.0
_WARM_UP_CALLS = 0.2  # share of the measured calls
_RUN_SECONDS = 5
_IMPORTS = 5

_IMPORT = re.compile(r"^import time: +(\d+) \|.*\| *moorage\.(?:gateway|providers|api\.call)", re.MULTILINE)


class _Held(msgspec.Struct, frozen=True):
    kilobytes: float
    quiet: list[Latencies]
    busy: list[Latencies]
    core_in_use: float


def measure_open(plan: Plan, subject: Called) -> list[Figure]:
    """Hold many streams open, and read list pages meanwhile. The server must not have had so many before."""
    integration = {
        "provider": "openai", "base_url": subject.base_url, "credentials": {"api_key": "sk-bench"},
        "options": {"max_connections": 10_000},
    }  # fmt: skip
    with Client(subject.server.port, subject.token) as client:
        client.expect(Request("PUT", "/v2/integrations/openai", json.dumps(integration).encode(), status=201))
    run(subject.load(subject.server, STREAM, "first", subject.bodies("invoke", BURSTS)), CONNECTIONS, plan.seconds)
    held = _hold(plan, subject)
    rows = [
        [name, *(spread([getattr(each, value) for each in rounds], ".2f") for value in ("p50", "p99", "max"))]
        for name, rounds in (("quiet", held.quiet), (f"with {plan.open_streams:,} streams", held.busy))
    ]
    shares = [busy.p99 / quiet.p99 for busy, quiet in zip(held.busy, held.quiet, strict=True)]
    text = f"""
{pluralize(plan.open_streams, "stream")}, open at the same time; each sends an event every second. They use
{held.core_in_use:.0%} of the server's core, and {held.kilobytes:.0f} KB of memory each (of 10³ bytes; the growth of the
worker's resident memory, with the connections to the client and to the provider). List pages of 10 over one connection,
{_RATE} each second, before the streams and while they are open; {pluralize(plan.storm_rounds, "round")} of {_READS}
reads. The latency counts from the due time. At the end, all streams were still open. Milliseconds:

{table(["", "p50", "p99", "max"], rows)}
"""
    bounds = [
        Bound(f"memory of each of {plan.open_streams:,} open streams", held.kilobytes, required=60, unit="KB"),
        Bound(
            f"p99 of list reads with {plan.open_streams:,} open streams, divided by the quiet p99", median(shares), 2.0
        ),
    ]
    return [Figure("Many open streams", text, bounds)]


def measure_growth(plan: Plan, subject: Called) -> list[Figure]:
    """Make many calls of all kinds, and measure the memory before and after."""
    loads = [
        subject.load(subject.server, INVOKE, "many-invoke", subject.bodies("invoke", UNARY)),
        subject.load(subject.server, CHAT, "many-chat", subject.bodies("chat", UNARY)),
        subject.load(subject.server, STREAM, "many-stream", subject.bodies("invoke", BURSTS)),
    ]

    def call(count: float) -> int:
        done = 0
        while done < count:
            done += sum(run(load, CONNECTIONS, 1 if plan.is_quick else _RUN_SECONDS).requests for load in loads)
        return done

    call(plan.calls * _WARM_UP_CALLS)
    before = resident_mb(subject.worker())
    calls = call(plan.calls)
    after = resident_mb(subject.worker())
    is_early, is_late = subject.imported
    if not is_late:
        raise RuntimeError("the check of imported modules does not find the HTTP client after a call")
    imports = [_import_ms() for _ in range(_IMPORTS)]
    text = f"""
{calls:,} calls over {CONNECTIONS} connections (invoke, chat completions and streams in turn), after a warm-up of
{_WARM_UP_CALLS:.0%} of them. The resident memory of the worker was {before:.1f} MB before and {after:.1f} MB after. The
worker {"had" if is_early else "had not"} loaded the HTTP client (aiohttp) before its first call, and had after it.
Python imports the modules of calls (`gateway`, `providers`, `api.calls`) at each start in
{spread(imports, ",.0f")} ms: their own time in `python -X importtime`, in {pluralize(len(imports), "start")}.
"""
    bounds = [
        Bound(f"growth of memory in {calls:,} calls", after - before, required=2, unit="MB"),
        Bound("import of the modules of calls at each start", median(imports), required=100, unit="ms"),
        Bound("HTTP clients that are loaded before the first call", int(is_early), required=0),
    ]
    return [Figure("Memory of calls", text, bounds)]


def _import_ms() -> float:
    """Return the time to import the modules of calls, without the modules that they import."""
    command = [sys.executable, "-X", "importtime", "-c", "import moorage.server.app"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    if not (found := _IMPORT.findall(run.stderr)):
        raise RuntimeError("the server does not import the modules of calls")
    return sum(map(int, found)) / 1e3


def _hold(plan: Plan, subject: Called) -> _Held:
    page = Request("GET", f"{LIST}?limit=10")
    pages = [page] * (50 if plan.is_quick else _READS)

    def read() -> Latencies:
        return Latencies.of(Pacer(subject.server.port, subject.token, pages, _RATE).run())

    read()
    quiet = [read() for _ in range(plan.storm_rounds)]
    time.sleep(_SETTLE_SECONDS)
    before = resident_mb(subject.worker())
    with _held(plan, subject):
        time.sleep(_SETTLE_SECONDS)
        after = resident_mb(subject.worker())
        started, used = time.perf_counter(), subject.server.tree.cpu_seconds()
        busy = [read() for _ in range(plan.storm_rounds)]
        in_use = (subject.server.tree.cpu_seconds() - used) / (time.perf_counter() - started)
    return _Held((after - before) * 1e3 / plan.open_streams, quiet, busy, in_use)


@contextmanager
def _held(plan: Plan, subject: Called) -> Iterator[None]:
    """Hold the streams open.

    Raises:
        RuntimeError: not all streams are open, and have sent events, at the end.
    """
    file = subject.server.folder / "held"
    file.write_text(subject.bodies("invoke", HELD)[0])
    command = [sys.executable, "-m", "tools.bench.holders", str(subject.server.port), STREAM, subject.token, str(file)]
    process = subprocess.Popen(
        [*command, str(plan.open_streams)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "open\n":
            raise RuntimeError("the streams could not be opened")
        yield
        process.stdin.close()
        still_open, events = map(int, process.stdout.read().split())
        if still_open != plan.open_streams or events < 2 * plan.open_streams:
            raise RuntimeError(f"{still_open:,} of {plan.open_streams:,} streams are open after {events:,} events")
    finally:
        process.kill()
        process.wait()
