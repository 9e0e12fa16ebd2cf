"""Transcriptions by Gemini's models, which listen to audio in a message."""

import base64
from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.gemini_common import contents, generation, model_path, parts_of
from moorage.providers.media.openai_transcriptions import TIMED
from moorage.providers.media.reading import post
from moorage.providers.media.results import Segment, Transcript
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Transcribe

#: A request can have so many bytes, with its audio in base64.
MAX_AUDIO: Final = 14 * 1024 * 1024

_INSTRUCTION: Final = "Write down the speech in this audio, word by word, in its own language. Write nothing else."
_TIMED: Final = (
    "Write down the speech in this audio, word by word, in its own language, as segments of a sentence each, with their"
    " start and end in seconds from the start of the audio."
)
_SCHEMA: Final[Object] = {
    "type": "object", "required": ["segments"], "properties": {
        "language": {"type": "string"},
        "segments": {"type": "array", "items": {
            "type": "object", "required": ["text", "start", "end"],
            "properties": {"text": {"type": "string"}, "start": {"type": "number"}, "end": {"type": "number"}},
        }},
    },
}  # fmt: skip


class _Segment(msgspec.Struct):
    text: str
    start: float
    end: float


class _Timed(msgspec.Struct):
    segments: list[_Segment]
    language: str | None = None


def run(request: Request) -> Exchange:
    """Return the text of a file.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Transcribe = request.task
    if task.file.size > MAX_AUDIO:
        raise request.reject("file", f"it takes at most {MAX_AUDIO:,} bytes of audio, not {task.file.size:,}")
    is_timed = (request.text("responseFormat") or "json") in TIMED
    request.take("timestamp_granularities")
    said = [_TIMED if is_timed else _INSTRUCTION]
    if language := request.take("language"):
        said.append(f"The language is {language}.")
    if task.prompt:
        said.append(task.prompt)
    audio = base64.b64encode(b"".join(task.file.pieces())).decode()
    media_type = task.file.media_type.partition(";")[0]
    parts: list[Object] = [{"text": "\n\n".join(said)}, {"inlineData": {"mimeType": media_type, "data": audio}}]
    form: Object = {"responseMimeType": "application/json", "responseJsonSchema": _SCHEMA} if is_timed else {}
    body: Object = {"contents": contents(*parts), "generationConfig": generation(request) | form} | request.rest()
    reply = yield post(f"{model_path(request)}:generateContent", body)
    found, usage = parts_of(reply)
    text = "".join(part.text or "" for part in found)
    if not is_timed:
        return Transcript(text.strip(), usage=usage)
    try:
        timed = msgspec.json.decode(text, type=_Timed)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedResponse(f"its segments are malformed: {error}") from None
    segments = [Segment(each.text, each.start, each.end) for each in timed.segments]
    duration = segments[-1].end if segments else 0.0
    return Transcript(" ".join(each.text.strip() for each in segments), timed.language, duration, segments, (), usage)
