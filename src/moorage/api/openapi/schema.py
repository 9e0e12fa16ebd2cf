"""/openapi.json, generated from the route table and the types of bodies."""

import re
from typing import Any

import msgspec

from moorage import __version__
from moorage.api.errors import ErrorBody, status_of
from moorage.api.openapi.tables import HEADERS, PARAMETERS, PATH, PUT_PATH, PUT_PATTERNS
from moorage.api.operation import Operation
from moorage.core.deployments.ids import KEY_PATTERN
from moorage.core.errors import api_keys as api_key_errors
from moorage.core.errors import base as errors
from moorage.core.errors import environments as environment_errors
from moorage.core.errors.storage import DatabaseUnavailable

_REF = "#/components/schemas/{name}"


def openapi(operations: tuple[Operation, ...], root_path: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a route table, whose paths are below `root_path`."""
    types: set[type] = {ErrorBody}
    for operation in operations:
        types |= {body for found in operation.responses.values() for body in _bodies(found) if isinstance(body, type)}
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
            environment_errors.EnvironmentGone,
            errors.TooManyRequests,
            errors.TooManyFailures,
        ]
    if description.strip():
        document["description"] = description.strip()
    parameters = [{"name": name.rpartition(":")[2], "in": "query", **PARAMETERS[name]} for name in operation.parameters]
    for name in re.findall(r"{(\w+)}", operation.path):
        text, schema = PATH[name]
        if operation.method == "PUT" and name != "case_name":
            text, schema = (
                PUT_PATH.get(name, text),
                {"type": "string", "pattern": PUT_PATTERNS.get(operation.name, KEY_PATTERN)},
            )
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
        202: "Proposed: the environment requires approvals. Nothing that it serves has changed.",
        304: "Not modified: the ETag of the response is the one in If-None-Match.",
    }
    names = ["X-Request-Id"]
    if operation.scopes:
        names += ["X-Moorage-Revision", *operation.headers]
    if operation.environment in ("view", "move", "call"):
        names += ["X-Moorage-Environment"]
    if operation.environment == "call":
        names += ["X-Moorage-Warning"]
    if status == 202:
        names = [*dict.fromkeys(["X-Request-Id", "X-Moorage-Revision", "ETag", "Location", "X-Moorage-Result"])]
    if errors.IdempotencyConflict in operation.errors:
        names += ["X-Moorage-Replayed"]
    elif operation.scopes and DatabaseUnavailable not in operation.errors and not operation.is_call:  # from memory
        names += ["X-Moorage-Age"]
    headers = {name: {"description": HEADERS[name][0], "schema": HEADERS[name][1]} for name in names}
    document: dict[str, Any] = {"description": descriptions[status], "headers": headers}
    schemas = [schema_of[each] for each in _bodies(body) if isinstance(each, type)]
    content: dict[str, Any] = {each: {} for each in _bodies(body) if isinstance(each, str)}
    if schemas:
        content["application/json"] = {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}
    if content:
        document["content"] = content
    return document


def _bodies(body: Any) -> tuple[Any, ...]:
    """Return the types and media types of a response, which can have one, several or none."""
    return body if isinstance(body, tuple) else (body,)
