"""The differences between two JSON values, as a list of paths and as text; both are bounded."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from moorage.core.escaping import visible_line
from moorage.core.validation.json_path import JsonPath

#: How many changed paths a difference lists.
MAX_CHANGES: Final = 1_000

#: How many lines of each side are compared, and how many a text has.
MAX_LINES: Final = 20_000

#: Above this product of the numbers of lines, equal lines in the middle are not searched, because that is quadratic.
_MAX_PAIRS: Final = 2_000_000

#: The head of a hunk.
_HEAD: Final = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")

#: How many items the head of a hunk names.
_MAX_ITEMS: Final = 3

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


class _Line(NamedTuple):
    """A line of the text of a value, and the item that it is in, such as `messages[1] (user)`."""

    text: str
    item: str


def unified(before: Any, after: Any, from_name: str, to_name: str) -> str:
    """Return a unified diff of lines `path: value`; a text of several lines has one line for each.

    The head of a hunk names the items that it changes, such as a message with its role: in a long text, no path is
    near. A side that is `UNSET` has no lines.
    """
    sides = [list(islice(_lines(value, JsonPath()), MAX_LINES + 1)) for value in (before, after)]
    is_cut = any(len(lines) > MAX_LINES for lines in sides)
    one, other = (lines[:MAX_LINES] for lines in sides)
    lines = _unified([line.text for line in one], [line.text for line in other], from_name, to_name)
    found = [f"{line}\n" for line in islice(_with_items(lines, one, other), MAX_LINES)]
    if is_cut or len(found) == MAX_LINES:
        found.append(f"{_CUT}\n")
    return "".join(found)


def _with_items(lines: Iterator[str], before: Sequence[_Line], after: Sequence[_Line]) -> Iterator[str]:
    """Yield the lines of a diff; the head of each hunk also has the items of its changed lines."""
    yield from islice(lines, 2)  # the names
    hunk: list[str] = []
    for line in lines:
        if line.startswith("@@") and hunk:
            yield from _hunk_with_items(hunk, before, after)
            hunk = []
        hunk.append(line)
    if hunk:
        yield from _hunk_with_items(hunk, before, after)


def _hunk_with_items(hunk: Sequence[str], before: Sequence[_Line], after: Sequence[_Line]) -> Iterator[str]:
    found = _HEAD.match(hunk[0])
    starts = (max(0, int(found[1]) - 1), max(0, int(found[2]) - 1)) if found else (0, 0)
    sides = {"-": islice(before, starts[0], None), "+": islice(after, starts[1], None)}
    items = dict[str, None]()
    for line in hunk[1:]:
        for sign in "-+" if line[0] == " " else line[0]:
            item = next(sides[sign]).item
            if line[0] != " " and item:
                items[item] = None
    names = [*islice(items, _MAX_ITEMS), *(["…"] if len(items) > _MAX_ITEMS else [])]
    yield " ".join([hunk[0], ", ".join(names)]).rstrip()
    yield from hunk[1:]


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


def _lines(value: Any, path: JsonPath, item: str = "") -> Iterator[_Line]:
    if value is UNSET:
        return
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from _lines(child, path / key, item)
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from _lines(child, path / index, _item(child, path / index) or item)
    elif isinstance(value, str) and "\n" in value:
        yield _Line(f"{path}:", item)
        yield from (_Line(f"  {line}", item) for line in value.split("\n"))
    else:
        yield _Line(f"{path}: {json.dumps(value, ensure_ascii=False)}", item)


def _item(value: Any, path: JsonPath) -> str:
    """Return the name of a message or another item that has one, or nothing."""
    if not isinstance(value, dict):
        return ""
    function = value.get("function")
    names = [value.get(field) for field in ("role", "key", "name")]
    names.append(function.get("name") if isinstance(function, dict) else None)
    name = next((name for name in names if isinstance(name, str)), None)
    return f"{path} ({visible_line(name, 40)})" if name else ""
