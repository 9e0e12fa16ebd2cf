"""The page docs/reliability.md. A run replaces the rows of its part; the page itself stores the rows of other parts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from tools.common.machine import commit, load_average, machine, versions
from tools.common.report import join, table
from tools.faults.outcome import Outcome, Part

_INTRODUCTION = """
Faults that are injected into Moorage, the invariants that must hold, and the results. `make faults` runs all parts and
updates this page; `make faults ARGS="kill-sqlite --count 100"` runs one part and replaces its rows. `make test-system`
runs each part with a small count.

Each check has a positive control: the same check, where something is lost on purpose. A check that does not find it
proves nothing, and its part fails.
"""
_FAULTS = ["part", "fault", "must hold"]
_RESULTS = ["part", "run", "count", "seed", "result", "positive control"]
_FIGURES = ["part", "figure", "required", "measured", "verdict"]


class Record(msgspec.Struct):
    """Rows of one part: its row in the table of results, its figures and failures, and the machine."""

    result: list[str]
    figures: list[list[str]] = []
    failures: list[str] = []
    machine: str = ""


def record(part: Part, outcome: Outcome | None, reason: str, seed: int, minutes: float) -> Record:
    """Return the rows of a run; `reason` is why a part did not run."""
    text = ", ".join((machine(), *versions()))
    if outcome is None:
        return Record([part.name, "", "0", "", f"**not run**: {reason}", ""], [], [f"not run: {reason}"], text)
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    held = f"**violated ({len(outcome.violations):,} times)**" if outcome.violations else "**held**"
    found = "found" if outcome.is_control_found else "**not found**"
    result = [
        part.name, f"{day}, commit {commit()}, {minutes:.1f} min, load {load_average()}",
        f"{outcome.count:,} {part.unit}", str(seed), f"{held}: {outcome.result}", f"{found}: {outcome.control}",
    ]  # fmt: skip
    failures = outcome.violations[:20]
    failures += [] if outcome.is_control_found else ["the positive control found nothing"]
    return Record(result, [[part.name, *bound.row] for bound in outcome.bounds], failures, text)


def parse(text: str) -> dict[str, Record]:
    """Return the rows of each part from a page."""
    sections = dict(section.split("\n", 1) for section in text.split("\n## ")[1:])
    records = {row[0]: Record(row) for row in _rows(sections["Results"])}
    for row in _rows(sections.get("Figures", "")):
        records[row[0]].figures.append(row)
    for line in _items(sections.get("Failures", "")):
        name, _, failure = line.partition(": ")
        records[name].failures.append(failure)
    for line in _items(sections["Machines"]):
        names, _, description = line.partition(": ")
        for name in names.split(", "):
            records[name].machine = description
    return records


def page(parts: Sequence[Part], records: Mapping[str, Record]) -> str:
    """Return the whole page."""
    present = [records[part.name] for part in parts if part.name in records]
    texts = ["# Reliability", _INTRODUCTION, "## Faults"]
    texts += [table(_FAULTS, ([part.name, part.fault, part.invariant] for part in parts), texts=len(_FAULTS))]
    texts += ["## Results", table(_RESULTS, (each.result for each in present), texts=len(_RESULTS))]
    if failures := [f"- {each.result[0]}: {failure}" for each in present for failure in each.failures]:
        texts += ["## Failures", "\n".join(failures)]
    if figures := [row for each in present for row in each.figures]:
        texts += ["## Figures", table(_FIGURES, figures, texts=2)]
    texts += ["## Limits", "\n".join(f"- {part.limit}" for part in parts if part.limit)]
    machines = defaultdict[str, list[str]](list)
    for each in present:
        machines[each.machine].append(each.result[0])
    return join([*texts, "## Machines", "\n".join(f"- {', '.join(names)}: {text}" for text, names in machines.items())])


def summary(row: Record, outcome: Outcome | None) -> str:
    """Return the outcome of a run for the terminal."""
    verdict = "NOT RUN" if outcome is None else "passed" if outcome.is_passed else "FAILED"
    lines = [f"{row.result[0]}: {verdict}", *(f"  {cell}" for cell in row.result[4:] if cell)]
    lines += [f"  {failure}" for failure in row.failures]
    return "\n".join([*lines, *(f"  {figure[1]}: {figure[3]} ({figure[2]}): {figure[4]}" for figure in row.figures)])


def _rows(section: str) -> list[list[str]]:
    return [line[2:-2].split(" | ") for line in section.splitlines() if line.startswith("| ")][2:]


def _items(section: str) -> list[str]:
    return [" ".join(item.split()) for item in ("\n" + section.strip()).split("\n- ")[1:]]
