"""The routes of OpenAI for models that are not for chats, and that of Cohere and Jina for reranking."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
from starlette.responses import Response

from moorage.api.memory_budget import Lease
from moorage.api.request import RequestContext
from moorage.api.request_reader import SMALL_BODY
from moorage.api.tasks import shapes
from moorage.api.tasks.read import MAX_DOCUMENTS, MAX_TEXTS, Fields
from moorage.api.tasks.respond import TaskCall, respond_task
from moorage.api.tasks.texts import texts_for
from moorage.api.tasks.transcripts import FORMATS, checked_transcription
from moorage.api.tasks.upload import receive_form
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody, InvalidRequest
from moorage.gateway.resolve import ResolvedCall
from moorage.providers.media.tasks import Draw, Embed, Moderate, Rerank, Speak, Transcribe

#: What the SDK of orq.ai sends to its router if the caller sets nothing.
_IMAGE_DEFAULTS: Final[Mapping[str, Any]] = {"n": 1}
_SPEECH_DEFAULTS: Final[Mapping[str, Any]] = {"response_format": "mp3", "speed": 1.0}
_TRANSCRIPTION_DEFAULTS: Final[Mapping[str, Any]] = {
    "enable_logging": "true", "diarize": "false", "tag_audio_events": "true", "timestamps_granularity": "word",
}  # fmt: skip

T = TypeVar("T")


async def embeddings(ctx: RequestContext) -> Response:
    """Return the vectors of texts."""
    fields, is_small = await _fields(ctx, None)
    texts = _texts(fields, allows_tokens=True)
    request, pin = fields.request({}, allows=frozenset({"input"}))
    is_text = bool(texts) and isinstance(texts[0], str)

    async def make(resolved: ResolvedCall) -> Embed:
        if not is_text and resolved.config.messages:
            reason = "must be texts: tokens cannot be put into the messages of the deployment"
            raise InvalidBody.of([Problem("input", reason)])
        return Embed(await texts_for(ctx, resolved, request, texts) if is_text else texts)

    first = texts[0] if is_text else ""
    return await respond_task(ctx, TaskCall(request, pin, Embed, make, shapes.embeddings, first, is_small))


async def images(ctx: RequestContext) -> Response:
    """Create images."""
    fields, is_small = await _fields(ctx, _IMAGE_DEFAULTS)
    prompt = fields.text("prompt", is_required=False)
    is_stream = fields.flag("stream")
    fields.take("partial_images")  # no provider is asked for them
    names = {"n": "numImages", "size": "dimensions", "response_format": "format"}
    request, pin = fields.request(names, allows=frozenset({"prompt"}))
    if is_stream:  # an event has the picture itself
        request = msgspec.structs.replace(request, extra_params={**request.extra_params, "format": "b64_json"})

    async def make(resolved: ResolvedCall) -> Draw:
        [text] = await texts_for(ctx, resolved, request, [prompt])
        if not text:
            raise InvalidBody.of([Problem("prompt", "is missing, and the deployment has no message either")])
        return Draw(text)

    respond = shapes.image_events if is_stream else shapes.images
    call = TaskCall(request, pin, Draw, make, respond, prompt, is_small, is_stream=is_stream)
    return await respond_task(ctx, call)


async def speech(ctx: RequestContext) -> Response:
    """Turn a text into speech."""
    fields, is_small = await _fields(ctx, _SPEECH_DEFAULTS)
    given = fields.text("input", is_required=False)
    if fields.take("stream_format") not in (None, "audio"):
        fields.problems.append(Problem("stream_format", 'must be "audio", or absent'))
    request, pin = fields.request({"response_format": "responseFormat"}, allows=frozenset({"instructions"}))

    async def make(resolved: ResolvedCall) -> Speak:
        [text] = await texts_for(ctx, resolved, request, [given])
        if not text:
            raise InvalidBody.of([Problem("input", "is missing, and the deployment has no message either")])
        return Speak(text)

    return await respond_task(ctx, TaskCall(request, pin, Speak, make, shapes.speech, given, is_small))


async def transcriptions(ctx: RequestContext) -> Response:
    """Turn speech into a text."""
    ctx.allow_query_params()
    maximum = ctx.services.max_upload
    ctx.lease = Lease(ctx.services.upload_space, ctx.key.id)
    declared = ctx.request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) <= maximum:
        ctx.lease.check(int(declared))
    upload = await receive_form(ctx.request, ctx.lease, maximum)
    file = upload.file
    try:
        await ctx.check_caller()
        fields = Fields(upload.fields, _TRANSCRIPTION_DEFAULTS if _is_router(ctx) else None)
        if file is None or not file.size:
            fields.problems.append(Problem("file", "is missing or empty; send the audio as a file"))
        prompt = fields.text("prompt", is_required=False)
        if fields.flag("stream"):
            fields.problems.append(Problem("stream", "is not available for transcriptions; omit it"))
        temperature = fields.take("temperature")
        request, pin = fields.request({"response_format": "responseFormat"}, allows=frozenset({"prompt"}))
        if (wanted := request.extra_params.get("responseFormat")) not in (None, *FORMATS):
            reason = f"response_format must be one of {', '.join(FORMATS)}, not {wanted!r:.40}"
            raise InvalidRequest(param="response_format", reason=reason)
        if temperature is not None:
            request.extra_params["temperature"] = _number("temperature", temperature)

        async def make(resolved: ResolvedCall) -> Transcribe:
            assert file is not None  # noqa: S101 -- a request without a file was rejected
            [text] = await texts_for(ctx, resolved, request, [prompt])
            return Transcribe(file, text)

        return await respond_task(ctx, TaskCall(request, pin, Transcribe, make, checked_transcription, prompt))
    finally:
        if file is not None:
            file.close()


async def moderations(ctx: RequestContext) -> Response:
    """Classify texts that can be harmful."""
    fields, is_small = await _fields(ctx, None)
    texts = _texts(fields, allows_tokens=False)
    request, pin = fields.request({}, allows=frozenset({"input"}))

    async def make(resolved: ResolvedCall) -> Moderate:
        return Moderate(await texts_for(ctx, resolved, request, texts))

    first = texts[0] if texts else ""
    return await respond_task(ctx, TaskCall(request, pin, Moderate, make, shapes.moderations, first, is_small))


async def rerank(ctx: RequestContext) -> Response:
    """Sort documents by their relevance to a query."""
    fields, is_small = await _fields(ctx, None)
    query = fields.text("query", is_required=False)
    documents = _documents(fields)
    returns = fields.flag("return_documents")
    request, pin = fields.request({}, allows=frozenset({"query"}))

    async def make(resolved: ResolvedCall) -> Rerank:
        [text] = await texts_for(ctx, resolved, request, [query])
        if not text:
            raise InvalidBody.of([Problem("query", "is missing, and the deployment has no message either")])
        return Rerank(text, documents)

    respond = partial(shapes.rerank, documents=documents if returns else None)
    return await respond_task(ctx, TaskCall(request, pin, Rerank, make, respond, query, is_small))


async def _fields(ctx: RequestContext, router_defaults: Mapping[str, Any] | None) -> tuple[Fields, bool]:
    ctx.allow_query_params()
    body = await ctx.call_body()
    is_small = len(body) <= SMALL_BODY
    defaults = router_defaults if _is_router(ctx) else None
    read: Callable[[bytes, Mapping[str, Any] | None], Fields] = Fields.of_json
    return (read(body, defaults) if is_small else await ctx.compute(read, body, defaults)), is_small


def _is_router(ctx: RequestContext) -> bool:
    return not ctx.request.url.path.startswith("/v1/")


def _texts(fields: Fields, *, allows_tokens: bool) -> list[Any]:
    """Return the texts of a request: one or several, or lists of tokens."""
    value = fields.take("input")
    items = [value] if isinstance(value, str) or _is_tokens(value) else value
    if not isinstance(items, list) or not items:
        fields.problems.append(Problem("input", "must be a text, or a list of texts"))
        return []
    if len(items) > MAX_TEXTS:
        fields.problems.append(Problem("input", f"must have at most {MAX_TEXTS:,} texts, not {len(items):,}"))
    elif all(isinstance(item, str) for item in items):
        if "" in items:
            fields.problems.append(Problem(f"input[{items.index('')}]", "is empty"))
    elif not allows_tokens or not all(map(_is_tokens, items)):
        also = ", or lists of tokens" if allows_tokens else ""
        fields.problems.append(Problem("input", f"must have texts only{also}"))
    return items


def _is_tokens(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(each) is int for each in value)


def _documents(fields: Fields) -> list[str]:
    value = fields.take("documents")
    if not isinstance(value, list) or not 0 < len(value) <= MAX_DOCUMENTS:
        fields.problems.append(Problem("documents", f"must be a list of 1 to {MAX_DOCUMENTS:,} texts"))
        return []
    texts = list[str]()
    for index, each in enumerate(value):
        text = each.get("text") if isinstance(each, dict) else each
        if not isinstance(text, str):
            fields.problems.append(Problem(f"documents[{index}]", 'must be a text, or {"text": …}'))
            break
        texts.append(text)
    return texts


def _number(name: str, value: Any) -> float:
    """Return a number, which is a text in a form.

    Raises:
        InvalidRequest
    """
    try:
        number = float(str(value)[:40])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidRequest(param=name, reason=f"{name} must be a number, not {value!r:.40}")
    return number
