"""The differences between two JSON values, as a list of paths and as text; both are bounded."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from moorage.core.validation.json_path import JsonPath

#: How many changed paths a difference lists.
MAX_CHANGES: Final = 1_000

#: How many lines of each side are compared, and how many a text has.
MAX_LINES: Final = 20_000

#: Above this product of the numbers of lines, equal lines in the middle are not searched, because that is quadratic.
_MAX_PAIRS: Final = 2_000_000

_CUT: Final = "… the rest of the difference is omitted"


class Change(msgspec.Struct, frozen=True):
    """A path that differs. A side without a value is omitted."""

    path: str
    before: Any | UnsetType = UNSET
    after: Any | UnsetType = UNSET


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """The differences between two versions, given by their numbers; `truncated` if there are more than `changes`."""

    from_: str = msgspec.field(name="from")
    to: str
    changes: list[Change]
    truncated: bool = False

    @classmethod
    def of(cls, from_name: str, to_name: str, before: Any, after: Any) -> "Difference":
        """Return the first `MAX_CHANGES` differences."""
        found = list(islice(diff_paths(before, after), MAX_CHANGES + 1))
        return cls(from_name, to_name, found[:MAX_CHANGES], len(found) > MAX_CHANGES)


def diff_paths(before: Any, after: Any) -> Iterator[Change]:
    """Yield the smallest parts that differ; arrays are compared by index, and objects with their order."""
    for path, one, other in _differing(before, after, JsonPath()):
        yield Change(str(path), one, other)


def _differing(before: Any, after: Any, path: JsonPath) -> Iterator[tuple[JsonPath, Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict) and _have_same_order(before, after):
        for key in dict.fromkeys([*before, *after]):
            yield from _differing(before.get(key, UNSET), after.get(key, UNSET), path / key)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            one = before[index] if index < len(before) else UNSET
            other = after[index] if index < len(after) else UNSET
            yield from _differing(one, other, path / index)
    elif before != after or type(before) is not type(after) or isinstance(before, dict):
        yield path, before, after


def _have_same_order(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether the fields of both are in the same order: in a schema, models follow it."""
    return all(map(str.__eq__, (key for key in before if key in after), (key for key in after if key in before)))


def unified(before: Any, after: Any, from_name: str, to_name: str) -> str:
    """Return a unified diff of lines `path: value`; a text of several lines has one line for each.

    A side that is `UNSET` has no lines.
    """
    sides = [list(islice(_lines(value, JsonPath()), MAX_LINES + 1)) for value in (before, after)]
    is_cut = any(len(lines) > MAX_LINES for lines in sides)
    one, other = (lines[:MAX_LINES] for lines in sides)
    found = [f"{line}\n" for line in islice(_unified(one, other, from_name, to_name), MAX_LINES)]
    if is_cut or len(found) == MAX_LINES:
        found.append(f"{_CUT}\n")
    return "".join(found)


def _unified(before: Sequence[str], after: Sequence[str], from_name: str, to_name: str) -> Iterator[str]:
    """Yield the lines of a unified diff. If the sides are large and differ widely, the middle is one replacement."""
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    removed, added = before[head : len(before) - tail], after[head : len(after) - tail]
    if len(removed) * len(added) <= _MAX_PAIRS:
        yield from difflib.unified_diff(before, after, from_name, to_name, lineterm="")
        return
    yield from (f"--- {from_name}", f"+++ {to_name}")
    yield f"@@ -{head + 1},{len(removed)} +{head + 1},{len(added)} @@"
    yield from (f"-{line}" for line in removed)
    yield from (f"+{line}" for line in added)


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    """Return the number of equal lines at the begin."""
    pairs = zip(before, after, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), min(len(before), len(after)))


def _lines(value: Any, path: JsonPath) -> Iterator[str]:
    if value is UNSET:
        return
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from _lines(child, path / key)
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from _lines(child, path / index)
    elif isinstance(value, str) and "\n" in value:
        yield f"{path}:"
        yield from (f"  {line}" for line in value.split("\n"))
    else:
        yield f"{path}: {json.dumps(value, ensure_ascii=False)}"
