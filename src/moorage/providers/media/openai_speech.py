"""Speech in the API of OpenAI, and of the providers that follow it."""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.reading import audio_of, parse, post
from moorage.providers.media.results import Speech
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Speak

#: The media types of the formats.
MEDIA_TYPES: Final[Mapping[str, str]] = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav",
    "pcm": "audio/pcm",
}  # fmt: skip

#: The voice where the API requires one, and the same name exists for all models.
_VOICES: Final[Mapping[str, str]] = {"openai": "alloy", "azure": "alloy"}


class _Encoded(msgspec.Struct):
    """The response of Mistral."""

    audio_data: str


def run(request: Request) -> Exchange:
    """Return the speech for a text, which is passed on while it arrives.

    Raises:
        MalformedResponse, ProviderFailed
    """
    task: Speak = request.task
    body: Object = {"model": request.model, "input": task.text}
    voice = request.take("voice") or _VOICES.get(request.provider)
    if voice is not None:
        body["voice_id" if request.provider == "mistral" else "voice"] = voice
    wanted = request.text("responseFormat") or "mp3"
    body["response_format"] = wanted
    body |= request.rest()
    media_type = MEDIA_TYPES.get(wanted, "application/octet-stream")
    if request.provider != "mistral":
        reply = yield post("/audio/speech", body, is_streamed=True)
        return Speech(media_type, reply=audio_of(reply))
    reply = yield post("/audio/speech", body)
    try:
        content = base64.b64decode(parse(reply, _Encoded).audio_data, validate=True)
    except binascii.Error:
        raise MalformedResponse("the audio is no base64") from None
    return Speech(media_type, content)
