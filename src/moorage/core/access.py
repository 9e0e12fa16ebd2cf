"""API keys, their tokens and their scopes.

A token is `mrg_<12 characters of id>_<43 of secret><6 of checksum>`, all base 62. Secret scanners find it by its prefix
(`mrg_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}`). The checksum detects a mistyped or invented token without a lookup. The secret
has 256 random bits, so its SHA-256 can be stored: it cannot be guessed, and needs no slow hash.
"""

import hashlib
import re
import secrets
import zlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.errors.api_keys import ExpiredApiKey, InsufficientScope, InvalidApiKey
from moorage.core.times import iso

TOKEN_PREFIX = "mrg_"  # noqa: S105 -- a public prefix, not a secret

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH, _SECRET_LENGTH, _CHECK_LENGTH = 12, 43, 6
_TOKEN = re.compile(rf"{TOKEN_PREFIX}([0-9A-Za-z]{{{_ID_LENGTH}}})_[0-9A-Za-z]{{{_SECRET_LENGTH + _CHECK_LENGTH}}}")
_TOKEN_LENGTH = len(TOKEN_PREFIX) + _ID_LENGTH + 1 + _SECRET_LENGTH + _CHECK_LENGTH


class Scope(StrEnum):
    """The permissions of an API key in its project."""

    READ = "deployments:read"
    WRITE = "deployments:write"
    PUBLISH = "deployments:publish"
    INVOKE = "deployments:invoke"
    KEYS_ADMIN = "keys:admin"
    INTEGRATIONS_ADMIN = "integrations:admin"
    APPROVE = "deployments:approve"
    EMERGENCY = "deployments:emergency"
    ENVIRONMENTS_ADMIN = "environments:admin"


#: The scopes that a key gets only if they are requested.
ADMIN_SCOPES = frozenset(
    {Scope.KEYS_ADMIN, Scope.INTEGRATIONS_ADMIN, Scope.APPROVE, Scope.EMERGENCY, Scope.ENVIRONMENTS_ADMIN}
)

#: The scopes that only a key with `environments:admin` grants: otherwise `keys:admin` could make two keys, propose with
#: one, and approve with the other.
APPROVING_SCOPES = frozenset({Scope.APPROVE, Scope.EMERGENCY})


def scopes_to_grant(scopes: frozenset[Scope]) -> frozenset[Scope]:
    """Return the scopes that a key needs to give these to another key."""
    return scopes | ({Scope.ENVIRONMENTS_ADMIN} if scopes & APPROVING_SCOPES else frozenset())


#: The default scopes of a key: all of its project's deployments, but neither API keys nor integrations.
DEFAULT_SCOPES = frozenset({Scope.READ, Scope.WRITE, Scope.PUBLISH, Scope.INVOKE})


class Project(msgspec.Struct, frozen=True):
    """The owner of deployments and API keys. `name` is unique."""

    id: str
    name: str
    created_us: int


class ApiKey(msgspec.Struct, frozen=True):
    """A stored key, with only the SHA-256 of its token.

    A key with an `environment_id` is bound to that environment. `created_by` is the key that created it, None for the
    operator.
    """

    id: str
    project_id: str
    name: str
    scopes: frozenset[Scope]
    token_sha256: str
    created_us: int
    expires_us: int | None = None
    revoked_us: int | None = None
    environment_id: str | None = None
    created_by: str | None = None

    def check_valid(self, now_us: int) -> None:
        """Raise `InvalidApiKey` if it is revoked, and `ExpiredApiKey` from the moment in `expires_us` on."""
        if self.revoked_us is not None:
            raise InvalidApiKey
        if self.is_expired_at(now_us):
            assert self.expires_us is not None  # noqa: S101 -- otherwise it never expires
            raise ExpiredApiKey(expired_at=iso(self.expires_us))

    def is_expired_at(self, now_us: int) -> bool:
        """Return whether it has expired at a time."""
        return self.expires_us is not None and now_us >= self.expires_us

    def check_scopes(self, needed: frozenset[Scope]) -> None:
        """Raise `InsufficientScope` unless the key has every needed scope."""
        if not needed <= self.scopes:
            missing = ", ".join(sorted(needed - self.scopes))
            raise InsufficientScope(required=missing, held=", ".join(sorted(self.scopes)) or "none")


