"""/openapi.json, generated from the route table and the types that are parsed and sent."""

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
from moorage.core.errors import base as errors
from moorage.core.errors.storage import StorageUnavailable

_REF = "#/components/schemas/{name}"

_FILTER = {"type": "string", "maxLength": MAX_TEXT}
_CURSOR = {"type": "string", "description": "The id of an item of the list."}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "limit": {
        "description": "How many items at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    },
    "starting_after": {"description": "Items older than this one.", "schema": _CURSOR},
    "ending_before": {
        "description": "Items just newer than this one, newest first.",
        "schema": _CURSOR,
    },
    "dry_run": {
        "description": "Find out what would be done, and do not do it.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "file": {
        "description": "The change comes from this file, which keeps the deployment from now on.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 1000},
    },
    "take_ownership": {
        "description": "Change what the other side, files or the API, keeps; and keep it here from now on.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "allow_breaking": {
        "description": "Publish what breaks programs; the history keeps what it broke.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "force": {
        "description": "Delete what was served lately.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    },
    "since": {
        "description": "A revision, or the id of an event: what changed after it is sent.",
        "schema": {"type": "string", "pattern": r"^[0-9]{1,18}(\.[0-9A-Za-z-]{0,64})?$"},
    },
    "from": {
        "description": "A version's number or id, or `live`.",
        "schema": {"type": "string", "default": "live"},
    },
    "to": {"description": "A version's number or id, or `live`.", "required": True, "schema": {"type": "string"}},
    "variant_id": {"description": "Only the versions of this variant.", "schema": {"type": "string"}},
    "search": {
        "description": "Only those with this in their key or description; upper and lower case are the same.",
        "schema": _FILTER,
    },
    "provider": {"description": "Only those of this provider.", "schema": _FILTER},
    "model": {"description": "Only those of this model.", "schema": _FILTER},
    "model_type": {"description": "Only those of this type.", "schema": {"enum": ["", *get_args(ModelType)]}},
    "updated_since": {
        "description": "Only those that were updated at this date or time (ISO 8601) or later.",
        "schema": _FILTER,
    },
    "after": {"description": "Means `starting_after`.", "schema": _CURSOR},
    "before": {"description": "Means `ending_before`.", "schema": _CURSOR},
}
_PATH: dict[str, tuple[str, dict[str, Any]]] = {
    "key_or_id": ("The deployment's key or id.", {"type": "string", "minLength": 1}),
    "api_key_id": ("The key's id.", {"type": "string", "minLength": 1}),
    "version_or_id": ("The version's number or id.", {"type": "string", "minLength": 1}),
}
_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": ("The request's id: yours, or one made for it.", {"type": "string"}),
    "ETag": ("Send it back in If-None-Match to get a 304 while nothing changed.", {"type": "string"}),
    "X-Moorage-Revision": ("The count of committed writes this answer shows.", {"type": "integer"}),
    "X-Moorage-Age": (
        "Seconds since all that was committed was shown, while the database is away.",
        {"type": "integer"},
    ),
    "X-Moorage-Replayed": ("This answer was given before to the same Idempotency-Key.", {"const": "true"}),
    "X-Moorage-Signature": ("What shows whoever has the API key that it is the server's.", {"type": "string"}),
    "X-Moorage-Deployment": ("The deployment's key.", {"type": "string"}),
    "X-Moorage-Version": ("The version that was served.", {"type": "string"}),
    "X-Moorage-Variant": ("The variant that was served.", {"type": "string"}),
    "X-Moorage-Reason": ("Why that variant.", {"enum": ["rule", "split", "default", "only"]}),
    "X-Moorage-Result": ("What was done.", {"enum": ["created", "updated", "unchanged"]}),
    "X-Moorage-Owner": ("Who keeps the deployment, if this changed that.", {"enum": ["files", "api"]}),
    "X-Moorage-Previous-Owner": (
        "Who kept the deployment before, if this changed that: `api`, or a file (percent-encoded).",
        {"type": "string"},
    ),
    "X-Moorage-Normalized": (
        "Paths of the body that were kept in an equivalent spelling, as many as a header may hold.",
        {"type": "string"},
    ),
    "X-Moorage-Breaking": (
        "What this breaks for programs, or would if it is a dry run, as it was allowed to: paths, percent-encoded, as "
        "many as a header may hold.",
        {"type": "string"},
    ),
}


def openapi(operations: tuple[Operation, ...]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a route table."""
    types: set[type] = {ErrorBody}
    for operation in operations:
        types |= {answer for answer in operation.answers.values() if isinstance(answer, type)}
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
            "description": "LLM deployments: named, versioned configurations that applications call by key.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
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
            errors.AuthenticationRequired,
            errors.InvalidApiKey,
            errors.ExpiredApiKey,
            errors.InsufficientScope,
        ]
    if description.strip():
        document["description"] = description.strip()
    parameters = [{"name": name, "in": "query", **_PARAMETERS[name]} for name in operation.parameters]
    for name in re.findall(r"{(\w+)}", operation.path):
        meaning, schema = _PATH[name]
        if operation.method == "PUT":
            meaning, schema = "The deployment's key.", {"type": "string", "pattern": KEY_PATTERN}
        parameters.append({"name": name, "in": "path", "required": True, "description": meaning, "schema": schema})
    if parameters:
        document["parameters"] = parameters
    if operation.body:
        content = {"application/json": {"schema": schema_of[operation.body]}}
        document["requestBody"] = {"required": not operation.is_body_optional, "content": content}
    answers = {
        str(status): _answer(operation, status, answer, schema_of) for status, answer in operation.answers.items()
    }
    by_status: dict[int, list[str]] = {}
    for kind in raised:
        by_status.setdefault(status_of(kind), []).append(kind.code)
    for status, codes in sorted(by_status.items()):
        content = {"application/json": {"schema": schema_of[ErrorBody]}}
        answers[str(status)] = {"description": ", ".join(codes), "content": content}
    document["responses"] = answers
    return document


def _answer(operation: Operation, status: int, answer: Any, schema_of: dict[type, dict[str, Any]]) -> dict[str, Any]:
    meanings = {
        200: "The answer.",
        201: "It was created.",
        304: "Nothing changed since the ETag in If-None-Match.",
    }
    names = ["X-Request-Id"]
    if operation.scopes:
        names += ["X-Moorage-Revision", *operation.headers]
    if errors.IdempotencyConflict in operation.errors:
        names += ["X-Moorage-Replayed"]
    elif operation.scopes and StorageUnavailable not in operation.errors:  # it is answered from memory
        names += ["X-Moorage-Age"]
    headers = {name: {"description": _HEADERS[name][0], "schema": _HEADERS[name][1]} for name in names}
    document: dict[str, Any] = {"description": meanings[status], "headers": headers}
    if isinstance(answer, type):
        document["content"] = {"application/json": {"schema": schema_of[answer]}}
    elif answer:
        document["content"] = {answer: {}}
    return document
