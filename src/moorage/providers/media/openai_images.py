"""Images in the API of OpenAI, and of the providers that follow it."""

import base64
from collections.abc import Mapping
from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.reading import Tokens, inside, parse, post
from moorage.providers.media.results import Image, Images
from moorage.providers.media.steps import Exchange, Part, Request, Send
from moorage.providers.media.tasks import Draw

#: The provider's names of the two forms of a picture; others have those of OpenAI.
_FORMATS: Final[Mapping[str, Mapping[str, str]]] = {"togetherai": {"b64_json": "base64", "url": "url"}}

#: The models of OpenAI that send base64 always, and reject the choice.
_ONLY_BASE64: Final = ("gpt-image", "chatgpt-image")

_MAX_IMAGES: Final = 64


class _Item(msgspec.Struct):
    url: str | None = None
    b64_json: msgspec.Raw = msgspec.Raw(b"null")
    revised_prompt: str | None = None


class _Response(msgspec.Struct):
    data: list[_Item]
    model: str | None = None
    output_format: str | None = None
    usage: Tokens | None = None


def run(request: Request) -> Exchange:
    """Return the images for a prompt.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Draw = request.task
    body: Object = {"model": request.model, "prompt": task.prompt}
    count = request.count("numImages")
    if count is not None:
        body["n"] = count
    size = request.take("dimensions")
    if size is not None and request.provider == "togetherai":
        width, height = sides(size, request)
        body |= {"width": width, "height": height}
    elif size is not None:
        body["size"] = size
    body |= request.named({"quality": "quality", "style": "style"})
    if request.provider in ("togetherai", "bytedance", "litellm", "openailike"):
        body |= request.named({"seed": "seed"})
    wanted = request.text("format")
    has_choice = not request.model.startswith(_ONLY_BASE64)
    if wanted is not None and has_choice:
        body["response_format"] = _FORMATS.get(request.provider, {}).get(wanted, wanted)
    body |= request.rest()
    reply = yield post("/images/generations", body)
    response = parse(reply, _Response)
    if not 1 <= len(response.data) <= _MAX_IMAGES:
        raise MalformedResponse(f"it has {len(response.data)} images")
    media_type = f"image/{response.output_format or body.get('output_format') or 'png'}"
    images = list[Image]()
    for item in response.data:
        content = inside(item.b64_json)
        if not item.url and content is None:
            raise MalformedResponse("an image has neither a URL nor content")
        image = Image(item.url, content, media_type, item.revised_prompt)
        if wanted == "b64_json" and content is None:
            image = yield from downloaded(image)
        images.append(image)
    usage = response.usage.usage() if response.usage else None
    return Images(images, usage, response.model)


def downloaded(image: Image) -> Part[Image]:
    """Return an image with its content, from its URL; that server gets no credentials."""
    reply = yield Send(url=image.url, method="GET", is_public=True)
    content = base64.b64encode(reply.body)
    return msgspec.structs.replace(image, url=None, base64=content, media_type=reply.media_type or "image/png")


def sides(size: str, request: Request) -> tuple[int, int]:
    """Return the width and the height of a size such as `1024x768`.

    Raises:
        NotSupportedByProvider
    """
    width, _, height = str(size).lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and len(width) < 6 and len(height) < 6):
        raise request.reject("dimensions", f"{size!r:.60} is no size such as 1024x768")
    return int(width), int(height)
