"""Finding: the result of one check of `moorage doctor`."""

from typing import Literal

import msgspec

State = Literal["ok", "warning", "problem"]


class Finding(msgspec.Struct, frozen=True):
    """The subject of a check, its result, and the command or setting that fixes a problem (else empty)."""

    state: State
    subject: str
    finding: str
    fix: str = ""
