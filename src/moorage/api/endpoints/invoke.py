"""`/v2/deployments/invoke` and `/v2/deployments/stream`: call a deployment in the shape of orq.ai."""

from functools import partial
from typing import Final

import msgspec
from msgspec import UNSET
from starlette.responses import Response

from moorage.api.calls.extra_params import problem_of, with_numbers
from moorage.api.calls.orq import OrqShape
from moorage.api.calls.respond import respond
from moorage.api.calls.running import CallRequest
from moorage.api.calls.shape import DONE, CallIds
from moorage.api.request import RequestContext
from moorage.api.request_reader import SMALL_BODY
from moorage.api.tasks.respond import Answer, TaskCall, respond_resolved_task
from moorage.api.tasks.texts import prompt_of
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody
from moorage.core.resolution.config import GetConfigRequest, InvokeOptions, ResolvedConfig, read_request
from moorage.gateway.resolve import ResolvedCall
from moorage.providers.media.results import Images
from moorage.providers.media.tasks import Draw
from moorage.providers.request import native_model

_NO_OPTIONS: Final = InvokeOptions()


async def invoke(ctx: RequestContext) -> Response:
    """Call the model of a deployment, and return its response; with `stream`, as server-sent events."""
    return await _respond(ctx, must_stream=False)


async def stream(ctx: RequestContext) -> Response:
    """Call the model of a deployment, and return its response as server-sent events."""
    return await _respond(ctx, must_stream=True)


async def _respond(ctx: RequestContext, *, must_stream: bool) -> Response:
    ctx.allow_query_params()
    body = await ctx.call_body()
    is_small = len(body) <= SMALL_BODY
    request, warnings = read_request(body) if is_small else await ctx.compute(read_request, body)
    del body
    request = with_checked_params(request)
    options = request.invoke_options or _NO_OPTIONS
    mock = None if options.mock_response is UNSET else options.mock_response
    return await respond(
        ctx,
        CallRequest(
            request,
            partial(_shape, options),
            must_stream or request.stream,
            is_small,
            mock=mock,
            warnings=warnings,
            images=partial(_images, options) if mock is None else None,
        ),
    )


def with_checked_params(request: GetConfigRequest) -> GetConfigRequest:
    """Return a request with the parameters of a call, in which texts can be numbers.

    Raises:
        InvalidBody
    """
    if not request.extra_params:
        return request
    params = with_numbers(request.extra_params)
    problems = [
        Problem(f"extra_params.{name}", problem)
        for name, value in params.items()
        if (problem := problem_of(name, value))
    ]
    if problems:
        raise InvalidBody.of(problems)
    return msgspec.structs.replace(request, extra_params=params)


def _shape(options: InvokeOptions, ids: CallIds, config: ResolvedConfig) -> OrqShape:
    return OrqShape(
        ids, config.type, config.provider, native_model(config.provider, config.model),
        with_usage=options.include_usage, with_retrievals=options.include_retrievals,
    )  # fmt: skip


async def _images(
    options: InvokeOptions, ctx: RequestContext, request: CallRequest, resolved: ResolvedCall, started: float
) -> Response:
    """Return the images of a deployment of that type, in a stream as one event, after comments while they are made."""

    async def make(found: ResolvedCall) -> Draw:
        prompt = prompt_of(found.config)
        if not prompt:
            raise InvalidBody.of([Problem("messages", "are missing, and the deployment has none either")])
        return Draw(prompt)

    def respond_images(answer: Answer) -> Response:
        found: Images = answer.result
        urls = [image.as_url() for image in found.images]
        body = _shape(options, answer.ids, answer.config).images(urls, found.usage)
        if request.is_stream:
            return Response(b"data: %b\n\n%b" % (body, DONE), media_type="text/event-stream")
        return Response(body, media_type="application/json")

    call = TaskCall(
        request.request, request.pin, Draw, make, respond_images, is_small=request.is_small,
        is_stream=request.is_stream,
    )  # fmt: skip
    return await respond_resolved_task(ctx, call, resolved, started)
