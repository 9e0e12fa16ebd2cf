"""The lookup of JSON values by path, and their conversion to text."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from moorage.core.validation.strict_json import too_deep


class _Absent:
    """The absence of a value; null is a value."""


ABSENT: Final = _Absent()

#: The maximum number of digits of a list index.
_MAX_DIGITS = 7

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def member(value: Any, name: str) -> Any:
    """Return a field of an object, or a list item by its index; otherwise `ABSENT`. Never read attributes."""
    if isinstance(value, dict):
        return value.get(name, ABSENT)
    if isinstance(value, list | tuple) and len(name) <= _MAX_DIGITS and name.isascii() and name.isdecimal():
        index = int(name)
        return value[index] if index < len(value) else ABSENT
    return ABSENT


def find(name: str, inputs: Mapping[str, Any]) -> Any:
    """Return the input with that full name, or else the value at its path; otherwise `ABSENT`."""
    value = inputs.get(name, ABSENT)
    return follow(name.split("."), inputs) if value is ABSENT and "." in name else value


def follow(path: Sequence[str], inputs: Mapping[str, Any]) -> Any:
    """Return the value at a path; otherwise `ABSENT`."""
    first, *rest = path
    value = inputs.get(first, ABSENT)
    for step in rest:
        value = member(value, step)
        if value is ABSENT:
            break
    return value


def to_text(value: Any) -> str:
    """Return a string unchanged, nothing for null, and compact JSON for all other values.

    Raises:
        InvalidJson: the nesting is too deep.
        TypeError, ValueError: it is not a JSON value.
    """
    if isinstance(value, str):
        return value
    try:
        return "" if value is None else _encode(value)
    except RecursionError:
        raise too_deep() from None
