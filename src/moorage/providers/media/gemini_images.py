"""Images of Gemini's image models, which make one picture for a request."""

from typing import Final

from moorage.core.resolution.config import Object
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.gemini_common import contents, generation, model_path, parts_of
from moorage.providers.media.openai_images import sides
from moorage.providers.media.reading import add, inside_of, post
from moorage.providers.media.results import Image, Images
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Draw

#: The ratios of width to height that the API has.
_RATIOS: Final = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")

_MAX_IMAGES: Final = 10


def run(request: Request) -> Exchange:
    """Return the images for a prompt, in as many requests.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Draw = request.task
    count = request.count("numImages") or 1
    if count > _MAX_IMAGES:
        raise request.reject("numImages", f"one call makes 1 to {_MAX_IMAGES} images, not {count}")
    settings = generation(request, responseModalities=["IMAGE"])
    shape: Object = {}
    if (size := request.take("dimensions")) is not None:
        shape["aspectRatio"] = size if size in _RATIOS else _ratio(size, request)
    if (quality := request.take("quality")) is not None:
        shape["imageSize"] = quality
    if shape:
        settings["imageConfig"] = shape
    request.take("format")  # it sends base64 always
    body: Object = {"contents": contents({"text": task.prompt}), "generationConfig": settings} | request.rest()
    images, usage = list[Image](), None
    for _ in range(count):
        reply = yield post(f"{model_path(request)}:generateContent", body)
        parts, used = parts_of(reply)
        found = [part.inline_data for part in parts if part.inline_data is not None]
        if not found:
            raise MalformedResponse("it has no image")
        images += [Image(base64=inside_of(blob.data), media_type=blob.mime_type) for blob in found]
        usage = add(usage, used)
    return Images(images, usage)


def _ratio(size: str, request: Request) -> str:
    """Return the ratio of the API that is nearest to a size.

    Raises:
        NotSupportedByProvider
    """
    width, height = sides(size, request)
    if not width or not height:
        raise request.reject("dimensions", f"{size!r:.60} has no area")
    wanted = width / height

    def distance(ratio: str) -> float:
        first, second = map(int, ratio.split(":"))
        return abs(first / second - wanted)

    nearest = min(_RATIOS, key=distance)
    if distance(nearest) > 0.01:
        request.omitted["parameters.dimensions"] = f"the nearest ratio is {nearest}, and it is sent"
    return nearest
