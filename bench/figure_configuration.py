"""get_config against the list page of the same server."""

from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.calls import call, deployments_of
from bench.client import Client
from bench.machine import Cores
from bench.plan import Plan
from bench.report import Bound, Figure, counted, spread, table
from bench.seeding import seed
from bench.servers import Bare, Moorage
from bench.wrk import Load, Measured, run

CONNECTIONS = 32
_CALLS = 20_000
_LIST = "/v2/deployments?limit=10"
_LISTED, _CALLED = "the list's page of 10", "get_config"
_PATH = "/v2/deployments/get_config"
_SCRIPT = Path(__file__).with_name("post.lua")


def measure(plan: Plan, cores: Cores, folder: Path, prompts: Path | None) -> list[Figure]:
    """Requests a second at 32 connections and latency at one, of calls and of the list, in turn."""
    deployments = deployments_of(prompts)
    lengths = [len(each.body["prompt_config"]["messages"][0]["content"]) for each in deployments]
    seeded = seed(folder / "configuration-data", deployments)
    calls = folder / "calls"
    draw = plan.shuffle("calls")
    calls.write_text("".join(call(draw.choice(deployments).key, draw) + "\n" for _ in range(_CALLS)))
    found: dict[tuple[str, int], list[Measured]] = {}
    with ExitStack() as stack:
        server = stack.enter_context(Moorage(folder / "configuration", cores.server, seeded.database))
        token = seeded.tokens[0]
        answer = folder / "answer"
        answer.write_bytes(_check_that_they_differ(server, token, calls))
        bare = stack.enter_context(Bare(folder / "configuration-bare", cores.server, "asgi", answer))
        listed = Load(server, _LIST, token)
        for connections, rounds, seconds in (
            (CONNECTIONS, plan.rounds, plan.seconds),
            (1, plan.latency_rounds, plan.latency_seconds),
        ):
            for number in range(rounds):
                turn = (str(calls), str(number * 3_000))
                called = Load(server, _PATH, token, script=_SCRIPT, arguments=turn)
                received = Load(bare, _PATH, token, script=_SCRIPT, arguments=turn)
                for name, load in ((_LISTED, listed), (_CALLED, called), (bare.name, received)):
                    found.setdefault((name, connections), []).append(run(load, connections, seconds, plan.warm_up))
    return [_figure(plan, found, bare.name, median(lengths), has_prompts=bool(prompts))]


def _figure(
    plan: Plan, found: dict[tuple[str, int], list[Measured]], bare: str, length: float, *, has_prompts: bool
) -> Figure:
    listed, called, received = (found[name, CONNECTIONS] for name in (_LISTED, _CALLED, bare))
    ratios = [one.rate / other.rate for one, other in zip(called, listed, strict=True)]
    ceilings = [one.rate / other.rate for one, other in zip(received, listed, strict=True)]
    costs = [other.cpu_us / one.cpu_us for one, other in zip(called, listed, strict=True)]
    rows = [
        [
            name,
            spread([each.rate for each in runs], ",.0f"),
            spread([each.cpu_us for each in runs], ".1f"),
            spread([each.p50_us for each in found[name, 1]], ",.0f"),
            spread([each.p99_us for each in found[name, 1]], ",.0f"),
        ]
        for (name, connections), runs in found.items()
        if connections == CONNECTIONS
    ]
    kind = "Real prompts" if has_prompts else "Generated prompts"
    text = f"""
{kind}, of {length:,.0f} characters in the median, each with three variables, of which one has a default, and a table of
five routing rows, one of them a split. {_CALLS:,} different calls, drawn from the seed, are sent in turn: another
deployment, other inputs, another context and another user in each, so no answer is one that was given before. The list
beside it is the one that is remembered. The third is the HTTP server under Moorage with nothing on it that takes the
same calls and gives one answer to all: what receiving a body costs before anything is done.
{counted(plan.rounds, "round")}, in turn.

{table(["", "requests/s", "CPU µs/request", "p50 µs, one connection", "p99 µs, one connection"], rows)}

In the same rounds get_config had {spread(ratios)} of the list's requests, and by processor time {spread(costs)};
the HTTP server alone had {spread(ceilings)}, and its p99 on one connection was
{spread([each.p99_us for each in found[bare, 1]], ",.0f")} µs.
"""
    p99 = median(each.p99_us for each in found[_CALLED, 1]) / 1000
    return Figure(
        "get_config",
        text,
        [
            Bound(
                "get_config, requests/s as a part of the list page's", median(ratios), required=0.6, is_at_least=True
            ),
            Bound("p99 of get_config at one connection", p99, required=1.0, unit="ms"),
        ],
    )


def _check_that_they_differ(server: Moorage, token: str, calls: Path) -> bytes:
    """One answer. Raises unless calls are answered, and each otherwise."""
    with Client(server.port, token) as client:
        bodies = [line.encode() for line in calls.read_text().splitlines()[:50]]
        answers = [client.request("POST", _PATH, bodies[number]) for number in range(50)]
    if {answer.status for answer in answers} != {200} or len({answer.body for answer in answers}) < 45:
        raise RuntimeError("the calls are not answered, or not each by itself")
    return sorted(answers, key=lambda answer: len(answer.body))[25].body
