"""`/v2/deployments/{keyOrID}/cases`: inputs and contexts with which versions are tried."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.api.responses import json_response
from moorage.core.deployments.cases import (
    MAX_CASE_BYTES,
    MAX_CASES,
    Case,
    CaseBody,
    CaseList,
    CaseNotFound,
    DeletedCase,
    TooManyCases,
    check_case_name,
)
from moorage.core.deployments.deployment import Deployment
from moorage.core.errors.requests import InvalidRequest
from moorage.core.resolution.config import GetConfigRequest
from moorage.registry.lookup import get_deployment

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


async def list_all(ctx: RequestContext) -> Response:
    """List the cases of a deployment by name."""
    ctx.allow_query_params()
    deployment = await _deployment(ctx)
    found = await _in_thread(ctx, partial(ctx.services.store.cases.of_deployment, deployment.id))
    return _response(ctx, CaseList("list", found, has_more=False))


async def put(ctx: RequestContext) -> Response:
    """Store a case, or replace the one with its name.

    Cases are not a part of any version: they change no revision, and the history does not have them.
    """
    ctx.allow_query_params()
    name = ctx.path("case_name")
    check_case_name(name)
    body, _ = await ctx.parse(CaseBody)
    GetConfigRequest("", body.inputs, body.context, messages=body.messages).attributes()
    encoded = _encode(body)
    if len(encoded) > MAX_CASE_BYTES:
        raise InvalidRequest(param="inputs", reason=f"a case has at most {MAX_CASE_BYTES:,} bytes of JSON")
    deployment = await _deployment(ctx)
    if not await _in_thread(ctx, partial(ctx.services.store.cases.put, deployment.id, name, encoded)):
        raise TooManyCases(key=deployment.key, maximum=MAX_CASES)
    return _response(ctx, Case(name=name, **msgspec.structs.asdict(body)))


async def delete(ctx: RequestContext) -> Response:
    """Delete a case for good."""
    ctx.allow_query_params()
    deployment, name = await _deployment(ctx), ctx.path("case_name")
    check_case_name(name)
    if not await _in_thread(ctx, partial(ctx.services.store.cases.delete, deployment.id, name)):
        raise CaseNotFound(param="case_name", key=deployment.key, name=name)
    return _response(ctx, DeletedCase(name, deleted=True))


async def _deployment(ctx: RequestContext) -> Deployment:
    found, _ = await ctx.read(lambda reader: get_deployment(reader, ctx.project_id, ctx.path("key_or_id")))
    return found


async def _in_thread(ctx: RequestContext, function: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(ctx.services.reader, function)


def _response(ctx: RequestContext, value: object) -> Response:
    """Return a response without an ETag: the response cache would store it until the next revision."""
    response = json_response(ctx, _encode(value))
    del response.headers["ETag"]
    return response
