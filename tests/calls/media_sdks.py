"""A script that calls a vendor with its own SDK, and prints what the SDK read as JSON.

It runs in a separate process, because these SDKs are in a folder of their own. The arguments are the id of the vendor,
the base URL and the key.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

TEXT = "a blue Zürich tram"
WAV = b"RIFF\x10\x00\x00\x00WAVE" + bytes(24)


def fal(url: str, key: str) -> dict[str, Any]:
    """Wait for a picture, for speech and for a transcription; cancel a request, and send two that are wrong."""
    import fal_client.client as sdk  # noqa: PLC0415 -- each vendor needs its own SDK only

    sdk.QUEUE_URL_FORMAT = f"{url}/"  # the SDK takes another host, but only with TLS
    client = sdk.SyncClient(key=key)
    arguments = {"prompt": TEXT, "num_images": 2, "image_size": {"width": 64, "height": 32}}
    handle = client.submit("fal-ai/flux/dev", arguments)
    states = [type(each).__name__ for each in handle.iter_events(with_logs=True, interval=0.01)]
    again = sdk.SyncRequestHandle.from_request_id(client._client, "fal-ai/flux/dev", handle.request_id)
    pictures = again.get(interval=0.01)["images"]
    loaded = [sdk.httpx.get(each["url"]).content.hex() for each in pictures]
    speaking = list[str]()
    speech = client.subscribe(
        "fal-ai/kokoro/english", {"text": TEXT}, interval=0.01,
        on_queue_update=lambda state: speaking.append(type(state).__name__),
    )  # fmt: skip
    heard = client.subscribe("fal-ai/whisper", {"audio_url": "data:audio/wav;base64,AAAA"}, interval=0.01)
    client.submit("fal-ai/flux/dev", arguments).cancel()
    wrong = [("fal-ai/flux/dev", {"colour": "red"}), ("fal-ai/no-such-app", {})]
    errors = [_error(partial(client.submit, *call), sdk.FalClientHTTPError) for call in wrong]
    client._client.close()
    return {
        "states": states, "pictures": loaded, "speaking": speaking, "heard": heard, "errors": errors,
        "speech": sdk.httpx.get(speech["audio"]["url"]).text,
    }  # fmt: skip


def elevenlabs(url: str, key: str) -> dict[str, Any]:
    """Speak and transcribe, and send two requests that are wrong."""
    import httpx  # noqa: PLC0415 -- of this vendor only
    from elevenlabs import SpeechToTextChunkResponseModel, VoiceSettings  # noqa: PLC0415 -- of this vendor only
    from elevenlabs.client import ElevenLabs  # noqa: PLC0415 -- of this vendor only
    from elevenlabs.core import ApiError  # noqa: PLC0415 -- of this vendor only

    with httpx.Client() as connections:
        client = ElevenLabs(base_url=url, api_key=key, httpx_client=connections)
        stranger = ElevenLabs(base_url=url, api_key="x", httpx_client=connections)
        speak = client.text_to_speech.convert
        settings = VoiceSettings(speed=1.1, stability=0.5)
        wanted: Any = {"language_code": "de", "seed": 1, "voice_settings": settings, "output_format": "pcm_24000"}
        file = ("a.wav", WAV, "audio/wav")
        heard = client.speech_to_text.convert(
            model_id="scribe_v2", file=file, language_code="de", temperature=0.5, seed=1, diarize=True,
            tag_audio_events=False, timestamps_granularity="word",
        )  # fmt: skip
        calls: list[Callable[[], Any]] = [
            lambda: b"".join(speak("v1", text=TEXT, model_id="no-such-model")),
            lambda: stranger.speech_to_text.convert(model_id="scribe_v2", file=file),
        ]
        return {
            "speech": b"".join(speak("v1", text=TEXT, model_id="eleven_v3", **wanted)).decode(),
            "default": b"".join(speak("v1", text=TEXT, model_id="eleven_v3")).decode(),
            # The SDK takes whatever it gets, so what it got is validated by its types.
            "heard": SpeechToTextChunkResponseModel.model_validate(heard.model_dump()).model_dump(),
            "errors": [_error(call, ApiError) for call in calls],
        }


def leonardoai(url: str, key: str) -> dict[str, Any]:
    """Wait for two pictures, delete their generation, and send a request that is wrong."""
    from leonardo_ai_sdk import LeonardoAiSDK  # noqa: PLC0415 -- of this vendor only
    from leonardo_ai_sdk.models.errors import SDKError  # noqa: PLC0415 -- of this vendor only

    with LeonardoAiSDK(bearer_auth=key, server_url=url) as client:
        created = client.image.create_generation(request={
            "prompt": TEXT, "num_images": 2, "width": 64, "height": 32, "seed": 1, "negative_prompt": "people",
        })  # fmt: skip
        number = created.object.sd_generation_job.generation_id
        found = [client.image.get_generation_by_id(id=number).object.generations_by_pk for _ in range(2)]
        deleted = client.image.delete_generation_by_id(id=number).object.delete_generations_by_pk
        return {
            "number": number,
            "states": [each.status for each in found],
            "deleted": deleted.id,
            "urls": [each.url for each in found[-1].generated_images],
            "errors": [_error(lambda: client.image.get_generation_by_id(id="no-such-id"), SDKError)],
        }


def _error(call: Callable[[], Any], kind: type[Exception]) -> int:
    """Return the status of the error that a call raises."""
    try:
        call()
    except kind as error:
        status: int = vars(error)["status_code"]
        return status
    raise AssertionError("the call has no error")


if __name__ == "__main__":
    vendor, *arguments = sys.argv[1:]
    print(json.dumps({"fal": fal, "elevenlabs": elevenlabs, "leonardoai": leonardoai}[vendor](*arguments)))  # noqa: T201 -- the test reads the output
