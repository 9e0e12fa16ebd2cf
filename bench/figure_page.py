"""A page against nginx serving the same bytes from a file."""

import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import msgspec

from bench.client import Client
from bench.machine import Cores
from bench.plan import Plan
from bench.report import Bound, Figure, counted, spread, table
from bench.seeding import Seeded
from bench.servers import Bare, Moorage, Nginx
from bench.wrk import Load, Measured, Walk, run
from moorage.api.answers import MAX_ANSWERS

CONNECTIONS = 32
SIZES = (1, 10, 50)
_LIST = "/v2/deployments"
_BUSY = 0.9  # a server that has its core to itself uses more of it than this


class Contender(msgspec.Struct, frozen=True):
    """One row. `size` is how many deployments are on the page;"""

    name: str
    size: int
    load: Load


def measure(plan: Plan, cores: Cores, folder: Path, seeded: Seeded) -> list[Figure]:
    """Requests a second at 32 connections, and latency at one, in interleaved rounds."""
    with ExitStack() as stack:
        moorage = stack.enter_context(Moorage(folder / "moorage", cores.server, seeded.database))
        token = seeded.tokens[0]
        _check_that_everything_is_on(moorage, token)
        with Client(moorage.port, token) as client:
            pages = {size: client.get(f"{_LIST}?limit={size}").body for size in SIZES}
        nginx = stack.enter_context(Nginx(folder / "nginx", cores.server, {f"{n}.json": pages[n] for n in SIZES}))
        body = nginx.folder / "pages" / "10.json"
        walk, walked = _walk(folder, moorage, seeded, len(pages[10]))
        contenders = [
            *(Contender(f"nginx, {n}", n, Load(nginx, f"/{n}.json")) for n in SIZES),
            *(Contender(f"Moorage, {n}", n, Load(moorage, f"{_LIST}?limit={n}", token)) for n in SIZES),
            Contender("Moorage, 10, not remembered", 10, Load(moorage, walk=walk)),
        ]
        for interface in ("asgi", "rsgi"):
            bare = stack.enter_context(Bare(folder / interface, cores.server, interface, body))
            contenders.append(Contender(bare.name, 10, Load(bare)))
        rates = _rounds(plan, contenders, CONNECTIONS)
        latencies = _rounds(plan, contenders, 1)
    return [
        _throughput(plan, contenders, rates, {n: len(pages[n]) for n in SIZES}, walked),
        _latency(plan, contenders, latencies),
    ]


def _rounds(plan: Plan, contenders: list[Contender], connections: int) -> dict[str, list[Measured]]:
    rounds, seconds = (plan.rounds, plan.seconds) if connections > 1 else (plan.latency_rounds, plan.latency_seconds)
    order, found = plan.shuffle(f"page {connections}"), {contender.name: list[Measured]() for contender in contenders}
    for _ in range(rounds):
        for contender in order.sample(contenders, len(contenders)):
            found[contender.name].append(run(contender.load, connections, seconds, plan.warm_up))
    return found


def _throughput(
    plan: Plan, contenders: list[Contender], rates: dict[str, list[Measured]], lengths: dict[int, int], walked: int
) -> Figure:
    rows, ratios = [], {}
    for contender in contenders:
        runs, anchor = rates[contender.name], rates[f"nginx, {contender.size}"]
        ratios[contender.name] = [one.rate / other.rate for one, other in zip(runs, anchor, strict=True)]
        rows.append(
            [
                contender.name,
                f"{lengths[contender.size]:,}",
                spread([one.rate for one in runs], ",.0f"),
                spread(ratios[contender.name]),
                spread([one.cpu_us for one in runs], ".1f"),
                f"{median(other.cpu_us / one.cpu_us for one, other in zip(runs, anchor, strict=True)):.3f}",
                f"{median(one.core_in_use for one in runs):.0%}",
            ]
        )
    header = ["", "bytes", "requests/s", "of nginx", "CPU µs/request", "CPU, nginx / this", "core in use"]
    text = f"""
The page of deployments at {CONNECTIONS} connections, everything on: the API key is checked, the request counted,
timed, given an id and logged to a file, the answer has its ETag. nginx sends a file of the same bytes and does nothing
of that: it is a ceiling, not a peer. {plan.rounds} rounds; in each, every row was measured once for {plan.seconds} s
after {plan.warm_up} s of warm-up, in an order drawn from the seed. "Of nginx" is the rate as a part of nginx's in the
same round with the same bytes; shown are the median and, in parentheses, the least and the most. The processor time
is that of all the server's processes for one request; it moves less than the rates when the machine is shared. "Core in
use" is how much of its core the server had work for: well below 100 % it was not the server that set the rate but wrk,
or somebody else on the machine, and then the ratio of processor times is the fairer one.

{table(header, rows)}

- "Moorage, 10" asks for the first page again and again, as clients that poll do: the server keeps finished answers
  until something is written, and all but the first of these requests are answered from there.
- "Not remembered" walks through {walked:,} different pages of 10, more than the {MAX_ANSWERS:,} answers that are kept,
  so each request is checked, parsed and put together anew. It shows what remembering is worth, and that the rounds can
  tell a difference.
- The bare rows are the HTTP server under Moorage with the same options and an application that does nothing but send
  these bytes, over its two interfaces.
"""
    what = f"page of 10 ({lengths[10]:,} bytes), requests/s as a part of nginx's"
    bound = Bound(what, median(ratios["Moorage, 10"]), required=0.25, wanted=0.35, is_at_least=True)
    return Figure("A page against nginx", text, [bound], _doubts(rates))


