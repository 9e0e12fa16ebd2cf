"""Deleted deployments that can be restored, as a list."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from moorage.core.deployments.history import KeyName


class DeletedRow(msgspec.Struct, frozen=True):
    """A stored deleted deployment; `place` is its position in the list, the time of the deletion."""

    id: str
    key: str
    description: str
    place: int


class DeletedItem(msgspec.Struct, frozen=True):
    """A deleted deployment in responses. Without a `deleted_by`, the operator deleted it."""

    id: Annotated[str, Meta(description="Opaque; the cursor of the list.")]
    key: str
    description: str
    deleted_at: str
    deleted_by: KeyName | None
    reason: str
    restorable_until: str


class DeletedPage(msgspec.Struct, frozen=True):
    """A page of deleted deployments, the last deletion first."""

    object: Literal["list"]
    data: list[DeletedItem]
    has_more: bool
