"""Summary: what people want to know about a deployment in a list, besides its live version."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from moorage.core.deployments.ownership import Owner

#: So many deployments are summarized at once.
MAX_SUMMARIES = 25


class Summary(msgspec.Struct, frozen=True):
    """A deployment in an environment: its owner, its newest draft and its last use.

    In an environment that follows production with it, the owner is that of production.
    """

    id: str
    key: str
    owner: Owner
    file: str | None
    draft: Annotated[str | None, Meta(description="The newest version, if it never was live.")]
    last_used: Annotated[str | None, Meta(description="In the last 30 days; at most some seconds old.")]


class SummaryList(msgspec.Struct, frozen=True):
    """The summaries of the deployments that exist, in the order of the request."""

    object: Literal["list"]
    data: list[Summary]
