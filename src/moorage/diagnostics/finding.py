"""Finding: what `moorage doctor` says of one thing."""

from typing import Literal

import msgspec

State = Literal["ok", "warning", "problem"]


class Finding(msgspec.Struct, frozen=True):
    """What was looked at, what was found, and the command or setting that mends it (empty where nothing is to mend)."""

    state: State
    what: str
    finding: str
    fix: str = ""
