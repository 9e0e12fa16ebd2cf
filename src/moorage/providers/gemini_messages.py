"""Messages of the Gemini API: instructions are apart, and the contents are of the user and the model in turn."""

from itertools import groupby
from typing import Final

from moorage.core.deployments.model_rules import generation_of
from moorage.core.resolution.config import Object
from moorage.providers.conversation import Turn, read_object
from moorage.providers.files import data_of, read_data_uri
from moorage.providers.gemini_models import HAS_LEVELS
from moorage.providers.request import Translation, set_fields

#: What Google documents for a call whose signature is lost, for example because another model made it.
_NO_SIGNATURE: Final = "skip_thought_signature_validator"

#: The media types of files that the API takes.
_TYPES: Final = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
    "heic": "image/heic", "heif": "image/heif", "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown",
    "html": "text/html", "csv": "text/csv", "json": "application/json", "mp3": "audio/mp3", "wav": "audio/wav",
    "flac": "audio/flac", "ogg": "audio/ogg", "aac": "audio/aac", "aiff": "audio/aiff", "mp4": "video/mp4",
    "mov": "video/mov", "mpeg": "video/mpeg", "mpg": "video/mpg", "webm": "video/webm", "wmv": "video/wmv",
}  # fmt: skip


def encode_contents(turns: list[Turn], translation: Translation) -> tuple[list[Object], list[Object]]:
    """Return the parts of the instructions, and the contents.

    The API has no message without a user, so a prompt that has only instructions is sent as one of the user.

    Raises:
        NotSupportedByProvider
    """
    instructions: list[Object] = []
    contents: list[Object] = []
    names: dict[str, str] = {}  # the functions of the calls, which the results must name
    for turn in _in_order(turns):
        _omit_fields(turn, translation)
        parts = _parts(turn, translation)
        if turn.role in ("system", "developer"):
            instructions += parts
            continue
        names |= {call["id"]: call["function"].get("name") or "" for call in turn.calls}
        if turn.role == "tool":
            parts = [_result(turn, parts, names, translation)]
        _add(contents, "model" if turn.role == "assistant" else "user", parts)
    return (
        ([], [{"role": "user", "parts": instructions}]) if instructions and not contents else (instructions, contents)
    )


def _in_order(turns: list[Turn]) -> list[Turn]:
    """Return the messages, with the results of tools in the order of the calls: Vertex AI has nothing else."""
    places: dict[str, int] = {}
    for turn in turns:
        places |= {call["id"]: len(places) + index for index, call in enumerate(turn.calls)}
    groups = groupby(turns, key=lambda turn: turn.role == "tool")
    return [
        turn
        for is_result, group in groups
        for turn in (sorted(group, key=lambda turn: places.get(turn.call_id or "", 0)) if is_result else group)
    ]


def _add(contents: list[Object], role: str, parts: list[Object]) -> None:
    """Add parts to the last content if it has the same role; the API rejects results of tools beside other parts."""
    last = contents[-1] if contents else None
    if not parts:
        return
    if last and last["role"] == role and _has_results(last["parts"]) is _has_results(parts):
        last["parts"] += parts
    else:
        contents.append({"role": role, "parts": parts})


def _has_results(parts: list[Object]) -> bool:
    return "functionResponse" in parts[0]


def _omit_fields(turn: Turn, translation: Translation) -> None:
    if turn.message.get("name") and turn.role != "tool":
        translation.omit(f"{turn.path}.name", "messages have no names")
    if turn.message.get("cache_control"):
        translation.omit(f"{turn.path}.cache_control", "this API caches prompts by itself")
    if turn.message.get("reasoning_content"):
        translation.omit(f"{turn.path}.reasoning_content", "the API takes no thoughts back")
    if turn.message.get("audio"):
        raise translation.reject(f"{turn.path}.audio", "it is stored at another provider")


def _parts(turn: Turn, translation: Translation) -> list[Object]:
    parts = []
    for path, part in turn.parts():
        if part.get("cache_control"):
            translation.omit(f"{path}.cache_control", "this API caches prompts by itself")
        encoded = _part(path, part, turn, translation)
        if encoded is not None:
            parts.append(encoded)
    if not parts and turn.message.get("refusal"):
        parts.append({"text": turn.message["refusal"]})
    return parts + [_call(turn, index, translation) for index in range(len(turn.calls))]


