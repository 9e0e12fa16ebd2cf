"""The form of a deployment in a file: fields in the order in which people write them, without empty defaults."""

from typing import Any, Final

import msgspec
from msgspec import UNSET

from moorage.core.deployments.manifest import Manifest
from moorage.core.deployments.model_parameters import JsonSchema, JsonSchemaFormat
from moorage.core.deployments.prompt_config import (
    Message,
    PromptConfig,
    Tool,
    ToolCall,
    ToolFunction,
    Variable,
)
from moorage.core.deployments.variant import Fallback, Variant

#: The first fields of a type, by their JSON names; the others follow in the order of the type.
_FIRST: Final[dict[type, tuple[str, ...]]] = {
    Manifest: (
        "key", "description", "aliases", "prompt_config", "variables",
        "settings", "fallbacks", "retry_count", "variants", "routing",
    ),
    PromptConfig: ("provider", "model", "model_type", "model_parameters", "messages", "tools"),
    Fallback: ("provider", "model", "model_type", "model_parameters"),
    Variant: ("name", "prompt_config", "variables", "settings", "fallbacks", "retry_count"),
    Message: ("role", "content", "tool_call_id", "tool_calls"),
    Variable: ("key", "value", "description", "is_pii"),
    Tool: ("type", "id", "display_name", "function"),
    ToolFunction: ("name", "description", "strict", "parameters"),
    ToolCall: ("id", "type", "function", "index"),
    JsonSchemaFormat: ("type", "display_name", "json_schema"),
    JsonSchema: ("name", "description", "strict", "schema"),
}  # fmt: skip

#: Fields of a manifest that a file has; the server assigns the others.
_MANIFEST: Final = frozenset(_FIRST[Manifest])


def file_form(manifest: Manifest) -> dict[str, Any]:
    """Return the document of a deployment.

    A field is omitted if a document without it has the same content. So an empty list of a variant stays, because a
    variant without the list is another content.
    """
    form = _object(manifest)
    return {name: value for name, value in form.items() if name in _MANIFEST and value not in ("", [], {})}


def _object(value: msgspec.Struct) -> dict[str, Any]:
    fields = {}
    tag_field = value.__struct_config__.tag_field
    if tag_field is not None:
        fields[tag_field] = value.__struct_config__.tag
    for field in msgspec.structs.fields(value):
        child = getattr(value, field.name)
        if child is not UNSET and not _is_default(child, field):
            fields[field.encode_name] = _json(child)
    first = next((_FIRST[kind] for kind in type(value).__mro__ if kind in _FIRST), ())
    return {name: fields[name] for name in dict.fromkeys([*first, *fields]) if name in fields}


def _is_default(child: Any, field: msgspec.structs.FieldInfo) -> bool:
    """Return whether a value is the empty one that an omitted field gets."""
    return field.default_factory is not msgspec.NODEFAULT and child == field.default_factory()


def _json(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return _object(value)
    if isinstance(value, list):
        return [_json(child) for child in value]
    if isinstance(value, dict):  # free JSON keeps its order
        return {name: _json(child) for name, child in value.items()}
    return value
