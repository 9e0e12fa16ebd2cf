"""The fakes of speech and transcriptions in the form of OpenAI."""

import base64
from collections.abc import Sequence
from typing import Any, Final

from tests.support.vendors import media
from tests.support.vendors.checks import Refuse, check_fields
from tests.support.vendors.server import Received, Refused, Reply

#: What a segment of whisper has besides its text and times.
_WHISPER: Final = {
    "seek": 0, "tokens": [], "temperature": 0.0, "avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.01,
}  # fmt: skip


def speech(vendor: str, body: dict[str, Any], refuse: Refuse) -> Reply:
    """Return the speech for a text.

    Raises:
        Refused
    """
    if vendor != "mistral" and not body.get("voice"):
        raise Refused(refuse("voice", "Field required."))
    audio = media.spoken(body["input"], body.get("response_format", "mp3"))
    if vendor == "mistral":
        return Reply.of_json({"audio_data": base64.b64encode(audio).decode()})
    parts = [audio[start : start + 64] for start in range(0, len(audio), 64)]
    return Reply(200, {"Content-Type": "audio/mpeg"}, parts, is_stream=True)


def transcription(
    vendor: str, known: frozenset[str], models: Sequence[str], request: Received, refuse: Refuse
) -> Reply:
    """Return the text of a file; `known` has the fields of the form besides the file.

    Raises:
        Refused
    """
    fields, files = media.form_of(request.body, request.headers["content-type"])
    check_fields(fields, "", known, refuse)
    [model] = fields.get("model", [""])
    if model not in models:
        raise Refused(refuse("model", f"The model {model!r} does not exist."))
    if set(files) != {"file"}:
        raise Refused(refuse("file", "Field required."))
    name, media_type, content = files["file"]
    text = media.heard(
        name, media_type, len(content), fields.get("prompt", [""])[0], fields.get("language", [""])[0]
    )  # fmt: skip
    if vendor == "mistral":
        return _of_mistral(model, text, fields)
    reply: dict[str, Any] = {"text": text}
    wanted = fields.get("response_format", ["json"])[0]
    marks = fields.get("timestamp_granularities[]", [])
    if wanted == "verbose_json" and "transcribe" in model:
        raise Refused(refuse("response_format", f"response_format 'verbose_json' is not compatible with {model}."))
    if wanted == "verbose_json":
        reply["segments"] = [
            {"id": index, "text": said, "start": start, "end": end, **_WHISPER}
            for index, (said, start, end) in enumerate(media.sentences(text))
        ]
        reply |= {"language": "english", "duration": len(text.split()) * media.SECONDS}
    if "word" in marks:
        reply["words"] = [{"word": word, "start": start, "end": end} for word, start, end in media.words(text)]
    return Reply.of_json(reply)


def _of_mistral(model: str, text: str, fields: dict[str, list[str]]) -> Reply:
    marks = fields.get("timestamp_granularities", [])
    speaker = "speaker_1" if fields.get("diarize") == ["true"] else None
    found = media.words(text) if marks == ["word"] else media.sentences(text) if marks else []
    usage = {"prompt_audio_seconds": 4, "prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    return Reply.of_json({
        "model": model, "text": text, "language": None, "usage": usage, "finish_reason": None,
        "segments": [
            {"text": said, "start": start, "end": end, "type": "transcription_segment", "speaker_id": speaker}
            for said, start, end in found
        ],
    })  # fmt: skip
