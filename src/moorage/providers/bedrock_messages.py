"""Messages of the Converse API of Amazon Bedrock: contents are lists of blocks, and roles alternate."""

import json
import re
from typing import Final

from moorage.core.resolution.config import Object
from moorage.providers.conversation import Turn, accepted_id
from moorage.providers.files import Data, data_of, read_data_uri
from moorage.providers.request import Translation, set_fields

_IMAGES: Final = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif",
                  "image/webp": "webp"}  # fmt: skip
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_DOCUMENTS: Final = {
    "application/pdf": "pdf", "text/csv": "csv", "application/msword": "doc", "text/html": "html",
    "text/plain": "txt", "text/markdown": "md", "application/vnd.ms-excel": "xls",
    f"{_OFFICE}.wordprocessingml.document": "docx", f"{_OFFICE}.spreadsheetml.sheet": "xlsx",
}  # fmt: skip

#: The ids of tool calls that the API takes, and what a document's name must not have.
_CALL_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NOT_IN_NAME: Final = re.compile(r"[^a-zA-Z0-9()\[\]-]+")
_MAX_NAME: Final = 100


class Messages:
    """The translated messages. `has_tools` says whether they have calls of tools or their results."""

    def __init__(self, turns: list[Turn], translation: Translation) -> None:
        self.system: list[Object] = []
        self.messages: list[Object] = []
        self.has_tools = False
        self._translation = translation
        self._names: set[str] = set()
        for turn in turns:
            self._add(turn)
        if self.system and not self.messages:  # the API requires a message
            self.messages.append({"role": "user", "content": self.system})
            self.system = []

    def _add(self, turn: Turn) -> None:
        translation = self._translation
        if turn.message.get("name"):
            translation.omit(f"{turn.path}.name", "messages have no names")
        if turn.message.get("reasoning_content"):
            translation.omit(f"{turn.path}.reasoning_content", "it has no signature")
        if turn.message.get("audio"):
            raise translation.reject(f"{turn.path}.audio", "it is stored at another provider")
        blocks = [block for path, part in turn.parts() for block in self._blocks(path, part, turn)]
        if turn.role in ("system", "developer"):
            self.system += blocks
        elif turn.role == "tool":
            self.has_tools = True
            points = [block for block in blocks if "cachePoint" in block]
            content = [block for block in blocks if "cachePoint" not in block]
            call_id = accepted_id(turn.call_id or "", _CALL_ID)
            self._join("user", [{"toolResult": {"toolUseId": call_id, "content": content}}, *points])
        else:
            if not blocks and turn.message.get("refusal"):
                blocks = [{"text": turn.message["refusal"]}]
            self._join(turn.role, blocks + [self._use(turn, index) for index in range(len(turn.calls))])

    def _join(self, role: str, blocks: list[Object]) -> None:
        """Add blocks to the last message if it has the same role."""
        if self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"] += blocks
        elif blocks:
            self.messages.append({"role": role, "content": blocks})

    def _blocks(self, path: str, part: Object, turn: Turn) -> list[Object]:
        block = self._block(path, part, turn)
        if block is None:
            return []
        return [block, cache_point(part["cache_control"])] if part.get("cache_control") else [block]

    def _block(self, path: str, part: Object, turn: Turn) -> Object | None:
        kind, translation = part["type"], self._translation
        if kind in ("text", "refusal"):
            text = part.get(kind) or ""
            return {"text": text} if text.strip() else None  # the API rejects a blank text
        if turn.role == "assistant" and kind == "reasoning":
            if part.get("signature"):
                thought = {"text": part["reasoning"], "signature": part["signature"]}
                return {"reasoningContent": {"reasoningText": thought}}
            translation.omit(path, "it has no signature")
            return None
        if turn.role == "assistant" and kind == "redacted_reasoning":
            return {"reasoningContent": {"redactedContent": part["data"]}}
        if turn.role in ("user", "tool") and kind == "image_url":
            return self._image(path, part["image_url"])
        if turn.role in ("user", "tool") and kind == "file":
            return self._file(path, part["file"])
        raise translation.reject(path, f"a message with the role {turn.role!r} has no {kind!r} parts")

    def _image(self, path: str, image: Object) -> Object:
        if image.get("detail") not in (None, "auto"):
            self._translation.omit(f"{path}.image_url.detail", "images have no detail")
        data, uri = read_data_uri(image["url"]), image["url"]
        if data is not None and data.media_type in _IMAGES:
            return _image_block(_IMAGES[data.media_type], {"bytes": data.base64})
        extension = uri.rpartition(".")[2].lower().replace("jpg", "jpeg")
        if uri.startswith("s3://") and extension in _IMAGES.values():
            return _image_block(extension, {"s3Location": {"uri": uri}})
        raise self._translation.reject(
            path, "an image is a data URI with the base64 of a PNG, JPEG, GIF or WebP, or an s3:// URI"
        )

    def _file(self, path: str, file: Object) -> Object:
        data, uri = data_of(file), file.get("uri") or ""
        if data is None and uri.startswith("s3://"):
            data = Data((file.get("mimeType") or "application/pdf").lower(), "")
        media_type = data.media_type if data else ""
        if data is None or media_type not in {**_IMAGES, **_DOCUMENTS}:
            raise self._translation.reject(
                path, "a file is a data URI or an s3:// URI of an image, PDF, text, Word or Excel document"
            )
        source: Object = {"bytes": data.base64} if data.base64 else {"s3Location": {"uri": uri}}
        if media_type in _IMAGES:
            return _image_block(_IMAGES[media_type], source)
        name = self._name(file.get("filename") or "document")
        return {"document": {"format": _DOCUMENTS[media_type], "name": name, "source": source}}

    def _name(self, filename: str) -> str:
        """Return a name that the API takes: no dots, and no name twice."""
        name = _NOT_IN_NAME.sub("-", filename[:_MAX_NAME]).strip("-") or "document"
        number = 1
        while (found := name if number == 1 else f"{name}-{number}") in self._names:
            number += 1
        self._names.add(found)
        return found

    def _use(self, turn: Turn, index: int) -> Object:
        path, call = f"{turn.path}.tool_calls[{index}]", turn.calls[index]
        self.has_tools = True
        for name in ("thought_signature", "extra_content"):
            if call.get(name):
                self._translation.omit(f"{path}.{name}", "it belongs to the API of Google")
        try:
            arguments = json.loads(call["function"].get("arguments") or "{}")
        except (ValueError, RecursionError):
            arguments = None
        if not isinstance(arguments, dict):
            raise self._translation.reject(f"{path}.function.arguments", "they must be the JSON of an object")
        name = call["function"].get("name") or ""
        return {"toolUse": {"toolUseId": accepted_id(call["id"], _CALL_ID), "name": name, "input": arguments}}


def cache_point(control: Object) -> Object:
    """Return the block that caches the blocks before it."""
    return {"cachePoint": {"type": "default"} | set_fields(ttl=control.get("ttl"))}


def _image_block(format_name: str, source: Object) -> Object:
    return {"image": {"format": format_name, "source": source}}
