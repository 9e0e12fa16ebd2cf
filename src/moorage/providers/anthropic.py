"""The Anthropic Messages API."""

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict, cast

from moorage.core.deployments.model_rules import OFF, Thinking, rejected_parameters, thinking_of_model
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.anthropic_messages import encode_messages
from moorage.providers.claude import BUDGETS, effort_for
from moorage.providers.conversation import turns
from moorage.providers.request import Translation, set_fields

if TYPE_CHECKING:
    from anthropic.types import (
        CacheControlEphemeralParam,
        MessageParam,
        MetadataParam,
        OutputConfigParam,
        TextBlockParam,
        ThinkingConfigParam,
        ToolChoiceParam,
        ToolUnionParam,
    )

#: The API requires `max_tokens`; every model takes this one.
DEFAULT_MAX_TOKENS = 4_096

#: The version of the API that takes sampling parameters; the current one rejects them.
_SAMPLING_HEADERS = {"anthropic-version": "2023-06-01"}
_SAMPLING = {"temperature": "temperature", "topP": "top_p", "topK": "top_k"}

_UNKNOWN = ("frequencyPenalty", "presencePenalty", "seed", "verbosity", "thinkingLevel")


class AnthropicArguments(TypedDict):
    """The arguments of `client.messages.create` of the `anthropic` package."""

    model: str
    max_tokens: int
    messages: "list[MessageParam]"
    system: "NotRequired[str | list[TextBlockParam]]"
    tools: "NotRequired[list[ToolUnionParam]]"
    tool_choice: "NotRequired[ToolChoiceParam]"
    stop_sequences: NotRequired[list[str]]
    metadata: "NotRequired[MetadataParam]"
    service_tier: NotRequired[Literal["auto", "standard_only"]]
    thinking: "NotRequired[ThinkingConfigParam]"
    output_config: "NotRequired[OutputConfigParam]"
    cache_control: "NotRequired[CacheControlEphemeralParam]"
    extra_headers: NotRequired[dict[str, str]]
    extra_body: NotRequired[dict[str, object]]


