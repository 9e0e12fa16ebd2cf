"""Ownership: where a deployment is changed, in a file or over the API, and on what terms a change is asked for."""

from typing import Literal

import msgspec

from moorage.core.contract import NamesOf, names_without_jinja

Owner = Literal["files", "api"]


class Terms(msgspec.Struct, frozen=True):
    """On what terms a change is asked for.

    `if_match` is the ETag that the deployment must still have (ETags, `*`, or None for any); `is_new` says that there
    must be none yet. `file` is the file that the change comes from, which keeps the deployment from then on; None for
    the API. What the other side keeps is changed only if `take_ownership` says so; what programs rely on is broken only
    if `allow_breaking` does, and what is in use is deleted only if `force` does. `has_jinja` says that jinja templates
    may be published: there is what renders them. `names_of` tells which names templates use.
    """

    if_match: str | None = None
    is_new: bool = False
    file: str | None = None
    take_ownership: bool = False
    allow_breaking: bool = False
    force: bool = False
    has_jinja: bool = True
    names_of: NamesOf = names_without_jinja


def may_change(owner: Owner, file: str | None, terms: Terms) -> bool:
    """Whether a deployment that `owner` keeps, and that was applied from `file` last, may be changed on these terms.

    A file may adopt what was never kept in a file; what the API took over from a file it may not take back unasked.
    """
    if terms.take_ownership:
        return True
    return owner == "api" if terms.file is None else owner == "files" or file is None


#: No condition, over the API.
FREE = Terms()
