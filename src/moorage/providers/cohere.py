"""The Cohere Chat API, version 2, as a protocol: requests."""

from collections.abc import Mapping
from typing import Final

from moorage.core.deployments.model_rules import OFF, thinking_of_model
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.cohere_messages import encode_turn
from moorage.providers.cohere_responses import Parser, decode
from moorage.providers.conversation import turns
from moorage.providers.protocol import ProviderRequest
from moorage.providers.request import Translation, set_fields
from moorage.providers.sse import SseSplitter

__all__ = ["decode", "encode", "parser", "splitter"]

_SAMPLING: Final = {
    "temperature": "temperature", "topP": "p", "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
}  # fmt: skip

#: The budget of an effort, in tokens. With a higher effort, the model thinks without one.
_BUDGETS: Final = {"minimal": 1_024, "low": 2_048, "medium": 8_192}


def encode(config: ResolvedConfig, options: Mapping[str, str], *, stream: bool) -> ProviderRequest:
    """Return the request for a configuration.

    The API requires a message of the user, so a prompt that has only instructions is sent as one of the user.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    translation = Translation(config, "Cohere Chat API", "cohere")
    encoded = (encode_turn(turn, translation) for turn in turns(config.messages, translation))
    messages = [message for message in encoded if message is not None]
    if messages and all(message["role"] == "system" for message in messages):
        messages = [{**message, "role": "user"} for message in messages]
    body: Object = {"model": translation.model, "messages": messages, "stream": stream}
    _add_tools(config.tools or [], translation, body)
    translation.copy(_SAMPLING, body)
    body |= set_fields(
        max_tokens=translation.whole("maxTokens"), k=translation.whole("topK"), seed=translation.whole("seed"),
        thinking=_thinking(translation),
    )  # fmt: skip
    response_format = translation.response_format()
    if response_format and response_format["type"] != "text":
        schema = response_format["json_schema"]["schema"] if response_format["type"] == "json_schema" else None
        body["response_format"] = set_fields(type="json_object", json_schema=schema)
    translation.omit_parameters(("verbosity", "thinkingLevel"), "the API has no such parameter")
    translation.omit_parameters(("cacheControl",), "this API caches prompts by itself")
    body |= _native(translation, body)
    return ProviderRequest("/v2/chat", body, {}, translation.omitted)


def splitter() -> SseSplitter:
    """Return a splitter for one stream."""
    return SseSplitter()


def parser() -> Parser:
    """Return a parser for one stream."""
    return Parser()


def _add_tools(tools: list[Object], translation: Translation, body: Object) -> None:
    if not tools:
        return
    functions = [tool["function"] for tool in tools]
    body["tools"] = [
        {"type": "function", "function": {
            name: function[name] for name in ("name", "description", "parameters") if function.get(name) is not None
        }}
        for function in functions
    ]  # fmt: skip
    if all(function.get("strict") for function in functions):
        body["strict_tools"] = True
        return
    for index, function in enumerate(functions):
        if function.get("strict"):
            translation.omit(f"tools[{index}].function.strict", "all tools are strict there, or none")


def _thinking(translation: Translation) -> Object | None:
    if (thinking := translation.take("thinking", dict[str, object])) is not None:
        translation.omit_parameters(("reasoningEffort", "budgetTokens"), "the request has thinking")
        return thinking
    effort, budget = translation.parameters.get("reasoningEffort"), translation.whole("budgetTokens")
    if effort is None and budget is None:
        return None
    if thinking_of_model("cohere", translation.provider, translation.model) == "none":
        translation.omit_parameters(("reasoningEffort", "budgetTokens"), f"{translation.model} does not think")
        return None
    if budget is not None:
        translation.omit_parameters(("reasoningEffort",), "the request has budgetTokens")
    elif effort in OFF:
        budget = 0
    else:
        budget = _BUDGETS.get(str(effort))
    if budget is not None and budget <= 0:
        return {"type": "disabled"}
    return set_fields(type="enabled", token_budget=budget)


def _native(translation: Translation, body: Object) -> Object:
    """Return the parameters that are not the contract's; `tools` can change in `body`."""
    return set_fields(
        stop_sequences=translation.stop(), tool_choice=_tool_choice(translation, body),
        safety_mode=translation.parameters.get("safety_mode"),
    ) | translation.extra()  # fmt: skip


def _tool_choice(translation: Translation, body: Object) -> str | None:
    """Return the choice of the API. It can only require any of the tools, so the others than the chosen one go."""
    choice = translation.tool_choice()
    if choice is None or choice.mode == "auto":
        return None
    if choice.mode == "function":
        chosen = [tool for tool in body.get("tools", ()) if tool["function"]["name"] == choice.name]
        if not chosen:
            raise translation.reject("parameters.tool_choice", f"there is no tool {choice.name!r:.100}")
        body["tools"] = chosen
    return "NONE" if choice.mode == "none" else "REQUIRED"
