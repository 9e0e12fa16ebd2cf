"""Respond to a call: resolve the deployment, call the model, and send the response or the stream."""

import time
from functools import partial

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from moorage.api.calls.cached import respond_from_cache
from moorage.api.calls.running import CLIENT_CLOSED_REQUEST, CallRequest, RunningCall
from moorage.api.calls.stream import CallStreamResponse
from moorage.api.calls.watch import Watch
from moorage.api.environment import ATTRIBUTE
from moorage.api.errors import status_of
from moorage.api.request import RequestContext
from moorage.core.environments import is_environment_name
from moorage.core.errors.base import MoorageError
from moorage.gateway.connection import check_type
from moorage.gateway.exchange import SMALL_RESPONSE
from moorage.gateway.resolve import ResolvedCall
from moorage.providers.completion import Choice, Completion, Usage


async def respond(ctx: RequestContext, request: CallRequest) -> Response:
    """Return the response to a call.

    Raises:
        DeploymentNotFound, DeploymentDeleted, InvalidBody, VariantNotResolved, TemplateError, RendererBusy
        UnsupportedModelTypeForCall, and errors of environments and of pinned versions and variants
    """
    started = time.perf_counter()
    services = ctx.services
    pin, named = request.pin, None
    if pin.version is not None and is_environment_name(pin.version):
        pin, named = msgspec.structs.replace(pin, version=None), pin.version
    environment = ctx.choose_environment(request.request.context.get(ATTRIBUTE), parameter=named)
    resolved = await services.resolver.resolve_call(
        ctx.project_id, request.request, pin, is_small=request.is_small, environment=environment,
        check=partial(_check_type, has_images=request.images is not None),
    )  # fmt: skip
    if request.media.parts:
        replace = request.media.applied_to
        config = replace(resolved.config) if request.is_small else await ctx.compute(replace, resolved.config)
        resolved = msgspec.structs.replace(resolved, config=config)
    if request.images is not None and resolved.config.type == "image":
        return await request.images(ctx, request, resolved, started)
    if request.tools is not None:
        resolved = msgspec.structs.replace(
            resolved, config=msgspec.structs.replace(resolved.config, tools=request.tools)
        )
    return await respond_resolved(ctx, request, resolved, started)


async def respond_resolved(
    ctx: RequestContext, request: CallRequest, resolved: ResolvedCall, started: float
) -> Response:
    """Return the response to a call of a resolved configuration.

    Raises:
        UnsupportedModelTypeForCall
    """
    services = ctx.services
    check_type(resolved.config.provider, resolved.config.type)
    running = RunningCall(ctx, request, resolved, started)
    if request.mock is not None:
        return _mock_response(running, request.mock)
    if not request.is_tryout:
        place = ctx.environment.pointer_id
        services.consumers.record(resolved.live.version_id, ctx.key.id, request.request.inputs, place)
    if resolved.variant.cache_seconds is not None and (cached := await respond_from_cache(running)) is not None:
        return cached
    if request.is_stream:
        return CallStreamResponse(running)
    try:
        with Watch(ctx.request.receive):
            completion = await services.runner.complete(running.call(), running.progress)
    except ClientDisconnect:
        running.record(CLIENT_CLOSED_REQUEST)
        raise
    except MoorageError as error:
        running.record(status_of(type(error)), error)
        return running.error(error)
    if running.cache is not None and running.progress.response_bytes <= SMALL_RESPONSE:
        running.cache.store(running, completion)
    running.record(200)
    is_small = running.progress.response_bytes <= SMALL_RESPONSE
    body = running.shape.response(completion) if is_small else await ctx.compute(running.shape.response, completion)
    return Response(body, headers=running.headers(), media_type="application/json")


def _check_type(provider: str, kind: str, *, has_images: bool) -> None:
    check_type(provider, kind, kind if has_images and kind == "image" else None)


def _mock_response(running: RunningCall, text: str) -> Response:
    """Return the response with the text of the request. It is no call: it is neither recorded nor counted as use."""
    usage, running.progress.target = Usage(), running.call().target(0)
    headers = running.headers()
    if not running.request.is_stream:
        completion = Completion([Choice(content=text, finish_reason="stop")], usage)
        return Response(running.shape.response(completion), headers=headers, media_type="application/json")
    words = [Completion([Choice(content=part)]) for part in _parts(text)]
    body = running.shape.chunks([*words, Completion([Choice(finish_reason="stop")], usage)]) + running.shape.end()
    headers["Cache-Control"] = "no-cache, no-transform"
    return Response(body, headers=headers, media_type="text/event-stream")


def _parts(text: str) -> list[str]:
    """Return a text in at most 100 parts that end at a space, as a model would stream it."""
    size, start, parts = max(1, -(-len(text) // 100)), 0, list[str]()
    while start < len(text):  # a list of all words of a large text would take long
        end = text.find(" ", start + size)
        end = len(text) if end < 0 else end
        parts.append(text[start:end])
        start = end
    return parts or [""]
