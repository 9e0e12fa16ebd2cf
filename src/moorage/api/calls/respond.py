"""Respond to a call: resolve the deployment, call the model, and send the response or the stream."""

import time
from collections.abc import Callable, Sequence
from functools import cached_property

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from moorage import clock
from moorage.api.calls.headers import call_ids, progress_headers, resolved_headers
from moorage.api.calls.shape import CallIds, Shape
from moorage.api.calls.stream import CallStreamResponse
from moorage.api.calls.watch import Watch
from moorage.api.errors import error_response, status_of
from moorage.api.finished_calls import finished
from moorage.api.request import RequestContext
from moorage.api.responses import warnings_header
from moorage.core.errors.base import MoorageError, Problem
from moorage.core.resolution.config import GetConfigRequest, Object, ResolvedConfig
from moorage.gateway.call import Call, Progress
from moorage.gateway.connection import check_type
from moorage.gateway.exchange import SMALL_RESPONSE
from moorage.gateway.resolve import NO_PIN, Pin, ResolvedCall
from moorage.providers.completion import Choice, Completion, Usage

#: The status in the log for a client that disconnected before the response; see the pipeline.
CLIENT_CLOSED_REQUEST = 499


class CallRequest(msgspec.Struct, frozen=True):
    """A request for a call. `shape` makes the response from the ids and the configuration of the call."""

    request: GetConfigRequest
    shape: Callable[[CallIds, ResolvedConfig], Shape]
    is_stream: bool
    is_small: bool
    pin: Pin = NO_PIN
    tools: list[Object] | None = None
    mock: str | None = None
    warnings: Sequence[Problem] = ()


class RunningCall:
    """A call from its resolution to its record."""

    def __init__(self, ctx: RequestContext, request: CallRequest, resolved: ResolvedCall, started: float) -> None:
        self.ctx = ctx
        self.request = request
        self.resolved = resolved
        self.progress = Progress(started)
        self.ids = call_ids(ctx.request)
        self._at = clock.now_seconds()

    @cached_property
    def shape(self) -> Shape:
        """The response in the form of its API, for the model that has responded: a fallback is another one."""
        target = self.progress.target
        return self.request.shape(self.ids, self.resolved.config if target is None else target.config)

    def call(self) -> Call:
        """Return what to call."""
        config, variant, request = self.resolved.config, self.resolved.variant, self.request.request
        return Call(
            self.ctx.project_id, config, variant.integration, variant.fallbacks, variant.retry_count,
            request.extra_params, self.request.is_stream, self.request.is_small and self.resolved.live.content.is_small,
            self._patience(),
        )  # fmt: skip

    def headers(self) -> dict[str, str]:
        """Return the headers of the response, as far as they are known."""
        headers = {**resolved_headers(self.resolved), **progress_headers(self.progress)}
        headers["X-Moorage-Revision"] = self.ctx.request.scope["moorage.revision"]
        if self.request.warnings:
            headers["X-Moorage-Warnings"] = warnings_header(self.request.warnings)
        return headers

    def error(self, error: MoorageError) -> Response:
        """Return the response for an error."""
        scope = self.ctx.request.scope
        scope["moorage.error"] = error.code
        attempts = self.progress.attempts
        response = error_response(error, scope["moorage.request_id"], scope["moorage.root_path"], attempts)
        if attempts:
            response.headers["X-Should-Retry"] = "false"  # the gateway has retried already
        response.headers.update(self.headers())
        return response

    def record(self, status: int, error: MoorageError | None = None) -> None:
        """Record the end of the call."""
        self.ctx.services.finished_calls(
            finished(
                self.resolved, self.progress, request_id=self.ctx.request.scope["moorage.request_id"],
                api_key=self.ctx.key.id, call_id=self.ids.id, trace_id=self.ids.trace_id,
                is_stream=self.request.is_stream, status=status, error=error.code if error else None, at=self._at,
            )
        )  # fmt: skip

    def _patience(self) -> float | None:
        """Return how long the client waits for a response that is no stream (seconds), if its SDK says so."""
        value = self.ctx.request.headers.get("x-stainless-read-timeout", "")
        if self.request.is_stream or not value.replace(".", "", 1).isdecimal() or len(value) > 10:
            return None
        return float(value) or None


async def respond(ctx: RequestContext, request: CallRequest) -> Response:
    """Return the response to a call.

    Raises:
        DeploymentNotFound, DeploymentDeleted, InvalidBody, VariantNotResolved, TemplateError, RendererBusy
        UnsupportedModelTypeForCall, and errors of pinned versions and variants
    """
    started = time.perf_counter()
    services = ctx.services
    resolved = await services.resolver.resolve_call(
        ctx.project_id, request.request, request.pin, is_small=request.is_small
    )
    if request.tools is not None:
        resolved = msgspec.structs.replace(
            resolved, config=msgspec.structs.replace(resolved.config, tools=request.tools)
        )
    check_type(resolved.config)
    running = RunningCall(ctx, request, resolved, started)
    if request.mock is not None:
        return _mock_response(running, request.mock)
    services.consumers.record(resolved.live.version_id, ctx.key.id, request.request.inputs)
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
    running.record(200)
    is_small = running.progress.response_bytes <= SMALL_RESPONSE
    body = running.shape.response(completion) if is_small else await ctx.compute(running.shape.response, completion)
    return Response(body, headers=running.headers(), media_type="application/json")


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
    """Return a text in at most 100 parts, as a model would stream it."""
    words = text.split(" ")
    size = max(1, -(-len(words) // 100))
    groups = [" ".join(words[start : start + size]) for start in range(0, len(words), size)]
    return [group if index == 0 else f" {group}" for index, group in enumerate(groups)]
