"""/openapi.json, generated from the route table and the types of bodies."""

import re
from typing import Any, get_args

import msgspec

from moorage import __version__
from moorage.api.errors import ErrorBody, status_of
from moorage.api.operation import Operation
from moorage.core.deployments.filter import MAX_TEXT
from moorage.core.deployments.ids import KEY_PATTERN
from moorage.core.deployments.page import DEFAULT_LIMIT, MAX_LIMIT
from moorage.core.deployments.prompt_config import ModelType
from moorage.core.errors import api_keys as api_key_errors
from moorage.core.errors import base as errors
from moorage.core.errors.storage import DatabaseUnavailable

_REF = "#/components/schemas/{name}"

_FILTER = {"type": "string", "maxLength": MAX_TEXT}
_CURSOR = {"type": "string", "description": "The id of an item of the list."}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "models:limit": {
        "description": "Maximum number of models.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 1_000, "default": 1_000},
    },
    "models:after": {"description": "Returns the models after this one.", "schema": {"type": "string"}},
    "limit": {
        "description": "Maximum number of items.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    },
    "starting_after": {"description": "Returns the items that are older than this one.", "schema": _CURSOR},
    "ending_before": {
        "description": "Returns the items just newer than this one, newest first.",
        "schema": _CURSOR,
    },
    "dry_run": {
        "description": "Return the result without storing it.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "file": {
        "description": "The file that manages the deployment from now on.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 1000},
    },
    "take_ownership": {
        "description": "Take over a deployment that is managed by files or, for a file, by the API.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "allow_breaking": {
        "description": "Publish although there are breaking changes; the history lists them.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "force": {
        "description": "Delete although it was served within the last 7 days.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "since": {
        "description": "A revision or the id of an event. The stream starts with the changes after it.",
        "schema": {"type": "string", "pattern": r"^[0-9]{1,18}(\.[0-9A-Za-z-]{0,64})?$"},
    },
    "from": {
        "description": "The number or id of a version, or `live`.",
        "schema": {"type": "string", "default": "live"},
    },
    "to": {"description": "The number or id of a version, or `live`.", "required": True, "schema": {"type": "string"}},
    "variant_id": {"description": "Returns only the versions of this variant.", "schema": {"type": "string"}},
    "search": {
        "description": "Returns deployments whose key or description contains this text, case-insensitive.",
        "schema": _FILTER,
    },
    "provider": {"description": "Returns deployments of this provider.", "schema": _FILTER},
    "model": {"description": "Returns deployments of this model.", "schema": _FILTER},
    "model_type": {
        "description": "Returns deployments of this model type.",
        "schema": {"enum": ["", *get_args(ModelType)]},
    },
    "updated_since": {
        "description": "Returns deployments that were updated at or after this date or time (ISO 8601).",
        "schema": _FILTER,
    },
    "after": {"description": "Alias of `starting_after`.", "schema": _CURSOR},
    "before": {"description": "Alias of `ending_before`.", "schema": _CURSOR},
}
_PATH: dict[str, tuple[str, dict[str, Any]]] = {
    "key_or_id": ("The key or id of the deployment.", {"type": "string", "minLength": 1}),
    "api_key_id": ("The id of the API key.", {"type": "string", "minLength": 1}),
    "name": ("The name of the integration.", {"type": "string", "minLength": 1}),
    "version_or_id": ("The number or id of the version.", {"type": "string", "minLength": 1}),
}
#: Where a PUT creates what it names, the name must be a key.
_PUT_PATH = {"key_or_id": "The key of the deployment."}
_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": ("The id of the request: the one you sent, or a new one.", {"type": "string"}),
    "ETag": ("Send it as If-None-Match to get a 304 until the response changes.", {"type": "string"}),
    "X-Moorage-Revision": ("The newest committed write that the response shows.", {"type": "integer"}),
    "X-Moorage-Age": (
        "Seconds since the response was current; present while the server may be behind the database.",
        {"type": "integer"},
    ),
    "X-Moorage-Replayed": (
        "The result was stored by an earlier request with the same Idempotency-Key.",
        {"const": "true"},
    ),
    "X-Moorage-Signature": (
        "Proves that the sender has the API key; the description says how to verify it.",
        {"type": "string"},
    ),
    "X-Moorage-Unreadable": (
        "The keys of the deployments whose current version cannot be decoded, separated by commas and quoted as URLs.",
        {"type": "string"},
    ),
    "X-Moorage-Deployment": ("The key of the deployment.", {"type": "string"}),
    "X-Moorage-Version": ("The number of the resolved version.", {"type": "string"}),
    "X-Moorage-Variant": ("The name of the resolved variant.", {"type": "string"}),
    "X-Moorage-Reason": ("Why this variant was chosen.", {"enum": ["rule", "split", "default", "only"]}),
    "X-Moorage-Result": ("The effect of the write.", {"enum": ["created", "updated", "unchanged"]}),
    "X-Moorage-Owner": ("The side that manages the deployment, if the write changed it.", {"enum": ["files", "api"]}),
    "X-Moorage-Previous-Owner": (
        "The previous owner, if the write changed it: `api`, or a file (percent-encoded).",
        {"type": "string"},
    ),
    "X-Moorage-Previous-Version": ("The version that was live before, if another one is now.", {"type": "string"}),
    "X-Moorage-Warnings": (
        "Warnings about the request, each `path: message`, separated by commas, as many as fit into a header. Commas in"
        " them, `%` and all but printable ASCII are percent-encoded.",
        {"type": "string"},
    ),
    "X-Moorage-Normalized": (
        "Paths of the body that were normalized, as many as fit into a header.",
        {"type": "string"},
    ),
    "X-Moorage-Breaking": (
        "Paths of the breaking changes that were allowed, percent-encoded, as many as fit into a header.",
        {"type": "string"},
    ),
    "X-Moorage-Provider": ("The provider that responded.", {"type": "string"}),
    "X-Moorage-Model": ("The model that responded, by the provider's name.", {"type": "string"}),
    "X-Moorage-Attempts": (
        "The number of requests to providers, with retries, fallbacks and what was skipped.",
        {"type": "integer"},
    ),
    "X-Moorage-Attempt-Log": (
        "After more than one attempt: the integration, result and milliseconds of each, and why the call went on.",
        {"type": "string"},
    ),
    "X-Moorage-Overhead-Ms": ("The milliseconds in which no provider was waited for.", {"type": "number"}),
    "X-Moorage-Dropped": (
        "What the provider or the model does not take, and was not sent, such as `topK`.",
        {"type": "string"},
    ),
}


