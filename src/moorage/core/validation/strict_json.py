"""A strict JSON parser for content that is stored for years.

It rejects, with the reason: invalid UTF-8 or JSON, duplicate keys (parsers disagree on which one wins), keys over 1,000
characters, NaN and infinities, numbers too large for a double, nesting over 64 levels, more than 100,000 values, and
NUL and lone surrogates in strings (PostgreSQL cannot store the first, UTF-8 cannot encode the second).
"""

import json
import math
from typing import Any, Final, NoReturn

import msgspec

from moorage.core.errors.requests import InvalidJson
from moorage.core.validation.json_path import JsonPath

#: The maximum size of a body in bytes.
MAX_BODY = 1_048_576
MAX_DEPTH = 64
MAX_VALUES = 100_000
MAX_KEY = 1_000

_UNKNOWN: Final = object()

#: The digits of the largest double; the limit also keeps Python's quadratic `int` short.
_MAX_DIGITS = 309
_LONG_NUMBER = b"0" * (_MAX_DIGITS + 1)
_DIGITS_AS_ZERO = bytes(ord("0") if chr(code) in "0123456789" else ord(" ") for code in range(256))

#: How many bytes are searched at once: other threads run in between.
_PIECE = 1_048_576

#: Escapes that can be NUL or half a surrogate pair, and keys that are not directly followed by their colon.
_NOT_PLAIN = (b"\\u", b" :", b"\t:", b"\n:", b"\r:")

_decode = msgspec.json.Decoder().decode


def parse(text: bytes) -> Any:
    """Parse one JSON value.

    Raises:
        InvalidJson: with the reason and, if the parser knows it, the line and column or the path.
    """
    value = _parse_plain(text)
    return value if value is not _UNKNOWN else _parse_carefully(text)


def _parse_plain(text: bytes) -> Any:
    """Return the value if it certainly follows all rules; this takes a third of the time."""
    if any(part in text for part in _NOT_PLAIN):
        return _UNKNOWN
    is_short = len(text) <= _MAX_DIGITS
    if not is_short and (_has_long_number(text) or sum(map(text.count, (b",", b"[", b"{"))) >= MAX_VALUES):
        return _UNKNOWN
    try:
        value = _decode(text)
    except (ValueError, RecursionError):
        return _UNKNOWN
    # Each key in the text is followed by `":`, so a duplicate key makes the decoded keys fewer than these.
    return value if _count_keys(value, is_short=is_short) == text.count(b'":') else _UNKNOWN


def _has_long_number(text: bytes) -> bool:
    """Return whether a text contains more digits in a row than a number may have; a tenth of the time of a regex."""
    return any(
        _LONG_NUMBER in text[start : start + _PIECE + _MAX_DIGITS].translate(_DIGITS_AS_ZERO)
        for start in range(0, len(text), _PIECE)
    )


def _count_keys(value: Any, *, is_short: bool) -> int:
    """Return the number of keys in a value; -1 if one is too long or the nesting too deep."""
    keys, depth, level = 0, 0, [value]
    while level:
        below: list[Any] = []
        for item in level:
            if type(item) is dict:
                keys += len(item)
                if not is_short and any(len(key) > MAX_KEY for key in item):
                    return -1
                below += item.values()
            elif type(item) is list:
                below += item
            else:
                continue
            if depth == MAX_DEPTH:
                return -1
        depth += 1
        level = below
    return keys


def _parse_carefully(text: bytes) -> Any:
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidJson(reason=f"byte {error.start} is not UTF-8") from None
    try:
        value = json.loads(
            decoded,
            object_pairs_hook=_unique_keys,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_int,
        )
    except json.JSONDecodeError as error:
        reason = (
            "the request body is empty"
            if not decoded.strip()
            else f"{error.msg}, line {error.lineno} column {error.colno}"
        )
        raise InvalidJson(reason=reason) from None
    except RecursionError:
        raise too_deep() from None
    check(value)
    return value


def too_deep() -> InvalidJson:
    """Return the error for a value with too many levels."""
    return InvalidJson(reason=f"the nesting is deeper than {MAX_DEPTH} levels")


def check(value: Any) -> None:
    """Check a parsed value as `parse` does: depth, NUL, lone surrogates, and values that are not JSON.

    Raises:
        InvalidJson: with the path of the first problem.
    """
    _check_children([value], None, 0, 0)


def _check_children(items: dict[Any, Any] | list[Any], parent: JsonPath | None, depth: int, count: int) -> int:
    """Check the items of an object or an array; return the number of values so far, of which there were `count`."""
    count += len(items)
    if count > MAX_VALUES:
        raise InvalidJson(reason=f"there are more than {MAX_VALUES} values")
    if depth > MAX_DEPTH:
        raise too_deep()
    is_object = isinstance(items, dict)
    for key, item in items.items() if isinstance(items, dict) else enumerate(items):
        if is_object:
            _check_key(key, parent)
        if isinstance(item, dict | list):
            path = JsonPath() if parent is None else parent / key
            count = _check_children(item, path, depth + 1, count)
        elif not _is_plain_scalar(item):
            _check_scalar(item, _shown(JsonPath() if parent is None else parent / key))
    return count


def _check_key(key: Any, parent: JsonPath | None) -> None:
    if not isinstance(key, str):
        raise InvalidJson(reason=f"the key {str(key)[:200]!r} in {_shown(parent)} is not a string")
    if len(key) > MAX_KEY:
        raise InvalidJson(
            reason=f"the key {key[:40]!r}… in {_shown(parent)} has {len(key)} characters; the maximum is {MAX_KEY}"
        )
    if not _is_plain_scalar(key):
        _check_text(key, _shown(parent))


def _is_plain_scalar(item: Any) -> bool:
    return item is None or type(item) in (bool, int) or (type(item) is str and item.isascii() and "\x00" not in item)


def _shown(path: JsonPath | None) -> str:
    return str(path or "") or "the body"


def _check_scalar(item: Any, path: str) -> None:
    if isinstance(item, str):
        _check_text(item, path)
    elif isinstance(item, float) and not math.isfinite(item):
        raise InvalidJson(reason=f"{path} is not a finite number")
    elif item is not None and not isinstance(item, bool | int | float):
        raise InvalidJson(reason=f"{path} is a {type(item).__name__}, which is not a JSON type")


def _check_text(text: str, path: str) -> None:
    if "\x00" in text:
        raise InvalidJson(reason=f"{path} contains a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidJson(reason=f"{path} contains half a surrogate pair") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidJson(reason=f"the key {key[:200]!r} occurs twice in one object")
            seen.add(key)
    return found


def _no_constant(name: str) -> NoReturn:
    raise InvalidJson(reason=f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidJson(reason=f"the number {text[:40]} does not fit into a double")
    return number


def _int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise InvalidJson(reason=f"the number {text[:40]}… does not fit into a double")
    return int(text)
