"""Images of fal."""

from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.fal_queue import result_of
from moorage.providers.media.openai_images import downloaded, sides
from moorage.providers.media.results import Image, Images
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Draw

_NAMES: Final = {
    "seed": "seed", "steps": "num_inference_steps", "guidance_scale": "guidance_scale",
    "negative_prompt": "negative_prompt", "output_format": "output_format",
}  # fmt: skip


class _Picture(msgspec.Struct):
    url: str
    content_type: str = "image/png"


class _Result(msgspec.Struct):
    images: list[_Picture]


def run(request: Request) -> Exchange:
    """Return the images for a prompt.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Draw = request.task
    body: Object = {"prompt": task.prompt} | request.named(_NAMES)
    if (count := request.count("numImages")) is not None:
        body["num_images"] = count
    if (size := request.take("dimensions")) is not None:
        width, height = sides(size, request)
        body["image_size"] = {"width": width, "height": height}
    wanted = request.text("format")
    found = yield from result_of(request, body | request.rest(), _Result)
    images = [Image(each.url, media_type=each.content_type) for each in found.images]
    if not images:
        raise MalformedResponse("it has no images")
    if wanted == "b64_json":
        for index, image in enumerate(images):
            images[index] = yield from downloaded(image)
    return Images(images)
