"""History: every change of a deployment with its author and reason; each entry is chained to the previous one."""

import hashlib
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.times import iso

Action = Literal["created", "published", "undone", "changed", "deleted", "restored"]


class Actor(msgspec.Struct, frozen=True):
    """The author, request and reason of a change. No API key means the operator, on the database."""

    api_key_id: str | None = None
    api_key_name: str | None = None
    request_id: str | None = None
    reason: str = ""

    def with_reason(self, reason: str | UnsetType) -> "Actor":
        """Return a copy with the reason of a body, if it has one."""
        return self if reason is UNSET else msgspec.structs.replace(self, reason=reason)


class Entry(msgspec.Struct, frozen=True):
    """A stored entry. `breaking` is a JSON array of the allowed breaking changes, or empty."""

    rev: int
    id: str
    project_id: str
    deployment_id: str
    action: Action
    from_version_id: str | None
    to_version_id: str | None
    reason: str
    api_key_id: str | None
    api_key_name: str | None
    request_id: str | None
    at_us: int
    breaking: str = ""

    def hash(self, before: str) -> str:
        """Return the SHA-256 of the previous entry's hash and all fields, without an empty `breaking`."""
        fields = msgspec.structs.astuple(self)
        return hashlib.sha256(msgspec.json.encode([before, *(fields if self.breaking else fields[:-1])])).hexdigest()


class KeyName(msgspec.Struct, frozen=True):
    """An API key, and its name at the time."""

    id: str
    name: str


class HistoryEntry(msgspec.Struct, frozen=True):
    """An entry in responses. Versions are their numbers, or null for none."""

    id: str
    action: Action
    from_version: str | None
    to_version: str | None
    reason: str
    api_key: KeyName | None
    request_id: str | None
    at: str
    hash: str
    breaking: Annotated[
        list[str] | UnsetType, Meta(description="The breaking changes that `allow_breaking=true` allowed.")
    ] = UNSET

    @classmethod
    def of(cls, entry: Entry, from_version: str | None, to_version: str | None, digest: str) -> "HistoryEntry":
        """Return the representation of an entry in responses."""
        key = KeyName(entry.api_key_id, entry.api_key_name or "") if entry.api_key_id else None
        return cls(
            entry.id,
            entry.action,
            from_version,
            to_version,
            entry.reason,
            key,
            entry.request_id,
            iso(entry.at_us),
            digest,
            msgspec.json.decode(entry.breaking, type=list[str]) if entry.breaking else UNSET,
        )


class HistoryPage(msgspec.Struct, frozen=True):
    """A page of the history, newest first."""

    object: Literal["list"]
    data: list[HistoryEntry]
    has_more: bool
