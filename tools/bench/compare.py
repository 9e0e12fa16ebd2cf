"""Processor time per request of two checkouts, measured in turn."""

from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tools.bench.plan import Plan
from tools.bench.rounds import Rounds
from tools.bench.subject import CONNECTIONS, Subject, started
from tools.common.machine import Cores
from tools.common.report import spread, table
from tools.common.servers import Checkout


def processor_time(runs: Rounds) -> str:
    """Return the processor time per request as a table."""
    rows = [
        [name, spread([run.cpu_us for run in found], ",.1f"), spread([run.rate for run in found], ",.0f")]
        for name, found in runs.items()
    ]
    return table(["request", "CPU µs/request", "requests/s"], rows)


def compare(plan: Plan, cores: Cores, folder: Path, other: Checkout) -> str:
    """Measure this checkout and another one; return the table of ratios.

    Both servers are restarted several times, because two processes of the same code differ by some percent.
    """
    checkouts = (Checkout.current(), other)
    runs: list[Rounds] = [{}, {}]
    starts: list[list[float]] = [[], []]
    for number in range(plan.comparisons):
        with ExitStack() as stack:
            subjects = [
                stack.enter_context(started(plan, cores.server, folder / f"{number}-{side}", checkout))
                for side, checkout in enumerate(checkouts)
            ]
            _measure(plan, subjects, runs)
            for side, subject in enumerate(subjects):
                starts[side].append(subject.server.seconds_to_ready * 1e3)
    rows = []
    for name in runs[0]:
        pairs = list(zip(runs[0][name], runs[1][name], strict=True))
        rows.append(
            [
                name,
                *(spread([pair[side].cpu_us for pair in pairs], ",.1f") for side in (0, 1)),
                spread([this.cpu_us / that.cpu_us for this, that in pairs]),
                *(f"{median(pair[side].rate for pair in pairs):,.0f}" for side in (0, 1)),
            ]
        )
    header = ["request", "CPU µs/request", "CPU µs/request, other", "this / other", "requests/s", "requests/s, other"]
    ready = f"ms to ready: {spread(starts[0], ',.0f')}, other: {spread(starts[1], ',.0f')}"
    return f"this: {checkouts[0].python}\nother: {other.name}\n\n{table(header, rows)}\n\n{ready}"


def _measure(plan: Plan, subjects: list[Subject], runs: list[Rounds]) -> None:
    for number in range(-(-plan.rounds // plan.comparisons)):
        order = (0, 1) if number % 2 == 0 else (1, 0)  # A B, B A, so that a trend favours neither
        for name in subjects[0].requests:
            for side in order:
                measured = subjects[side].requests[name](CONNECTIONS, plan.seconds, plan.warm_up)
                runs[side].setdefault(name, []).append(measured)
    for subject in subjects:
        violations = subject.publisher.compare().violations
        if violations.lost or violations.broken:
            raise RuntimeError(f"not all acknowledged publishes are stored: {violations}")
