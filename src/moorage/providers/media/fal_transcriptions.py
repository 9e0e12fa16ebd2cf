"""Transcriptions of fal, which gets the audio as a data URI."""

import base64
from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.media.fal_queue import result_of
from moorage.providers.media.results import Segment, Transcript
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Transcribe

#: The audio is in the request, so it is in memory (bytes).
_MAX_AUDIO: Final = 32 * 1024 * 1024


class _Chunk(msgspec.Struct):
    text: str
    timestamp: tuple[float | None, float | None] | None = None


class _Result(msgspec.Struct):
    text: str
    chunks: list[_Chunk] | None = None


def run(request: Request) -> Exchange:
    """Return the text of a file.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Transcribe = request.task
    if task.file.size > _MAX_AUDIO:
        raise request.reject("file", f"it takes at most {_MAX_AUDIO:,} bytes of audio, not {task.file.size:,}")
    request.take("responseFormat")
    request.take("timestamp_granularities")
    audio = base64.b64encode(b"".join(task.file.pieces())).decode()
    body: Object = {"audio_url": f"data:{task.file.media_type.partition(';')[0]};base64,{audio}", "task": "transcribe"}
    body |= request.named({"language": "language"})
    if task.prompt:
        body["prompt"] = task.prompt
    found = yield from result_of(request, body | request.rest(), _Result)
    segments = [
        Segment(each.text, each.timestamp[0], each.timestamp[1])
        for each in found.chunks or ()
        if each.timestamp is not None and each.timestamp[0] is not None and each.timestamp[1] is not None
    ]
    return Transcript(found.text.strip(), duration=segments[-1].end if segments else None, segments=segments)