def openapi(operations: tuple[Operation, ...], root_path: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a route table, whose paths are below `root_path`."""
    types: set[type] = {ErrorBody}
    for operation in operations:
        types |= {body for body in operation.responses.values() if isinstance(body, type)}
        types |= {operation.body} if operation.body else set()
    ordered = sorted(types, key=lambda kind: kind.__name__)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    schema_of = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Moorage",
            "version": __version__,
            "description": "LLM deployments: named, versioned prompt configurations that applications fetch by key.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": root_path or "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"api_key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation, schema_of: dict[type, dict[str, Any]]) -> dict[str, Any]:
    summary, _, description = (operation.handler.__doc__ or "").partition("\n")
    document: dict[str, Any] = {"operationId": operation.name, "summary": summary.strip()}
    raised = list(operation.errors)
    if operation.scopes:
        document["security"] = [{"api_key": []}]
        document["x-required-scopes"] = sorted(operation.scopes)
        raised += [
            api_key_errors.AuthenticationRequired,
            api_key_errors.InvalidApiKey,
            api_key_errors.ExpiredApiKey,
            api_key_errors.InsufficientScope,
            errors.TooManyRequests,
            errors.TooManyFailures,
        ]
    if description.strip():
        document["description"] = description.strip()
    parameters = [
        {"name": name.rpartition(":")[2], "in": "query", **_PARAMETERS[name]} for name in operation.parameters
    ]
    for name in re.findall(r"{(\w+)}", operation.path):
        text, schema = _PATH[name]
        if operation.method == "PUT":
            text, schema = _PUT_PATH.get(name, text), {"type": "string", "pattern": KEY_PATTERN}
        parameters.append({"name": name, "in": "path", "required": True, "description": text, "schema": schema})
    if parameters:
        document["parameters"] = parameters
    if operation.body:
        content = {"application/json": {"schema": schema_of[operation.body]}}
        document["requestBody"] = {"required": not operation.is_body_optional, "content": content}
    responses = {
        str(status): _response(operation, status, body, schema_of) for status, body in operation.responses.items()
    }
    by_status: dict[int, list[str]] = {}
    for kind in raised:
        by_status.setdefault(status_of(kind), []).append(kind.code)
    for status, codes in sorted(by_status.items()):
        content = {"application/json": {"schema": schema_of[ErrorBody]}}
        responses[str(status)] = {"description": ", ".join(codes), "content": content}
    document["responses"] = responses
    return document


def _response(operation: Operation, status: int, body: Any, schema_of: dict[type, dict[str, Any]]) -> dict[str, Any]:
    descriptions = {
        200: "Success.",
        201: "Created.",
        304: "Not modified: the ETag of the response is the one in If-None-Match.",
    }
    names = ["X-Request-Id"]
    if operation.scopes:
        names += ["X-Moorage-Revision", *operation.headers]
    if errors.IdempotencyConflict in operation.errors:
        names += ["X-Moorage-Replayed"]
    elif operation.scopes and DatabaseUnavailable not in operation.errors and not operation.is_call:  # from memory
        names += ["X-Moorage-Age"]
    headers = {name: {"description": _HEADERS[name][0], "schema": _HEADERS[name][1]} for name in names}
    document: dict[str, Any] = {"description": descriptions[status], "headers": headers}
    if isinstance(body, type):
        document["content"] = {"application/json": {"schema": schema_of[body]}}
    elif body:
        document["content"] = {body: {}}
    return document
