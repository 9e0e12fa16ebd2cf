"""Speech of ElevenLabs, whose voices are parts of the path."""

import re
from typing import Final

from moorage.core.resolution.config import Object
from moorage.providers.media.gemini_speech import wav
from moorage.providers.media.openai_speech import MEDIA_TYPES
from moorage.providers.media.reading import audio_of, post
from moorage.providers.media.results import Speech
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Speak

#: A voice that every account has.
_VOICE: Final = "21m00Tcm4TlvDq8ikWAM"
_VOICES: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

#: The formats of the API. WAV is made of its samples, because it is not a format of all plans.
_FORMATS: Final = {"mp3": "mp3_44100_128", "opus": "opus_48000_64", "pcm": "pcm_24000", "wav": "pcm_24000"}
_RATE: Final = 24_000

_NAMES: Final = {"language": "language_code", "seed": "seed"}


def run(request: Request) -> Exchange:
    """Return the speech for a text.

    Raises:
        NotSupportedByProvider
    """
    task: Speak = request.task
    voice = request.take("voice") or _VOICE
    if not isinstance(voice, str) or not _VOICES.fullmatch(voice):
        raise request.reject("voice", f"{voice!r:.80} is no id of a voice")
    wanted = request.text("responseFormat") or "mp3"
    if wanted not in _FORMATS:
        raise request.reject("responseFormat", f"it has {', '.join(_FORMATS)}, and not {wanted!r:.40}")
    body: Object = {"text": task.text, "model_id": request.model} | request.named(_NAMES)
    if (speed := request.take("speed")) is not None:
        body["voice_settings"] = {"speed": speed}
    if request.take("instructions") is not None:
        request.omitted["parameters.instructions"] = "the API has no such parameter"
    path = f"/v1/text-to-speech/{voice}?output_format={_FORMATS[wanted]}"
    body |= request.rest()
    if wanted != "wav":
        reply = yield post(path, body, is_streamed=True)
        return Speech(MEDIA_TYPES[wanted], reply=audio_of(reply))
    reply = yield post(path, body)
    return Speech("audio/wav", wav(reply.body, _RATE))
