"""Messages of the Anthropic Messages API: instructions are apart, and each content is a list of blocks."""

import base64
import binascii
import re
from typing import Final

from moorage.core.resolution.config import Object
from moorage.providers.conversation import Turn, accepted_id, read_object
from moorage.providers.files import Data, data_of, read_data_uri, url_of
from moorage.providers.request import Translation, set_fields

_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_PDF = "application/pdf"

#: The ids of tool calls that the API takes.
_CALL_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")


def encode_messages(turns: list[Turn], translation: Translation) -> tuple[str | list[Object], list[Object]]:
    """Return the system prompt and the messages.

    The system prompt has all system and developer messages in their order. Results of tools belong to the user; the
    API requires all results of one message in the next one.

    Raises:
        NotSupportedByProvider
    """
    system: list[Object] = []
    messages: list[Object] = []
    for turn in turns:
        if turn.message.get("name"):
            translation.omit(f"{turn.path}.name", "messages have no names")
        blocks = _blocks(turn, translation)
        if turn.role in ("system", "developer"):
            system += blocks
        elif turn.role == "tool":
            _add_to_user(messages, [_result(turn, blocks)], is_result=True)
        elif blocks:
            if turn.role == "user":
                _add_to_user(messages, blocks, is_result=False)
            else:
                messages.append({"role": "assistant", "content": _short(blocks)})
    return (_short(system) if system else ""), messages


def _add_to_user(messages: list[Object], blocks: list[Object], *, is_result: bool) -> None:
    last = messages[-1]["content"] if messages and messages[-1]["role"] == "user" else None
    if isinstance(last, list) and last[0]["type"] == "tool_result":
        last += blocks
    else:
        messages.append({"role": "user", "content": blocks if is_result else _short(blocks)})


def _short(blocks: list[Object]) -> str | list[Object]:
    """Return the text of a single block without further fields, or the blocks."""
    return blocks[0]["text"] if len(blocks) == 1 and {*blocks[0]} == {"type", "text"} else blocks


def _result(turn: Turn, blocks: list[Object]) -> Object:
    return set_fields(
        type="tool_result", tool_use_id=accepted_id(turn.call_id or "", _CALL_ID),
        content=_short(blocks) if blocks else None, cache_control=turn.message.get("cache_control"),
    )  # fmt: skip


def _blocks(turn: Turn, translation: Translation) -> list[Object]:
    blocks = []
    if turn.message.get("reasoning_content"):
        translation.omit(f"{turn.path}.reasoning_content", "it has no signature")
    if turn.message.get("audio"):
        raise translation.reject(f"{turn.path}.audio", "it is stored at another provider")
    for path, part in turn.parts():
        block = _block(path, part, turn, translation)
        if block is not None:
            cache_control = part.get("cache_control")
            blocks.append(block | set_fields(cache_control=cache_control))
    if not blocks and turn.message.get("refusal"):
        blocks.append({"type": "text", "text": turn.message["refusal"]})
    return blocks + [_use(turn, index, translation) for index in range(len(turn.calls))]


def _block(path: str, part: Object, turn: Turn, translation: Translation) -> Object | None:
    kind = part["type"]
    if kind in ("text", "refusal"):
        text = part.get(kind)
        return {"type": "text", "text": text} if text else None  # the API rejects an empty text
    if turn.role == "assistant" and kind == "reasoning":
        if part.get("signature"):
            return {"type": "thinking", "thinking": part["reasoning"], "signature": part["signature"]}
        translation.omit(path, "it has no signature")
        return None
    if turn.role == "assistant" and kind == "redacted_reasoning":
        return {"type": "redacted_thinking", "data": part["data"]}
    if turn.role in ("user", "tool") and kind == "image_url":
        return _image(path, part["image_url"], translation)
    if turn.role in ("user", "tool") and kind == "file":
        return _file(path, part["file"], translation)
    raise translation.reject(path, f"a message with the role {turn.role!r} has no {kind!r} parts")


def _image(path: str, image: Object, translation: Translation) -> Object:
    if image.get("detail") not in (None, "auto"):
        translation.omit(f"{path}.image_url.detail", "images have no detail")
    data, url = read_data_uri(image["url"]), url_of(image["url"])
    if data is not None:
        return _data_block(path, data, translation)
    if url is not None:
        return {"type": "image", "source": {"type": "url", "url": url}}
    raise translation.reject(path, "an image is a URL or a data URI with base64")


def _file(path: str, file: Object, translation: Translation) -> Object:
    data, url = data_of(file), url_of(file.get("uri"))
    title = set_fields(title=file.get("filename"))
    if data is not None:
        block = _data_block(path, data, translation)
        return block if block["type"] == "image" else block | title
    media_type = (file.get("mimeType") or _PDF).lower()
    if url is not None and media_type.startswith("image/"):
        return {"type": "image", "source": {"type": "url", "url": url}}
    if url is not None and media_type == _PDF:
        return {"type": "document", "source": {"type": "url", "url": url}} | title
    raise translation.reject(path, "a file is a data URI with base64, or the URL of a PDF or an image")


def _data_block(path: str, data: Data, translation: Translation) -> Object:
    if data.media_type in _IMAGES:
        return {"type": "image", "source": {"type": "base64", "media_type": data.media_type, "data": data.base64}}
    if data.media_type == _PDF:
        return {"type": "document", "source": {"type": "base64", "media_type": _PDF, "data": data.base64}}
    if data.media_type.startswith("text/"):
        return {"type": "document", "source": {
            "type": "text", "media_type": "text/plain", "data": _text(path, data, translation),
        }}  # fmt: skip
    raise translation.reject(path, f"it takes images, PDF and text, and not {data.media_type}")


def _text(path: str, data: Data, translation: Translation) -> str:
    try:
        return base64.b64decode(data.base64, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise translation.reject(path, "it is not base64 of a text in UTF-8") from None


def _use(turn: Turn, index: int, translation: Translation) -> Object:
    path, call = f"{turn.path}.tool_calls[{index}]", turn.calls[index]
    for name in ("thought_signature", "extra_content"):
        if call.get(name):
            translation.omit(f"{path}.{name}", "it belongs to the API of Google")
    arguments = read_object(call["function"].get("arguments") or "{}")
    if arguments is None:
        raise translation.reject(f"{path}.function.arguments", "they must be the JSON of an object")
    return {
        "type": "tool_use",
        "id": accepted_id(call["id"], _CALL_ID),
        "name": call["function"].get("name") or "",
        "input": arguments,
    }
