"""Speech of fal, which is loaded from the URL of its result."""

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.media.fal_queue import result_of
from moorage.providers.media.reading import audio_of
from moorage.providers.media.results import Speech
from moorage.providers.media.steps import Exchange, Request, Send
from moorage.providers.media.tasks import Speak


class _Audio(msgspec.Struct):
    url: str
    content_type: str = "audio/mpeg"


class _Result(msgspec.Struct):
    audio: _Audio


def run(request: Request) -> Exchange:
    """Return the speech for a text, in the format of the app.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Speak = request.task
    body: Object = {"text": task.text} | request.named({"voice": "voice", "speed": "speed"})
    if request.take("responseFormat") is not None:
        request.omitted["parameters.responseFormat"] = "the app decides the format"
    found = yield from result_of(request, body | request.rest(), _Result)
    reply = yield Send(url=found.audio.url, method="GET", is_public=True, is_streamed=True)
    kind = reply.media_type if reply.media_type.startswith("audio/") else found.audio.content_type
    return Speech(kind, reply=audio_of(reply))
