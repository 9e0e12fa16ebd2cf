"""The OpenAI Chat Completions API, which many providers implement."""

from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict, cast

from moorage.core.deployments.model_rules import OFF, rejected_parameters
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.conversation import turns
from moorage.providers.openai_messages import encode_turn
from moorage.providers.request import Translation, set_fields

if TYPE_CHECKING:
    from openai.types.chat import (
        ChatCompletionMessageParam,
        ChatCompletionToolChoiceOptionParam,
        ChatCompletionToolUnionParam,
    )
    from openai.types.chat.completion_create_params import ResponseFormat
    from openai.types.shared_params import ReasoningEffort

#: Providers that take `max_completion_tokens`; others take `max_tokens`.
_COMPLETION_TOKENS = frozenset({"openai", "azure", "groq", "cerebras", "moonshotai"})
_MAX_TOKENS = ("max_tokens", "max_completion_tokens")

#: Providers that take `top_k`, which the SDK does not know.
TOP_K = frozenset({"togetherai", "nvidia", "huggingface", "openailike", "litellm", "mistral", "fireworks"})

#: Providers that ignore a seed.
_NO_SEED = frozenset({"deepseek", "moonshotai"})

_VERBOSITY = frozenset({"openai", "azure", "openailike", "litellm"})

#: Providers that take Anthropic's `thinking`.
_THINKING = frozenset({"anthropic", "litellm"})

_GOOGLE = frozenset({"google", "google-ai"})

_SAMPLING = {
    "temperature": "temperature", "topP": "top_p", "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
}  # fmt: skip


class OpenAIArguments(TypedDict):
    """The arguments of `client.chat.completions.create` of the `openai` package."""

    model: str
    messages: "list[ChatCompletionMessageParam]"
    tools: "NotRequired[list[ChatCompletionToolUnionParam]]"
    temperature: NotRequired[float]
    top_p: NotRequired[float]
    frequency_penalty: NotRequired[float]
    presence_penalty: NotRequired[float]
    seed: NotRequired[int]
    max_tokens: NotRequired[int]
    max_completion_tokens: NotRequired[int]
    response_format: "NotRequired[ResponseFormat]"
    reasoning_effort: "NotRequired[ReasoningEffort]"
    verbosity: NotRequired[Literal["low", "medium", "high"]]
    stop: NotRequired[str | list[str]]
    tool_choice: "NotRequired[ChatCompletionToolChoiceOptionParam]"
    parallel_tool_calls: NotRequired[bool]
    n: NotRequired[int]
    logprobs: NotRequired[bool]
    top_logprobs: NotRequired[int]
    extra_body: NotRequired[dict[str, object]]


def encode_chat(config: ResolvedConfig) -> tuple[OpenAIArguments, dict[str, str]]:
    """Return the arguments for a configuration, and what they omit: the path of each part, and the reason.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    translation = Translation(config, "OpenAI Chat Completions API", "openai")
    messages = [encode_turn(turn, translation) for turn in turns(config.messages, translation)]
    arguments: Object = {"model": translation.model, "messages": messages}
    if config.tools:
        arguments["tools"] = [_tool(tool, translation.provider) for tool in config.tools]
    _add_sampling(translation, arguments)
    _add_limits(translation, arguments)
    _add_output(translation, arguments)
    _add_provider_parameters(translation, arguments)
    _add_extra(translation, arguments)
    return cast(OpenAIArguments, arguments), translation.omitted


def _tool(tool: Object, provider: str) -> Object:
    function = set_fields(**tool["function"])
    if provider == "mistral":  # it requires them, also of a function without any
        function.setdefault("parameters", {"type": "object", "properties": {}})
    return {"type": "function", "function": function}


def _add_sampling(translation: Translation, arguments: Object) -> None:
    thinks = translation.parameters.get("reasoningEffort") not in OFF
    rejected = rejected_parameters("openai", translation.provider, translation.model, thinks=thinks)
    translation.omit_parameters(rejected, f"{translation.model} rejects it")
    translation.copy({name: native for name, native in _SAMPLING.items() if name not in rejected}, arguments)


def _add_limits(translation: Translation, arguments: Object) -> None:
    provider, body = translation.provider, Object()
    if (limit := translation.whole("maxTokens")) is not None:
        arguments["max_completion_tokens" if provider in _COMPLETION_TOKENS else "max_tokens"] = limit
    if provider in _NO_SEED:
        translation.omit_parameters(("seed",), f"the API of {provider} has no such parameter")
    elif (seed := translation.whole("seed")) is not None:
        (body if provider == "mistral" else arguments)["random_seed" if provider == "mistral" else "seed"] = seed
    if provider in TOP_K:
        body |= set_fields(top_k=translation.whole("topK"))
    else:
        translation.omit_parameters(("topK",), f"the API of {provider} has no such parameter")
    if provider in _THINKING:
        if (budget := translation.whole("budgetTokens")) is not None:
            is_on = budget > 0
            body["thinking"] = {"type": "enabled", "budget_tokens": budget} if is_on else {"type": "disabled"}
    else:
        translation.omit_parameters(("budgetTokens",), f"the API of {provider} has no such parameter")
    if body:
        arguments["extra_body"] = body


def _add_output(translation: Translation, arguments: Object) -> None:
    provider, parameters = translation.provider, translation.parameters
    if response_format := translation.response_format():
        schema = response_format.get("json_schema")
        arguments["response_format"] = {"type": response_format["type"]} | (
            {"json_schema": set_fields(**schema)} if schema else {}
        )
    effort = parameters.get("reasoningEffort")
    if provider in _GOOGLE:
        if effort:
            translation.omit_parameters(("thinkingLevel",), "the request has reasoningEffort")
        effort = effort or parameters.get("thinkingLevel")
    else:
        translation.omit_parameters(("thinkingLevel",), f"the API of {provider} has no such parameter")
    if effort:
        arguments["reasoning_effort"] = "none" if effort == "disable" else effort
    if provider in _VERBOSITY:
        translation.copy({"verbosity": "verbosity"}, arguments)
    else:
        translation.omit_parameters(("verbosity",), f"the API of {provider} has no such parameter")
    translation.omit_parameters(("cacheControl",), "this API caches prompts by itself")


def _add_provider_parameters(translation: Translation, arguments: Object) -> None:
    """Add the parameters that have the same names and values in this API."""
    given = translation.provider_parameters()
    if type(given.get("logprobs")) in (int, float):  # the number of the older API for completions
        given.setdefault("top_logprobs", given["logprobs"])
        given["logprobs"] = True
    if "thinking" in given and "thinking" in arguments.get("extra_body", {}):
        translation.omit_parameters(("budgetTokens",), "the request has thinking")
    _add(given, arguments)


def _add(given: Object, arguments: Object) -> None:
    """Add parameters as arguments of the method of the SDK, or to the body."""
    for name in [name for name in given if name in arguments or name in OpenAIArguments.__annotations__]:
        arguments[name] = given.pop(name)
    if given:
        arguments["extra_body"] = arguments.get("extra_body", {}) | given


def _add_extra(translation: Translation, arguments: Object) -> None:
    """Add the parameters of a call, which replace those of the deployment."""
    extra = translation.extra()
    if any(name in extra for name in _MAX_TOKENS):
        for name in _MAX_TOKENS:
            arguments.pop(name, None)
    _add(extra, arguments)
