"""The response to `POST /v1/audio/transcriptions`: the formats are made here where the provider has only one."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from moorage.api.tasks.respond import Answer
from moorage.gateway.errors import ProviderRejected
from moorage.providers.media.results import Segment, Transcript, Word
from moorage.providers.table import PROVIDERS

FORMATS: Final = ("json", "text", "srt", "verbose_json", "vtt")
TIMED: Final = ("srt", "vtt", "verbose_json")

#: A subtitle that is made of words is at most so long (characters, seconds).
_LINE: Final = 80
_LINE_SECONDS: Final = 6.0

_encode = msgspec.json.Encoder().encode


class TranscriptResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The response to `POST /v1/audio/transcriptions` as `json` or `verbose_json`."""

    text: str
    task: str | UnsetType = UNSET
    language: str | UnsetType = UNSET
    duration: float | UnsetType = UNSET
    segments: list[dict[str, Any]] | UnsetType = UNSET
    words: list[dict[str, Any]] | UnsetType = UNSET
    usage: dict[str, Any] | UnsetType = UNSET


def transcription(answer: Answer) -> Response:
    """Return the response in the format that the request, or the deployment, asks for."""
    found: Transcript = answer.result
    wanted = answer.config.parameters.get("responseFormat") or "json"
    if wanted == "text":
        return Response(f"{found.text}\n", media_type="text/plain; charset=utf-8")
    segments = found.segments or segments_of(found.words)
    if wanted in ("srt", "vtt"):
        media_type = "text/vtt; charset=utf-8" if wanted == "vtt" else "text/plain; charset=utf-8"
        return Response(subtitles(segments, wanted), media_type=media_type)
    usage = UNSET if found.usage is None else {
        "type": "tokens", "input_tokens": found.usage.prompt_tokens, "output_tokens": found.usage.completion_tokens,
        "total_tokens": found.usage.total_tokens,
    }  # fmt: skip
    if wanted == "json":
        return _json(TranscriptResponse(found.text, usage=usage))
    duration = found.duration if found.duration is not None else (segments[-1].end if segments else 0.0)
    words = [{"word": each.word, "start": each.start, "end": each.end} for each in found.words]
    return _json(
        TranscriptResponse(
            found.text, "transcribe", found.language or "", duration,
            [_segment(index, each) for index, each in enumerate(segments)], words or UNSET, usage,
        )
    )  # fmt: skip


def checked_transcription(answer: Answer) -> Response:
    """Return the response in the format that is wanted.

    Raises:
        ProviderRejected: the transcript has no times, which the format needs.
    """
    wanted = answer.config.parameters.get("responseFormat") or "json"
    check_times(answer.result, wanted, PROVIDERS[answer.config.provider].name, answer.config.provider)
    return transcription(answer)


def check_times(found: Transcript, wanted: str, name: str, integration: str) -> None:
    """Check that a transcript has the times that a format needs.

    Raises:
        ProviderRejected
    """
    if wanted in TIMED and found.text.strip() and not (found.segments or found.words):
        reason = f"the model reports no times, which {wanted} needs; use json or text, or another model"
        raise ProviderRejected(name=name, provider_id=name, integration=integration, reason=reason)


def segments_of(words: Sequence[Word]) -> list[Segment]:
    """Return segments that are made of words: sentences, or as much as fits into a subtitle."""
    found, line = list[Segment](), list[Word]()
    for word in words:
        line.append(word)
        text = _text(line)
        if len(text) >= _LINE or word.end - line[0].start >= _LINE_SECONDS or text.endswith((".", "!", "?")):
            found.append(Segment(text, line[0].start, word.end))
            line = []
    if line:
        found.append(Segment(_text(line), line[0].start, line[-1].end))
    return found


def subtitles(segments: Sequence[Segment], kind: str) -> str:
    """Return segments as subtitles: `srt` (SubRip), or `vtt` (WebVTT)."""
    is_vtt = kind == "vtt"
    blocks = ["WEBVTT\n"] if is_vtt else []
    for number, segment in enumerate(segments, 1):
        times = f"{_time(segment.start, is_vtt)} --> {_time(max(segment.start, segment.end), is_vtt)}"
        text = " ".join(segment.text.split()).replace("-->", "→")  # an arrow would end the text
        blocks.append(f"{times}\n{text}\n" if is_vtt else f"{number}\n{times}\n{text}\n")
    return "\n".join(blocks)


def _time(seconds: float, is_vtt: bool) -> str:  # noqa: FBT001 -- private, with one meaning
    milliseconds = round(max(0.0, seconds) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    point = "." if is_vtt else ","
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _segment(index: int, segment: Segment) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": index, "seek": 0, "start": segment.start, "end": segment.end, "text": segment.text, "tokens": [],
        "temperature": 0.0, "avg_logprob": 0.0, "compression_ratio": 0.0, "no_speech_prob": 0.0,
    }  # fmt: skip
    return found if segment.speaker is None else found | {"speaker": segment.speaker}


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.word.strip() for word in words if word.word.strip())


def _json(value: Any) -> Response:
    return Response(_encode(value), media_type="application/json")
