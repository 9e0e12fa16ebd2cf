"""Speech of Gemini's speech models, which send samples without a header."""

import struct
from typing import Final

from moorage.core.resolution.config import Object
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.gemini_common import contents, generation, model_path, parts_of
from moorage.providers.media.reading import post
from moorage.providers.media.results import Speech
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Speak

_VOICE: Final = "Kore"

#: The samples of the models: 24,000 per second, of 16 bits, one channel.
_RATE: Final = 24_000


def run(request: Request) -> Exchange:
    """Return the speech for a text, as WAV, or as samples (`pcm`).

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Speak = request.task
    wanted = request.text("responseFormat") or "wav"
    if wanted not in ("wav", "pcm"):
        request.omitted["parameters.responseFormat"] = "the API has wav and pcm; wav is sent"
    voice = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": request.take("voice") or _VOICE}}}
    language = request.take("language")
    speech: Object = voice | ({"languageCode": language} if language else {})
    settings = generation(request, responseModalities=["AUDIO"], speechConfig=speech)
    instructions = request.take("instructions")
    text = f"{instructions}\n\n{task.text}" if instructions else task.text
    body: Object = {"contents": contents({"text": text}), "generationConfig": settings} | request.rest()
    reply = yield post(f"{model_path(request)}:generateContent", body)
    parts, _ = parts_of(reply)
    blobs = [part.inline_data for part in parts if part.inline_data is not None]
    if not blobs:
        raise MalformedResponse("it has no audio")
    samples = b"".join(blob.content() for blob in blobs)
    if wanted == "pcm":
        return Speech("audio/pcm", samples)
    return Speech("audio/wav", samples if samples[:4] == b"RIFF" else wav(samples, _rate(blobs[0].mime_type)))


def wav(samples: bytes, rate: int) -> bytes:
    """Return samples of 16 bits and one channel as a WAV file; `rate` is that of samples per second."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data",
        len(samples),
    ) + samples  # fmt: skip


def _rate(media_type: str) -> int:
    """Return the samples per second of a type such as `audio/L16;codec=pcm;rate=24000`."""
    for parameter in media_type.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name == "rate" and value.isdecimal() and len(value) < 7:
            return int(value) or _RATE
    return _RATE
