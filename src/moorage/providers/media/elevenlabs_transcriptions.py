"""Transcriptions of ElevenLabs, which have the time of each word."""

from typing import Final

import msgspec

from moorage.providers.media.multipart import Multipart
from moorage.providers.media.reading import form_text, parse
from moorage.providers.media.results import Transcript, Word
from moorage.providers.media.steps import Exchange, Request, Send
from moorage.providers.media.tasks import Transcribe

_NAMES: Final = {"language": "language_code", "temperature": "temperature", "seed": "seed"}


class _Word(msgspec.Struct):
    text: str
    start: float | None = None
    end: float | None = None
    type: str = "word"


class _Response(msgspec.Struct):
    text: str
    language_code: str | None = None
    words: list[_Word] | None = None


def run(request: Request) -> Exchange:
    """Return the text of a file.

    Raises:
        MalformedResponse, ProviderFailed
    """
    task: Transcribe = request.task
    request.take("responseFormat")
    request.take("timestamp_granularities")  # words have their times always
    if task.prompt:
        request.omitted["messages"] = "the API has no prompt"
    fields = [("model_id", request.model)]
    fields += [(name, form_text(value)) for name, value in request.named(_NAMES).items()]
    fields += [(name, form_text(value)) for name, value in request.rest().items()]
    form = Multipart(fields, "file", task.file)
    reply = yield Send(path="/v1/speech-to-text", body=form, headers={"Content-Type": form.content_type})
    found = parse(reply, _Response)
    words = [
        Word(each.text, each.start, each.end)
        for each in found.words or ()
        if each.type == "word" and each.start is not None and each.end is not None
    ]
    return Transcript(found.text, found.language_code, words[-1].end if words else None, (), words)
