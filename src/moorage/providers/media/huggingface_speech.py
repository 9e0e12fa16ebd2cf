"""Speech of Hugging Face: the task `text-to-speech`."""

from moorage.core.resolution.config import Object
from moorage.providers.media.huggingface_common import task_path
from moorage.providers.media.reading import audio_of, post
from moorage.providers.media.results import Speech
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Speak


def run(request: Request) -> Exchange:
    """Return the speech for a text, in the format of the model.

    Raises:
        NotSupportedByProvider
    """
    task: Speak = request.task
    for name in ("responseFormat", "voice", "speed", "instructions", "language"):
        if request.take(name) is not None:
            request.omitted[f"parameters.{name}"] = "the model decides it"
    parameters: Object = request.rest()
    body: Object = {"inputs": task.text} | ({"parameters": parameters} if parameters else {})
    reply = yield post(task_path(request), body, is_streamed=True)
    return Speech(reply.media_type if reply.media_type.startswith("audio/") else "audio/flac", reply=audio_of(reply))
