"""`/v2/deployments/get_config`: what an application sends to a model."""

from functools import lru_cache
from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from moorage.api.request import SMALL_BODY, RequestContext
from moorage.api.responses import RawHeaders, warnings_header
from moorage.core.access import Scope
from moorage.core.errors.base import Problem
from moorage.core.resolution.config import GetConfigRequest, read_request
from moorage.gateway.resolve import Resolved

PATH: Final = "/v2/deployments/get_config"
SCOPES: Final = frozenset({Scope.INVOKE})


async def get_config(ctx: RequestContext) -> Response:
    """Get what to send to the model for a deployment, a context and inputs."""
    ctx.allow_query_params()
    (request, warnings), is_small = await _read(ctx)
    resolved = await ctx.services.resolver.resolve(ctx.project_id, request, is_small=is_small)
    ctx.services.consumers.record(resolved.live.version_id, ctx.key.id, request.inputs)
    response = Response(resolved.config)
    _, response.raw_headers = config_headers(resolved)
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
        *_variant_headers(live.key, live.version, resolution.variant, resolution.reason),
    ]


@lru_cache(maxsize=4_096)  # at most 1 KB each
def _variant_headers(key: str, version: str, variant: str, reason: str) -> RawHeaders:
    return [
        (b"cache-control", b"private, no-cache"),
        (b"x-moorage-deployment", _header_value(key)),
        (b"x-moorage-version", version.encode()),
        (b"x-moorage-variant", _header_value(variant)),
        (b"x-moorage-reason", reason.encode()),
    ]


def _header_value(name: str) -> bytes:
    """Return a name as a header value. Only a name that another program stored contains other characters."""
    return (name if name.isascii() and name.isprintable() else quote(name)).encode()
