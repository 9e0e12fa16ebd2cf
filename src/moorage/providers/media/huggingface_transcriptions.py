"""Transcriptions of Hugging Face: the task `automatic-speech-recognition`."""

import base64
from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.media.huggingface_common import task_path
from moorage.providers.media.openai_transcriptions import TIMED
from moorage.providers.media.reading import parse, post
from moorage.providers.media.results import Segment, Transcript
from moorage.providers.media.steps import Exchange, Reply, Request, Send
from moorage.providers.media.tasks import Transcribe

#: A request with parameters has the audio in base64, so it is in memory.
_MAX_TIMED: Final = 32 * 1024 * 1024


class _Whole:
    """A file as the body of a request."""

    def __init__(self, task: Transcribe) -> None:
        self._file = task.file
        self.pieces = task.file.pieces

    def __len__(self) -> int:
        return self._file.size


class _Chunk(msgspec.Struct):
    text: str
    timestamp: tuple[float | None, float | None]


class _Response(msgspec.Struct):
    text: str
    chunks: list[_Chunk] | None = None


def run(request: Request) -> Exchange:
    """Return the text of a file. Only requests for times can have parameters.

    Raises:
        NotSupportedByProvider, MalformedResponse
    """
    task: Transcribe = request.task
    is_timed = (request.text("responseFormat") or "json") in TIMED
    request.take("timestamp_granularities")
    if task.prompt:
        request.omitted["messages"] = "the API has no prompt"
    if not is_timed:
        request.omit_rest(all_of_them=True)
        media_type = task.file.media_type
        reply = yield Send(path=task_path(request), body=_Whole(task), headers={"Content-Type": media_type})
        return Transcript(parse(reply, _Response).text.strip())
    if task.file.size > _MAX_TIMED:
        raise request.reject("file", f"with times, it takes at most {_MAX_TIMED:,} bytes, not {task.file.size:,}")
    audio = base64.b64encode(b"".join(task.file.pieces())).decode()
    parameters: Object = {"return_timestamps": True} | request.rest()
    reply = yield post(task_path(request), {"inputs": audio, "parameters": parameters})
    return _timed(reply)


def _timed(reply: Reply) -> Transcript:
    found = parse(reply, _Response)
    segments, end = list[Segment](), 0.0
    for chunk in found.chunks or ():
        start = end if chunk.timestamp[0] is None else chunk.timestamp[0]
        end = start if chunk.timestamp[1] is None else chunk.timestamp[1]  # the last one can have no end
        segments.append(Segment(chunk.text, start, end))
    return Transcript(found.text.strip(), duration=end if segments else None, segments=segments)
