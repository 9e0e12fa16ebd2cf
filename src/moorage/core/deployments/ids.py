"""Ids, which Moorage creates, and keys, which users choose."""

import re
from uuid import UUID

from moorage.core.access import TOKEN_PREFIX
from moorage.core.errors.requests import InvalidKey

#: The form of a key; /openapi.json includes it.
KEY_PATTERN = r"^[A-Za-z0-9_.\-]{1,128}$"

#: Routes of the contract below /v2/deployments; a deployment with such a key would be unreachable.
RESERVED_KEYS = frozenset({"get_config", "invoke", "stream", "snapshot", "changes"})

#: The digits of a ULID: Crockford's base 32.
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_KEY = re.compile(KEY_PATTERN)
_SEPARATORS = re.compile(r"[/\\:]+")
_OTHER = re.compile(r"[^A-Za-z0-9_.\-]+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TOKEN_PREFIX = TOKEN_PREFIX.encode()
_REQUEST_ID = re.compile(rb"[\x21\x23-\x5b\x5d-\x7e]{1,128}")


def new_id() -> str:
    """Return a new id: a UUIDv7 of 36 characters. Do not order by it, because clocks can step back."""
    import uuid_utils  # noqa: PLC0415 -- the client library creates no ids and does without the package

    return str(uuid_utils.uuid7())


def new_ulid() -> str:
    """Return a new ULID of 26 characters: a UUIDv7 in another notation."""
    number, digits = UUID(new_id()).int, ""
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits = _CROCKFORD[digit] + digits
    return digits


def new_epoch(*previous: str) -> str:
    """Return a new epoch, which sorts after the previous ones, even if the clock stepped back since.

    Clients compare epochs: they reject a snapshot of an earlier one.
    """
    epoch, newest = new_id(), max(previous)
    if epoch > newest or not _UUID.fullmatch(newest):
        return epoch
    return str(UUID(int=UUID(newest).int + 1))


def check_key(key: str) -> str:
    """Return `key` if it is valid.

    Raises:
        InvalidKey: a character or the length is invalid; it is `.` or `..` (paths resolve them) or a route; or it
            has the form of an id, which is ambiguous.
    """
    if rule := characters_rule(key) or _other_rule(key):
        raise InvalidKey(param="key", rule=rule, value=key[:200])
    return key


def check_integration_name(name: str) -> str:
    """Return the name of an integration if it has the characters of keys, and not the form of an id.

    Raises:
        InvalidKey
    """
    rule = characters_rule(name)
    if name in {".", ".."}:
        rule = "use at least one character that is not a dot"
    elif _UUID.fullmatch(name):
        rule = "it has the form of an id; choose another name"
    if rule:
        raise InvalidKey(param="name", rule=rule, value=name[:200])
    return name


def _other_rule(key: str) -> str | None:
    if key in {".", ".."}:
        return "use at least one character that is not a dot"
    if key in RESERVED_KEYS:
        return f"it is reserved ({', '.join(sorted(RESERVED_KEYS))})"
    return "it has the form of an id; choose another key" if _UUID.fullmatch(key) else None


def characters_rule(key: str) -> str | None:
    """Return what to do about a key, or a name with the same rule, that has other characters; None if it has none.

    Folders become dots: `folder/faq` becomes `folder.faq`.
    """
    if _KEY.fullmatch(key):
        return None
    suggestion = _OTHER.sub("_", _SEPARATORS.sub(".", key.strip())).strip("._")
    example = f", for example {suggestion!r}" if _KEY.fullmatch(suggestion) else ""
    return f"use 1 to 128 characters from a-z, A-Z, 0-9, '_', '-' and '.'{example}"


def check_key_or_id(text: str) -> str:
    """Return `text` if it can be the key or the id of a deployment. No other text may become a part of a path.

    Raises:
        InvalidKey
    """
    return text if _UUID.fullmatch(text) else check_key(text)


def is_segment(text: str) -> bool:
    """Return whether a text has the characters of keys, ids and version numbers, and is a segment of a path."""
    return _KEY.fullmatch(text) is not None and text not in {".", ".."}


def accepts_request_id(value: bytes) -> bool:
    """Return whether to use an `X-Request-Id`: 1 to 128 visible ASCII characters, except quote and backslash.

    A request id is logged and stored in the history, so it must not contain a token.
    """
    return _REQUEST_ID.fullmatch(value) is not None and _TOKEN_PREFIX not in value.lower()
