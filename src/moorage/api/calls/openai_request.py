"""Requests in the shape of OpenAI: `model` names a deployment, and the rest changes what is sent to its model."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from moorage.api.calls.extra_params import problem_of
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody
from moorage.core.resolution.config import GetConfigRequest, Object
from moorage.core.validation import strict_json
from moorage.gateway.resolve import Pin

#: Parameters of OpenAI that the contract has under another name. The others have the provider's name.
PARAMETERS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "top_p": "topP", "top_k": "topK", "max_tokens": "maxTokens",
    "max_completion_tokens": "maxTokens", "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty", "seed": "seed", "response_format": "responseFormat",
    "reasoning_effort": "reasoningEffort", "verbosity": "verbosity", "cache_control": "cacheControl",
}  # fmt: skip

#: Fields of a request that are no parameters of the model.
_OWN: Final = frozenset({
    "model", "messages", "prompt", "stream", "stream_options", "inputs", "variables", "orq", "context", "tools",
    "identity", "thread", "invoke_options",
})  # fmt: skip

#: Fields that would change the deployment, which decides them.
_DECIDED: Final = (
    "fallbacks", "retry", "load_balancer", "cache", "timeout", "fallback_on_codes", "guardrails", "plugins",
)  # fmt: skip

#: Fields of `orq` that would change what is called.
_DECIDED_IN_ORQ: Final = (*_DECIDED, "prompt", "knowledge_bases")

#: Fields of `invoke`, which are no parameters.
_OF_INVOKE: Final = ("prefix_messages", "extra_params", "file_ids", "knowledge_filter")

NO_PARAMETERS: Final = _OWN.union(_DECIDED, _OF_INVOKE)

#: Old names, and what replaced them.
_REPLACED: Final = {"functions": "tools", "function_call": "tool_choice"}

#: What the SDK of orq.ai sends to its router if the caller sets nothing.
ROUTER_DEFAULTS: Final = {
    "max_tokens": 16, "temperature": 1, "top_p": 1, "n": 1, "echo": False, "presence_penalty": 0,
    "frequency_penalty": 0,
}  # fmt: skip


class ChatBody(msgspec.Struct, frozen=True):
    """The body of `POST /v1/chat/completions`. Every other field is a parameter of the model."""

    model: Annotated[str, Meta(description="The key of a deployment; KEY@1.2 is a version, KEY#name a variant of it.")]
    messages: Annotated[list[Object], Meta(description="Appended to the messages of the deployment.")] = []
    stream: bool = False
    inputs: Annotated[Object, Meta(description="The values of variables.")] = {}
    context: Annotated[Object, Meta(description="The attributes that routing uses.")] = {}
    tools: Annotated[list[Object], Meta(description="Replaces the tools of the deployment.")] = []
    invoke_options: Annotated[Object, Meta(description="`mock_response` is the response instead of a call.")] = {}


class TextBody(msgspec.Struct, frozen=True):
    """The body of `POST /v1/completions`. Every other field is a parameter of the model."""

    model: Annotated[str, Meta(description="The key of a deployment; KEY@1.2 is a version, KEY#name a variant of it.")]
    prompt: Annotated[str, Meta(description="Appended to the messages of the deployment.")] = ""
    stream: bool = False
    inputs: Annotated[Object, Meta(description="The values of variables.")] = {}
    context: Annotated[Object, Meta(description="The attributes that routing uses.")] = {}
    invoke_options: Annotated[Object, Meta(description="`mock_response` is the response instead of a call.")] = {}


class OpenAiRequest(msgspec.Struct, frozen=True):
    """A request in the shape of OpenAI.

    `with_usage` is whether its stream ends with the usage. `mock` is the response instead of a call, as in `invoke`.
    """

    request: GetConfigRequest
    pin: Pin
    tools: list[Object] | None
    is_stream: bool
    with_usage: bool
    mock: str | None


def read_chat(body: bytes) -> OpenAiRequest:
    """Return the request of `POST /v1/chat/completions`.

    Raises:
        InvalidJson, InvalidBody: with all problems.
    """
    fields = fields_of(body)
    messages = fields.get("messages")
    return make_request(fields, [] if messages is None else messages, [])


def read_text(body: bytes, *, is_router: bool) -> OpenAiRequest:
    """Return the request of `POST /v1/completions`, whose prompt becomes a message of the user.

    Raises:
        InvalidJson, InvalidBody: with all problems.
    """
    fields = fields_of(body)
    if is_router:
        fields = {name: value for name, value in fields.items() if not _is_default(name, value)}
    problems = list[Problem]()
    prompt = fields.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str):
        prompt = prompt[0]
    if prompt is not None and not isinstance(prompt, str):
        problems.append(Problem("prompt", "must be one text; send a request for each text, and no tokens"))
        prompt = None
    return make_request(fields, [{"role": "user", "content": prompt}] if prompt else [], problems)


def fields_of(body: bytes) -> Object:
    """Return the fields of a JSON object.

    Raises:
        InvalidJson, InvalidBody
    """
    value = strict_json.parse(body)
    if not isinstance(value, dict):
        raise InvalidBody.of([Problem("", f"must be an object, not {type(value).__name__}")])
    return value


def _is_default(name: str, value: Any) -> bool:
    default = ROUTER_DEFAULTS.get(name)
    return default is not None and type(value) in (int, float, bool) and value == default


def make_request(fields: Object, messages: Any, problems: list[Problem]) -> OpenAiRequest:
    """Return the request for fields in the form of chats.

    Raises:
        InvalidBody: with all problems, also those given.
    """
    key, pin = deployment_of(fields.get("model"), problems)
    inputs = inputs_of(fields, problems)
    context = object_of(fields.get("context"), "context", problems)
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        problems.append(Problem("messages", "must be a list of objects with `role` and `content`"))
        messages = []
    problems += [
        Problem(f"messages[{index}].function_call", "is an old form; use `tool_calls`")
        for index, message in enumerate(messages)
        if message.get("function_call") is not None
    ]
    tools = _tools(fields.get("tools"), problems)
    orq = object_of(fields.get("orq"), "orq", [])
    problems += misplaced(fields, orq)
    parameters = {name: value for name, value in fields.items() if name not in NO_PARAMETERS and value is not None}
    problems += [
        Problem(name, problem)
        for name, value in parameters.items()
        if (problem := problem_of(PARAMETERS.get(name, name), value))
    ]
    problems += [
        Problem(name, f"is an old form; use `{new}`") for name, new in _REPLACED.items() if fields.get(name) is not None
    ]
    stream, options = fields.get("stream"), object_of(fields.get("stream_options"), "stream_options", problems)
    if stream is not None and type(stream) is not bool:
        problems.append(Problem("stream", f"must be true or false, not {stream!r:.40}"))
    mock = object_of(fields.get("invoke_options"), "invoke_options", problems).get("mock_response")
    if mock is not None and not isinstance(mock, str):
        problems.append(Problem("invoke_options.mock_response", f"must be a text, not {type(mock).__name__}"))
    if problems:
        raise InvalidBody.of(problems)
    request = GetConfigRequest(key, inputs, context, [], messages, _named(parameters))
    return OpenAiRequest(request, pin, tools, stream is True, options.get("include_usage") is True, mock)


def misplaced(fields: Object, orq: Object) -> list[Problem]:
    """Return the problems of fields that the deployment decides, and of those of another route."""
    decided = [(name, fields.get(name)) for name in _DECIDED] + [
        (f"orq.{name}", orq.get(name)) for name in _DECIDED_IN_ORQ
    ]
    return [
        Problem(name, "is decided by the deployment; set it there, and omit it here")
        for name, value in decided
        if value not in (None, [], {})
    ] + [
        Problem(name, "is a field of /v2/deployments/invoke; each field here is a parameter of the model itself")
        for name in _OF_INVOKE
        if fields.get(name) not in (None, [], {})
    ]


def deployment_of(model: Any, problems: list[Problem]) -> tuple[str, Pin]:
    """Return the key and what is pinned: `KEY@1.2` names a version, and `KEY#variant` a variant."""
    if not isinstance(model, str) or not model:
        problems.append(Problem("model", "must be the key of a deployment, such as `support_answers`"))
        return "", Pin()
    rest, has_variant, variant = model.partition("#")
    key, has_version, version = rest.partition("@")
    if not key or bool(has_variant) > bool(variant) or bool(has_version) > bool(version):
        problems.append(
            Problem("model", f"must be KEY, KEY@VERSION, KEY#VARIANT or KEY@VERSION#VARIANT; got {model!r:.200}")
        )
    return key, Pin(version or None, variant or None)


def inputs_of(fields: Object, problems: list[Problem]) -> Object:
    """Return the values of variables: of three names for them, `inputs` counts most."""
    orq = object_of(fields.get("orq"), "orq", problems)
    given = orq.get("inputs")
    if isinstance(given, list):  # of {"key", "value"}
        given = {str(each.get("key")): each.get("value") for each in given if isinstance(each, dict)}
    found = [
        object_of(fields.get("variables"), "variables", problems), object_of(given, "orq.inputs", problems),
        object_of(fields.get("inputs"), "inputs", problems),
    ]  # fmt: skip
    return {name: value for inputs in found for name, value in inputs.items()}


def object_of(value: Any, path: str, problems: list[Problem]) -> Object:
    """Return an object; an empty one for a null, and for another value, which is a problem."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        problems.append(Problem(path, f"must be an object, not {type(value).__name__}"))
        return {}
    return value


def _tools(tools: Any, problems: list[Problem]) -> list[Object] | None:
    """Return the tools, which replace those of the deployment; None if the request has none."""
    if tools is None:
        return None
    if not isinstance(tools, list):
        problems.append(Problem("tools", f"must be a list, not {type(tools).__name__}"))
        return None
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function":
            problems.append(Problem(f"tools[{index}]", 'must be {"type": "function", "function": {…}}'))
        elif not isinstance(function.get("name"), str) or not function["name"]:
            problems.append(Problem(f"tools[{index}].function.name", "must be a text"))
        elif not isinstance(function.get("parameters", {}), dict | None):
            problems.append(Problem(f"tools[{index}].function.parameters", "must be a JSON Schema"))
    return tools


def _named(parameters: Object) -> Object:
    """Return parameters under the names of the contract. Of two names for one, OpenAI's newer one counts."""
    named = {PARAMETERS.get(name, name): value for name, value in parameters.items()}
    if (limit := parameters.get("max_completion_tokens")) is not None:
        named["maxTokens"] = limit
    return named
