"""API keys as clients see them."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.access import TOKEN_PREFIX, ApiKey, Scope
from moorage.core.times import iso

MAX_NAME = 128

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]


class PostApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v2/api-keys`. Without `scopes`, those of the asking key but `keys:admin`; without `expires_at`
    (ISO 8601 with an offset), as long as the asking key."""

    name: Name
    scopes: Annotated[
        list[Literal[
            "deployments:read", "deployments:write", "deployments:publish", "deployments:invoke", "keys:admin"
        ]],
        Meta(min_length=1),
    ] | UnsetType = UNSET  # fmt: skip
    expires_at: Annotated[str, Meta(max_length=40)] | UnsetType = UNSET


class PatchApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PATCH /v2/api-keys/{api_key_id}`: a key's name is all that can change; what it may do cannot."""

    name: Name


class ApiKeyItem(msgspec.Struct, frozen=True):
    """A key. `token` is whole in the answer that made it, and masked ever after."""

    id: str
    name: str
    project_id: str
    scopes: list[Scope]
    token: str
    status: Literal["active", "expired", "revoked"]
    created: str
    expires_at: str | UnsetType = UNSET

    @classmethod
    def of(cls, key: ApiKey, now_us: int, token: str | None = None) -> "ApiKeyItem":
        """What is sent of a key."""
        is_expired = key.expires_us is not None and key.expires_us <= now_us
        return cls(
            id=key.id,
            name=key.name,
            project_id=key.project_id,
            scopes=sorted(key.scopes),
            token=token or f"{TOKEN_PREFIX}{key.id}_…",
            status="revoked" if key.revoked_us is not None else "expired" if is_expired else "active",
            created=iso(key.created_us),
            expires_at=UNSET if key.expires_us is None else iso(key.expires_us),
        )


class ApiKeyPage(msgspec.Struct, frozen=True):
    """All keys of a project, newest first."""

    object: Literal["list"]
    data: list[ApiKeyItem]
    has_more: bool


def read_time(text: str) -> int | None:
    """Microseconds since 1970 of an ISO 8601 time with an offset or `Z`; None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else int(moment.timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        return None
