"""Changes between two JSON Schemas of the arguments of a tool."""

from collections.abc import Iterator
from heapq import nsmallest
from typing import Any

import msgspec
from msgspec import UNSET

from moorage.core.compatibility.changes import Comparison, ContractChange
from moorage.core.validation.json_path import EVERY_ITEM, JsonPath

#: The keywords of a JSON Schema without effect on validation.
_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "deprecated", "$comment"})
_COMPARED = frozenset({"type", "enum", "properties", "required", "items"})

#: How many values or rules a message lists.
_MAX_LISTED = 20

_encode_sorted = msgspec.json.Encoder(order="sorted").encode


def schema_changes(path: JsonPath, before: Any, after: Any, comparison: Comparison) -> Iterator[ContractChange]:
    """Yield the differences between two JSON Schemas of the value at `path`.

    Raises:
        ComparisonTooLarge
    """
    comparison.spend()
    if not isinstance(before, dict) or not isinstance(after, dict):  # `true` is also a schema
        if before != after:
            yield ContractChange.at("argument_rule_changed", path, "The schema of ", " has changed.")
        return
    if _types(before) != _types(after):
        text = f" was {_type_names(before)} and is now {_type_names(after)}."
        yield ContractChange.at("argument_type_changed", path, "", text)
        return
    if (old := _values(before)) != (new := _values(after)):
        comparison.spend(len(old or ()) + len(new or ()))
        yield ContractChange.at("argument_values_changed", path, "", f" {_changed_values(old, new)}.")
    yield from _properties(path, before, after, comparison)
    if "items" in before or "items" in after:
        yield from schema_changes(path / EVERY_ITEM, before.get("items", True), after.get("items", True), comparison)
    others = (before.keys() | after.keys()) - _COMPARED
    comparison.spend(len(others))
    differing = [key for key in others if before.get(key, UNSET) != after.get(key, UNSET)]
    if rules := [key for key in differing if key not in _ANNOTATIONS]:
        text = f" have changed: {', '.join(nsmallest(_MAX_LISTED, rules))}."
        yield ContractChange.at("argument_rule_changed", path, "The rules of ", text)
    elif differing:
        yield ContractChange.at("argument_described", path, "The description of ", " has changed.")


def _properties(
    path: JsonPath, before: dict[str, Any], after: dict[str, Any], comparison: Comparison
) -> Iterator[ContractChange]:
    old, new = _fields(before), _fields(after)
    was_required, is_required = _required(before), _required(after)
    for name in old:
        here = path / name
        if name not in new:
            comparison.spend()
            yield ContractChange.at("argument_removed", here, "", " was removed: the model no longer sends it.")
            continue
        if name in is_required and name not in was_required:
            yield ContractChange.at("argument_required", here, "", " is now required.")
        elif name in was_required and name not in is_required:
            yield ContractChange.at("argument_optional", here, "", " is now optional: the model can omit it.")
        yield from schema_changes(here, old[name], new[name], comparison)
    for name in new:
        if name not in old:
            comparison.spend()
            if name in is_required:
                yield ContractChange.at("argument_required", path / name, "", " is new and required.")
            else:
                yield ContractChange.at("argument_added", path / name, "", " is new and optional.")


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    fields = schema.get("properties")
    return fields if isinstance(fields, dict) else {}


def _required(schema: dict[str, Any]) -> frozenset[str]:
    names = schema.get("required")
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def _types(schema: dict[str, Any]) -> frozenset[str]:
    """Return the types that a schema allows; empty means any."""
    types = schema.get("type", [])
    return frozenset(map(_text, types if isinstance(types, list) else [types]))


def _type_names(schema: dict[str, Any]) -> str:
    return " or ".join(nsmallest(_MAX_LISTED, _types(schema))) or "of any type"


def _values(schema: dict[str, Any]) -> frozenset[str] | None:
    """Return the values that a schema lists, as JSON; otherwise `None`."""
    values = schema.get("enum")
    return frozenset(_encode_sorted(value).decode() for value in values) if isinstance(values, list) else None


def _changed_values(before: frozenset[str] | None, after: frozenset[str] | None) -> str:
    if after is None:
        return "now accepts any value"
    if before is None:
        return f"is now one of {_listed(after)}"
    parts = (("can no longer be", before - after), ("can now be", after - before))
    return " and ".join(f"{word} {_listed(values)}" for word, values in parts if values)


def _listed(values: frozenset[str]) -> str:
    more = f" and {len(values) - _MAX_LISTED} more" if len(values) > _MAX_LISTED else ""
    return ", ".join(nsmallest(_MAX_LISTED, values)) + more


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _encode_sorted(value).decode()
