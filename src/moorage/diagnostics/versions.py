"""The rows of versions that follow from the history."""

from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType

from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.history import text_sha256
from moorage.diagnostics.replay import ClockResets, ExpectedRow, changes_of

#: The columns that a purge empties.
TEXTS = ("prompt_config", "variables", "runtime_config", "notes", "description")


class VersionEntries(NamedTuple):
    """A row of the query `entries_of_versions`.

    The entry that created a version, the last one that deleted or restored it alone, and the last one of its
    deployment. All values of a missing entry are None.
    """

    version_id: str
    rev: int | None
    deployment_id: str | None
    action: str | None
    content_sha256: str | None
    changes: str | None
    api_key_id: str | None
    at_us: int | None
    last_rev: int | None
    last_action: str | None
    last_changes: str | None
    deployment_action: str | None
    deployment_to: str | None
    has_other_content: bool | int | None

    def expected(self, resets: ClockResets) -> ExpectedRow:
        """Return the row as it must be, with its number in `version` and the hash of its texts in `text_sha256`."""
        changes = changes_of(self.changes)
        return {
            "id": self.version_id,
            "deployment_id": self.deployment_id,
            "version": changes.version,
            "text_sha256": changes.text_sha256,
            "content_sha256": self.content_sha256,
            "created_us": resets.time(self.at_us, self.rev),
            "api_key_id": self.api_key_id,
            "rev": self.rev,
            "made_as": "draft" if self.action == "drafted" else "published",
            "deleted_us": self._deleted_us(resets),
        }

    def _deleted_us(self, resets: ClockResets) -> int | UnsetType | None:
        if self.last_action != "deleted":
            return None
        deleted_us = changes_of(self.last_changes).deleted_us
        return deleted_us if deleted_us is UNSET else resets.time(deleted_us, self.last_rev)

    @property
    def is_deleted(self) -> bool:
        """Whether the version or its deployment is deleted, so that it can be purged."""
        return self.last_action == "deleted" or (self.deployment_action == "deleted" and self.deployment_to is None)


def hash_of_texts(texts: dict[str, Any]) -> str:
    """Return the hash of the texts of a row."""
    content = StoredContent(texts["prompt_config"], texts["variables"], texts["runtime_config"])
    return text_sha256(content, texts["notes"], texts["description"])


#: The hash of the texts of a purged version.
PURGED = hash_of_texts(dict.fromkeys(TEXTS, ""))
