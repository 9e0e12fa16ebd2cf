"""The page: what was done to the program, and what came of it, as Markdown."""

from collections import defaultdict
from collections.abc import Sequence

from bench.report import filled, table

from faults.results import Result

_INTRODUCTION = """
What was done to Moorage on purpose, what must hold all the same, and what was seen. The program in `faults/` does all
of it and writes this page: `make faults` does it again, `make faults ARGS="kill-sqlite --count 100"` one part of it
(the other rows stay), and `make test` every part with a small count.

Each check has a positive control: the same check, where something was lost on purpose. A check that finds nothing there
says nothing, and its part fails.
"""


def page(results: Sequence[Result]) -> str:
    """The whole of docs/reliability.md."""
    parts = ["# Reliability", _INTRODUCTION, "## What was done, and what came of it", _rows(results)]
    if failed := [line for result in results for line in _failures(result)]:
        parts += ["## What did not hold", "\n".join(f"- {line}" for line in failed)]
    if bounds := [bound.row for result in results if result.outcome for bound in result.outcome.bounds]:
        rows = [[figure, required, measured, verdict] for figure, required, _, measured, verdict in bounds]
        parts += ["## Figures", table(["figure", "required", "measured", "verdict"], rows)]
    parts += ["## What is not shown", _not_shown(results), "## Where it ran", _machines(results)]
    return "\n\n".join(filled(block) for part in parts for block in part.strip().split("\n\n")) + "\n"


def summary(result: Result) -> str:
    """A result in a line."""
    if result.outcome is None:
        return f"{result.part}: NOT RUN: {result.reason}"
    verdict = "passed" if result.outcome.is_passed else "FAILED"
    lines = [f"{result.part}: {verdict}: {result.outcome.result}; control: {result.outcome.control}"]
    lines += [f"  {line}" for line in _failures(result)]
    lines += [f"  {bound.figure}: {bound.row[3]} ({bound.row[1]}): {bound.verdict}" for bound in result.outcome.bounds]
    return "\n".join(lines)


def _rows(results: Sequence[Result]) -> str:
    header = ["part", "fault", "must hold", "count", "seed", "result", "positive control"]
    return table(header, map(_row, results), texts=len(header))


def _row(result: Result) -> list[str]:
    outcome = result.outcome
    if outcome is None:
        return [result.part, "", "", "0", "", f"**not run**: {result.reason}", ""]
    verdict = "**held**" if not outcome.violations else f"**did not hold ({len(outcome.violations):,} times)**"
    found = "found" if outcome.is_control_found else "**not found**"
    return [
        result.part, outcome.fault, outcome.invariant, f"{outcome.count:,} {result.unit}", str(result.seed),
        f"{verdict}: {outcome.result}", f"{found}: {outcome.control}",
    ]  # fmt: skip


def _failures(result: Result) -> list[str]:
    if result.outcome is None:
        return [f"{result.part}: not run: {result.reason}"]
    found = [] if result.outcome.is_control_found else ["the positive control found nothing, so the rest says nothing"]
    return [f"{result.part}: {violation}" for violation in (*result.outcome.violations[:20], *found)]


def _not_shown(results: Sequence[Result]) -> str:
    lines = [line for result in results if result.outcome for line in result.outcome.not_shown]
    return "\n".join(f"- {line}" for line in dict.fromkeys(lines))


def _machines(results: Sequence[Result]) -> str:
    runs = defaultdict[str, list[str]](list)
    for each in results:
        runs[each.machine].append(f"{each.part} on {each.day} for {each.minutes:.1f} minutes ({each.load})")
    return "\n".join(f"- On {machine}: {'; '.join(on_it)}." for machine, on_it in runs.items())
