"""Writes at an even pace, as a team and its deploys make them."""

from pathlib import Path
from statistics import quantiles

from bench import changes
from bench.commits import commit_seconds
from bench.data import rich
from bench.machine import Cores
from bench.pacing import Latencies, Pacer
from bench.plan import Plan
from bench.report import Bound, Figure, table
from bench.seeding import Seeded
from bench.servers import Moorage
from bench.wire import Request

_RATE = 50
_CONNECTIONS = 5
_ALLOWED_MS = 10.0
_ALLOWED_LATE_MS = 1.0


def measure(plan: Plan, cores: Cores, folder: Path, seeded: Seeded) -> list[Figure]:
    """Puts and publishes in turn, each on another deployment."""
    order, count = plan.shuffle("paced"), plan.paced_writes
    chosen = order.sample(range(len(seeded.ids)), count)
    requests = [_request(number, f"paced-{place}", place) for place, number in enumerate(chosen)]
    warm_up = [_request(number, f"warm-{place}", place) for place, number in enumerate(chosen[: _RATE // 2])]
    with Moorage(folder / "paced", cores.server, seeded.database) as server:
        Pacer(server.port, seeded.tokens[0], warm_up, _RATE, _CONNECTIONS).run()
        server.tree.check_core()
        used = server.tree.cpu_seconds()
        times = Pacer(server.port, seeded.tokens[0], requests, _RATE, _CONNECTIONS).run()
        in_use = (server.tree.cpu_seconds() - used) / (times[-1].done - times[0].due)
        alone = commit_seconds(server.folder / "alone.db", requests[0].body or b"", count // 4, 1 / _RATE)
    puts, publishes, both = Latencies.of(times[::2]), Latencies.of(times[1::2]), Latencies.of(times)
    rows = [
        [name, f"{each.p50:.2f}", f"{each.p99:.2f}", f"{each.max:.2f}"]
        for name, each in (("puts", puts), ("publishes", publishes), ("both", both))
    ]
    hundredths = quantiles(alone, n=100, method="inclusive")
    rows.append(["SQLite alone", *(f"{value * 1e3:.2f}" for value in (hundredths[49], hundredths[98], max(alone)))])
    text = f"""
{count:,} writes, one every {1000 // _RATE} ms, over {_CONNECTIONS} connections in turn: puts that each make a new
version, and versions that are saved and published at once, one after the other, each on another of
{len(seeded.ids):,} deployments (drawn from the seed {plan.seed}), after {len(warm_up)} that are not counted. When each
is sent is fixed before the first one is (an open loop), and its latency counts from when it was due, so one that waits
for a slow one before it is charged with the wait. This program itself sent them late by {both.late_p99:.2f} ms at p99;
{in_use:.0%} of the server's core was in use. "SQLite alone" is a table of one column with rows of as many
bytes, {len(alone)} commits at the same pace, by this program on the other core. In milliseconds:

{table(["", "p50", "p99", "max"], rows)}
"""
    bound = Bound(f"p99 of {count:,} writes at {_RATE}/s", both.p99, required=_ALLOWED_MS, unit="ms")
    doubts = []
    if both.late_p99 > _ALLOWED_LATE_MS:
        doubts.append(
            f"the writes at {_RATE}/s were sent late by {both.late_p99:.2f} ms at p99, which is in their p99."
        )
    return [Figure(f"Writes at {_RATE} a second", text, [bound], doubts)]


def _request(number: int, mark: str, place: int) -> Request:
    return (changes.put if place % 2 == 0 else changes.publish)(rich(number), mark)
