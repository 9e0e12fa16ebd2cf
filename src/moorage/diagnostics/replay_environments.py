"""Replay of environments, and of live versions in other environments than production, see `replay`."""

from msgspec import UNSET

from moorage.core.deployments.history import Changes, Entry
from moorage.core.environments import PRODUCTION, EnvironmentSettings, production_id, production_of
from moorage.diagnostics.comparison import pointer_id
from moorage.diagnostics.replay import ExpectedRow
from moorage.store.environment_writes import settings_columns


def environment_of(entry: Entry) -> str:
    """Return the id of the environment of an entry: that of a new project is production."""
    return entry.environment_id or production_id(entry.project_id or "")


def step_environment(expected: ExpectedRow, entry: Entry, changes: Changes) -> None:
    """Add an entry about an environment, or the one that created the project of production."""
    match entry.action:
        case "project_created":
            settings = production_of(entry.project_id or "", entry.at_us, entry.rev).settings
            _create(expected, entry, PRODUCTION, settings)
        case "environment_set" if changes.environment is not UNSET:
            if "name" in expected:
                expected.update(settings_columns(changes.environment))
            else:
                _create(expected, entry, changes.name, changes.environment)
            expected["updated_by"] = entry.api_key_id
        case "environment_deleted":
            expected.update(deleted_us=changes.deleted_us, updated_by=entry.api_key_id)
    expected["updated_us"] = entry.at_us


def _create(expected: ExpectedRow, entry: Entry, name: object, settings: EnvironmentSettings) -> None:
    expected.update(
        settings_columns(settings), project_id=entry.project_id, name=name, created_us=entry.at_us,
        created_by=entry.api_key_id, updated_by=None, deleted_us=None,
    )  # fmt: skip


def pointer_of(entry: Entry) -> str:
    """Return the name of the row that an entry of `entries_of_pointers` changes."""
    return pointer_id(entry.deployment_id, entry.environment_id)


def step_pointer(expected: ExpectedRow, entry: Entry, changes: Changes) -> None:
    """Add a move of a live version, or another entry that sets the revision of its row.

    A deployment that followed production had no owner in the environment, so the API manages it, unless a file does.
    """
    if entry.action in ("created", "published", "undone", "unpublished"):
        if entry.from_version_id is None:
            expected.update(owner="api", file=None)
        expected.update(
            deployment_id=entry.deployment_id, environment_id=entry.environment_id, version_id=entry.to_version_id,
            updated_us=entry.at_us,
        )  # fmt: skip
    if changes.owner is not UNSET and entry.action not in ("deleted", "restored"):
        expected.update(owner=changes.owner, file=changes.file)
