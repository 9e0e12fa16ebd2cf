"""Requests of the older Completions API: one prompt instead of messages."""

from typing import Final

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.conversation import Turn, turns
from moorage.providers.openai import TOP_K
from moorage.providers.request import Translation

_SAMPLING: Final = {
    "temperature": "temperature", "topP": "top_p", "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
}  # fmt: skip
_PENALTIES: Final = ("frequencyPenalty", "presencePenalty")
_UNKNOWN: Final = ("reasoningEffort", "budgetTokens", "verbosity", "thinkingLevel", "cacheControl")

#: Providers without penalties, and those without a seed.
_WITHOUT_PENALTIES: Final = frozenset({"mistral", "cerebras"})
_WITHOUT_SEED: Final = frozenset({"deepseek"})

#: Names for parameters that are translated on their own.
_TRANSLATED: Final = frozenset({"logprobs", "top_logprobs"})


def encode_completion(config: ResolvedConfig) -> tuple[Object, dict[str, str]]:
    """Return the body for a configuration, and what it omits: the path of each part, and the reason.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    translation = Translation(config, "Completions API", "completions", ("completion",))
    if config.tools:
        raise translation.reject("tools", "models of the type completion call no tools")
    texts = [_text(turn, translation) for turn in turns(config.messages, translation)]
    body: Object = {"model": translation.model, "prompt": "\n\n".join(text for text in texts if text)}
    _add_parameters(translation, body)
    extra = translation.extra()
    if "max_completion_tokens" in extra:
        extra.setdefault("max_tokens", extra.pop("max_completion_tokens"))
    return body | extra, translation.omitted


def _text(turn: Turn, translation: Translation) -> str:
    """Return the text of a message; its role has no place in a prompt."""
    if turn.calls or turn.role == "tool":
        raise translation.reject(turn.path, "a prompt has no tool calls and no results of tools")
    if turn.message.get("audio"):
        raise translation.reject(f"{turn.path}.audio", "a prompt has only texts")
    for name in ("name", "reasoning_content"):
        if turn.message.get(name):
            translation.omit(f"{turn.path}.{name}", "a prompt has only texts")
    texts = []
    for path, part in turn.parts():
        if part["type"] in ("reasoning", "redacted_reasoning"):
            translation.omit(path, "a prompt has no reasoning")
            continue
        if part["type"] not in ("text", "refusal"):
            raise translation.reject(path, f"a prompt has no {part['type']!r} parts")
        if part.get("cache_control"):
            translation.omit(f"{path}.cache_control", "this API caches prompts by itself")
        texts.append(part.get(part["type"]) or "")
    return "\n\n".join(text for text in texts if text)


def _add_parameters(translation: Translation, body: Object) -> None:
    provider = translation.provider
    translation.omit_parameters(_UNKNOWN, "the API has no such parameter")
    if provider in _WITHOUT_PENALTIES:
        translation.omit_parameters(_PENALTIES, f"the API of {provider} has no such parameter")
    names = {name: native for name, native in _SAMPLING.items() if f"parameters.{name}" not in translation.omitted}
    translation.copy(names, body)
    for name, native, is_known in (
        ("maxTokens", "max_tokens", True), ("topK", "top_k", provider in TOP_K - {"mistral"}),
        ("seed", "random_seed" if provider == "mistral" else "seed", provider not in _WITHOUT_SEED),
    ):  # fmt: skip
        if not is_known:
            translation.omit_parameters((name,), f"the API of {provider} has no such parameter")
        elif (value := translation.whole(name)) is not None:
            body[native] = value
    response_format = translation.response_format()
    if response_format and response_format["type"] != "text":
        raise translation.reject("parameters.responseFormat", "models of the type completion return texts")
    given = translation.provider_parameters()
    body |= {name: value for name, value in given.items() if name not in _TRANSLATED}
    _add_log_probabilities(given, body)


def _add_log_probabilities(given: Object, body: Object) -> None:
    """Add the number of tokens to report, which the API for chats has in two parameters."""
    asked, number = given.get("logprobs"), given.get("top_logprobs")
    if asked is True:
        body["logprobs"] = 1 if number is None else number
    elif asked is not None and asked is not False:
        body["logprobs"] = asked
    elif number and asked is None:
        body["logprobs"] = number
