"""Normalization: values that typed clients cannot parse are replaced by equivalent ones.

Each function has the signature that `moorage.core.validation.validate` calls: `function(value, path, report)` returns
the normalized value, or `DROP`. A value that it cannot normalize is returned as it is, for the validation of its type.
"""

from typing import Any

import msgspec

from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.messages import name_of
from moorage.core.validation.validate import DROP, Report


def id_as_number(value: Any, path: JsonPath, report: Report) -> Any:
    """Convert an id to a number for typed clients, or drop it: a ULID does not equal any number."""
    if isinstance(value, str):
        report.mark_normalized(path)
        is_exact = value.isascii() and value.isdigit() and int(value[:16]) < 2**53
        return int(value) if is_exact and len(value) <= 16 else DROP
    return value


def number_as_text(value: Any, path: JsonPath, report: Report) -> Any:
    """Convert a number to a string: `dimensions` is a string in the contract, but users write a number."""
    if type(value) in (int, float):
        report.mark_normalized(path)
        return str(value)
    return value


def arguments_as_text(value: Any, path: JsonPath, report: Report) -> Any:
    """Convert the arguments of a tool call to a string with JSON."""
    if isinstance(value, dict):
        report.mark_normalized(path)
        return msgspec.json.encode(value).decode()
    return value


def tool_parameters(value: Any, path: JsonPath, report: Report) -> Any:
    """Normalize a JSON Schema of one object for strict clients.

    They require `properties`, and `additionalProperties` false or absent. Absent means true, so `true` is omitted.
    """
    if not isinstance(value, dict):
        return value
    schema = dict(value)
    for key, default in (("type", "object"), ("properties", {})):
        if schema.get(key) is None:
            schema[key] = default
            report.mark_normalized(path / key)
    if schema["type"] != "object":
        report.problem(path / "type", 'must be "object": a tool\'s parameters are the fields of one object')
    if not isinstance(schema["properties"], dict):
        report.problem(path / "properties", f"must be an object, not {name_of(schema['properties'])}")
    required = schema.get("required", ())
    if required is None:
        del schema["required"]
        report.mark_normalized(path / "required")
    elif not isinstance(required, list | tuple) or not all(isinstance(name, str) for name in required):
        report.problem(path / "required", "must be an array of strings")
    extra = schema.get("additionalProperties", False)
    if extra is True or extra is None or extra == {}:
        del schema["additionalProperties"]
        report.mark_normalized(path / "additionalProperties")
    elif extra is not False:
        report.problem(
            path / "additionalProperties",
            "must be false or omitted: typed clients reject the whole page for a schema here; "
            "describe the extra fields in properties",
        )
    return schema


def complete_message(value: Any, path: JsonPath, report: Report) -> Any:
    """Add null content, which the contract requires, to tool calls and empty tool results."""
    if isinstance(value, dict) and "content" not in value and (value.get("tool_calls") or value.get("role") == "tool"):
        report.mark_normalized(path / "content")
        return {**value, "content": None}
    return value


def complete_function(value: Any, path: JsonPath, report: Report) -> Any:
    """Add empty parameters: optional according to the reference page, but its clients require them."""
    if isinstance(value, dict) and value.get("parameters") is None:
        report.mark_normalized(path / "parameters")
        return {**value, "parameters": {"type": "object", "properties": {}}}
    return value
