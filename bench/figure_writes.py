"""Reads while somebody writes: for information, no bound is set on it yet."""

import threading
import time
from pathlib import Path
from statistics import median, quantiles

import msgspec

from bench.client import Client
from bench.data import rich
from bench.machine import Cores
from bench.plan import Plan
from bench.report import Figure, counted, spread, table
from bench.seeding import Seeded
from bench.servers import Moorage
from bench.wrk import Load, Measured, run

_PUTS_A_SECOND = 50


class Writer(threading.Thread):
    """Puts new versions of the newest deployment, at an even pace. `seconds` are the times of its puts."""

    def __init__(self, server: Moorage, token: str, number: int) -> None:
        super().__init__(daemon=True)
        self.seconds: list[float] = []
        self._client = Client(server.port, token)
        self._number = number
        self._done = threading.Event()

    def run(self) -> None:
        """Put until told to stop."""
        named = rich(self._number)
        parameters = named.body["prompt_config"]["model_parameters"]
        due = time.perf_counter()
        with self._client as client:
            while not self._done.wait(max(0.0, due - time.perf_counter())):
                parameters["seed"] = time.time_ns() % 1_000_000_000
                started = time.perf_counter()
                reply = client.request("PUT", f"/v2/deployments/{named.key}", msgspec.json.encode(named.body))
                if reply.headers.get("x-moorage-result") != "updated":
                    raise RuntimeError(f"a put was answered with {reply.status}: {reply.body[:500]!r}")
                self.seconds.append(time.perf_counter() - started)
                due += 1 / _PUTS_A_SECOND

    def stop(self) -> None:
        """Stop, after the put under way."""
        self._done.set()
        self.join(30)


def measure(plan: Plan, cores: Cores, folder: Path, seeded: Seeded) -> list[Figure]:
    """The first page at one connection, quiet and during puts, in turn."""
    quiet: list[Measured] = []
    busy: list[Measured] = []
    puts: list[float] = []
    began = 0.0
    with Moorage(folder / "writes", cores.server, seeded.database) as server:
        load = Load(server, "/v2/deployments?limit=10", seeded.tokens[0])
        for _ in range(plan.write_rounds):
            quiet.append(run(load, 1, plan.write_seconds, plan.warm_up))
            writer = Writer(server, seeded.tokens[0], len(seeded.ids) - 1)
            started = time.perf_counter()
            writer.start()
            try:
                busy.append(run(load, 1, plan.write_seconds, plan.warm_up))
            finally:
                writer.stop()
            began += time.perf_counter() - started
            puts += writer.seconds
    rows = [
        [name, spread([one.p50_us for one in runs], ",.0f"), spread([one.p99_us for one in runs], ",.0f")]
        for name, runs in (("quiet", quiet), (f"during {len(puts) / began:.0f} puts/s", busy))
    ]
    hundredths = quantiles(puts, n=100)
    text = f"""
For information. The first page of 10 at one connection, {counted(plan.write_rounds, "round")} of
{plan.write_seconds} s, while another client puts a new version of a deployment of that page at an even pace: every put
makes another page of it, and another ETag. The puts themselves took {median(puts) * 1e3:.1f} ms in the median and
{hundredths[98] * 1e3:.1f} ms at p99, each of them on the disk.

{table(["", "p50 µs", "p99 µs"], rows)}
"""
    return [Figure("Reads during writes", text)]
