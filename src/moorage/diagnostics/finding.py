"""Finding: the result of one check of `moorage doctor`."""

from typing import Literal

import msgspec

State = Literal["ok", "warning", "problem"]

#: The number of deployments that a finding names.
_MAX_NAMES = 5


class Finding(msgspec.Struct, frozen=True):
    """The subject of a check, its result, and the command or setting that fixes a problem (else empty)."""

    state: State
    subject: str
    finding: str
    fix: str = ""


def join_names(names: list[str]) -> str:
    """Return the first names, and the number of all others."""
    more = len(names) - _MAX_NAMES
    return ", ".join(names[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
