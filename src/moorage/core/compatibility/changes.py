"""Changes of a contract: their kinds, and which of them break callers."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from moorage.core.errors.requests import ComparisonTooLarge
from moorage.core.validation.json_path import JsonPath, cut

#: How many names and parts of schemas a publish compares; they take about 50 ms.
MAX_COMPARED = 30_000

#: The maximum length of a message, in characters.
_MAX_MESSAGE = 1_000

Breaking = Literal[
    "variable_removed", "variable_renamed", "variable_required", "variable_type_changed",
    "tool_removed", "tool_added", "argument_removed", "argument_required", "argument_optional",
    "argument_type_changed", "argument_values_changed", "argument_rule_changed",
]  # fmt: skip
Harmless = Literal[
    "variable_added", "variable_optional", "variable_default_changed", "variable_described",
    "tool_described", "argument_added", "argument_described",
]  # fmt: skip

_BREAKING = frozenset(Breaking.__args__)  # type: ignore[attr-defined]  # the type of a Literal does not declare them


class ContractChange(msgspec.Struct, frozen=True):
    """A change that callers can notice."""

    kind: Breaking | Harmless
    path: Annotated[str, Meta(description="`variables.customer`, or `tools.find_order.order_id` for an argument.")]
    message: Annotated[str, Meta(description="The change, and its effect on callers.")]

    @classmethod
    def at(cls, kind: Breaking | Harmless, path: JsonPath, before: str, after: str) -> "ContractChange":
        """Return the change at `path`, which the message has between `before` and `after`."""
        text = str(path)
        return cls(kind, text, cut(f"{before}{text}{after}", _MAX_MESSAGE))

    @property
    def is_breaking(self) -> bool:
        """Whether a caller of the live version can fail with the new one."""
        return self.kind in _BREAKING


class Comparison:
    """The number of names and parts of schemas that a publish may still compare."""

    def __init__(self) -> None:
        self._left = MAX_COMPARED

    def spend(self, count: int = 1) -> None:
        """Count comparisons.

        Raises:
            ComparisonTooLarge
        """
        self._left -= count
        if self._left < 0:
            raise ComparisonTooLarge(param="allow_breaking", maximum=MAX_COMPARED)
