"""Images of Amazon Bedrock: the bodies are those of the families of models, Amazon's own and those of Stability AI."""

from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.media.bedrock_embeddings import family_of, invoke_path
from moorage.providers.media.openai_images import sides
from moorage.providers.media.reading import inside_of, parse, post
from moorage.providers.media.results import Image, Images
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Draw

#: The ratios of width to height that Stability's models have.
_RATIOS: Final = ("16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21")

_MAX_IMAGES: Final = 10


class _Response(msgspec.Struct):
    images: list[str] = []
    error: str | None = None
    finish_reasons: list[str | None] = []


def run(request: Request) -> Exchange:
    """Return the images for a prompt. Models of Stability AI make one picture for a request.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    request.take("format")  # it sends base64 always
    count = request.count("numImages") or 1
    if count > _MAX_IMAGES:
        raise request.reject("numImages", f"one call makes 1 to {_MAX_IMAGES} images, not {count}")
    is_stability = family_of(request.model) == "stability"
    body = _of_stability(request) if is_stability else _of_amazon(request, count)
    images = list[Image]()
    for index in range(count if is_stability else 1):
        own = {"seed": body["seed"] + index} if is_stability and "seed" in body else {}
        found = parse((yield post(invoke_path(request), body | own)), _Response)
        reasons = [reason for reason in found.finish_reasons if reason]
        if found.error or reasons:
            raise ProviderFailed(found.error or f"it made no image: {reasons[0]}", 400, "content_filter")
        images += [Image(base64=inside_of(content)) for content in found.images]
    if not images:
        raise MalformedResponse("it has no images")
    return Images(images)


def _of_amazon(request: Request, count: int) -> Object:
    task: Draw = request.task
    text: Object = {"text": task.prompt}
    if (negative := request.take("negative_prompt")) is not None:
        text["negativeText"] = negative
    config: Object = {"numberOfImages": count}
    if (size := request.take("dimensions")) is not None:
        config["width"], config["height"] = sides(size, request)
    config |= request.named({"quality": "quality", "seed": "seed", "guidance_scale": "cfgScale"})
    return {"taskType": "TEXT_IMAGE", "textToImageParams": text, "imageGenerationConfig": config} | request.rest()


def _of_stability(request: Request) -> Object:
    task: Draw = request.task
    body: Object = {"prompt": task.prompt, "mode": "text-to-image", "output_format": "png"}
    body |= request.named({"seed": "seed", "negative_prompt": "negative_prompt", "style": "style_preset"})
    if (size := request.take("dimensions")) is not None:
        if size not in _RATIOS:
            raise request.reject("dimensions", f"it has the ratios {', '.join(_RATIOS)}, and not {size!r:.40}")
        body["aspect_ratio"] = size
    return body | request.rest()
