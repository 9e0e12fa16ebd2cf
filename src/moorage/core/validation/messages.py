"""Parts of messages: the name of a JSON type, a value, and a suggestion."""

import difflib
import json
from collections.abc import Sequence
from typing import Any

_MAX_SHOWN = 80
_MAX_COMPARED = 64  # characters
_MAX_CHOICES = 100

_JSON_NAMES = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "an object",
}


def name_of(value: Any) -> str:
    """Return the name of a value's type in JSON: `null`, `a string`, `an object`…"""
    return "null" if value is None else _JSON_NAMES.get(type(value)) or f"a {type(value).__name__}"


def nearest(value: Any, choices: Sequence[str]) -> str:
    """Return the question that ends a message, or nothing if no choice is similar to the value.

    Each comparison takes microseconds, so there is none for a long list or for long strings.
    """
    if not isinstance(value, str) or len(value) > _MAX_COMPARED or len(choices) > _MAX_CHOICES:
        return ""
    similar = [choice for choice in choices if len(choice) <= _MAX_COMPARED]
    found = difflib.get_close_matches(value, similar, n=1, cutoff=0.7)
    return f". Did you mean {found[0]!r}?" if found else ""


def shown(value: Any) -> str:
    """Return a JSON value for a message, shortened if it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
