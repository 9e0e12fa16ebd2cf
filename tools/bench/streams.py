"""Streamed calls of models."""

from statistics import median

from tools.bench.beside import Beside
from tools.bench.called import CHAT, PASSED, PROVIDER, STREAM, Called
from tools.bench.plan import Plan
from tools.bench.provider import BURSTS, EVENTS, SINGLE
from tools.bench.report import Figure
from tools.bench.rounds import Rounds, interleave, ratios
from tools.bench.stream_client import StreamClient
from tools.bench.wrk import Measured
from tools.common.report import Bound, pluralize, spread, table

_CONNECTIONS = 16
_LEAST_SECONDS = 3  # a slow peer sends 16 streams in a second
_BUSY = 0.9
_HEADER = ("", "events/s", "CPU µs/event", "of bytes passed on", "core in use")


def measure(plan: Plan, subject: Called, beside: Beside) -> list[Figure]:
    """Measure streams of both models in rounds with the provider and an anchor, and the delay of the first event."""
    seconds = max(plan.seconds, _LEAST_SECONDS)
    contenders = {BURSTS: {**subject.streams(BURSTS), **beside.streams}, SINGLE: subject.streams(SINGLE)}
    bursts, single = (
        interleave(plan, model, found, _CONNECTIONS, plan.rounds, seconds) for model, found in contenders.items()
    )
    subject.check_requests()
    delays = _delays(plan, subject)
    text = f"""
Each stream has {EVENTS} events. "Bursts" has 8 events in each write, one millisecond apart; "single" has one event in
each write, two milliseconds apart. {_CONNECTIONS} connections, {pluralize(plan.rounds, "round")} of {seconds} s, in
random order. "granian, bytes passed on" is a handler on the same server and the same HTTP client that sends on what
arrives, unread. "stream" is `POST {STREAM}`.

{table(_HEADER, [*_rows("bursts", bursts), *_rows("single", single)])}

The first event of a stream arrives {spread(delays, ",.2f")} ms later than from the provider itself: the median of
{plan.first_events} streams over one connection, each after one from the provider, with the least and the longest delay.
"""
    cpu = median(run.cpu_us / EVENTS for run in bursts["stream"])
    rate = median(run.rate * EVENTS for run in bursts["stream"])
    share = "of bytes passed on, processor time of an event"
    bounds = [
        Bound("stream in bursts, events on one core", rate, required=60_000, unit="/s", is_at_least=True),
        Bound("stream in bursts, processor time of an event", cpu, required=12, unit="µs"),
        Bound(f"stream in bursts, {share}", median(_shares(bursts, "stream")), required=1.35),
        Bound(f"stream of single events, {share}", median(_shares(single, "stream")), required=1.4),
        Bound("stream, delay of the first event", median(delays), required=1, unit="ms"),
    ]
    used = median(run.core_in_use for run in bursts["stream"])
    doubts = []
    if used < _BUSY:
        doubts = [f"stream in bursts used {used:.0%} of its core: the load or another program limited the events/s."]
    return [Figure("Streamed calls", text, bounds, doubts)]


def _rows(kind: str, runs: Rounds) -> list[list[str]]:
    return [
        [
            f"{name}, {kind}",
            spread([run.rate * EVENTS for run in found], ",.0f"),
            spread([run.cpu_us / EVENTS for run in found], ",.1f"),
            spread(_shares(runs, name), ",.2f") if name != PROVIDER else "",
            f"{median(run.core_in_use for run in found):.0%}",
        ]
        for name, found in runs.items()
    ]


def _shares(runs: Rounds, name: str) -> list[float]:
    return ratios(runs, name, PASSED, _cpu)


def _cpu(run: Measured) -> float:
    return run.cpu_us


def _delays(plan: Plan, subject: Called) -> list[float]:
    """Return how much later each first event arrives than from the provider (milliseconds)."""
    body, delays = subject.bodies("invoke", BURSTS)[0], list[float]()
    sent = subject.sent(STREAM, body)
    with (
        StreamClient(subject.provider.port, CHAT) as direct,
        StreamClient(subject.server.port, STREAM, subject.token) as client,
    ):
        for number in range(plan.first_events + 10):
            provider, moorage = direct.send(sent).first, client.send(body).first
            if number >= 10:  # after a warm-up
                delays.append((moorage - provider) * 1e3)
    return delays
