"""Small requests while the largest ones are sent."""

import itertools
import time

from tests.system.worst_cases.bodies import DEPLOYMENTS, encode
from tools.bench.plan import Plan
from tools.bench.report import Figure
from tools.bench.subject import GET_CONFIG, LIST, Subject
from tools.common.client import Client, Request
from tools.common.data import deployment
from tools.common.pacing import Latencies, Pacer
from tools.common.report import table

_RATE = 20


def measure(plan: Plan, subject: Subject) -> list[Figure]:
    """Measure the waits of small reads and puts while one client sends the largest bodies, one after the other."""
    server, seconds = subject.server, plan.storm_seconds * plan.storm_rounds
    reads = [Request("GET", f"{LIST}?limit=1")] * (seconds * _RATE)
    puts = [deployment(number % plan.deployments).put(f"worst-{number}") for number in range(seconds * _RATE)]
    rows, sent = [], 0
    for name, requests in {"list page of 1": reads, "small put": puts}.items():
        quiet = Latencies.of(Pacer(server.port, subject.token, requests, _RATE).run())
        with Pacer(server.port, subject.token, requests, _RATE) as pacer:
            sent += _send_worst(subject, seconds)
        busy = Latencies.of(pacer.times())
        rows.append([name, *(f"{each:.2f}" for each in (quiet.p99, quiet.max, busy.p99, busy.max))])
    text = f"""
{len(reads):,} reads, then as many puts, one every {1000 // _RATE} ms over one connection, alone and while another
client sends the largest bodies that the server accepts, one after the other ({sent:,} requests of up to 1 MB: puts of
new versions, get_config, explain, pages). The latency counts from the due time. Milliseconds:

{table(["", "p99 alone", "max alone", "p99 beside", "max beside"], rows)}

`tests/system/worst_cases` asserts the work that each request may do; these times are not asserted.
"""
    return [Figure("Waits beside the largest requests", text)]


def _send_worst(subject: Subject, seconds: float) -> int:
    """Send the largest requests for some seconds; return how many."""
    deadline, sent = time.monotonic() + seconds, 0
    inputs = {"inputs": {"a": [{}] * 20_000}, "messages": [{"role": "user", "content": ""}] * 10_000}
    with Client(subject.server.port, subject.token, timeout=60) as client:
        for key, body in itertools.cycle(DEPLOYMENTS.items()):
            if time.monotonic() > deadline:
                return sent
            target = f"{LIST}/worst-{key}"
            for request in (
                Request("PUT", f"{target}?allow_breaking=true", encode(body)),
                Request("POST", GET_CONFIG, encode({"key": f"worst-{key}", **inputs})),
                Request("POST", f"{target}/explain", b"{}"),
                Request("GET", f"{LIST}?limit=50"),
            ):
                client.send(request.encode(subject.token))
                sent += 1
    return sent
