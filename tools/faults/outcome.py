"""Description of a part of the suite, and its outcome."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from tools.common.report import Bound


class NotRun(Exception):
    """The machine does not meet a requirement of the part; the message names it. The part then has not passed."""


class Outcome(msgspec.Struct, frozen=True):
    """Outcome of a run. `violations` are violations of the invariant, in words.

    `control` is the result of the positive control: the same check after an intended loss.
    `is_control_found` is whether the check found it. `bounds` are figures, which fail no run.
    """

    count: int
    result: str
    violations: list[str]
    control: str
    is_control_found: bool
    bounds: list[Bound] = []

    @property
    def is_passed(self) -> bool:
        """Return whether the invariant held and the check can fail."""
        return not self.violations and self.is_control_found


class Tally(msgspec.Struct):
    """Totals of a run: acknowledged publishes, publishes that were retried, violations."""

    acknowledged: int = 0
    retried: int = 0
    violations: list[str] = []


class Part(msgspec.Struct, frozen=True):
    """Part of the suite. `run(count, seed, folder)` injects `count` faults in an empty folder; the seed determines all
    choices. `count` and `quick` are the counts of a full and a quick run. `limit` is what the part cannot show."""

    name: str
    run: Callable[[int, int, Path], Outcome]
    count: int
    quick: int
    unit: str
    fault: str
    invariant: str
    limit: str = ""
