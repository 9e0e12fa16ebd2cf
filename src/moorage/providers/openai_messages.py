"""Messages of the OpenAI Chat Completions API."""

import re
from collections.abc import Mapping
from typing import Final

from moorage.core.resolution.config import Object
from moorage.providers.conversation import Turn, accepted_id
from moorage.providers.files import data_of, is_image, url_of
from moorage.providers.request import Translation, set_fields

#: The types of parts in the content of a role.
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "system": ("text",),
    "developer": ("text",),
    "user": ("text", "image_url", "input_audio", "file"),
    "assistant": ("text", "refusal"),
    "tool": ("text",),
}

#: Providers that know the role `developer`.
_DEVELOPER = frozenset({"openai", "azure"})

#: Providers that require the signature of a thought in a tool call, and those that reject unknown fields.
_GOOGLE = frozenset({"google", "google-ai"})
_STRICT = frozenset({"openai", "azure"})

#: The ids of tool calls that OpenAI and Mistral take.
_SHORT_ID: Final = re.compile(r"(?s).{1,40}")
_MISTRAL_ID: Final = re.compile(r"[a-zA-Z0-9]{9}")


def encode_turn(turn: Turn, translation: Translation) -> Object:
    """Return a message of the API.

    Raises:
        NotSupportedByProvider
    """
    role = turn.role
    if role == "developer" and translation.provider not in _DEVELOPER:
        role = "system"
    message: Object = {"role": role, "content": _content(turn, translation)}
    if turn.calls:
        message["tool_calls"] = [_call(turn, index, translation) for index in range(len(turn.calls))]
    elif message["content"] is None:
        message["content"] = ""
    if role == "tool":
        message["tool_call_id"] = _id(turn.call_id or "", translation)
    elif turn.message.get("name"):
        message["name"] = turn.message["name"]
    if role == "assistant":
        message |= set_fields(refusal=turn.message.get("refusal"), audio=turn.message.get("audio"))
        if (reasoning := turn.message.get("reasoning_content")) is not None:
            if translation.provider in _STRICT:
                translation.omit(f"{turn.path}.reasoning_content", "the API has no reasoning in messages")
            else:
                message["reasoning_content"] = reasoning
    _omit_cache_control(turn.message, turn.path, translation)
    return message


def _content(turn: Turn, translation: Translation) -> object:
    content = turn.message.get("content")
    if content is None or isinstance(content, str):
        return content
    parts = []
    for path, part in turn.parts():
        if part["type"] in ("reasoning", "redacted_reasoning"):
            translation.omit(path, "the API has no reasoning in messages")
            continue
        if part["type"] not in _PARTS[turn.role]:
            raise translation.reject(path, f"a message with the role {turn.role!r} has no {part['type']!r} parts")
        _omit_cache_control(part, path, translation)
        parts.append(_part(path, part, translation))
    return parts or None


def _part(path: str, part: Object, translation: Translation) -> Object:
    match part["type"]:
        case "image_url":
            image = part["image_url"]
            return {"type": "image_url", "image_url": set_fields(url=image["url"], detail=image.get("detail"))}
        case "file":
            return _file(path, part["file"], translation)
        case "refusal":
            return {"type": "refusal", "refusal": part.get("refusal") or ""}
        case kind:
            return {"type": kind, kind: part[kind]}


def _file(path: str, file: Object, translation: Translation) -> Object:
    data = data_of(file)
    uri = f"data:{data.media_type};base64,{data.base64}" if data else None
    if is_image(file) and (url := uri or url_of(file.get("uri"))):
        return {"type": "image_url", "image_url": {"url": url}}
    known = set_fields(
        file_data=uri or file.get("file_data"), file_id=file.get("file_id"), filename=file.get("filename")
    )
    if "file_data" in known or "file_id" in known:
        return {"type": "file", "file": known}
    raise translation.reject(path, "it takes a file as file_data, not as a URI")


def _call(turn: Turn, index: int, translation: Translation) -> Object:
    call = turn.calls[index]
    function = call["function"]
    encoded: Object = {
        "id": _id(call["id"], translation), "type": "function",
        "function": {"name": function.get("name") or "", "arguments": function.get("arguments") or "{}"},
    }  # fmt: skip
    if call.get("extra_content"):
        if translation.provider in _GOOGLE:
            encoded["extra_content"] = call["extra_content"]
        else:
            translation.omit(f"{turn.path}.tool_calls[{index}].extra_content", "it belongs to the API of Google")
    if call.get("thought_signature"):
        if translation.provider in _GOOGLE:
            encoded.setdefault("extra_content", {"google": {"thought_signature": call["thought_signature"]}})
        else:
            translation.omit(f"{turn.path}.tool_calls[{index}].thought_signature", "it belongs to the API of Google")
    return encoded


def _id(call_id: str, translation: Translation) -> str:
    if translation.provider in _STRICT:
        return accepted_id(call_id, _SHORT_ID)
    return accepted_id(call_id, _MISTRAL_ID, "{:.9}") if translation.provider == "mistral" else call_id


def _omit_cache_control(value: Object, path: str, translation: Translation) -> None:
    if value.get("cache_control"):
        translation.omit(f"{path}.cache_control", "this API caches prompts by itself")
