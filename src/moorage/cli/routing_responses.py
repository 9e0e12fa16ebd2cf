"""The parts of the API's responses about routing that the command line uses; see `moorage.cli.responses`."""

from typing import Any

import msgspec

from moorage.core.errors.base import Problem


class RuleRow(msgspec.Struct, frozen=True):
    """The result of a rule of a routing table."""

    rule: int
    variant: str
    matched: bool
    explanation: str


class ChosenEnvironment(msgspec.Struct, frozen=True):
    """The environment of a request, and why."""

    name: str
    source: str
    follows: bool
    because: str


class Explanation(msgspec.Struct, frozen=True):
    """The variant of a context."""

    variant: str
    reason: str
    rule: int
    version: str
    rules: list[RuleRow]
    environment: ChosenEnvironment | None = None
    warnings: list[Problem] = []


class Variant(msgspec.Struct, frozen=True):
    """The variant before or after a change."""

    variant: str


class ChangedContext(msgspec.Struct, frozen=True):
    """A context that would get another variant."""

    context: Any
    before: Variant
    after: Variant


class Simulation(msgspec.Struct, frozen=True):
    """The effect of another routing table."""

    changed: list[ChangedContext]
    unchanged: int
