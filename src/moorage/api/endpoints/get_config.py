"""`/v2/deployments/get_config`: what an application sends to a model."""

from functools import lru_cache
from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from moorage.api.environment import ATTRIBUTE, RAW_HEADER, WARNING_HEADER, header_value
from moorage.api.request import RequestContext
from moorage.api.request_reader import SMALL_BODY
from moorage.api.responses import RawHeaders, warnings_header
from moorage.core.access import Scope
from moorage.core.errors.base import Problem
from moorage.core.resolution.config import GetConfigRequest, read_request
from moorage.gateway.resolve import Resolved

PATH: Final = "/v2/deployments/get_config"
SCOPES: Final = frozenset({Scope.INVOKE})


async def get_config(ctx: RequestContext) -> Response:
    """Get what to send to the model for a deployment, a context and inputs.

    The environment is that of the query or of the API key, else the one that `context.environments` names.
    """
    ctx.allow_query_params()
    (request, warnings), is_small = await _read(ctx)
    environment = ctx.choose_environment(request.context.get(ATTRIBUTE))
    resolved = await ctx.services.resolver.resolve(ctx.project_id, request, is_small=is_small, environment=environment)
    ctx.services.consumers.record(resolved.live.version_id, ctx.key.id, request.inputs, environment.pointer_id)
    response = Response(resolved.config)
    _, response.raw_headers = config_headers(resolved)
    if ctx.choice is not None and ctx.choice.warning is not None:
        response.headers[WARNING_HEADER] = ctx.choice.warning
    if warnings:
        response.headers["X-Moorage-Warnings"] = warnings_header(warnings)
    return response


async def _read(ctx: RequestContext) -> tuple[tuple[GetConfigRequest, list[Problem]], bool]:
    """Return the request with its warnings, and whether it is small. Nothing keeps the body of a large one."""
    body = await ctx.call_body()
    if len(body) <= SMALL_BODY:
        return read_request(body), True
    return await ctx.compute(read_request, body), False


def config_headers(resolved: Resolved) -> tuple[bytes, RawHeaders]:
    """Return the ETag of a resolved configuration, and all headers of its response."""
    live, resolution, body = resolved.live, resolved.resolution, resolved.config
    etag = b'"%b"' % body[7:33]  # the configuration's id, which is a hash of it
    return etag, [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"etag", etag),
        (b"x-moorage-revision", b"%d" % resolved.revision),
        *_source_headers(
            live.key, live.version, resolution.variant, resolution.reason, resolved.environment, resolved.follows
        ),
    ]


@lru_cache(maxsize=4_096)  # at most 1 KB each
def _source_headers(
    key: str,
    version: str,
    variant: str,
    reason: str,
    environment: str,
    follows: bool,  # noqa: FBT001 -- as above
) -> RawHeaders:
    return [
        (b"cache-control", b"private, no-cache"),
        (b"x-moorage-deployment", _header_value(key)),
        (b"x-moorage-version", version.encode()),
        (b"x-moorage-variant", _header_value(variant)),
        (b"x-moorage-reason", reason.encode()),
        (RAW_HEADER, header_value(environment, follows=follows).encode()),
    ]


def _header_value(name: str) -> bytes:
    """Return a name as a header value. Only a name that another program stored contains other characters."""
    return (name if name.isascii() and name.isprintable() else quote(name)).encode()
