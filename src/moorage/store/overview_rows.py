"""Rows of the lists about all deployments of a project."""

from typing import NamedTuple

import msgspec

from moorage.core.compatibility.consumers import KeyUse
from moorage.core.compatibility.usage import Use
from moorage.core.deployments.drafts import DraftItem, DraftRow
from moorage.core.deployments.history import KeyName
from moorage.core.deployments.project_history import ProjectHistoryEntry
from moorage.core.deployments.summary import Summary
from moorage.core.times import iso
from moorage.store.columns import is_time
from moorage.store.engine import Row
from moorage.store.rows import Chained, chained, names
from moorage.store.unreadable import as_name


class ProjectEntry(NamedTuple):
    """A history entry of a deployment, with the key of the deployment."""

    chained: Chained
    key: str

    @property
    def place(self) -> int:
        """The position in the list."""
        return self.chained.place

    @property
    def item(self) -> ProjectHistoryEntry:
        """The entry as clients get it."""
        entry, found = self.chained.entry, msgspec.structs.asdict(self.chained.item)
        return ProjectHistoryEntry(**found, deployment_id=entry.deployment_id or "", key=self.key)


def project_entry(row: Row) -> ProjectEntry:
    """Return a row of `find_project_entry`, `project_entries_older` or `project_entries_newer`.

    Raises:
        HistoryUnreadable
    """
    *columns, key = row
    return ProjectEntry(chained(tuple(columns)), as_name(key))


def use(row: Row) -> Use:
    """Return a row of `usage_older`, `usage_newer` or `usage_of_deployment`, also one that another program changed."""
    version_id, key_id, key_name, deployment_id, key, major, minor, first_us, last_us, inputs, is_live = row
    return Use(
        as_name(version_id), KeyName(as_name(key_id), as_name(key_name)), as_name(deployment_id), as_name(key),
        f"{as_name(major)}.{as_name(minor)}", first_us if is_time(first_us) else 0, last_us if is_time(last_us) else 0,
        names(inputs), is_live == 1,
    )  # fmt: skip


def summary(row: Row) -> Summary:
    """Return a row of `summaries` without its project, also one that another program changed."""
    deployment_id, key, owner, file, major, minor, last_us = row
    return Summary(
        as_name(deployment_id), as_name(key), "files" if owner == "files" else "api",
        file if isinstance(file, str) else None, None if major is None else f"{as_name(major)}.{as_name(minor)}",
        iso(last_us) if is_time(last_us) else None,
    )  # fmt: skip


def draft(row: Row) -> DraftRow:
    """Return a row of `draft_deployments_older` and of its siblings, also one that another program changed."""
    deployment_id, key, description, owner, major, minor, created_us, updated_us, place = row
    item = DraftItem(
        as_name(deployment_id), as_name(key), as_name(description), "files" if owner == "files" else "api",
        None if major is None else f"{as_name(major)}.{as_name(minor)}",
        *(iso(time if is_time(time) else 0) for time in (created_us, updated_us)),
    )  # fmt: skip
    return DraftRow(item, place)


def key_use(row: Row) -> KeyUse:
    """Return a row of `uses_of_key`."""
    key, major, minor, last_us, environment_id = row
    version = f"{as_name(major)}.{as_name(minor)}"
    return KeyUse(as_name(key), version, last_us if is_time(last_us) else 0, as_name(environment_id) or None)
