"""The history of all deployments of a project, in responses."""

from typing import Literal

import msgspec

from moorage.core.deployments.history import HistoryEntry


class ProjectHistoryEntry(HistoryEntry, frozen=True, kw_only=True):
    """An entry in the history of a project, with its deployment, which can be deleted."""

    deployment_id: str
    key: str


class ProjectHistoryPage(msgspec.Struct, frozen=True):
    """A page of the history of a project's deployments, newest first."""

    object: Literal["list"]
    data: list[ProjectHistoryEntry]
    has_more: bool
