"""Changes of a contract: their kinds, and which of them break callers."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

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

    @property
    def is_breaking(self) -> bool:
        """Whether a caller of the live version can fail with the new one."""
        return self.kind in _BREAKING
