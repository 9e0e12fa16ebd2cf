"""A call in progress: what the request asks for, and what the handler and the stream share."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property

import msgspec
from starlette.responses import Response

from moorage import clock
from moorage.api.calls.cached import CacheUse
from moorage.api.calls.headers import call_ids, progress_headers, resolved_headers
from moorage.api.calls.media_inputs import NO_MEDIA, MediaInputs
from moorage.api.calls.shape import CallIds, Shape
from moorage.api.environment import WARNING_HEADER
from moorage.api.errors import error_response
from moorage.api.finished_calls import finished
from moorage.api.request import RequestContext
from moorage.api.responses import warnings_header
from moorage.core.errors.base import MoorageError, Problem
from moorage.core.resolution.config import GetConfigRequest, Object, ResolvedConfig
from moorage.gateway.call import Call, Progress
from moorage.gateway.resolve import NO_PIN, Pin, ResolvedCall
from moorage.providers.media.tasks import Task
from moorage.providers.native_request import NativeRequest

#: The status in the log for a client that disconnected before the response; see the pipeline.
CLIENT_CLOSED_REQUEST = 499


class CallRequest(msgspec.Struct, frozen=True):
    """A request for a call. `shape` makes the response from the ids and the configuration of the call.

    `native` is a request of the Responses API in that form, and `media` has values of variables that are no texts.
    A try-out is a call that does not count as use of its version. `images` responds for a deployment of that type, in
    APIs that have no other route for it.
    """

    request: GetConfigRequest
    shape: Callable[[CallIds, ResolvedConfig], Shape]
    is_stream: bool
    is_small: bool
    pin: Pin = NO_PIN
    tools: list[Object] | None = None
    mock: str | None = None
    warnings: Sequence[Problem] = ()
    is_tryout: bool = False
    native: NativeRequest | None = None
    media: MediaInputs = NO_MEDIA
    images: "Callable[[RequestContext, CallRequest, ResolvedCall, float], Awaitable[Response]] | None" = None


class RunningCall:
    """A call from its resolution to its record."""

    def __init__(self, ctx: RequestContext, request: CallRequest, resolved: ResolvedCall, started: float) -> None:
        self.ctx = ctx
        self.request = request
        self.resolved = resolved
        self.progress = Progress(started)
        self.ids = call_ids(ctx.request)
        #: How the call uses the response cache; None if its variant has none.
        self.cache: CacheUse | None = None
        self._at = clock.now_seconds()

    @cached_property
    def shape(self) -> Shape:
        """The response in the form of its API, for the model that has responded: a fallback is another one."""
        target = self.progress.target
        return self.request.shape(self.ids, self.resolved.config if target is None else target.config)

    def call(self, task: Task | None = None) -> Call:
        """Return what to call, and with which task if the model is not for chats."""
        config, variant, request = self.resolved.config, self.resolved.variant, self.request.request
        return Call(
            self.ctx.project_id, config, variant.integration, variant.fallbacks, variant.retry_count,
            request.extra_params, self.request.is_stream, self.request.is_small and self.resolved.live.content.is_small,
            self._patience(), self.ctx.check_caller_now, task, self.request.native,
        )  # fmt: skip

    def headers(self) -> dict[str, str]:
        """Return the headers of the response, as far as they are known."""
        headers = {**resolved_headers(self.resolved), **progress_headers(self.progress)}
        headers["X-Moorage-Revision"] = self.ctx.request.scope["moorage.revision"]
        if self.cache is not None:
            headers.update(self.cache.headers())
        if self.ctx.choice is not None and self.ctx.choice.warning is not None:
            headers[WARNING_HEADER] = self.ctx.choice.warning
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
                is_stream=self.request.is_stream, is_tryout=self.request.is_tryout, status=status,
                error=error.code if error else None, at=self._at,
                cache=None if self.cache is None else self.cache.result,
            )
        )  # fmt: skip

    def _patience(self) -> float | None:
        """Return how long the client waits for a response that is no stream (seconds), if its SDK says so."""
        value = self.ctx.request.headers.get("x-stainless-read-timeout", "")
        if self.request.is_stream or not value.replace(".", "", 1).isdecimal() or len(value) > 10:
            return None
        return float(value) or None