def encode_messages_request(config: ResolvedConfig) -> tuple[AnthropicArguments, dict[str, str]]:
    """Return the arguments for a configuration, and what they omit: the path of each part, and the reason.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    translation = Translation(config, "Anthropic Messages API", "anthropic")
    system, messages = encode_messages(turns(config.messages, translation), translation)
    arguments: Object = {
        "model": translation.model, "max_tokens": translation.whole("maxTokens") or DEFAULT_MAX_TOKENS,
        "messages": messages,
    }  # fmt: skip
    if system:
        arguments["system"] = system
    if config.tools:
        arguments["tools"] = [_tool(tool["function"]) for tool in config.tools]
    translation.omit_parameters(_UNKNOWN, "the API has no such parameter")
    _add_format(translation, arguments)
    add_thinking(translation, arguments)
    _add_sampling(translation, arguments)
    arguments |= set_fields(cache_control=translation.parameters.get("cacheControl"))
    _add_choices(translation, arguments, has_tools=bool(config.tools))
    _add_extra(translation, arguments)
    return cast(AnthropicArguments, arguments), translation.omitted


def _tool(function: Object) -> Object:
    return set_fields(
        name=function["name"], description=function.get("description"), strict=function.get("strict"),
        input_schema=function.get("parameters") or {"type": "object", "properties": {}},
    )  # fmt: skip


def _add_format(translation: Translation, arguments: Object) -> None:
    response_format = translation.response_format()
    if response_format and response_format["type"] == "json_schema":
        schema = response_format["json_schema"]["schema"]
        arguments["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    elif response_format and response_format["type"] == "json_object":
        raise translation.reject("parameters.responseFormat", "JSON requires a schema there, so use json_schema")


def add_thinking(translation: Translation, arguments: Object) -> None:
    """Translate a budget or an effort to what the model takes.

    Models before 4.6 take a budget, which is a part of `max_tokens`; models from 4.7 on take only an effort.
    """
    thinking = translation.take("thinking", dict[str, object])
    if thinking is not None:
        translation.omit_parameters(("reasoningEffort", "budgetTokens"), "the request has thinking")
        arguments["thinking"] = thinking
        return
    effort, budget = translation.parameters.get("reasoningEffort"), translation.whole("budgetTokens")
    if effort is None and budget is None:
        return
    form = thinking_of_model("anthropic", translation.provider, translation.model)
    if form == "none":
        translation.omit_parameters(("reasoningEffort", "budgetTokens"), f"{translation.model} does not think")
    elif budget == 0 or (budget is None and effort in OFF):
        arguments["thinking"] = {"type": "disabled"}
        if budget == 0:
            translation.omit_parameters(("reasoningEffort",), "budgetTokens is 0")
    else:
        is_adaptive = _is_adaptive(form, budget)
        if reason := _why_no_thinking(translation, is_adaptive=is_adaptive):
            translation.omit_parameters(("reasoningEffort", "budgetTokens"), reason)
            arguments["thinking"] = {"type": "disabled"}  # newer models think unless they are told
        elif is_adaptive:
            _add_effort(translation, arguments, effort, budget)
        else:
            _add_budget(translation, arguments, effort, budget)


def _add_effort(translation: Translation, arguments: Object, effort: Any, budget: int | None) -> None:
    if effort in (None, *OFF):
        translation.omit_parameters(("reasoningEffort",), "the request has budgetTokens")
        effort = effort_for(budget or 0)
    else:
        translation.omit_parameters(("budgetTokens",), f"{translation.model} takes an effort, and no budget")
    arguments["thinking"] = {"type": "adaptive"}
    arguments.setdefault("output_config", {})["effort"] = "low" if effort == "minimal" else effort


def _add_budget(translation: Translation, arguments: Object, effort: Any, budget: int | None) -> None:
    if budget is None:
        budget = BUDGETS.get(str(effort), BUDGETS["high"])
    else:
        translation.omit_parameters(("reasoningEffort",), "the request has budgetTokens")
    arguments["thinking"] = {"type": "enabled", "budget_tokens": budget}
    if arguments["max_tokens"] <= budget:  # the tokens of the answer, which the budget would leave none of
        arguments["max_tokens"] += budget


def _is_adaptive(form: Thinking | None, budget: int | None) -> bool:
    return form == "effort" or (form == "budget or effort" and budget is None)


def _why_no_thinking(translation: Translation, *, is_adaptive: bool) -> str | None:
    """Return why the API would reject a request that thinks, or None."""
    choice = translation.tool_choice()
    if choice is not None and choice.mode in ("required", "function"):
        return "a model that must call a tool cannot think"
    last = next((message for message in reversed(translation.messages) if message["role"] == "assistant"), None)
    if is_adaptive or last is None or not last.get("tool_calls"):
        return None
    content = last.get("content")
    parts = content if isinstance(content, list) else []
    has_thoughts = any(part["type"] == "redacted_reasoning" or part.get("signature") for part in parts)
    return None if has_thoughts else "the last calls of tools come without the signed thoughts that it would require"


def _add_sampling(translation: Translation, arguments: Object) -> None:
    """Add sampling parameters as the body of the older version of the API; the SDK has no arguments for them."""
    thinks = arguments.get("thinking", {"type": "disabled"}).get("type") != "disabled"
    rejected = omit_rejected("anthropic", translation, thinks=thinks)
    body: Object = {}
    translation.copy({name: native for name, native in _SAMPLING.items() if name not in rejected}, body)
    if "top_k" in body:
        body |= set_fields(top_k=translation.whole("topK"))
    if body:
        arguments["extra_body"], arguments["extra_headers"] = body, {**_SAMPLING_HEADERS}


def omit_rejected(protocol: str, translation: Translation, *, thinks: bool) -> tuple[str, ...]:
    """Omit the parameters that the model rejects, and return their names."""
    provider, model = translation.provider, translation.model
    rejected = rejected_parameters(protocol, provider, model, thinks=thinks)
    translation.omit_parameters(rejected, "a model that thinks rejects it")
    always = rejected_parameters(protocol, provider, model, thinks=False)
    translation.omit_parameters(always, f"{model} rejects it")
    return rejected


_CHOICES = {"none": "none", "auto": "auto", "required": "any", "function": "tool"}
_TIERS = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}


def _add_choices(translation: Translation, arguments: Object, *, has_tools: bool) -> None:
    """Add what OpenAI has under other names: the choice of tools, stop sequences, the user, the tier."""
    arguments |= set_fields(stop_sequences=translation.stop())
    choice, given = translation.tool_choice(), translation.parameters.get("tool_choice")
    if isinstance(given, dict) and given.get("type") in _CHOICES.values():
        arguments["tool_choice"] = given  # a call gave it in the form of this API
    elif choice is not None:
        arguments["tool_choice"] = {"type": _CHOICES[choice.mode]} | set_fields(name=choice.name or None)
    if translation.take("parallel_tool_calls", bool) is False:
        if has_tools or "tool_choice" in arguments:
            arguments.setdefault("tool_choice", {"type": "auto"})
        if arguments.get("tool_choice", {"type": "none"})["type"] != "none":
            arguments["tool_choice"] = arguments["tool_choice"] | {"disable_parallel_tool_use": True}
        else:
            translation.omit_parameters(("parallel_tool_calls",), "the model calls no tools")
    _add_accounting(translation, arguments)


def _add_accounting(translation: Translation, arguments: Object) -> None:
    metadata, user = translation.take("metadata", dict[str, object]) or {}, translation.take("user", str)
    if "user_id" in metadata:
        arguments["metadata"] = {"user_id": metadata["user_id"]}
        translation.omit_parameters(("user",), "the request has metadata.user_id")
    elif user is not None:
        arguments["metadata"] = {"user_id": user}
    if {*metadata} - {"user_id"}:
        translation.omit_parameters(("metadata",), "the API takes only user_id")
    tier = translation.parameters.get("service_tier")
    if isinstance(tier, str) and tier in _TIERS:
        arguments["service_tier"] = _TIERS[tier]
    else:
        translation.omit_parameters(("service_tier",), "the API takes auto and standard_only")


def _add_extra(translation: Translation, arguments: Object) -> None:
    """Add the parameters of a call, which replace those of the deployment."""
    extra = translation.extra()
    if any(name in extra for name in _SAMPLING.values()):
        arguments["extra_headers"] = {**_SAMPLING_HEADERS}
    for name in [name for name in extra if name in AnthropicArguments.__annotations__]:
        arguments[name] = extra.pop(name)
    if extra:
        arguments["extra_body"] = arguments.get("extra_body", {}) | extra
