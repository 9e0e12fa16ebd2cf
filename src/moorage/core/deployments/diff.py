"""The differences between two JSON values, as a list of paths and as text."""

import difflib
import json
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from moorage.core.validation.strict_json import join


class Change(msgspec.Struct, frozen=True):
    """A path that differs. A side without a value is omitted."""

    path: str
    before: Any | UnsetType = UNSET
    after: Any | UnsetType = UNSET


class Difference(msgspec.Struct, frozen=True):
    """The differences between two versions, given by their numbers."""

    from_: str = msgspec.field(name="from")
    to: str
    changes: list[Change]


def diff_paths(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """Yield the smallest parts that differ; arrays are compared by index."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from diff_paths(before.get(key, UNSET), after.get(key, UNSET), join(path, key))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            one = before[index] if index < len(before) else UNSET
            other = after[index] if index < len(after) else UNSET
            yield from diff_paths(one, other, f"{path}[{index}]")
    elif before != after or type(before) is not type(after):
        yield Change(path, before, after)


def unified(before: Any, after: Any, from_name: str, to_name: str) -> str:
    """Return a unified diff of lines `path: value`; a text of several lines has one line for each.

    A side that is `UNSET` has no lines.
    """
    lines = difflib.unified_diff(list(_lines(before, "")), list(_lines(after, "")), from_name, to_name, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _lines(value: Any, path: str) -> Iterator[str]:
    if value is UNSET:
        return
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from _lines(child, join(path, key))
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from _lines(child, f"{path}[{index}]")
    elif isinstance(value, str) and "\n" in value:
        yield f"{path}:"
        yield from (f"  {line}" for line in value.split("\n"))
    else:
        yield f"{path}: {json.dumps(value, ensure_ascii=False)}"
