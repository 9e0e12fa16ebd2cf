"""Requests of the Responses API: `prompt` or `model` names a deployment, and `input` comes after its messages."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from moorage.api.calls.openai_request import OpenAiRequest, fields_of, make_request
from moorage.core.errors.base import Problem
from moorage.core.resolution.config import Object

#: Fields that need stored responses, and what to do instead.
_STORED: Final = {
    "previous_response_id": "needs stored responses, and the server stores none; send the earlier items in `input`",
    "conversation": "needs stored responses, and the server stores none; send the earlier items in `input`",
    "background": "needs stored responses, and the server stores none; use `stream`",
    "store": "must be false: the server stores no responses; omit it",
}  # fmt: skip

_RENAMED: Final = {"max_output_tokens": "max_completion_tokens"}
_HANDLED: Final = frozenset({*_STORED, "prompt", "model", "input", "instructions", "text", "reasoning", "tools",
    "tool_choice", "include", "truncation", "messages", "variables", "inputs"})  # fmt: skip


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


def read_responses(body: bytes) -> ResponsesRequest:
    """Return the request of `POST /v1/responses`.

    Raises:
        InvalidJson, InvalidBody: with all problems.
    """
    fields, problems = fields_of(body), list[Problem]()
    problems += [Problem(name, message) for name, message in _STORED.items() if fields.get(name) not in (None, False)]
    chat: Object = {_RENAMED.get(name, name): value for name, value in fields.items() if name not in _HANDLED}
    warnings = _add_deployment(fields, chat, problems)
    messages = _messages(fields, problems)
    _add_output(fields, chat, problems)
    if fields.get("tools") is not None:
        chat["tools"] = _tools(fields["tools"], problems)
    choice = fields.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "function" and isinstance(choice.get("name"), str):
        choice = {"type": "function", "function": {"name": choice["name"]}}
    elif choice is not None and choice not in ("none", "auto", "required"):
        problems.append(Problem("tool_choice", 'must be none, auto, required or {"type": "function", "name": …}'))
    chat["tool_choice"] = choice
    return ResponsesRequest(make_request(chat, messages, problems), warnings, fields)


def _add_deployment(fields: Object, chat: Object, problems: list[Problem]) -> list[Problem]:
    """Add the deployment and the values of variables, and return warnings."""
    prompt = fields.get("prompt")
    if prompt is None:
        chat |= {name: fields[name] for name in ("model", "variables", "inputs") if name in fields}
        return []
    if not isinstance(prompt, dict) or not isinstance(prompt.get("id"), str) or not prompt["id"]:
        problems.append(Problem("prompt.id", "must be the key of a deployment, such as `support_answers`"))
        chat["model"] = "invalid"
        return []
    version, key = prompt.get("version"), prompt["id"]
    if version is not None and (isinstance(version, bool) or not isinstance(version, str | int) or version == ""):
        problems.append(Problem("prompt.version", f"must be the number of a version, such as 1.2; got {version!r:.40}"))
    chat["model"] = key if version is None else f"{key}@{version}"
    values = prompt.get("variables")
    chat["inputs"] = values
    for name, value in values.items() if isinstance(values, dict) else ():
        if isinstance(value, dict) and value.get("type") == "input_text" and isinstance(value.get("text"), str):
            chat["inputs"] = {**chat["inputs"], name: value["text"]}
        elif isinstance(value, dict) and str(value.get("type")).startswith("input_"):
            message = "an image or a file cannot be the value of a variable; send it in `input`"
            problems.append(Problem(f"prompt.variables.{name}"[:200], message))
    model = fields.get("model")
    return [Problem("model", "is ignored, because the deployment decides it")] if model and model != key else []


def _messages(fields: Object, problems: list[Problem]) -> list[Object]:
    given, found = fields.get("input"), list[Object]()
    if fields.get("instructions") is not None:
        found.append({"role": "system", "content": fields["instructions"]})
    if isinstance(given, str):
        return [*found, {"role": "user", "content": given}]
    if not isinstance(given, list | None):
        problems.append(Problem("input", "must be a text or a list of items"))
        return found
    for index, item in enumerate(given or ()):
        if not isinstance(item, dict):
            problems.append(Problem(f"input[{index}]", "must be an object"))
        else:
            _add_item(item, f"input[{index}]", found, problems)
    return found


def _add_item(item: Object, path: str, found: list[Object], problems: list[Problem]) -> None:
    match item.get("type", "message"):
        case "message":
            found.append({"role": item.get("role"), "content": _content(item.get("content"), path, problems)})
        case "function_call":
            if not found or found[-1]["role"] != "assistant":  # the calls of one turn are one message
                found.append({"role": "assistant", "content": None})
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            call = {"id": item.get("call_id"), "type": "function", "function": function}
            found[-1].setdefault("tool_calls", []).append(call)
        case "function_call_output":
            output = _content(item.get("output"), path, problems)
            found.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": output})
        case "reasoning":  # the models of other providers cannot read it
            pass
        case kind:
            problems.append(Problem(f"{path}.type", f"{kind!r:.60} cannot be translated; remove the item"))


def _content(content: Any, path: str, problems: list[Problem]) -> Any:
    if not isinstance(content, list):
        return content
    parts = list[Object]()
    for index, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in ("input_text", "output_text"):
            parts.append({"type": "text", "text": part.get("text")})
        elif kind == "refusal":
            parts.append({"type": "refusal", "refusal": part.get("refusal")})
        elif kind == "input_image" and part.get("image_url"):
            image = {"url": part["image_url"], "detail": part.get("detail")}
            parts.append({"type": "image_url", "image_url": image})
        elif kind == "input_file" and (part.get("file_data") or part.get("file_url")):
            names = {"file_data": "file_data", "file_url": "uri", "filename": "filename"}
            file = {new: part[name] for name, new in names.items() if part.get(name)}
            parts.append({"type": "file", "file": file})
        else:
            message = f"{kind!r:.60} must be input_text, input_image with image_url, or input_file with data or a URL"
            problems.append(Problem(f"{path}.content[{index}].type", message))
    return parts


def _add_output(fields: Object, chat: Object, problems: list[Problem]) -> None:
    for name in ("text", "reasoning"):
        if not isinstance(fields.get(name), dict | None):
            problems.append(Problem(name, "must be an object"))
            return
    text, reasoning = fields.get("text") or {}, fields.get("reasoning") or {}
    chat["verbosity"], chat["reasoning_effort"] = text.get("verbosity"), reasoning.get("effort")
    form = text.get("format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        schema = {name: form[name] for name in ("name", "schema", "strict", "description") if name in form}
        form = {"type": "json_schema", "json_schema": schema}
    chat["response_format"] = form


def _tools(tools: Any, problems: list[Problem]) -> list[Object]:
    found = list[Object]()
    for index, tool in enumerate(tools if isinstance(tools, list) else [tools]):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            message = "must be a function; tools that a provider runs itself are not available here"
            problems.append(Problem(f"tools[{index}]", message))
            continue
        names = ("name", "description", "parameters", "strict")
        found.append({"type": "function", "function": {name: tool[name] for name in names if name in tool}})
    return found
