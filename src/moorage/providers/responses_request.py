"""Requests of the Responses API: instructions, and a list of items instead of messages."""

from collections.abc import Sequence
from typing import Final

from moorage.core.deployments.model_rules import OFF, rejected_parameters
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.conversation import Turn, turns
from moorage.providers.files import data_of, is_image, url_of
from moorage.providers.request import Translation, set_fields

_UNKNOWN: Final = (
    "topK", "frequencyPenalty", "presencePenalty", "seed", "budgetTokens", "thinkingLevel", "cacheControl",
)  # fmt: skip

#: Parameters with the same names and values in this API; `Translation` has omitted those that the provider rejects.
_SAME: Final = (
    "parallel_tool_calls", "metadata", "store", "preset", "service_tier", "user", "safety_identifier",
    "prompt_cache_key", "prompt_cache_retention", "top_logprobs",
)  # fmt: skip
_SAMPLING: Final = {"temperature": "temperature", "topP": "top_p"}

#: Providers that know the role `developer`.
_DEVELOPER: Final = frozenset({"openai", "azure"})


def encode_response(config: ResolvedConfig, items: Sequence[Object] = ()) -> tuple[Object, dict[str, str]]:
    """Return the body for a configuration, and what it omits: the path of each part, and the reason.

    `items` come after the messages.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    protocol = "openai_responses" if config.provider in _DEVELOPER else "responses"
    translation = Translation(config, "Responses API", protocol)
    body: Object = {"model": translation.model}
    _add_input(turns(config.messages, translation), items, translation, body)
    if config.tools:
        body["tools"] = [_tool(tool["function"]) for tool in config.tools]
    choice = translation.tool_choice()
    if choice is not None:
        is_named = choice.mode == "function"
        body["tool_choice"] = {"type": "function", "name": choice.name} if is_named else choice.mode
    translation.omit_parameters(_UNKNOWN, "the API has no such parameter")
    thinks = translation.parameters.get("reasoningEffort") not in OFF
    rejected = rejected_parameters("responses", translation.provider, translation.model, thinks=thinks)
    sampling = {name: native for name, native in _SAMPLING.items() if name not in rejected}
    translation.omit_parameters(
        tuple(name for name in _SAMPLING if name in rejected), f"{translation.model} rejects it"
    )
    translation.copy(sampling, body)
    body |= set_fields(max_output_tokens=translation.whole("maxTokens"))
    _add_output(translation, body)
    translation.copy({name: name for name in _SAME}, body)
    _add_extra(translation, body)
    return body, translation.omitted


def _add_input(found: list[Turn], further: Sequence[Object], translation: Translation, body: Object) -> None:
    """Add the leading instructions and the items; instructions alone are the message."""
    instructions, items = list[str](), list[Object]()
    for turn in found:
        if turn.message.get("name"):
            translation.omit(f"{turn.path}.name", "messages have no names")
        if turn.message.get("audio"):
            raise translation.reject(f"{turn.path}.audio", "it is stored at another provider")
        if turn.message.get("reasoning_content"):
            translation.omit(f"{turn.path}.reasoning_content", "the API has no reasoning in messages")
        parts = _parts(turn, translation)
        if turn.role == "tool":
            items.append({"type": "function_call_output", "call_id": turn.call_id, "output": _short(parts)})
        elif turn.role in ("system", "developer") and not items:
            instructions += [part["text"] for part in parts]
        else:
            role = "system" if turn.role == "developer" and translation.provider not in _DEVELOPER else turn.role
            if parts:
                items.append({"type": "message", "role": role, "content": _short(parts)})
            items += [_call(turn, index, translation) for index in range(len(turn.calls))]
    items += further
    text = "\n\n".join(instructions)
    if text and items:
        body["instructions"] = text
    body["input"] = items or text


def _short(parts: list[Object]) -> str | list[Object]:
    """Return the text of a single text, or the parts."""
    if not parts:
        return ""
    return parts[0]["text"] if len(parts) == 1 and "text" in parts[0] else parts


def _parts(turn: Turn, translation: Translation) -> list[Object]:
    parts = []
    for path, part in turn.parts():
        found = _part(path, part, turn, translation)
        if found is not None:
            parts.append(found)
        if part.get("cache_control"):
            translation.omit(f"{path}.cache_control", "this API caches prompts by itself")
    if not parts and turn.message.get("refusal"):
        parts.append({"type": "refusal", "refusal": turn.message["refusal"]})
    return parts


def _part(path: str, part: Object, turn: Turn, translation: Translation) -> Object | None:
    kind = part["type"]
    if kind in ("input_image", "input_file") and turn.role == "user":  # one with the id of a file, from a variable
        return part
    if kind == "text":
        return {"type": "output_text" if turn.role == "assistant" else "input_text", "text": part["text"]}
    if kind == "refusal" and turn.role == "assistant":
        return {"type": "refusal", "refusal": part.get("refusal") or ""}
    if kind in ("reasoning", "redacted_reasoning"):
        translation.omit(path, "the API has no reasoning in messages")
        return None
    if turn.role in ("user", "tool") and kind == "image_url":
        image = part["image_url"]
        return {"type": "input_image", "image_url": image["url"], "detail": image.get("detail") or "auto"}
    if turn.role in ("user", "tool") and kind == "file":
        return _file(path, part["file"], translation)
    raise translation.reject(path, f"a message with the role {turn.role!r} has no {kind!r} parts")


def _file(path: str, file: Object, translation: Translation) -> Object:
    data, url = data_of(file), url_of(file.get("uri"))
    uri = f"data:{data.media_type};base64,{data.base64}" if data else None
    address = uri or url
    if address is None:
        raise translation.reject(path, "a file is a data URI with base64, or a URL")
    if is_image(file):
        return {"type": "input_image", "image_url": address, "detail": "auto"}
    return set_fields(type="input_file", file_data=uri, file_url=None if uri else url, filename=file.get("filename"))


def _call(turn: Turn, index: int, translation: Translation) -> Object:
    call = turn.calls[index]
    for name in ("thought_signature", "extra_content"):
        if call.get(name):
            translation.omit(f"{turn.path}.tool_calls[{index}].{name}", "it belongs to the API of Google")
    function = call["function"]
    return {
        "type": "function_call", "call_id": call["id"], "name": function.get("name") or "",
        "arguments": function.get("arguments") or "{}",
    }  # fmt: skip


def _tool(function: Object) -> Object:
    """Return a tool; without `strict`, this API would require a strict schema, other than that for chats."""
    return {
        "type": "function", "name": function["name"], "strict": bool(function.get("strict")),
        "parameters": function.get("parameters") or {"type": "object", "properties": {}},
    } | set_fields(description=function.get("description"))  # fmt: skip


def _add_output(translation: Translation, body: Object) -> None:
    text: Object = {}
    if response_format := translation.response_format():
        text["format"] = {"type": response_format["type"]} | set_fields(**response_format.get("json_schema", {}))
    translation.copy({"verbosity": "verbosity"}, text)
    if text:
        body["text"] = text
    reasoning = translation.take("reasoning", dict[str, object]) or {}
    effort = translation.parameters.get("reasoningEffort")
    if effort is not None:
        reasoning = {"effort": "none" if effort == "disable" else effort} | reasoning
    if reasoning:
        body["reasoning"] = reasoning


def _add_extra(translation: Translation, body: Object) -> None:
    """Add the parameters of a call, which replace those of the deployment, also under the names for chats."""
    extra = translation.extra()
    for name in ("max_tokens", "max_completion_tokens"):
        if name in extra:
            extra.setdefault("max_output_tokens", extra.pop(name))
    body |= extra