def _doubts(rates: dict[str, list[Measured]]) -> list[str]:
    used = {name: median(one.core_in_use for one in rates[name]) for name in ("nginx, 10", "Moorage, 10")}
    if min(used.values()) > _BUSY:
        return []
    shown = " and ".join(f"{name.partition(',')[0]} {share:.0%}" for name, share in used.items())
    return [
        f"with the page of 10, {shown} of the core was in use. Something else ran on the machine, so the ratio "
        "of the rates is not to be relied on; run it again when nothing does."
    ]


def _latency(plan: Plan, contenders: list[Contender], latencies: dict[str, list[Measured]]) -> Figure:
    rows = [
        [
            contender.name,
            spread([one.p50_us for one in latencies[contender.name]], ",.0f"),
            spread([one.p99_us for one in latencies[contender.name]], ",.0f"),
        ]
        for contender in contenders
    ]
    text = f"""
The same at one connection, one request after the other, {counted(plan.latency_rounds, "round")} of
{plan.latency_seconds} s. The p99 of
runs as short as these tells more about who else uses the machine than about the server.

{table(["", "p50 µs", "p99 µs"], rows)}
"""
    return Figure("Latency of a page at one connection", text)


def _walk(folder: Path, moorage: Moorage, seeded: Seeded, length: int) -> tuple[Walk, int]:
    """The requests for all pages of 10 that are full; how many there are."""
    targets = [f"{_LIST}?limit=10&starting_after={cursor}" for cursor in seeded.ids[:-10]]
    with Client(moorage.port, seeded.tokens[0]) as client:
        for target in targets[:: len(targets) // 20]:
            if abs(len(client.get(target).body) - length) > len("false"):
                raise RuntimeError(f"{target} is not as long as the first page")
    file = folder / "walk"
    file.write_text("".join(f"{target}\t{seeded.tokens[0]}\n" for target in targets))
    return Walk(file), len(targets)


def _check_that_everything_is_on(server: Moorage, token: str) -> None:
    """Raise unless the server checks keys, compares ETags, gives ids, counts and logs."""
    asked = 20
    with Client(server.port) as stranger, Client(server.port, token) as client:
        first, *_, again = [client.get(_LIST) for _ in range(asked)]
        unchanged = client.request("GET", _LIST, headers={"If-None-Match": first.headers["etag"]}).status
        time.sleep(1)  # the server writes its log and counts a few times a second
        counted = f'moorage_http_requests_total{{method="GET",route="{_LIST}",status="200"}} {asked}.0'
        log = server.tree.log.read_text()
        checks = {
            "a request without a key is refused": stranger.request("GET", _LIST).status == 401,
            "an ETag that still holds gives 304": unchanged == 304,
            "each answer has its own id": first.headers["x-request-id"] != again.headers["x-request-id"],
            "requests are counted": counted in client.get("/metrics").body.decode(),
            "requests are logged": log.count(f'"path":"{_LIST}","status":200') == asked,
        }
    for what, holds in checks.items():
        if not holds:
            raise RuntimeError(f"not measured, because this does not hold: {what}")
