"""Reads of the list while many connections publish."""

from collections.abc import Iterator
from statistics import median

from tools.bench.plan import Plan
from tools.bench.publishing import WRITERS, Publisher
from tools.bench.report import Figure
from tools.bench.subject import LIST, Subject, list_ids
from tools.bench.wrk import Measured
from tools.common.client import Client, Request
from tools.common.pacing import Latencies, Pacer
from tools.common.report import Bound, pluralize, spread, table

_RATE = 100
_MARGIN_SECONDS = 0.25  # no read is due this close to the start or end of the publishes
_ALLOWED = 2.0


def measure(plan: Plan, subject: Subject) -> list[Figure]:
    """Measure reads at a constant rate, without and with publishes, in turn."""
    quiet, storm = list[Latencies](), list[Latencies]()
    writes = list[Measured]()
    reads = int((plan.storm_seconds - 2 * _MARGIN_SECONDS) * _RATE)
    with Client(subject.server.port, subject.token) as client:
        cursors = list_ids(client, reads * plan.storm_rounds)
        publisher = Publisher(subject.server, subject.token, "storm", plan.seed)
        for _ in range(plan.storm_rounds):
            quiet.append(Latencies.of(_pacer(subject, reads, cursors).run()))
            with _pacer(subject, reads, cursors) as pacer:
                writes.append(publisher.run(WRITERS, plan.storm_seconds))
            storm.append(Latencies.of(pacer.times()))
    compared = publisher.compare()
    if compared.violations.lost or compared.violations.broken:
        raise RuntimeError(f"not all acknowledged publishes are stored: {compared.violations}")
    return [_figure(plan, quiet, storm, writes, reads, compared.acknowledged)]


def _pacer(subject: Subject, reads: int, cursors: Iterator[str]) -> Pacer:
    """Return reads of the first page and, in turn, of a page that was not requested before."""
    page = f"{LIST}?limit=10"
    pages = [
        Request("GET", page if number % 2 else f"{page}&starting_after={next(cursors)}") for number in range(reads)
    ]
    return Pacer(subject.server.port, subject.token, pages, _RATE, first=_MARGIN_SECONDS)


def _figure(
    plan: Plan, quiet: list[Latencies], storm: list[Latencies], writes: list[Measured], reads: int, acknowledged: int
) -> Figure:
    rows = []
    for name, rounds in (("quiet", quiet), ("during publishes", storm)):
        columns = ([each.p50 for each in rounds], [each.p99 for each in rounds], [each.max for each in rounds])
        rows.append([name, *(spread(column, ".2f") for column in columns)])
    ratios = [during.p99 / before.p99 for before, during in zip(quiet, storm, strict=True)]
    late = max(each.late_p99 for each in [*quiet, *storm])
    text = f"""
List pages of 10 over one connection, one every {1000 // _RATE} ms: the first page and, in turn, a page that was not
requested before. The times are fixed before the first request (an open loop); the latency counts from the due time.
{pluralize(plan.storm_rounds, "round")} of {reads} reads without and {reads} reads with publishes. wrk publishes over
{WRITERS} connections as fast as the server responds: {spread([each.rate for each in writes], ",.0f")} publishes per
second, with {median(each.core_in_use for each in writes):.0%} of the server's core in use. All {acknowledged:,}
acknowledged publishes are stored. This program sent reads late by {late:.2f} ms (p99 of the worst round).

{table(["", "p50 ms", "p99 ms", "max ms"], rows)}

The p99 during publishes is {spread(ratios, ".2f")} times the p99 of the quiet reads before.
"""
    figure = f"p99 of list reads during publishes over {WRITERS} connections, divided by the quiet p99"
    return Figure("Reads during publishes", text, [Bound(figure, median(ratios), required=_ALLOWED)])
