"""Try-outs of models that are not for chats: the body of a try-out as a task, and the response of its route."""

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec
from msgspec import UNSET
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.api.tasks import shapes
from moorage.api.tasks.read import INPUT, MAX_DOCUMENTS, MAX_TEXTS
from moorage.api.tasks.respond import Answer, TaskCall, respond_resolved_task
from moorage.api.tasks.texts import texts_for, with_input
from moorage.api.tasks.transcripts import checked_transcription
from moorage.api.tasks.upload import UploadedFile
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody
from moorage.core.resolution.compiled import CompiledVariant
from moorage.core.resolution.config import GetConfigRequest
from moorage.core.resolution.tries import RenderRequest, TryAudio, TryRequest
from moorage.gateway.resolve import NO_PIN, ResolvedCall
from moorage.providers.media.tasks import TYPES, Draw, Embed, Moderate, Rerank, Speak, Task, Transcribe

#: The task of each model type.
KINDS: Final[Mapping[str, type[Task]]] = {name: kind for kind, name in TYPES.items()}

_SEVERAL: Final = ("embedding", "moderation")

_RESPONSES: Final[Mapping[type[Task], Callable[[Answer], Response]]] = {
    Embed: shapes.embeddings, Draw: shapes.images, Speak: shapes.speech, Transcribe: checked_transcription,
    Rerank: partial(shapes.rerank, documents=None), Moderate: shapes.moderations,
}  # fmt: skip


def with_text(
    body: RenderRequest, request: GetConfigRequest, variant: CompiledVariant, *, is_called: bool = False
) -> GetConfigRequest:
    """Return a request with the first text of a body where the variant has it: in its variable, or as a message.

    For a call (`is_called`), a text that no variable takes is left to the task.

    Raises:
        InvalidBody
    """
    texts = _texts(body, variant.model_type)
    if not texts:
        return request
    if variant.model_type in KINDS and variant.takes_input and INPUT not in request.inputs:
        return with_input(request, texts[0])
    if is_called:
        return request
    message = {"role": "user", "content": texts[0]}
    return msgspec.structs.replace(request, messages=[*request.messages, message])


async def respond_tryout(
    ctx: RequestContext,
    body: TryRequest,
    request: GetConfigRequest,
    resolved: ResolvedCall,
    started: float,
    *,
    is_small: bool,
) -> Response:
    """Return the response of a model that is not for chats; `request` does not have the text of the body yet.

    Raises:
        InvalidBody, InvalidRequest, TemplateError, UnsupportedModelTypeForCall
    """
    kind = KINDS[resolved.config.type]
    file = None if body.audio is UNSET else await ctx.compute(_file, body.audio)

    async def make(found: ResolvedCall) -> Task:
        texts = await texts_for(ctx, found, request, _texts(body, found.config.type) or [""])
        if file is not None and kind is Transcribe:
            return Transcribe(file, texts[0])
        if "" in texts:
            raise InvalidBody.of([Problem("input", "is missing, and the deployment has no message either")])
        makers: Mapping[type[Task], Callable[[], Task]] = {
            Embed: lambda: Embed(texts), Moderate: lambda: Moderate(texts), Draw: lambda: Draw(texts[0]),
            Speak: lambda: Speak(texts[0]), Rerank: lambda: Rerank(texts[0], body.documents),
        }  # fmt: skip
        return makers[kind]()

    try:
        call = TaskCall(request, NO_PIN, kind, make, _RESPONSES[kind], is_small=is_small, is_tryout=True)
        return await respond_resolved_task(ctx, call, resolved, started)
    finally:
        if file is not None:
            file.close()


def _texts(body: RenderRequest, model_type: str) -> list[str]:
    """Return the texts of a body; none if it has no `input`.

    Raises:
        InvalidBody: they are too many for the type.
    """
    if body.input is UNSET:
        return []
    texts = [body.input] if isinstance(body.input, str) else body.input
    maximum = MAX_TEXTS if model_type in _SEVERAL else 1
    if len(texts) > maximum:
        found = f"has {len(texts):,} texts, but a model of the type {model_type} takes at most {maximum:,} at once"
        raise InvalidBody.of([Problem("input", found)])
    return texts


def check_fields(body: TryRequest, model_type: str) -> None:
    """Check that a body has the fields for a type of models, and none for another one.

    Raises:
        InvalidBody
    """
    problems, kind = list[Problem](), KINDS.get(model_type)
    if kind is not Rerank and body.documents:
        problems.append(Problem("documents", "are for models of the type rerank; omit them"))
    if kind is not Transcribe and body.audio is not UNSET:
        problems.append(Problem("audio", "is for models of the type stt; omit it"))
    if kind is Rerank and not 0 < len(body.documents) <= MAX_DOCUMENTS:
        problems.append(Problem("documents", f"must be a list of 1 to {MAX_DOCUMENTS:,} texts"))
    if kind is Transcribe and (body.audio is UNSET or not body.audio.content):
        problems.append(Problem("audio", "is missing or empty; send the file in base64"))
    if kind is not None and body.stream:
        problems.append(Problem("stream", "is for chats; omit it"))
    if kind is not None and body.mock_response is not UNSET:
        problems.append(Problem("mock_response", "is for chats; omit it"))
    if problems:
        raise InvalidBody.of(problems)


def _file(audio: TryAudio) -> UploadedFile:
    """Return audio as a file.

    Raises:
        InvalidBody
    """
    file = UploadedFile()
    try:
        file.write(base64.b64decode(audio.content, validate=True))
    except (binascii.Error, ValueError):
        raise InvalidBody.of([Problem("audio.content", "is no base64")]) from None
    file.name = "".join(letter for letter in audio.name if letter.isprintable()) or "audio"
    file.media_type = audio.media_type
    return file
