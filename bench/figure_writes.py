"""Reads while somebody writes: for information, no bound is set on it yet."""

from pathlib import Path

from bench import changes
from bench.data import rich
from bench.machine import Cores
from bench.pacing import Latencies, Pacer, Timed
from bench.plan import Plan
from bench.report import Figure, counted, spread, table
from bench.seeding import Seeded
from bench.servers import Moorage
from bench.wrk import Load, Measured, run

_PUTS_A_SECOND = 50
_CONNECTIONS = 5


def measure(plan: Plan, cores: Cores, folder: Path, seeded: Seeded) -> list[Figure]:
    """The first page at one connection, quiet and during puts, in turn."""
    quiet: list[Measured] = []
    busy: list[Measured] = []
    puts: list[Timed] = []
    began = 0.0
    number, a_round = len(seeded.ids) - 1, _PUTS_A_SECOND * (plan.warm_up + plan.write_seconds)
    with Moorage(folder / "writes", cores.server, seeded.database) as server:
        load = Load(server, "/v2/deployments?limit=10", seeded.tokens[0])
        for turn in range(plan.write_rounds):
            quiet.append(run(load, 1, plan.write_seconds, plan.warm_up))
            requests = [changes.put(rich(number), f"{turn}-{place}") for place in range(a_round)]
            with Pacer(server.port, seeded.tokens[0], requests, _PUTS_A_SECOND, _CONNECTIONS) as pacer:
                busy.append(run(load, 1, plan.write_seconds, plan.warm_up))
            times = pacer.times()
            began += times[-1].done - times[0].due
            puts += times
    rows = [
        [name, spread([one.p50_us for one in runs], ",.0f"), spread([one.p99_us for one in runs], ",.0f")]
        for name, runs in (("quiet", quiet), (f"during {len(puts) / began:.0f} puts/s", busy))
    ]
    latencies = Latencies.of(puts)
    text = f"""
For information. The first page of 10 at one connection, asked again and again as fast as it is answered,
{counted(plan.write_rounds, "round")} of {plan.write_seconds} s, while another client puts a new version of a
deployment of that page {_PUTS_A_SECOND} times a second: every put makes another page of it, and another ETag. The
{len(puts):,} puts themselves, counted from when each was due, took {latencies.p50:.1f} ms in the median and
{latencies.p99:.1f} ms at p99, each of them on the disk and beside reads that leave none of the core idle.

{table(["", "p50 µs", "p99 µs"], rows)}
"""
    return [Figure("Reads during writes", text)]
