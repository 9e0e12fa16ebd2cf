"""The budgets and efforts of Claude models, each for those that take the other."""

from typing import Final

#: The budget of an effort for models without efforts, in tokens.
BUDGETS: Final = {
    "minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 32_768, "max": 32_768,
}  # fmt: skip

#: The largest budget for an effort, for models without budgets.
_EFFORTS: Final = ((2_048, "low"), (8_192, "medium"))


def effort_for(budget: int) -> str:
    """Return the effort for a budget."""
    return next((effort for most, effort in _EFFORTS if budget <= most), "high")
