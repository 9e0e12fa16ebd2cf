"""Deployments without a live version in any environment, as a list."""

from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from moorage.core.deployments.ownership import Owner


class DraftItem(msgspec.Struct, frozen=True):
    """A deployment that is live nowhere, in responses; `created` and `updated` are ISO 8601."""

    id: Annotated[str, Meta(description="Opaque; the cursor of the list.")]
    key: str
    description: str
    owner: Owner
    version: Annotated[str | None, Meta(description="The newest version; null if all versions are deleted.")]
    created: str
    updated: str


class DraftRow(NamedTuple):
    """An item with its position in the list."""

    item: DraftItem
    place: int | None


class DraftPage(msgspec.Struct, frozen=True):
    """A page of deployments that are live nowhere, the newest first."""

    object: Literal["list"]
    data: list[DraftItem]
    has_more: bool
