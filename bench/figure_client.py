"""moorage.client.get_config, beside a call of the same server."""

import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from bench.calls import call, deployments_of
from bench.machine import Cores
from bench.plan import Plan
from bench.report import Bound, Figure, counted, spread, table
from bench.seeding import seed
from bench.servers import Moorage as Server
from bench.wire import Request, Wire
from moorage.client import Moorage

_CALLS = 5_000
_OVER_HTTP = 500
_PATH = "/v2/deployments/get_config"
_ALLOWED_US = 30.0


def measure(plan: Plan, cores: Cores, folder: Path, prompts: Path | None) -> list[Figure]:
    """The same calls by the library in this process, and some of them over HTTP, in turn."""
    deployments = deployments_of(prompts)
    seeded = seed(folder / "client-data", deployments)
    draw = plan.shuffle("client")
    bodies = [call(draw.choice(deployments).key, draw).encode() for _ in range(_CALLS)]
    calls = [msgspec.json.decode(body) for body in bodies]
    asked: list[float] = []
    answered: list[float] = []
    with ExitStack() as stack:
        server = stack.enter_context(Server(folder / "client", cores.server, seeded.database))
        token = seeded.tokens[0]
        client = stack.enter_context(
            Moorage(f"http://127.0.0.1:{server.port}", token, cache=folder / "client-cache", lockfile=None)
        )
        wire = stack.enter_context(Wire(server.port))
        requests = [Request("POST", _PATH, body).prepare(token) for body in bodies[:_OVER_HTTP]]
        _check_that_they_agree(client, calls, [wire.ask(request) for request in requests])
        for _ in range(plan.rounds):
            answered.append(_each_us(client, calls))
            began = time.perf_counter()
            for request in requests:
                wire.ask(request)
            asked.append((time.perf_counter() - began) * 1e6 / len(requests))
    text = f"""
{_CALLS:,} different calls, as of the figure before, each answered up to its messages by `moorage.client` in this
program, which follows the server on the other core; and {_OVER_HTTP} of them asked of that server on one connection
that is kept. Both gave the same bytes. {counted(plan.rounds, "round")}, in turn; the mean of each round.

{table(["", "µs a call"], [["moorage.client", spread(answered, ",.1f")], ["over HTTP", spread(asked, ",.0f")]])}
"""
    bound = Bound("moorage.client.get_config, mean of a call", median(answered), required=_ALLOWED_US, unit="µs")
    return [Figure("moorage.client", text, [bound])]


def _each_us(client: Moorage, calls: list[dict[str, Any]]) -> float:
    began = time.perf_counter()
    for each in calls:
        _ = client.get_config(each["key"], each["inputs"], each["context"]).messages
    return (time.perf_counter() - began) * 1e6 / len(calls)


def _check_that_they_agree(client: Moorage, calls: list[dict[str, Any]], answers: list[bytes]) -> None:
    """Raise unless the library gives the server's bytes, from what it has of the server."""
    for each, answer in zip(calls, answers, strict=False):
        config = client.get_config(each["key"], each["inputs"], each["context"])
        if config.source != "server" or not answer.endswith(b"\r\n\r\n" + config.json):
            raise RuntimeError(f"the library and the server do not agree on {each}: {config!r}, {answer[-2000:]!r}")
