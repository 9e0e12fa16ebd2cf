"""JSON values inside templates: looking one up in another, and converting it to text."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from moorage.core.validation.strict_json import too_deep


class _Absent:
    """Where there is no value; null is one."""


ABSENT: Final = _Absent()

#: No list of inputs has an index of more digits.
_MAX_DIGITS = 7

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def member(value: Any, name: str) -> Any:
    """The field of an object, or the item of a list by its number from 0; `ABSENT` where there is none. Attributes are
    never looked at."""
    if isinstance(value, dict):
        return value.get(name, ABSENT)
    if isinstance(value, list | tuple) and len(name) <= _MAX_DIGITS and name.isascii() and name.isdecimal():
        index = int(name)
        return value[index] if index < len(value) else ABSENT
    return ABSENT


def find(name: str, inputs: Mapping[str, Any]) -> Any:
    """Return the input of that name, dots included, or else the value at its path; `ABSENT` if there is none."""
    value = inputs.get(name, ABSENT)
    return follow(name.split("."), inputs) if value is ABSENT and "." in name else value


def follow(path: Sequence[str], inputs: Mapping[str, Any]) -> Any:
    """Return the value at a path; `ABSENT` if there is none."""
    first, *rest = path
    value = inputs.get(first, ABSENT)
    for step in rest:
        value = member(value, step)
        if value is ABSENT:
            break
    return value


def to_text(value: Any) -> str:
    """A string is itself, null is nothing, and all else is compact JSON.

    Raises:
        InvalidJson: it is nested too deep.
        TypeError, ValueError: it is not a JSON value.
    """
    if isinstance(value, str):
        return value
    try:
        return "" if value is None else _encode(value)
    except RecursionError:
        raise too_deep() from None
