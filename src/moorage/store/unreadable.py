"""Rows that cannot be decoded, where a whole table is read."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from moorage.core.errors.base import DeploymentUnreadable
from moorage.core.errors.integrations import IntegrationUnreadable
from moorage.core.errors.rows import ApiKeyUnreadable, DeploymentRowUnreadable

T = TypeVar("T")


class UnreadableRow(msgspec.Struct, frozen=True):
    """A row of `table` that cannot be decoded, and the project and key that it has nevertheless.

    `place` is the position of a deployment in the list, if it has one.
    """

    table: str
    id: str
    reason: str
    project_id: str = ""
    key: str = ""
    place: int | None = None
    is_deleted: bool = False

    def deployment_error(self) -> DeploymentUnreadable:
        """Return the error for a request that requires this deployment."""
        return DeploymentRowUnreadable(
            param="key", key=self.key or self.id, reason=self.reason, is_deleted=self.is_deleted
        )

    def api_key_error(self) -> ApiKeyUnreadable:
        """Return the error for a request about this API key."""
        return ApiKeyUnreadable(name=self.id, reason=self.reason, project_id=self.project_id)

    def integration_error(self) -> IntegrationUnreadable:
        """Return the error for a request that requires this integration."""
        return IntegrationUnreadable(name=self.key or self.id, reason=self.reason)


def readable(decoded: Iterable[T | UnreadableRow]) -> list[T]:
    """Return the values of the rows that can be decoded."""
    return [each for each in decoded if not isinstance(each, UnreadableRow)]


def as_name(value: object) -> str:
    """Return a value as a text that names it."""
    return value if isinstance(value, str) else repr(value)
