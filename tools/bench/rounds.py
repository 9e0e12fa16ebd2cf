"""Interleaved rounds: each measures every contender once, in random order."""

from collections.abc import Callable

from tools.bench.plan import Plan
from tools.bench.wrk import Measured
from tools.common.machine import rng

#: The runs of each contender, one for each round.
Rounds = dict[str, list[Measured]]

#: Measures a contender: with connections, seconds, and seconds of warm-up.
Contender = Callable[[int, int, int], Measured]
Contenders = dict[str, Contender]


def interleave(plan: Plan, name: str, contenders: Contenders, connections: int, rounds: int, seconds: int) -> Rounds:
    """Measure all contenders; `name` selects the random order."""
    order, runs = rng(plan.seed, f"{name} {connections}"), {name: list[Measured]() for name in contenders}
    for _ in range(rounds):
        for contender in order.sample(list(contenders), len(contenders)):
            runs[contender].append(contenders[contender](connections, seconds, plan.warm_up))
    return runs


def ratios(runs: Rounds, name: str, anchor: str, of: Callable[[Measured], float]) -> list[float]:
    """Return a value of a contender, divided by that of an anchor in the same round."""
    return [of(one) / of(other) for one, other in zip(runs[name], runs[anchor], strict=True)]


def differences(runs: Rounds, name: str, anchor: str, of: Callable[[Measured], float]) -> list[float]:
    """Return a value of a contender, less that of an anchor in the same round."""
    return [of(one) - of(other) for one, other in zip(runs[name], runs[anchor], strict=True)]
