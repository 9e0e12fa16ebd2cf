"""Changes between two JSON Schemas of the arguments of a tool."""

import json
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from moorage.core.compatibility.changes import ContractChange
from moorage.core.validation.strict_json import join

#: The keywords of a JSON Schema without effect on validation.
_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "deprecated", "$comment"})
_COMPARED = frozenset({"type", "enum", "properties", "required", "items"})


def schema_changes(path: str, before: Any, after: Any) -> Iterator[ContractChange]:
    """Yield the differences between two JSON Schemas of the value at `path`."""
    if not isinstance(before, dict) or not isinstance(after, dict):  # `true` is also a schema
        if before != after:
            yield ContractChange("argument_rule_changed", path, f"The schema of {path} has changed.")
        return
    if _types(before) != _types(after):
        message = f"{path} was {_type_names(before)} and is now {_type_names(after)}."
        yield ContractChange("argument_type_changed", path, message)
        return
    if (old := _values(before)) != (new := _values(after)):
        yield ContractChange("argument_values_changed", path, f"{path} {_changed_values(old, new)}.")
    yield from _properties(path, before, after)
    if "items" in before or "items" in after:
        yield from schema_changes(f"{path}[]", before.get("items", True), after.get("items", True))
    differing = sorted(key for key in before.keys() | after.keys() if before.get(key, UNSET) != after.get(key, UNSET))
    if rules := [key for key in differing if key not in _ANNOTATIONS | _COMPARED]:
        yield ContractChange("argument_rule_changed", path, f"The rules of {path} have changed: {', '.join(rules)}.")
    elif any(key in _ANNOTATIONS for key in differing):
        yield ContractChange("argument_described", path, f"The description of {path} has changed.")


def _properties(path: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[ContractChange]:
    old, new = _fields(before), _fields(after)
    was_required, is_required = _required(before), _required(after)
    for name in old:
        here = join(path, name)
        if name not in new:
            yield ContractChange("argument_removed", here, f"{here} was removed: the model no longer sends it.")
            continue
        if name in is_required and name not in was_required:
            yield ContractChange("argument_required", here, f"{here} is now required.")
        elif name in was_required and name not in is_required:
            yield ContractChange("argument_optional", here, f"{here} is now optional: the model can omit it.")
        yield from schema_changes(here, old[name], new[name])
    for name in new:
        if name not in old:
            here = join(path, name)
            if name in is_required:
                yield ContractChange("argument_required", here, f"{here} is new and required.")
            else:
                yield ContractChange("argument_added", here, f"{here} is new and optional.")


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    fields = schema.get("properties")
    return fields if isinstance(fields, dict) else {}


def _required(schema: dict[str, Any]) -> list[Any]:
    names = schema.get("required")
    return names if isinstance(names, list) else []


def _types(schema: dict[str, Any]) -> frozenset[str]:
    """Return the types that a schema allows; empty means any."""
    types = schema.get("type", [])
    return frozenset(map(str, types if isinstance(types, list) else [types]))


def _type_names(schema: dict[str, Any]) -> str:
    return " or ".join(sorted(_types(schema))) or "of any type"


def _values(schema: dict[str, Any]) -> frozenset[str] | None:
    """Return the values that a schema lists, as JSON; otherwise `None`."""
    values = schema.get("enum")
    return frozenset(json.dumps(value, sort_keys=True) for value in values) if isinstance(values, list) else None


def _changed_values(before: frozenset[str] | None, after: frozenset[str] | None) -> str:
    if after is None:
        return "now accepts any value"
    if before is None:
        return f"is now one of {', '.join(sorted(after))}"
    parts = (("can no longer be", before - after), ("can now be", after - before))
    return " and ".join(f"{word} {', '.join(sorted(values))}" for word, values in parts if values)
