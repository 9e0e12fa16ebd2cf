"""The fake of ElevenLabs: text to speech, and speech to text."""

import re
from typing import Any, Final

from tests.support.vendors import media
from tests.support.vendors.checks import body_of, check_fields
from tests.support.vendors.server import Received, Refused, Reply

_FORMATS: Final = ("mp3_44100_128", "opus_48000_64", "pcm_24000")
_SETTINGS: Final = {"stability", "use_speaker_boost", "similarity_boost", "style", "speed"}
_OF_TRANSCRIPTIONS: Final = {
    "model_id", "language_code", "diarize", "tag_audio_events", "timestamps_granularity", "temperature", "seed",
    "webhook_metadata", "entity_detection", "entity_redaction",  # the SDK sends these always
}  # fmt: skip
_OF_WORDS: Final = {"speaker_id": "speaker_0", "logprob": -0.01}


class ElevenLabsVendor:
    """ElevenLabs."""

    id = "elevenlabs"
    base = ""
    key = "xi-test-of-elevenlabs"

    def model(self, kind: str) -> str:
        """Return a model of a type."""
        return {"tts": "eleven_v3", "stt": "scribe_v2"}[kind]

    def respond(self, request: Received) -> Reply:
        """Return the response to a request."""
        if request.headers.get("xi-api-key") != self.key:
            raise Refused(self.failure(401, "Invalid API key"))
        if request.path == "/v1/speech-to-text":
            return self._transcribe(request)
        found = re.fullmatch(r"/v1/text-to-speech/([A-Za-z0-9]+)(?:\?output_format=(\w+))?", request.path)
        if found is None:
            raise Refused(self.failure(404, "Not Found"))
        body = body_of(request, self._refuse)
        fields = {"text", "model_id", "language_code", "voice_settings", "seed", "apply_text_normalization"}
        check_fields(body, "", fields, self._refuse)
        check_fields(body.get("voice_settings", {}), "voice_settings", _SETTINGS, self._refuse)
        wanted = found[2] or _FORMATS[0]
        if body.get("model_id") != self.model("tts") or wanted not in _FORMATS:
            raise Refused(self.failure(400, "A model or a format does not exist."))
        audio = media.spoken(body["text"], wanted)
        parts = [audio[start : start + 64] for start in range(0, len(audio), 64)]
        return Reply(200, {"Content-Type": "audio/mpeg"}, parts, is_stream=True)

    def failure(self, status: int, message: str) -> Reply:
        """Return an error as ElevenLabs sends it."""
        return Reply.of_json({"detail": {"status": "error", "message": message}}, status)

    def error_event(self, message: str) -> bytes:
        """Return nothing: its streams are audio."""
        return b""

    def _refuse(self, param: str, message: str) -> Reply:
        return Reply.of_json({"detail": [{"loc": ["body", param], "msg": message, "type": "value_error"}]}, 422)

    def _transcribe(self, request: Received) -> Reply:
        fields, files = media.form_of(request.body, request.headers["content-type"])
        check_fields(fields, "", _OF_TRANSCRIPTIONS, self._refuse)
        if fields.get("model_id") != [self.model("stt")] or set(files) != {"file"}:
            raise Refused(self._refuse("model_id", "Invalid model or file."))
        name, media_type, content = files["file"]
        text = media.heard(name, media_type, len(content), language=fields.get("language_code", [""])[0])
        words = list[dict[str, Any]]()
        for word, start, end in media.words(text):
            words += [
                {"text": word, "start": start, "end": end, "type": "word", **_OF_WORDS},
                {"text": " ", "start": end, "end": end, "type": "spacing", **_OF_WORDS},
            ]
        return Reply.of_json({"language_code": "eng", "language_probability": 0.9, "text": text, "words": words})
