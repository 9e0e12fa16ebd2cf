"""The scalars of YAML, by the core schema of version 1.2, and the error of a value."""

import math
import re
from typing import Any, NoReturn

import yaml

from moorage.core.escaping import visible_line
from moorage.documents.excerpt import Position
from moorage.documents.text import Place

STRING, TAG = "tag:yaml.org,2002:str", "tag:yaml.org,2002:"
MERGE_TAG = f"{TAG}merge"

#: The core schema: the name of a type, the texts that have it, and their first characters.
CORE = (
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), ("~", "n", "N", "")),
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), tuple("tTfF")),
    ("int", re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), tuple("-+0123456789")),
    (
        "float",
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        tuple("-+0123456789."),
    ),
)

_PATTERNS = {name: pattern for name, pattern, _ in CORE}

#: The digits of the largest double.
_MAX_DIGITS = 309


class YamlError(Exception):
    """A document is not YAML that can be read; the message says why and what to do, and the position where."""

    def __init__(self, problem: str, place: Place, position: Position | None = None) -> None:
        super().__init__(problem)
        self.place = place
        self.position = position


def read_scalar(event: yaml.ScalarEvent) -> Any:
    """Return the value of a scalar: by its tag, or a plain one by its text."""
    text = event.value
    if "\0" in text:
        fail(event, "the text has a NUL character, which databases cannot store; remove it")
    if event.tag in (None, "!"):
        if event.tag or not event.implicit[0]:  # it is quoted
            return text
        name = next((name for name, pattern in _PATTERNS.items() if pattern.match(text)), "str")
    else:
        name = event.tag.removeprefix(TAG)
        if event.tag != TAG + name or name not in ("str", *_PATTERNS):
            fail_tag(event)
        if name != "str" and not _PATTERNS[name].fullmatch(text):
            fail(event, f"'{visible_line(text, 80)}' is not of the type !!{name}")
    return text if name == "str" else _convert(event, name, text)


def _convert(event: yaml.ScalarEvent, name: str, text: str) -> Any:
    if name == "null":
        return None
    if name == "bool":
        return text.lower() == "true"
    if len(text) > _MAX_DIGITS:
        fail(event, f"the number {text[:40]}… does not fit into a double")
    if name == "int":
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(number):
        fail(event, f"{text[:40]} is not a finite number; if it is a text, put it in quotes")
    return number


def fail_tag(event: Any) -> NoReturn:
    """Raise the error of a tag that JSON does not have."""
    tag = str(event.tag)
    shown = visible_line(tag.replace(TAG, "!!") if tag.startswith(TAG) else tag if tag[:1] == "!" else f"!<{tag}>", 80)
    fail(event, f"the tag {shown} is not supported; remove it or, if it is a text, put it in quotes")


def fail(event: yaml.Event, problem: str) -> NoReturn:
    """Raise the error of an event."""
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:
        raise YamlError(problem, Place(0, 0))
    is_one_line = end.line == start.line and not isinstance(event, yaml.CollectionStartEvent)
    raise YamlError(problem, Place(start.line, start.column, max(1, end.column - start.column if is_one_line else 1)))
