"""The JSON Schema of deployment files, for editors. It follows from the types of the API.

A file can have values that the server normalizes, so the schema accepts them, too: an editor must not underline a file
that `moorage apply` accepts.
"""

import inspect
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from moorage.core.deployments.deployment import PutDeployment
from moorage.core.deployments.ids import KEY_PATTERN

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_REF: Final = "#/$defs/{name}"


class DeploymentFile(PutDeployment, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A deployment: a named, versioned configuration of a prompt. A file is complete: omitted fields become empty."""

    key: Annotated[str, Meta(pattern=KEY_PATTERN)]
    schema_url: Annotated[str, Meta(description="The schema of this file, for editors.")] = msgspec.field(
        default="", name="$schema"
    )


#: Descriptions for the fields that people write most, by type and name.
DESCRIPTIONS: Final = {
    "DeploymentFile": {
        "key": "The permanent name, by which applications fetch the deployment.",
        "description": "What the deployment is for.",
        "prompt_config": "The default variant: the model, its parameters, the messages and the tools.",
        "aliases": "Other names, which work everywhere the key does.",
        "variables": "The variables of the templates, with their default values.",
        "settings": "The template engine, and other settings of the default variant.",
        "version_bump": "The part of the version number that a new version increases.",
        "notes": "A description of the new version.",
    },
    "PromptConfig": {
        "provider": "The provider of the model.",
        "model": "The model, such as `openai/gpt-6-luna`.",
        "model_type": "The kind of the model.",
        "messages": "The messages, in order. Text such as `{{name}}` is replaced by an input.",
        "tools": "The functions that the model can call.",
    },
    "Message": {
        "role": "The author of the message.",
        "content": "A text, or parts: texts, images and files.",
    },
    "Variable": {
        "key": "The name, as in `{{name}}`.",
        "value": "The default value, of any type.",
        "is_pii": "Whether values are personal data.",
        "description": "What the variable contains.",
    },
    "Variant": {"prompt_config": "The model, its parameters, the messages and the tools of this variant."},
}  # fmt: skip

#: Properties of types that the server normalizes, with what it accepts.
_NORMALIZED: Final[dict[str, dict[str, Any]]] = {
    "ModelParameters": {"dimensions": {"type": ["string", "number"]}},
    "FunctionCall": {"arguments": {"type": ["string", "object"]}},
    "Tool": {"id": {"type": ["number", "string"]}},
    "ToolFunction": {
        "parameters": {
            "type": "object",
            "description": "A JSON Schema of one object: the arguments of the function.",
            "properties": {
                "type": {"const": "object"},
                "properties": {"type": "object"},
                "required": {"type": "array", "items": {"type": "string"}},
                "additionalProperties": {"type": "boolean"},
            },
        }
    },
}

#: Fields that can be omitted in a file, although the API always returns them.
_OPTIONAL: Final = {"ToolFunction": "parameters", "Message": "content"}


def file_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file: one deployment, or a list of them."""
    _, components = msgspec.json.schema_components([DeploymentFile], ref_template=_REF)
    for name, component in components.items():
        properties = component["properties"]
        for field, text in DESCRIPTIONS.get(name, {}).items():
            properties[field]["description"] = text
        properties.update(_NORMALIZED.get(name, {}))
        component["required"] = [field for field in component.get("required", ()) if field != _OPTIONAL.get(name)]
    components["Message"]["anyOf"] = [
        {"required": ["content"]}, {"required": ["tool_calls"]}, {"properties": {"role": {"const": "tool"}}},
    ]  # fmt: skip
    deployment = {"$ref": _REF.format(name="DeploymentFile")}
    return {
        "$schema": DIALECT,
        "title": "Moorage deployment file",
        "description": "A deployment, or a list of deployments. `moorage apply` puts it on the server.",
        "if": {"type": "array"},
        "then": {"items": deployment},
        "else": deployment,
        "$defs": {name: _plain(component) for name, component in components.items()},
    }


def _plain(value: Any) -> Any:
    """Return a schema without the keywords of OpenAPI, and with simple types of numbers and texts of one line."""
    if isinstance(value, list):
        return [_plain(child) for child in value]
    if not isinstance(value, dict):
        return value
    plain = {name: _plain(child) for name, child in value.items() if name != "discriminator"}
    if plain.get("anyOf") == [{"type": "integer"}, {"type": "number"}]:
        del plain["anyOf"]
        plain["type"] = "number"
    if isinstance(plain.get("description"), str):
        plain["description"] = inspect.cleandoc(plain["description"]).replace("\n", " ").replace("  ", "\n\n")
    return plain
