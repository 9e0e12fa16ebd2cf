"""Who asks, and what they may: API keys, their tokens and their scopes.

A token is `mrg_<12 characters of id>_<43 of secret><6 of checksum>`, all base 62. The prefix makes it findable by
secret scanners (`mrg_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}`), the checksum tells a mistyped or invented token from a real
one without asking anything, and the secret has 256 random bits, so its SHA-256 can be kept: there is nothing to guess
that a slow hash would have to protect.
"""

import hashlib
import re
import secrets
import zlib
from enum import StrEnum

import msgspec

from moorage.core.errors import ExpiredApiKey
from moorage.core.times import iso

TOKEN_PREFIX = "mrg_"  # noqa: S105 -- a public prefix, not a secret

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH, _SECRET_LENGTH, _CHECK_LENGTH = 12, 43, 6
_TOKEN = re.compile(rf"{TOKEN_PREFIX}([0-9A-Za-z]{{{_ID_LENGTH}}})_[0-9A-Za-z]{{{_SECRET_LENGTH + _CHECK_LENGTH}}}")
_TOKEN_LENGTH = len(TOKEN_PREFIX) + _ID_LENGTH + 1 + _SECRET_LENGTH + _CHECK_LENGTH


class Scope(StrEnum):
    """What an API key may do in its project."""

    READ = "deployments:read"
    WRITE = "deployments:write"
    PUBLISH = "deployments:publish"
    INVOKE = "deployments:invoke"
    KEYS_ADMIN = "keys:admin"


#: What a key may do when nobody says otherwise: all of its project's deployments, but not the making of keys.
DEFAULT_SCOPES = frozenset({Scope.READ, Scope.WRITE, Scope.PUBLISH, Scope.INVOKE})


class Project(msgspec.Struct, frozen=True):
    """Who owns deployments and API keys. `name` is unique."""

    id: str
    name: str
    created_us: int


class ApiKey(msgspec.Struct, frozen=True):
    """A key as it is stored: of its token, the SHA-256 alone."""

    id: str
    project_id: str
    name: str
    scopes: frozenset[Scope]
    token_sha256: str
    created_us: int
    expires_us: int | None = None
    revoked_us: int | None = None

    def check_expiry(self, now_us: int) -> None:
        """Raise `ExpiredApiKey` from the moment in `expires_us` on."""
        if self.expires_us is not None and now_us >= self.expires_us:
            raise ExpiredApiKey(expired_at=iso(self.expires_us))


def new_token() -> tuple[str, str]:
    """Make a token.

    Returns:
        The key's public id, and the whole token, which is shown once and never kept.
    """
    key_id = _random(_ID_LENGTH)
    body = f"{TOKEN_PREFIX}{key_id}_{_random(_SECRET_LENGTH)}"
    return key_id, body + _checksum(body)


def find_key_id(token: str) -> str | None:
    """The id of the key a token claims to be, or None if it is no token of ours: wrong form or checksum."""
    if len(token) != _TOKEN_LENGTH or not token.startswith(TOKEN_PREFIX) or not token.isascii():
        return None
    body, check = token[:-_CHECK_LENGTH], token[-_CHECK_LENGTH:]
    if check != _checksum(body):
        return None
    return body[len(TOKEN_PREFIX) : len(TOKEN_PREFIX) + _ID_LENGTH]


def masked(text: str) -> str:
    """The text with every token in it cut down to its public part."""
    return _TOKEN.sub(rf"{TOKEN_PREFIX}\1_…", text)


def hash_token(token: str) -> str:
    """What is stored of a token: its SHA-256, 64 hexadecimal digits."""
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