def _part(path: str, part: Object, turn: Turn, translation: Translation) -> Object | None:
    kind = part["type"]
    if kind in ("text", "refusal"):
        text = part.get(kind)
        return {"text": text} if text else None  # the API rejects an empty text
    if turn.role == "assistant" and kind in ("reasoning", "redacted_reasoning"):
        translation.omit(path, "the API takes no thoughts back")
        return None
    if turn.role == "user" and kind == "image_url":
        return _image(path, part["image_url"], translation)
    if turn.role == "user" and kind == "file":
        return _file(path, part["file"], translation)
    if turn.role == "user" and kind == "input_audio":
        audio = part["input_audio"]
        return {"inlineData": {"mimeType": f"audio/{audio['format']}", "data": audio["data"]}}
    raise translation.reject(path, f"a message with the role {turn.role!r} has no {kind!r} parts")


def _image(path: str, image: Object, translation: Translation) -> Object:
    if image.get("detail") not in (None, "auto"):
        translation.omit(f"{path}.image_url.detail", "images have no detail")
    data = read_data_uri(image["url"])
    if data is not None:
        return {"inlineData": {"mimeType": data.media_type, "data": data.base64}}
    media_type = _type_of(image["url"]) or "image/jpeg"  # the usual one; the API requires a type
    return {"fileData": {"mimeType": media_type, "fileUri": _checked(path, image["url"], translation)}}


def _file(path: str, file: Object, translation: Translation) -> Object:
    data = data_of(file)
    if data is not None:
        return {"inlineData": {"mimeType": data.media_type, "data": data.base64}}
    uri = _checked(path, file.get("uri") or "", translation)
    media_type = file.get("mimeType") or _type_of(file.get("filename") or "") or _type_of(uri)
    if media_type is None and translation.provider == "google":
        raise translation.reject(path, "a file of an unknown type needs its mimeType")
    return {"fileData": set_fields(mimeType=media_type, fileUri=uri)}


def _checked(path: str, uri: str, translation: Translation) -> str:
    if not uri.lower().startswith(("https://", "http://", "gs://")):
        raise translation.reject(path, "it is a data URI with base64, or a URI with https or gs")
    return uri


def _type_of(name: str) -> str | None:
    """Return the media type that follows from a name or a URL."""
    return _TYPES.get(name.partition("?")[0].rpartition(".")[2].lower())


def _result(turn: Turn, parts: list[Object], names: dict[str, str], translation: Translation) -> Object:
    name = names.get(turn.call_id or "") or turn.message.get("name")
    if not name:
        raise translation.reject(f"{turn.path}.tool_call_id", "no tool call before it has this id")
    text = "".join(part["text"] for part in parts)
    response = read_object(text)
    return {"functionResponse": set_fields(
        id=_id(turn.call_id, translation), name=name, response={"output": text} if response is None else response,
    )}  # fmt: skip


def _id(call_id: str | None, translation: Translation) -> str | None:
    """Return the id of a call for the API: Vertex AI rejects ids, and matches results in their order."""
    return None if translation.provider == "google" else call_id


def _call(turn: Turn, index: int, translation: Translation) -> Object:
    call = turn.calls[index]
    arguments = read_object(call["function"].get("arguments") or "{}")
    if arguments is None:
        path = f"{turn.path}.tool_calls[{index}].function.arguments"
        raise translation.reject(path, "they must be the JSON of an object")
    signature = _signature(call)
    if not signature and index == 0 and (generation_of("gemini", translation.model) or (0,)) >= HAS_LEVELS:
        signature = _NO_SIGNATURE  # these models reject a first call without one
    function = set_fields(id=_id(call["id"], translation), name=call["function"].get("name") or "", args=arguments)
    return set_fields(functionCall=function, thoughtSignature=signature)


def _signature(call: Object) -> str | None:
    """Return the signature of the thought behind a call, which clients send back in one of two fields."""
    google = (call.get("extra_content") or {}).get("google")
    found = google.get("thought_signature") if isinstance(google, dict) else None
    return call.get("thought_signature") or (found if isinstance(found, str) else None)
