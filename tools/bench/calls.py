"""Calls of models: what Moorage adds to a provider that responds at once."""

from statistics import median

from tools.bench.beside import Beside
from tools.bench.called import BARE, CHAT, INVOKE, PROVIDER, Called
from tools.bench.peers import TensorZero
from tools.bench.plan import Plan
from tools.bench.provider import RESPONSE
from tools.bench.report import Figure
from tools.bench.rounds import Rounds, differences, interleave, ratios
from tools.bench.subject import CONNECTIONS
from tools.bench.wrk import Measured
from tools.common.report import Bound, pluralize, spread, table

#: The peer that Moorage must not be slower than.
FASTEST = TensorZero.title

_BUSY = 0.9
_MS = 1_000


def measure(plan: Plan, subject: Called, beside: Beside) -> list[Figure]:
    """Measure calls at 32 connections and at one, in rounds with the provider, an anchor and the peers."""
    contenders = {**subject.unary(), **beside.unary}
    rates = interleave(plan, "calls", contenders, CONNECTIONS, plan.rounds, plan.seconds)
    latencies = interleave(plan, "calls", contenders, 1, plan.latency_rounds, plan.latency_seconds)
    requests = subject.check_requests()
    rows = []
    for name, runs in rates.items():
        added = differences(latencies, name, PROVIDER, _p50)
        rows.append([
            name,
            spread([run.rate for run in runs], ",.0f"),
            spread([run.cpu_us for run in runs], ",.0f"),
            f"{median(run.core_in_use for run in runs):.0%}",
            spread([_p50(run) for run in latencies[name]], ",.0f"),
            spread(added, ",.0f") if name != PROVIDER else "",
        ])  # fmt: skip
    text = f"""
{CONNECTIONS} connections, then one; {pluralize(plan.rounds, "round")} of {plan.seconds} s, and of
{plan.latency_seconds} s, in random order. The provider and wrk are on one core; Moorage, and each of the others, on the
other one. The provider responds at once with the same {len(RESPONSE):,} bytes. Everything in Moorage is on: API key,
five routing rules, a template, the translation of the request and of the response, the watch for a client that
disconnects, limits of time, the record of use, the log and the metrics. The bodies differ. "granian, body read" is the
server of Moorage with a handler that returns the provider's response: no handler can be faster. The provider got
{requests:,} requests, and none of them failed.

{table(["", "calls/s", "CPU µs/call", "core in use", "p50 µs, 1 connection", "p50 µs added"], rows)}

- "invoke" is `POST {INVOKE}`, "chat/completions" is `POST {CHAT}`.
- "p50 µs added" is the p50 at one connection, less that of the provider itself in the same round.
{beside.notes}
"""
    return [Figure("Calls of models", text, _bounds(rates, latencies), _doubts(rates))]


def _bounds(rates: Rounds, latencies: Rounds) -> list[Bound]:
    bounds = []
    for name in ("invoke", "chat/completions"):
        added = median(differences(latencies, name, PROVIDER, _p50)) / _MS
        rate = median(run.rate for run in rates[name])
        bounds += [
            Bound(f"{name}, p50 added at one connection", added, required=0.75, target=0.5, unit="ms"),
            Bound(f"{name}, calls on one core", rate, required=2_500, target=3_200, unit="/s", is_at_least=True),
        ]
    cpu = median(ratios(rates, "invoke", BARE, lambda run: run.cpu_us))
    rate = median(ratios(rates, "invoke", BARE, lambda run: run.rate))
    added = median(differences(latencies, "invoke", BARE, _p50)) / _MS
    bounds += [
        Bound("invoke, processor time divided by that of bare granian", cpu, required=7.5),
        Bound("invoke, calls/s divided by those of bare granian", rate, required=0.13, is_at_least=True),
        Bound("invoke, p50 at one connection added to that of bare granian", added, required=0.4, unit="ms"),
    ]
    if FASTEST in rates:
        share = median(ratios(rates, "chat/completions", FASTEST, lambda run: run.rate))
        bounds.append(Bound(f"chat/completions, calls/s divided by those of {FASTEST}", share, 1.0, is_at_least=True))
    return bounds


def _doubts(rates: Rounds) -> list[str]:
    used = median(run.core_in_use for run in rates["invoke"])
    if used >= _BUSY:
        return []
    return [f"invoke used {used:.0%} of its core: another program was running, so do not rely on the calls/s."]


def _p50(run: Measured) -> float:
    return run.p50_us
