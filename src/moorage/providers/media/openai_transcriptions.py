"""Transcriptions in the API of OpenAI, and of the providers that follow it."""

from collections.abc import Mapping
from typing import Final

import msgspec

from moorage.providers.media.multipart import Multipart
from moorage.providers.media.reading import Tokens, form_text, parse
from moorage.providers.media.results import Segment, Transcript, Word
from moorage.providers.media.steps import Exchange, Request, Send
from moorage.providers.media.tasks import Transcribe

#: Formats that need the times of segments.
TIMED: Final = frozenset({"srt", "vtt", "verbose_json"})

#: The names of parameters in the form.
_NAMES: Final[Mapping[str, str]] = {"temperature": "temperature", "language": "language"}


class _Segment(msgspec.Struct):
    text: str
    start: float | None = None
    end: float | None = None
    speaker: str | None = None
    speaker_id: str | None = None  # of Mistral


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float


class _Response(msgspec.Struct):
    text: str
    language: str | None = None
    duration: float | None = None
    segments: list[_Segment] | None = None
    words: list[_Word] | None = None
    usage: Tokens | None = None
    model: str | None = None


def run(request: Request) -> Exchange:
    """Return the text of a file.

    Raises:
        MalformedResponse, ProviderFailed
    """
    task: Transcribe = request.task
    wanted = request.text("responseFormat") or "json"
    fields: list[tuple[str, str]] = [("model", request.model)]
    if task.prompt:
        fields.append(("prompt", task.prompt))
    fields += [(name, form_text(value)) for name, value in request.named(_NAMES).items()]
    marks = request.take("timestamp_granularities") or []
    if request.provider == "mistral":
        marks = marks or (["segment"] if wanted in TIMED else [])
    else:
        fields.append(("response_format", "verbose_json" if wanted in TIMED else "json"))
    name = "timestamp_granularities" if request.provider == "mistral" else "timestamp_granularities[]"
    fields += [(name, form_text(mark)) for mark in marks]
    fields += [(name, form_text(value)) for name, value in request.rest().items()]
    form = Multipart(fields, "file", task.file)
    reply = yield Send(path="/audio/transcriptions", body=form, headers={"Content-Type": form.content_type})
    found = parse(reply, _Response)
    segments = [
        Segment(each.text, each.start, each.end, each.speaker or each.speaker_id)
        for each in found.segments or ()
        if each.start is not None and each.end is not None
    ]
    words = [Word(each.word, each.start, each.end) for each in found.words or ()]
    if request.provider == "mistral" and marks == ["word"]:  # its segments are words then
        segments, words = [], [Word(each.text.strip(), each.start, each.end) for each in segments]
    usage = found.usage.usage() if found.usage else None
    return Transcript(found.text, found.language, found.duration, segments, words, usage, found.model)
