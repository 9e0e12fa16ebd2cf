"""Images of Leonardo.Ai: a generation is created, and asked for until it is complete."""

import re
from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.media.openai_images import downloaded, sides
from moorage.providers.media.reading import parse, post
from moorage.providers.media.results import Image, Images
from moorage.providers.media.steps import Exchange, Pause, Request, Send
from moorage.providers.media.tasks import Draw

_NAMES: Final = {
    "seed": "seed", "style": "presetStyle", "negative_prompt": "negative_prompt", "steps": "num_inference_steps",
    "guidance_scale": "guidance_scale",
}  # fmt: skip
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")

#: The pauses between two questions (seconds): pictures take some seconds.
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 5.0


class _Job(msgspec.Struct, rename="camel"):
    generation_id: str


class _Created(msgspec.Struct, rename="camel"):
    sd_generation_job: _Job


class _Picture(msgspec.Struct):
    url: str


class _Generation(msgspec.Struct):
    status: str
    generated_images: list[_Picture] = []


class _State(msgspec.Struct):
    generations_by_pk: _Generation


def run(request: Request) -> Exchange:
    """Return the images for a prompt. A generation that nobody waits for any more is deleted.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    wanted = request.text("format")
    reply = yield post("/generations", _body(request))
    job = parse(reply, _Created).sd_generation_job.generation_id
    if not _ID.fullmatch(job):
        raise MalformedResponse("its generation has no valid id")
    delete = Send(path=f"/generations/{job}", method="DELETE")
    pause = _FIRST_PAUSE
    while True:
        yield Pause(pause, "the generation is pending", delete)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
        reply = yield Send(path=f"/generations/{job}", method="GET", cancel=delete)
        found = parse(reply, _State).generations_by_pk
        if found.status == "FAILED":
            raise ProviderFailed("the generation failed", 400)
        if found.status == "COMPLETE":
            break
    images = [Image(each.url) for each in found.generated_images]
    if not images:
        raise MalformedResponse("it has no images")
    if wanted == "b64_json":
        for index, image in enumerate(images):
            images[index] = yield from downloaded(image)
    return Images(images)


def _body(request: Request) -> Object:
    task: Draw = request.task
    body: Object = {"modelId": request.model, "prompt": task.prompt} | request.named(_NAMES)
    body["num_images"] = request.count("numImages") or 1  # its own default is four
    if (size := request.take("dimensions")) is not None:
        body["width"], body["height"] = sides(size, request)
    if (version := request.take("photoRealVersion")) is not None:
        body |= {"photoReal": True, "photoRealVersion": version, "alchemy": True}
        if version == "v1":  # it has a model of its own, and rejects others
            del body["modelId"]
    return body | request.rest()
