"""List pages, get_config and publishes against nginx that serves a list page from a file."""

from functools import partial
from pathlib import Path
from statistics import median

from tools.bench.plan import Plan
from tools.bench.publishing import WRITERS
from tools.bench.report import Figure
from tools.bench.rounds import Contenders, Rounds, interleave, ratios
from tools.bench.subject import (
    CONNECTIONS,
    DIFFERENT,
    LIST,
    PAGE,
    PUBLISH,
    REPEATED,
    ROUTED,
    SIZES,
    Subject,
)  # fmt: skip
from tools.bench.wrk import Load, run
from tools.common.machine import Cores
from tools.common.report import Bound, pluralize, spread, table
from tools.common.servers import Nginx

_CACHED = 2_000  # size of the response cache
_BUSY = 0.9  # a server that has its core to itself uses more of it


def measure(plan: Plan, cores: Cores, folder: Path, subject: Subject) -> tuple[list[Figure], Rounds]:
    """Measure throughput at 32 connections and latency at one, in interleaved rounds."""
    if plan.deployments - 10 <= _CACHED:
        raise RuntimeError("the response cache holds all of these list pages")
    files = {f"{size}.json": page for size, page in subject.pages.items()}
    with Nginx(folder, cores.server, files) as nginx:
        contenders: Contenders = {f"nginx, {n}": partial(run, Load(nginx, f"/{n}.json")) for n in SIZES}
        for n in SIZES:
            name = PAGE if n == 10 else f"list page of {n}"
            contenders[name] = partial(run, Load(subject.server, f"{LIST}?limit={n}", subject.token))
        contenders |= {name: send for name, send in subject.requests.items() if name != PAGE}
        rates = interleave(plan, "requests", contenders, CONNECTIONS, plan.rounds, plan.seconds)
        latencies = interleave(plan, "requests", contenders, 1, plan.latency_rounds, plan.latency_seconds)
    bytes_ = {size: len(page) for size, page in subject.pages.items()}
    figures = [_throughput(plan, rates, latencies, bytes_), _latency(plan, latencies), _publishes(subject, rates)]
    return figures, {name: rates[name] for name in subject.requests}


def _ratios(rates: Rounds, name: str, anchor: str) -> list[float]:
    return ratios(rates, name, anchor, lambda run: run.rate)


def _throughput(plan: Plan, rates: Rounds, latencies: Rounds, bytes_: dict[int, int]) -> Figure:
    rows = []
    for name, runs in rates.items():
        words = name.split()
        anchor = f"nginx, {words[-1]}" if words[-1].isdecimal() else "nginx, 10" if "list" in name else ""
        rows.append(
            [
                name,
                f"{bytes_[int(anchor.rsplit(maxsplit=1)[-1])]:,}" if anchor else "",
                spread([one.rate for one in runs], ",.0f"),
                spread(_ratios(rates, name, anchor)) if anchor else "",
                spread([one.cpu_us for one in runs], ",.1f"),
                f"{median(one.core_in_use for one in runs):.0%}",
            ]
        )
    text = f"""
{CONNECTIONS} connections ({WRITERS} for publishes), {pluralize(plan.rounds, "round")}. Each round measures every row
once for {plan.seconds} s after {plan.warm_up} s of warm-up, in random order. All features of Moorage are on: it checks
the API key, counts, times and logs the request, and adds a request id and an ETag. nginx sends a file with the same
bytes and does none of this: it is an upper limit, not a competitor. "Of nginx" is the rate divided by that of nginx in
the same round for the same bytes. The processor time is that of all processes of the server. "Core in use" is the share
of the core that the server used: far below 100 % the load or another program limited the rate, and the processor time
is the better number. Publishes wait for the disk.

{table(["", "bytes", "requests/s", "of nginx", "CPU µs/request", "core in use"], rows)}

- The list page of 10 is requested again and again, as polling clients do, and comes from the response cache.
- "Not in the response cache" requests {plan.deployments - 10:,} different pages in turn. The cache holds
  {_CACHED:,}.
- get_config uses {ROUTED} deployments of 900 characters with three variables and five routing rules. "Different bodies"
  are never sent twice. "Repeated" sends the same 100 bodies in turn.
"""
    p99 = median(one.p99_us for one in latencies[DIFFERENT]) / 1000
    share = "requests/s divided by that of the list page"
    bounds = [
        Bound(
            f"list page of 10 ({bytes_[10]:,} bytes), requests/s divided by that of nginx",
            median(_ratios(rates, PAGE, "nginx, 10")), required=0.25, target=0.35, is_at_least=True,
        ),
        Bound(f"{DIFFERENT}, {share}", median(_ratios(rates, DIFFERENT, PAGE)), required=0.6, is_at_least=True),
        Bound(f"{REPEATED}, {share}", median(_ratios(rates, REPEATED, PAGE)), required=0.6, is_at_least=True),
        Bound(f"{DIFFERENT}, p99 at one connection", p99, required=1.0, unit="ms"),
    ]  # fmt: skip
    used = {name: median(one.core_in_use for one in rates[name]) for name in ("nginx, 10", PAGE)}
    doubts = []
    if min(used.values()) < _BUSY:
        shares = " and ".join(f"{name} used {share:.0%}" for name, share in used.items())
        doubts = [f"{shares} of the core. Another program was running; do not rely on the ratio of the rates."]
    return Figure("Requests per second and processor time", text, bounds, doubts)


def _latency(plan: Plan, latencies: Rounds) -> Figure:
    rows = [
        [name, spread([one.p50_us for one in runs], ",.0f"), spread([one.p99_us for one in runs], ",.0f")]
        for name, runs in latencies.items()
    ]
    text = f"""
The same requests over one connection, {pluralize(plan.latency_rounds, "round")} of {plan.latency_seconds} s. In runs
this short, the p99 depends more on other load of the machine than on the server.

{table(["", "p50 µs", "p99 µs"], rows)}
"""
    return Figure("Latency at one connection", text)


def _publishes(subject: Subject, rates: Rounds) -> Figure:
    compared = subject.publisher.compare()
    lost, broken = compared.violations.lost, compared.violations.broken
    text = f"""
`POST /v2/deployments/hot/versions` with `"status": "published"` on SQLite with `synchronous=FULL`. Each request of the
measurements above saves a version with its own content and publishes it. Moorage returns 201 when all of that is on the
disk. After the measurements, all versions and history entries were compared with the 201 responses:
{compared.acknowledged:,} publishes were acknowledged, and {compared.published:,} are in the history. (wrk stops without
waiting for its last responses, at most one per connection.) {_words(lost, "lost")} {_words(broken, "broken")} The same
comparison detected {compared.detected} of 5 corrupted copies: a version or history entry removed, the newest versions
removed, a version duplicated or changed.
"""
    bounds = [
        Bound(
            f"publishes on one deployment over {WRITERS} connections, SQLite with synchronous=FULL",
            median(one.rate for one in rates[PUBLISH]), required=500, unit="/s", is_at_least=True,
        ),
        Bound(f"lost updates in {compared.acknowledged:,} acknowledged publishes", len(lost), required=0),
        Bound(f"gaps and other errors in {compared.published + 1:,} versions and their history", len(broken), 0),
    ]  # fmt: skip
    return Figure("Publishes on one deployment", text, bounds)


def _words(violations: list[str], name: str) -> str:
    return f"{len(violations)} are {name}: {'; '.join(violations[:5])}." if violations else f"None is {name}."
