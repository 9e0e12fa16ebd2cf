"""Reads of the list while many write as fast as they can."""

from contextlib import ExitStack
from pathlib import Path
from statistics import median

import msgspec

from bench.client import Client
from bench.machine import Cores
from bench.pacing import Latencies, Pacer
from bench.plan import Plan
from bench.publishing import WRITERS, Publisher
from bench.report import Bound, Figure, counted, spread, table
from bench.seeding import Seeded
from bench.servers import Moorage, Nginx
from bench.wire import Request
from bench.wrk import Measured

_RATE = 100
_EDGE_SECONDS = 0.25  # no read is due so shortly after the storm begins, or before it ends
_ALLOWED = 2.0
_ANCHOR_SHARE = 0.75  # of Moorage's p99 that nginx's may have when quiet; beyond it, the p99 is the machine's
_LIST = "/v2/deployments?limit=10"


class Round(msgspec.Struct, frozen=True):
    """One round: the reads of Moorage and of nginx beside it, and the writes, if there were any."""

    moorage: Latencies
    nginx: Latencies
    writes: Measured | None = None


class Readers:
    """Two paced readers: of Moorage's list and, half a pace later, of its first page from nginx."""

    def __init__(self, server: Moorage, nginx: Nginx, seeded: Seeded, reads: int) -> None:
        """`reads` is how many requests each sends in a round."""
        self._server = server
        self._nginx = nginx
        self._token = seeded.tokens[0]
        self._cursors = iter(seeded.ids)
        self._reads = reads

    def round(self, publisher: Publisher | None, seconds: int) -> Round:
        """Read, during publishes if there is a publisher."""
        ours = [self._request(number) for number in range(self._reads)]
        others = [Request("GET", "/page.json")] * self._reads
        with (
            Pacer(self._server.port, self._token, ours, _RATE, first=_EDGE_SECONDS) as moorage,
            Pacer(self._nginx.port, "", others, _RATE, first=_EDGE_SECONDS + 0.5 / _RATE) as nginx,
        ):
            writes = publisher.run(WRITERS, seconds) if publisher else None
        return Round(Latencies.of(moorage.times()), Latencies.of(nginx.times()), writes)

    def _request(self, number: int) -> Request:
        """The first page and, in turn, one that was never asked for before."""
        return Request("GET", _LIST if number % 2 else f"{_LIST}&starting_after={next(self._cursors)}")


def measure(plan: Plan, cores: Cores, folder: Path, seeded: Seeded) -> list[Figure]:
    """Reads at an even pace, quiet and during a storm of publishes, in turn."""
    quiet: list[Round] = []
    storm: list[Round] = []
    with ExitStack() as stack:
        server = stack.enter_context(Moorage(folder / "storm", cores.server, seeded.database))
        publisher = Publisher(server, seeded.tokens[0], "storm", plan.seed)
        with Client(server.port, seeded.tokens[0]) as client:
            page = client.get(_LIST).body
        nginx = stack.enter_context(Nginx(folder / "storm-nginx", cores.server, {"page.json": page}))
        reads = int((plan.storm_seconds - 2 * _EDGE_SECONDS) * _RATE)
        readers = Readers(server, nginx, seeded, reads)
        for _ in range(plan.storm_rounds):
            quiet.append(readers.round(None, plan.storm_seconds))
            storm.append(readers.round(publisher, plan.storm_seconds))
        checked = publisher.check()
    if checked.faults.lost or checked.faults.breaks:
        raise RuntimeError(f"the writes of the storm are not all there: {checked.faults}")
    return [_figure(plan, quiet, storm, reads, checked.acknowledged)]


def _figure(plan: Plan, quiet: list[Round], storm: list[Round], reads: int, acknowledged: int) -> Figure:
    rows = []
    for name, rounds in (("quiet", quiet), ("storm", storm)):
        rows.append(_row(f"Moorage, {name}", [each.moorage for each in rounds]))
        rows.append(_row(f"nginx, {name}", [each.nginx for each in rounds]))
    ratios = [during.moorage.p99 / before.moorage.p99 for before, during in zip(quiet, storm, strict=True)]
    anchors = [during.nginx.p99 / before.nginx.p99 for before, during in zip(quiet, storm, strict=True)]
    writes = [each.writes for each in storm if each.writes is not None]
    late = max(each.moorage.late_p99 for each in [*quiet, *storm])
    text = f"""
Pages of 10 deployments at one connection, one every {1000 // _RATE} ms: the first page and, in turn, one that was not
asked for before. When each is sent is fixed before (an open loop), and its latency counts from when it was due.
{counted(plan.storm_rounds, "round")}, each of {reads} reads quiet and then {reads} during a storm: wrk publishes on a
deployment of the first page from {WRITERS} connections, as fast as it is answered, which was
{spread([each.rate for each in writes], ",.0f")} publishes a second, with
{median(each.core_in_use for each in writes):.0%} of the server's core in use. All {acknowledged:,} publishes that were
acknowledged were looked for afterwards, and are there.

As an anchor, a second reader asks nginx on the same core for the bytes of the first page, at the same pace, half a pace
later: it shares with the first everything but Moorage, and what the storm does to it is the crowded core (nginx waits
for its turn on it, too) and this program, which sent reads late by {late:.2f} ms at p99 in the worst round.

{table(["", "p50 ms", "p99 ms", "max ms"], rows)}

The p99 of a storm is {spread(ratios, ".2f")} times that of the quiet before it; for nginx it is
{spread(anchors, ".2f")} times.
"""
    what = f"p99 of reads of the list during a storm of publishes from {WRITERS} connections, as a multiple of quiet"
    bound = Bound(what, median(ratios), required=_ALLOWED)
    return Figure("Reads during a storm of writes", text, [bound], _doubts(quiet))


def _doubts(quiet: list[Round]) -> list[str]:
    ours, anchor = median(each.moorage.p99 for each in quiet), median(each.nginx.p99 for each in quiet)
    if anchor < ours * _ANCHOR_SHARE:
        return []
    return [
        f"quiet, the p99 of a read was {ours:.2f} ms, and that of nginx beside it {anchor:.2f} ms. Something else ran "
        "on the machine, so what a storm adds to that is not to be relied on; run it again when nothing does."
    ]


def _row(name: str, rounds: list[Latencies]) -> list[str]:
    return [
        name,
        spread([each.p50 for each in rounds], ".2f"),
        spread([each.p99 for each in rounds], ".2f"),
        spread([each.max for each in rounds], ".2f"),
    ]