def new_token(key_id: str = "") -> tuple[str, str]:
    """Create a token of a new API key, or a new one of an existing API key.

    Returns:
        The key's public id, and the token, which is shown once and never stored.
    """
    key_id = key_id or _random(_ID_LENGTH)
    body = f"{TOKEN_PREFIX}{key_id}_{_random(_SECRET_LENGTH)}"
    return key_id, body + _checksum(body)


def find_key_id(token: str) -> str | None:
    """Return the id of the API key in a token, or None if the form or checksum is wrong."""
    if len(token) != _TOKEN_LENGTH or not token.startswith(TOKEN_PREFIX) or not token.isascii():
        return None
    body, check = token[:-_CHECK_LENGTH], token[-_CHECK_LENGTH:]
    if check != _checksum(body):
        return None
    return body[len(TOKEN_PREFIX) : len(TOKEN_PREFIX) + _ID_LENGTH]


def masked(text: str) -> str:
    """Return the text with every token reduced to its public part."""
    return _TOKEN.sub(rf"{TOKEN_PREFIX}\1_…", text)


def hash_token(token: str) -> str:
    """Return the stored form of a token: its SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECK_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


MAX_NAME = 128

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]


class PostApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v2/api-keys`; `expires_at` is ISO 8601 with an offset.

    The defaults are those of the requesting key: its scopes on deployments, and its expiry.
    """

    name: Name
    scopes: Annotated[
        list[Literal[
            "deployments:read", "deployments:write", "deployments:publish", "deployments:invoke", "keys:admin",
            "integrations:admin", "deployments:approve", "deployments:emergency", "environments:admin",
        ]],
        Meta(min_length=1),
    ] | UnsetType = UNSET  # fmt: skip
    expires_at: Annotated[str, Meta(max_length=40)] | UnsetType = UNSET
    environment: (
        Annotated[str, Meta(max_length=40, description="The environment that the key is bound to.")] | UnsetType
    ) = UNSET


class PatchApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PATCH /v2/api-keys/{api_key_id}`: only the name of a key can change, not its scopes."""

    name: Name


class ApiKeyItem(msgspec.Struct, frozen=True):
    """A key. `token` is complete in the response to its creation or rotation, and masked in all others."""

    id: str
    name: str
    project_id: str
    scopes: list[Scope]
    token: str
    status: Literal["active", "expired", "revoked"]
    created: str
    environment: Annotated[str, Meta(description="The environment that the key is bound to.")] | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET
    last_used: Annotated[
        str, Meta(description="The last get_config or report of usage in 30 days, or one of the last 10,000 writes.")
    ] | UnsetType = UNSET  # fmt: skip

    @classmethod
    def of(
        cls,
        key: ApiKey,
        now_us: int,
        token: str | None = None,
        last_us: int | None = None,
        environment: str | None = None,
    ) -> "ApiKeyItem":
        """Return the representation of a key in responses; it was used at `last_us`, and is bound to `environment`."""
        is_expired = key.expires_us is not None and key.expires_us <= now_us
        return cls(
            id=key.id,
            name=key.name,
            project_id=key.project_id,
            scopes=sorted(key.scopes),
            token=token or f"{TOKEN_PREFIX}{key.id}_…",
            status="revoked" if key.revoked_us is not None else "expired" if is_expired else "active",
            created=iso(key.created_us),
            environment=environment or UNSET,
            expires_at=UNSET if key.expires_us is None else iso(key.expires_us),
            last_used=UNSET if last_us is None else iso(last_us),
        )


class ApiKeyPage(msgspec.Struct, frozen=True):
    """A page of the keys of a project, newest first."""

    object: Literal["list"]
    data: list[ApiKeyItem]
    has_more: bool


def read_time(text: str) -> int | None:
    """Return the microseconds since 1970 of an ISO 8601 time with an offset or `Z`, at least 0; otherwise None."""
    try:
        moment = datetime.fromisoformat(text)
        # With an offset, the first day of year 1 is in year 0, which no calendar of Python has.
        return None if moment.tzinfo is None else max(0, int(moment.timestamp() * 1_000_000))
    except (ValueError, OverflowError):
        return None
