"""Ownership: where a deployment is changed, in a file or over the API, and on what terms a change is asked for."""

from typing import Literal

import msgspec

Owner = Literal["files", "api"]


class Terms(msgspec.Struct, frozen=True):
    """On what terms a change is asked for.

    `if_match` is the ETag that the deployment must still have (ETags, `*`, or None for any); `is_new` says that there
    must be none yet. `file` is the file that the change comes from, which keeps the deployment from then on; None for
    the API. What the other side keeps is changed only if `take_ownership` says so.
    """

    if_match: str | None = None
    is_new: bool = False
    file: str | None = None
    take_ownership: bool = False


#: No condition, over the API.
FREE = Terms()
