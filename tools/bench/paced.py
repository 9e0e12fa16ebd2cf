"""Writes at a constant rate, as a team and its deployment pipelines make them."""

from tools.bench.plan import Plan
from tools.bench.report import Figure
from tools.bench.subject import Subject
from tools.common.client import Request
from tools.common.data import deployment
from tools.common.machine import rng
from tools.common.pacing import Latencies, Pacer
from tools.common.report import Bound, table

_RATE = 50
_CONNECTIONS = 5
_ALLOWED_MS = 10.0
_ALLOWED_LATE_MS = 1.0


def measure(plan: Plan, subject: Subject) -> list[Figure]:
    """Send PUT requests and publishes in turn, each to another deployment."""
    server, count = subject.server, plan.paced_writes
    chosen = rng(plan.seed, "paced").sample(range(plan.deployments), count)
    requests = [_request(number, f"paced-{place}", place) for place, number in enumerate(chosen)]
    warm_up = [_request(number, f"warm-{place}", place) for place, number in enumerate(chosen[: _RATE // 2])]
    Pacer(server.port, subject.token, warm_up, _RATE, _CONNECTIONS).run()
    server.tree.check_core()
    used = server.tree.cpu_seconds()
    times = Pacer(server.port, subject.token, requests, _RATE, _CONNECTIONS).run()
    in_use = (server.tree.cpu_seconds() - used) / (times[-1].done - times[0].due)
    groups = {"PUT": Latencies.of(times[::2]), "publish": Latencies.of(times[1::2]), "both": Latencies.of(times)}
    rows = [[name, f"{each.p50:.2f}", f"{each.p99:.2f}", f"{each.max:.2f}"] for name, each in groups.items()]
    both = groups["both"]
    text = f"""
{count:,} writes, one every {1000 // _RATE} ms, over {_CONNECTIONS} connections: PUT requests that make a new version,
and in turn versions that are saved and published in one request. Each write changes another of {plan.deployments:,}
deployments. The times are fixed before the first request (an open loop); the latency counts from the due time. This
program sent the requests late by {both.late_p99:.2f} ms (p99); {in_use:.0%} of the server's core was in use. Latency in
milliseconds:

{table(["", "p50", "p99", "max"], rows)}
"""
    bound = Bound(f"p99 of {count:,} writes at {_RATE}/s", both.p99, required=_ALLOWED_MS, unit="ms")
    doubts = []
    if both.late_p99 > _ALLOWED_LATE_MS:
        doubts = [
            f"the writes at {_RATE}/s were sent late by {both.late_p99:.2f} ms (p99), which is part of their p99."
        ]
    return [Figure(f"Writes at {_RATE} per second", text, [bound], doubts)]


def _request(number: int, marker: str, place: int) -> Request:
    target = deployment(number)
    return target.put(marker) if place % 2 == 0 else target.publish(marker)
