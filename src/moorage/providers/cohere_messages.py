"""Messages of the Cohere Chat API, which are similar to those of OpenAI."""

from moorage.core.resolution.config import Object
from moorage.providers.conversation import Turn
from moorage.providers.files import data_of, is_image, read_data_uri, url_of
from moorage.providers.request import Translation, set_fields


def encode_turn(turn: Turn, translation: Translation) -> Object | None:
    """Return a message of the API; None if nothing of it can be sent.

    Raises:
        NotSupportedByProvider
    """
    role = "system" if turn.role == "developer" else turn.role
    _omit_fields(turn, translation)
    parts = [encoded for path, part in turn.parts() if (encoded := _part(path, part, turn, translation))]
    if role == "tool":
        return {"role": role, "tool_call_id": turn.call_id, "content": _short(parts) if parts else ""}
    if role == "assistant":
        return _assistant(turn, parts)
    return {"role": role, "content": _short(parts)} if parts else None


def _assistant(turn: Turn, parts: list[Object]) -> Object | None:
    """Return a message of the model. With calls, its text is the plan that the model made for them."""
    if turn.message.get("reasoning_content"):
        parts.insert(0, {"type": "thinking", "thinking": turn.message["reasoning_content"]})
    if not parts and turn.message.get("refusal"):
        parts.append({"type": "text", "text": turn.message["refusal"]})
    if not turn.calls:
        return {"role": "assistant", "content": _short(parts)} if parts else None
    thoughts = [part for part in parts if part["type"] == "thinking"]
    plan = "".join(part["text"] for part in parts if part["type"] == "text")
    return set_fields(
        role="assistant", tool_calls=[_call(call) for call in turn.calls], tool_plan=plan or None,
        content=thoughts or None,
    )  # fmt: skip


def _call(call: Object) -> Object:
    function = call["function"]
    return {
        "id": call["id"], "type": "function",
        "function": {"name": function.get("name") or "", "arguments": function.get("arguments") or "{}"},
    }  # fmt: skip


def _short(parts: list[Object]) -> str | list[Object]:
    """Return the text of a single part, or the parts."""
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _omit_fields(turn: Turn, translation: Translation) -> None:
    if turn.message.get("name"):
        translation.omit(f"{turn.path}.name", "messages have no names")
    if turn.message.get("cache_control"):
        translation.omit(f"{turn.path}.cache_control", "this API caches prompts by itself")
    for index, call in enumerate(turn.calls):
        for name in ("thought_signature", "extra_content"):
            if call.get(name):
                translation.omit(f"{turn.path}.tool_calls[{index}].{name}", "it belongs to the API of Google")
    if turn.message.get("audio"):
        raise translation.reject(f"{turn.path}.audio", "it is stored at another provider")


def _part(path: str, part: Object, turn: Turn, translation: Translation) -> Object | None:
    kind = part["type"]
    if part.get("cache_control"):
        translation.omit(f"{path}.cache_control", "this API caches prompts by itself")
    if kind in ("text", "refusal"):
        text = part.get(kind)
        return {"type": "text", "text": text} if text else None
    if turn.role == "assistant" and kind == "reasoning":
        return {"type": "thinking", "thinking": part["reasoning"]}
    if turn.role == "assistant" and kind == "redacted_reasoning":
        translation.omit(path, "it belongs to the API of Anthropic")
        return None
    if turn.role == "user" and kind == "image_url":
        image = part["image_url"]
        if read_data_uri(image["url"]) or url_of(image["url"]):
            return {"type": "image_url", "image_url": set_fields(url=image["url"], detail=image.get("detail"))}
        raise translation.reject(path, "an image is a URL or a data URI with base64")
    if turn.role == "user" and kind == "file" and is_image(part["file"]):
        data, url = data_of(part["file"]), url_of(part["file"].get("uri"))
        if data or url:
            uri = f"data:{data.media_type};base64,{data.base64}" if data else url
            return {"type": "image_url", "image_url": {"url": uri}}
    if turn.role == "user" and kind == "file":
        raise translation.reject(path, "the only files that it takes are images")
    raise translation.reject(path, f"a message with the role {turn.role!r} has no {kind!r} parts")
