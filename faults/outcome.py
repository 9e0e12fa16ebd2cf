"""Outcome: what a part of the suite did, and what it saw."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from bench.report import Bound


class NotRun(Exception):
    """This machine lacks what the part needs; says what. A part that was not run has not passed."""


class Outcome(msgspec.Struct, frozen=True):
    """What was done and seen. All texts are for the page: plain words, with the numbers in them.

    `fault` is what was done, `invariant` what must hold, `result` what was seen; `violations` are the places where it
    did not hold, in words. `control` tells of the positive control: the same check where it must find something, and
    `is_control_found` whether it did. `bounds` are figures with what was promised of them: they are reported, and fail
    nothing. `not_shown` is what nobody should conclude from it.
    """

    fault: str
    invariant: str
    count: int
    result: str
    violations: list[str]
    control: str
    is_control_found: bool
    bounds: list[Bound] = []
    not_shown: list[str] = []

    @property
    def is_passed(self) -> bool:
        """Whether it held, and the check has shown that it can fail."""
        return not self.violations and self.is_control_found


class Tally(msgspec.Struct):
    """What adds up in a run: publishes that were acknowledged, publishes whose answers were lost and which were sent
    again, and what is wrong."""

    acknowledged: int = 0
    cut_off: int = 0
    violations: list[str] = []


class Part(msgspec.Struct, frozen=True):
    """A part of the suite. `run(count, seed, folder)` makes so many faults, all its choices drawn from the seed, in an
    empty folder that is removed after; `unit` is what is counted."""

    name: str
    run: Callable[[int, int, Path], Outcome]
    count: int
    quick: int
    unit: str
