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
_CALLS_A_SECOND = 10_000
_AGAIN = 100
_LIST = "/v2/deployments?limit=10"
_LISTED, _CALLED, _CALLED_AGAIN = "the list's page of 10", "get_config, each another", "get_config, asked again"
_PATH = "/v2/deployments/get_config"
_SCRIPT = Path(__file__).with_name("post.lua")


def measure(plan: Plan, cores: Cores, folder: Path, prompts: Path | None) -> list[Figure]:
    """Requests a second at 32 connections and latency at one, of calls and of the list, in turn."""
    deployments = deployments_of(prompts)
    lengths = [len(each.body["prompt_config"]["messages"][0]["content"]) for each in deployments]
    seeded = seed(folder / "configuration-data", deployments)
    calls, draw = folder / "calls", plan.shuffle("calls")

    def write_calls(count: int) -> None:
        calls.write_text("".join(call(draw.choice(deployments).key, draw) + "\n" for _ in range(count)))

    write_calls(_AGAIN)
    again = calls.rename(folder / "calls-again")
    found: dict[tuple[str, int], list[Measured]] = {}
    with ExitStack() as stack:
        server = stack.enter_context(Moorage(folder / "configuration", cores.server, seeded.database))
        token = seeded.tokens[0]
        answer = folder / "answer"
        answer.write_bytes(_check_that_they_differ(server, token, again))
        bare = stack.enter_context(Bare(folder / "configuration-bare", cores.server, "asgi", answer))
        loads = {
            _LISTED: Load(server, _LIST, token),
            _CALLED: Load(server, _PATH, token, script=_SCRIPT, arguments=(str(calls), "0")),
            _CALLED_AGAIN: Load(server, _PATH, token, script=_SCRIPT, arguments=(str(again), "0")),
            bare.name: Load(bare, _PATH, token, script=_SCRIPT, arguments=(str(again), "0")),
        }
        for connections, rounds, seconds in (
            (CONNECTIONS, plan.rounds, plan.seconds),
            (1, plan.latency_rounds, plan.latency_seconds),
        ):
            for _ in range(rounds):
                for name, load in loads.items():
                    if name == _CALLED:  # what was asked to warm up is not asked again
                        write_calls(plan.warm_up * _CALLS_A_SECOND)
                        run(load, connections, plan.warm_up)
                        write_calls(seconds * _CALLS_A_SECOND)
                    warm_up = 0 if name == _CALLED else plan.warm_up
                    found.setdefault((name, connections), []).append(run(load, connections, seconds, warm_up))
    return [_figure(plan, found, bare.name, median(lengths), has_prompts=bool(prompts))]


def _figure(
    plan: Plan, found: dict[tuple[str, int], list[Measured]], bare: str, length: float, *, has_prompts: bool
) -> Figure:
    listed, called, again, received = (found[name, CONNECTIONS] for name in (_LISTED, _CALLED, _CALLED_AGAIN, bare))

    def parts_of_the_list(runs: list[Measured]) -> list[float]:
        return [one.rate / other.rate for one, other in zip(runs, listed, strict=True)]

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
five routing rows, one of them a split; the table is the same in all. "Each another": calls that are drawn from the seed
and never sent a second time: another deployment, other inputs, another context and another user in each. "Asked again":
the same {_AGAIN} calls in turn, as of applications that do not ask for each user; the server remembers those. The list
is one that is remembered. The last is the HTTP server under Moorage with nothing on it that takes calls and gives one
answer to all: what receiving a body costs before anything is done. {counted(plan.rounds, "round")}, in turn.

{table(["", "requests/s", "CPU µs/request", "p50 µs, one connection", "p99 µs, one connection"], rows)}

In the same rounds calls had, each another, {spread(parts_of_the_list(called))} of the list's requests, and by processor
time {spread(costs)}; asked again, {spread(parts_of_the_list(again))}. The HTTP server alone had
{spread(parts_of_the_list(received))}, and its p99 on one connection was
{spread([each.p99_us for each in found[bare, 1]], ",.0f")} µs.
"""
    what = "requests/s as a part of the list page's"
    p99 = median(each.p99_us for each in found[_CALLED, 1]) / 1000
    return Figure(
        "get_config",
        text,
        [
            Bound(f"get_config, each call another, {what}", median(parts_of_the_list(called)), 0.6, is_at_least=True),
            Bound(f"get_config, calls asked again, {what}", median(parts_of_the_list(again)), 0.6, is_at_least=True),
            Bound("p99 of get_config at one connection, each call another", p99, required=1.0, unit="ms"),
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
