"""Images of Hugging Face: the task `text-to-image`, which makes one picture for a request."""

import base64
from typing import Final

from moorage.core.resolution.config import Object
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.huggingface_common import task_path
from moorage.providers.media.openai_images import sides
from moorage.providers.media.reading import post
from moorage.providers.media.results import Image, Images
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Draw

_NAMES: Final = {
    "seed": "seed", "steps": "num_inference_steps", "guidance_scale": "guidance_scale",
    "negative_prompt": "negative_prompt",
}  # fmt: skip

_MAX_IMAGES: Final = 10


def run(request: Request) -> Exchange:
    """Return the images for a prompt, in as many requests.

    Raises:
        NotSupportedByProvider, MalformedResponse
    """
    task: Draw = request.task
    count = request.count("numImages") or 1
    if count > _MAX_IMAGES:
        raise request.reject("numImages", f"one call makes 1 to {_MAX_IMAGES} images, not {count}")
    parameters: Object = request.named(_NAMES)
    if (size := request.take("dimensions")) is not None:
        parameters["width"], parameters["height"] = sides(size, request)
    request.take("format")  # it sends bytes always
    parameters |= request.rest()
    images = list[Image]()
    for index in range(count):
        own = {"seed": parameters["seed"] + index} if "seed" in parameters and index else {}
        headers = {"Accept": "image/png"}
        reply = yield post(task_path(request), {"inputs": task.prompt, "parameters": parameters | own}, headers=headers)
        if not reply.media_type.startswith("image/"):
            raise MalformedResponse(f"it is {reply.media_type or 'of no type'}, and no image")
        images.append(Image(base64=base64.b64encode(reply.body), media_type=reply.media_type))
    return Images(images)
