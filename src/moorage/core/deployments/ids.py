"""Ids, which we make, and keys, which people choose."""

import re

import uuid_utils

from moorage.core.errors.requests import InvalidKey

#: The form of a key. The schema of the key in /openapi.json has it too.
KEY_PATTERN = r"^[A-Za-z0-9_.\-]{1,128}$"

#: Words that are routes of the contract under /v2/deployments: a deployment of that key could not be reached.
RESERVED_KEYS = frozenset({"get_config", "invoke", "stream", "snapshot", "changes"})

_KEY = re.compile(KEY_PATTERN)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REQUEST_ID = re.compile(rb"[\x21\x23-\x5b\x5d-\x7e]{1,128}")


def new_id() -> str:
    """A new opaque id, a UUIDv7 in its 36-character form. Never used for order: clocks step back, sequences do not."""
    return str(uuid_utils.uuid7())


def check_key(key: str) -> str:
    """Return `key` if a deployment may have it.

    Raises:
        InvalidKey: it has another character or length, is `.` or `..` (paths swallow them), is a word of the
            routes, or looks like an id and could be taken for another deployment.
    """
    rule = None
    if not _KEY.fullmatch(key):
        rule = "use 1 to 128 characters from a-z, A-Z, 0-9, '_', '-' and '.'"
    elif key in {".", ".."}:
        rule = "use at least one character that is not a dot"
    elif key in RESERVED_KEYS:
        rule = f"it is reserved ({', '.join(sorted(RESERVED_KEYS))})"
    elif _UUID.fullmatch(key):
        rule = "it has the form of an id; choose another key"
    if rule:
        raise InvalidKey(param="key", rule=rule, value=key[:200])
    return key


def accepts_request_id(value: bytes) -> bool:
    """Whether a client's `X-Request-Id` is echoed: 1 to 128 visible ASCII characters, without quote or backslash."""
    return _REQUEST_ID.fullmatch(value) is not None
