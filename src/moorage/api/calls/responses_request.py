"""Requests of the Responses API: `prompt` or `model` names a deployment, and `input` comes after its messages.

A provider that has this API gets `input` and the tools as they are; others get their translation.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from moorage.api.calls.media_inputs import NO_MEDIA, MediaInputs
from moorage.api.calls.openai_request import OpenAiRequest, fields_of, make_request, object_of
from moorage.api.calls.responses_input import InputReader
from moorage.api.calls.responses_paths import in_fields
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody
from moorage.core.resolution.config import Object
from moorage.providers.native_request import NativeRequest

#: Fields that need stored responses, and what to do instead.
_STORED: Final = {
    "previous_response_id": "needs stored responses, and the server stores none; send the earlier items in `input`",
    "conversation": "needs stored responses, and the server stores none; send the earlier items in `input`",
    "background": "needs stored responses, and the server stores none; use `stream`",
    "store": "must be false: the server stores no responses; omit it",
}  # fmt: skip

_RENAMED: Final = {"max_output_tokens": "max_completion_tokens"}
_HANDLED: Final = frozenset({*_STORED, "prompt", "model", "input", "instructions", "text", "reasoning", "tools",
    "tool_choice", "include", "truncation", "moderation", "messages", "variables", "inputs"})  # fmt: skip

#: Fields that are sent as they are to a provider that has this API.
_NATIVE: Final = (
    "tools", "tool_choice", "text", "reasoning", "include", "truncation", "moderation", "stream_options",
)  # fmt: skip

#: Fields without an equivalent in other APIs, whose absence does not change the meaning of a request.
_OMITTED: Final = ("include", "truncation", "moderation")


class ResponsesBody(msgspec.Struct, frozen=True):
    """The body of `POST /v1/responses`. Every other field is a parameter of the model."""

    prompt: Annotated[Object, Meta(description="`id` is the key of a deployment; `version`, `variables`.")] = {}
    model: Annotated[str, Meta(description="The key of a deployment, without `prompt`.")] = ""
    input: Annotated[str | list[Object], Meta(description="Comes after the messages of the deployment.")] = ""
    instructions: Annotated[str, Meta(description="A system message before `input`.")] = ""
    stream: bool = False


class ResponsesRequest(msgspec.Struct, frozen=True):
    """A request of the Responses API; `echo` has the fields that the response repeats."""

    found: OpenAiRequest
    warnings: list[Problem]
    echo: Object
    native: NativeRequest
    media: MediaInputs


def read_responses(body: bytes) -> ResponsesRequest:
    """Return the request of `POST /v1/responses`.

    Raises:
        InvalidJson, InvalidBody: with all problems.
    """
    fields, problems = fields_of(body), list[Problem]()
    problems += [Problem(name, message) for name, message in _STORED.items() if fields.get(name) not in (None, False)]
    chat: Object = {_RENAMED.get(name, name): value for name, value in fields.items() if name not in _HANDLED}
    reader = InputReader(problems)
    warnings, media = _add_deployment(fields, chat, reader)
    items = reader.items(fields.get("input"))
    _add_output(fields, chat, reader)
    if fields.get("tools") is not None:
        chat["tools"] = reader.tools(fields["tools"])
    chat["tool_choice"] = reader.tool_choice(fields.get("tool_choice"))
    for name in _OMITTED:
        if fields.get(name) not in (None, [], "disabled"):
            reader.omit(name)
    instructions = fields.get("instructions")
    first = [] if instructions is None else [{"role": "system", "content": instructions}]
    try:
        found = make_request(chat, [*first, *reader.messages], problems)
    except InvalidBody as error:
        raise in_fields(error) from None
    native = NativeRequest(
        items, len(reader.messages), {name: fields[name] for name in _NATIVE if fields.get(name) is not None},
        reader.untranslated, reader.omitted,
    )  # fmt: skip
    return ResponsesRequest(found, warnings, fields, native, media)


def _add_deployment(fields: Object, chat: Object, reader: InputReader) -> tuple[list[Problem], MediaInputs]:
    """Add the deployment and the values of variables, and return warnings and the values that are no texts."""
    prompt, problems = fields.get("prompt"), reader.problems
    if prompt is None:
        chat |= {name: fields[name] for name in ("model", "variables", "inputs") if name in fields}
        return [], NO_MEDIA
    if not isinstance(prompt, dict) or not isinstance(prompt.get("id"), str) or not prompt["id"]:
        problems.append(Problem("prompt.id", "must be the key of a deployment, such as `support_answers`"))
        chat["model"] = "invalid"
        return [], NO_MEDIA
    version, key = _version(prompt.get("version"), problems), prompt["id"]
    chat["model"] = key if version is None else f"{key}@{version}"
    chat["inputs"], media = _variables(prompt.get("variables"), reader)
    model = fields.get("model")
    warnings = [Problem("model", "is ignored, because the deployment decides it")] if model and model != key else []
    return warnings, media


def _version(given: Any, problems: list[Problem]) -> str | None:
    """Return the version of a prompt. The whole numbers of OpenAI are versions without a minor number."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, str | int) or not (text := str(given)) or text[0] == "-":
        problems.append(Problem("prompt.version", f"must be the number of a version, such as 1.2; got {given!r:.40}"))
        return None
    return f"{text}.0" if text.isascii() and text.isdecimal() else text


def _variables(values: Any, reader: InputReader) -> tuple[Object, MediaInputs]:
    """Return the values of variables; an image or a file is a mark, and is among the second ones, too."""
    values = object_of(values, "prompt.variables", reader.problems)
    found, parts, names = {**values}, dict[str, Object](), dict[str, str]()
    for name, value in values.items():
        kind = value.get("type") if isinstance(value, dict) else None
        if kind == "input_text" and isinstance(value.get("text"), str):
            found[name] = value["text"]
        elif isinstance(kind, str) and kind.startswith("input_"):
            path = f"prompt.variables.{name}"[:200]
            parts[path], names[path] = reader.medium(value, path), name
    media = MediaInputs.of(parts)
    return found | {names[path]: mark for path, mark in media.inputs().items()}, media


def _add_output(fields: Object, chat: Object, reader: InputReader) -> None:
    for name in ("text", "reasoning"):
        if not isinstance(fields.get(name), dict | None):
            reader.problems.append(Problem(name, "must be an object"))
            return
    text, reasoning = fields.get("text") or {}, fields.get("reasoning") or {}
    chat["verbosity"], chat["reasoning_effort"] = text.get("verbosity"), reasoning.get("effort")
    for name, value in reasoning.items():
        if name != "effort" and value is not None:
            reader.omit(f"reasoning.{name}"[:200])
    form = text.get("format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        schema = {name: form[name] for name in ("name", "schema", "strict", "description") if name in form}
        form = {"type": "json_schema", "json_schema": schema}
    chat["response_format"] = form
