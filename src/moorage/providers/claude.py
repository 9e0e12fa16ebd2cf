"""The generations of Claude models: which parameters a model takes, by its name."""

import re
from typing import Final, NamedTuple

_NAME = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")


class Generation(NamedTuple):
    """The version of a Claude model, such as 4.5."""

    major: int
    minor: int


#: The first generations that think, take an effort with adaptive thinking, and reject sampling parameters.
THINKS: Final = Generation(3, 7)
ADAPTS: Final = Generation(4, 6)
REJECTS_SAMPLING: Final = Generation(4, 7)

#: A Claude model whose name has no version is a current one.
_CURRENT: Final = Generation(99, 0)

#: The budget of an effort for models without efforts, in tokens.
BUDGETS: Final = {
    "minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 32_768, "max": 32_768,
}  # fmt: skip

#: The largest budget for an effort, for models without budgets.
_EFFORTS: Final = ((2_048, "low"), (8_192, "medium"))


def generation_of(model: str) -> Generation | None:
    """Return the generation of a model, also by its name at other hosts; None for a model that is no Claude."""
    if "claude" not in model:
        return None
    found = _NAME.search(model)
    if found is None:
        return _CURRENT
    return Generation(int(found[1]), int(found[2] or 0))


def effort_for(budget: int) -> str:
    """Return the effort for a budget."""
    return next((effort for most, effort in _EFFORTS if budget <= most), "high")
