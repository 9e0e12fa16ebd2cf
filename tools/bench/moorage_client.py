"""moorage.client.get_config, and the same requests over HTTP."""

import time
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from moorage.client import Moorage
from tools.bench.plan import Plan
from tools.bench.report import Figure
from tools.bench.subject import GET_CONFIG, ROUTED, Subject
from tools.common.client import Client, Request
from tools.common.data import get_config_body
from tools.common.machine import rng
from tools.common.report import Bound, pluralize, spread, table

_CALLS = 5_000
_OVER_HTTP = 500
_ALLOWED_US = 30.0


def measure(plan: Plan, folder: Path, subject: Subject) -> list[Figure]:
    """Measure the library in this process and the API over HTTP, in turn."""
    random_ = rng(plan.seed, "client")
    bodies = [get_config_body(random_.randrange(ROUTED), random_).encode() for _ in range(_CALLS)]
    calls = [msgspec.json.decode(body) for body in bodies]
    requests = [Request("POST", GET_CONFIG, body).encode(subject.token) for body in bodies[:_OVER_HTTP]]
    local, over_http = list[float](), list[float]()
    url = f"http://127.0.0.1:{subject.server.port}"
    with (
        Moorage(url, subject.token, cache=folder / "client-cache", lockfile=None) as client,
        Client(subject.server.port) as http,
    ):
        _check_that_they_agree(client, calls, [http.send(request).body for request in requests])
        for _ in range(plan.rounds):
            started = time.perf_counter()
            for call in calls:
                _ = client.get_config(call["key"], call["inputs"], call["context"]).messages
            local.append((time.perf_counter() - started) * 1e6 / len(calls))
            started = time.perf_counter()
            for request in requests:
                http.send(request)
            over_http.append((time.perf_counter() - started) * 1e6 / len(requests))
    rows = [["moorage.client", spread(local, ",.1f")], ["over HTTP", spread(over_http, ",.0f")]]
    text = f"""
{_CALLS:,} different get_config calls of `moorage.client`, up to the messages, in this program. The client follows the
server on the other core. {_OVER_HTTP} of the calls are also sent to that server over one connection. Both return the
same bytes. {pluralize(plan.rounds, "round")}, in turn; mean of each round.

{table(["", "µs per call"], rows)}
"""
    bound = Bound("moorage.client.get_config, mean of a call", median(local), required=_ALLOWED_US, unit="µs")
    return [Figure("moorage.client", text, [bound])]


def _check_that_they_agree(client: Moorage, calls: list[dict[str, Any]], bodies: list[bytes]) -> None:
    """Raise unless the library returns the server's bytes from its own state."""
    for call, body in zip(calls, bodies, strict=False):
        config = client.get_config(call["key"], call["inputs"], call["context"])
        if config.source != "server" or body != config.json:
            raise RuntimeError(f"library and server do not agree on {call}: {config!r}, {body!r}")
