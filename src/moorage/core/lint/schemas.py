"""Warnings about JSON Schemas of tools and response formats, and about names that providers reject."""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from moorage.core.deployments.model_parameters import JsonSchemaFormat, ModelParameters
from moorage.core.deployments.prompt_config import Tool
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.messages import name_of, shown
from moorage.core.validation.validate import Report

_TYPES: Final = ("string", "number", "integer", "boolean", "object", "array", "null")

#: Keywords whose value is a schema, a list of schemas, or an object of schemas (JSON Schema 2020-12, and `definitions`
#: of earlier drafts).
_SCHEMA: Final = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
                  "unevaluatedItems", "unevaluatedProperties", "additionalItems")  # fmt: skip
_SCHEMAS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED_SCHEMAS: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")

#: Keywords beside which `required` can name the properties of another schema.
_COMPOSED: Final = frozenset({"anyOf", "oneOf", "allOf", "$ref", "$dynamicRef", "if", "patternProperties"})

#: The names that OpenAI, Anthropic and the providers with their APIs accept.
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")

#: How many schemas of a version are checked, in all tools together: each takes some microseconds.
_MAX_SCHEMAS: Final = 10_000


class SchemaChecker:
    """Checks the schemas of one version, which share a limit."""

    def __init__(self) -> None:
        self._left = _MAX_SCHEMAS

    def check_tools(self, tools: list[Tool], report: Report, path: JsonPath) -> None:
        """Report problems in the parameters of tools."""
        for index, tool in enumerate(tools):
            self._check(tool.function.parameters, report, path / index / "function" / "parameters")

    def check_response_format(self, parameters: ModelParameters, report: Report, path: JsonPath) -> None:
        """Report problems in the schema of a response format, and a name that providers reject."""
        chosen = parameters.response_format
        if isinstance(chosen, JsonSchemaFormat):
            name = chosen.json_schema.name
            if not _NAME.fullmatch(name):
                rule = "providers accept 1 to 64 letters (a to z, A to Z), digits, - and _"
                report.problem(path / "json_schema" / "name", f"{shown(name)} is rejected by providers: {rule}")
            self._check(chosen.json_schema.schema, report, path / "json_schema" / "schema")

    def _check(self, root: dict[str, Any], report: Report, path: JsonPath) -> None:
        anchors: set[str] | None = None
        for schema, where in self._schemas(root, path, report):
            _check_types(schema, report, where)
            _check_required(schema, report, where)
            reference = schema.get("$ref")
            if isinstance(reference, str) and not _is_found(reference, root):
                if anchors is None:
                    anchors = set(_anchors(root))
                if reference not in anchors:
                    report.problem(where / "$ref", f"{shown(reference)} refers to nothing in this schema")

    def _schemas(self, root: Any, path: JsonPath, report: Report) -> Iterator[tuple[dict[str, Any], JsonPath]]:
        """Yield a schema and those inside it, in order, and report what should be a schema and is none."""
        waiting = [(root, path)]
        while waiting and self._left > 0 and not report.is_full:
            self._left -= 1
            schema, where = waiting.pop()
            if isinstance(schema, dict):
                yield schema, where
                waiting += [*_inside(schema, where)][::-1]
            elif not isinstance(schema, bool):
                hint = f'; write {{"type": {shown(schema)}}}' if schema in _TYPES else ""
                report.problem(where, f"must be a schema, which is an object, not {name_of(schema)}{hint}")


def _inside(schema: dict[str, Any], where: JsonPath) -> Iterator[tuple[Any, JsonPath]]:
    for keyword in _SCHEMA:
        if keyword in schema:
            value = schema[keyword]
            if keyword == "items" and isinstance(value, list):  # a tuple, in drafts before 2020-12
                yield from ((child, where / keyword / index) for index, child in enumerate(value))
            else:
                yield value, where / keyword
    for keyword in _SCHEMAS:
        if isinstance(value := schema.get(keyword), list):
            yield from ((child, where / keyword / index) for index, child in enumerate(value))
    for keyword in _NAMED_SCHEMAS:
        if isinstance(value := schema.get(keyword), dict):
            yield from ((child, where / keyword / name) for name, child in value.items())


def _check_types(schema: dict[str, Any], report: Report, where: JsonPath) -> None:
    if "type" not in schema:
        return
    value = schema["type"]
    for each in value if isinstance(value, list) else (value,):
        if each not in _TYPES:
            hint = report.suggestion(each, _TYPES) or f"; the types are {', '.join(_TYPES)}"
            report.problem(where / "type", f"{shown(each)} is not a type of JSON Schema{hint}")


def _check_required(schema: dict[str, Any], report: Report, where: JsonPath) -> None:
    required, properties = schema.get("required"), schema.get("properties")
    if not isinstance(required, list) or not isinstance(properties, dict) or not _COMPOSED.isdisjoint(schema):
        return
    for name in required:
        if isinstance(name, str) and name not in properties:
            hint = report.suggestion(name, [*properties])
            report.problem(where / "required", f"{shown(name)} is required, but it is not in properties{hint}")
            if report.is_full:
                return


def _is_found(reference: str, root: Any) -> bool:
    """Return whether a reference leads to a value in the document (RFC 6901); one to another document counts."""
    document, hash_, pointer = reference.partition("#")
    if document:
        return True
    if not hash_ or not pointer:
        return hash_ != ""
    if not pointer.startswith("/"):
        return False  # an anchor
    value = root
    for part in unquote(pointer[1:]).split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isascii() and key.isdecimal() and len(key) < 7 and int(key) < len(value):
            value = value[int(key)]
        else:
            return False
    return True


def _anchors(root: Any) -> Iterator[str]:
    """Yield the references to the anchors in a document."""
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from (f"#{value[name]}" for name in ("$anchor", "$dynamicAnchor") if isinstance(value.get(name), str))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
