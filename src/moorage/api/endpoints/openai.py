"""The API of OpenAI, for its clients: `model` is the key of a deployment.

The same routes are under `/v1`, and under the prefixes that the clients of orq.ai use.
"""

from typing import Final

from starlette.responses import Response

from moorage.api.calls.openai_chat import OpenAiChatShape
from moorage.api.calls.openai_request import OpenAiRequest, read_chat, read_text
from moorage.api.calls.openai_responses import OpenAiResponsesShape
from moorage.api.calls.openai_text import OpenAiTextShape
from moorage.api.calls.respond import respond
from moorage.api.calls.responses_paths import in_items
from moorage.api.calls.responses_request import read_responses
from moorage.api.calls.running import CallRequest
from moorage.api.request import RequestContext
from moorage.api.request_reader import SMALL_BODY
from moorage.core.errors.requests import InvalidBody
from moorage.providers.request import native_model

#: The prefixes of the routes.
PREFIXES: Final = ("/v1", "/v2/router", "/v3/router")


async def chat_completions(ctx: RequestContext) -> Response:
    """Call a deployment; its messages come before those of the request."""
    ctx.allow_query_params()
    is_router = not ctx.request.url.path.startswith("/v1/")
    body = await ctx.call_body()
    is_small = len(body) <= SMALL_BODY
    found: OpenAiRequest = read_chat(body) if is_small else await ctx.compute(read_chat, body)
    del body
    return await respond(
        ctx,
        CallRequest(
            found.request,
            lambda ids, config: OpenAiChatShape(
                ids, native_model(config.provider, config.model), with_usage=found.with_usage, is_router=is_router
            ),
            found.is_stream,
            is_small,
            found.pin,
            found.tools,
            found.mock,
        ),
    )


async def completions(ctx: RequestContext) -> Response:
    """Call a deployment; the prompt comes after its messages."""
    ctx.allow_query_params()
    is_router = not ctx.request.url.path.startswith("/v1/")
    body = await ctx.call_body()
    is_small = len(body) <= SMALL_BODY
    if is_small:
        found = read_text(body, is_router=is_router)
    else:
        found = await ctx.compute(read_text, body, is_router=is_router)
    del body
    return await respond(
        ctx,
        CallRequest(
            found.request,
            lambda ids, config: OpenAiTextShape(
                ids, native_model(config.provider, config.model), with_usage=found.with_usage, is_router=is_router
            ),
            found.is_stream,
            is_small,
            found.pin,
            found.tools,
            found.mock,
        ),
    )


async def responses(ctx: RequestContext) -> Response:
    """Call a deployment that `prompt` or `model` names; the input comes after its messages."""
    ctx.allow_query_params()
    body = await ctx.call_body()
    is_small = len(body) <= SMALL_BODY
    asked = read_responses(body) if is_small else await ctx.compute(read_responses, body)
    found, echo = asked.found, asked.echo if is_small else {}  # each event with a response repeats it
    del body
    call = CallRequest(
        found.request,
        lambda ids, config: OpenAiResponsesShape(ids, native_model(config.provider, config.model), echo),
        found.is_stream,
        is_small,
        found.pin,
        found.tools,
        found.mock,
        asked.warnings,
        native=asked.native,
        media=asked.media,
    )
    try:
        return await respond(ctx, call)
    except InvalidBody as error:  # of the messages that the items became
        native = asked.native
        n_first = len(found.request.messages) - native.n_messages
        raise in_items(error, native.items, native.untranslated, n_first=n_first) from None
