"""Respond to a call of a model that is not for chats."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, NoReturn

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from moorage.api.calls.running import CLIENT_CLOSED_REQUEST, CallRequest, RunningCall
from moorage.api.calls.shape import CallIds
from moorage.api.calls.watch import Watch
from moorage.api.environment import ATTRIBUTE
from moorage.api.errors import status_of
from moorage.api.request import RequestContext
from moorage.api.tasks.speech import SpeechResponse
from moorage.api.tasks.texts import with_input
from moorage.api.tasks.waiting import WaitingStream
from moorage.core.environments import is_environment_name
from moorage.core.errors.base import MoorageError
from moorage.core.resolution.config import GetConfigRequest, ResolvedConfig
from moorage.gateway.connection import check_type
from moorage.gateway.resolve import Pin, ResolvedCall
from moorage.providers.media.results import Result, Speech
from moorage.providers.media.tasks import TYPES, Task

#: A result of more bytes is encoded in a thread. Most of it is passed on as it is.
_SMALL: Final = 1024 * 1024


class Answer(msgspec.Struct, frozen=True):
    """What a response is made of: the result, the ids of the call, and the configuration of the responding model."""

    result: Any
    ids: CallIds
    config: ResolvedConfig


class TaskCall(msgspec.Struct, frozen=True):
    """A call of a model of a type. `text` is the text of the request, the first one of several.

    `make_task` makes the task from the resolved configuration, and `respond` the response from the result: events if it
    `is_stream`. A try-out does not count as use of its version.
    """

    request: GetConfigRequest
    pin: Pin
    kind: type[Task]
    make_task: Callable[[ResolvedCall], Awaitable[Task]]
    respond: Callable[[Answer], Response]
    text: str = ""
    is_small: bool = True
    is_tryout: bool = False
    is_stream: bool = False


async def respond_task(ctx: RequestContext, call: TaskCall) -> Response:
    """Return the response to a call.

    Raises:
        As `respond`.
    """
    started = time.perf_counter()
    services = ctx.services
    pin, named = call.pin, None
    if pin.version is not None and is_environment_name(pin.version):
        pin, named = msgspec.structs.replace(pin, version=None), pin.version
    environment = ctx.choose_environment(call.request.context.get(ATTRIBUTE), parameter=named)
    request = with_input(call.request, call.text)
    resolved = await services.resolver.resolve_call(
        ctx.project_id, request, pin, is_small=call.is_small, environment=environment,
        check=partial(check_type, wanted=TYPES[call.kind]),
    )  # fmt: skip
    return await respond_resolved_task(ctx, msgspec.structs.replace(call, request=request), resolved, started)


async def respond_resolved_task(
    ctx: RequestContext, call: TaskCall, resolved: ResolvedCall, started: float
) -> Response:
    """Return the response to a call of a resolved configuration.

    Raises:
        UnsupportedModelTypeForCall, WrongRoute
    """
    request = call.request
    check_type(resolved.config.provider, resolved.config.type, TYPES[call.kind])
    made = CallRequest(request, _no_shape, is_stream=call.is_stream, is_small=call.is_small, is_tryout=call.is_tryout)
    running = RunningCall(ctx, made, resolved, started)
    task = await call.make_task(resolved)
    if not call.is_tryout:
        ctx.services.consumers.record(resolved.live.version_id, ctx.key.id, request.inputs, ctx.environment.pointer_id)
    if call.is_stream:
        return WaitingStream(running, partial(_perform, running, call, task))
    return await _perform(running, call, task)


async def _perform(running: RunningCall, call: TaskCall, task: Task) -> Response:
    ctx, resolved = running.ctx, running.resolved
    try:
        with Watch(ctx.request.receive):
            result: Result = await ctx.services.runner.perform(running.call(task), running.progress)
    except ClientDisconnect:
        running.record(CLIENT_CLOSED_REQUEST)
        raise
    except MoorageError as error:
        running.record(status_of(type(error)), error)
        return running.error(error)
    target = running.progress.target
    answer = Answer(result, running.ids, resolved.config if target is None else target.config)
    if isinstance(result, Speech) and result.reply is not None:
        return _with_headers(SpeechResponse(running, result), running)
    is_small = running.progress.response_bytes <= _SMALL
    try:
        response = call.respond(answer) if is_small else await ctx.compute(call.respond, answer)
    except MoorageError as error:  # the result cannot be expressed in the form that was asked for
        running.record(status_of(type(error)), error)
        return running.error(error)
    running.record(200)
    return _with_headers(response, running)


def _with_headers(response: Response, running: RunningCall) -> Response:
    for name, value in running.headers().items():
        response.headers[name] = value
    return response


def _no_shape(ids: CallIds, config: ResolvedConfig) -> NoReturn:
    """Refuse to make a response of a chat: this call is none."""
    raise AssertionError
