"""The table of provider parameters: the protocols and providers that take each, and what their absence means.

The entries are those of the providers' API references in November 2026.
"""

from typing import Any, Final, NamedTuple

from msgspec import UNSET

from moorage.core.deployments.model_parameters import ContractParameters, ModelParameters

#: Providers with a protocol of their own; all others have that of OpenAI.
_PROTOCOLS: Final = {
    "anthropic": "anthropic", "aws": "bedrock", "cohere": "cohere", "google": "gemini", "google-ai": "gemini",
    "perplexity": "responses",
}  # fmt: skip

#: Servers in front of many models, whose parameters are unknown.
_ANY: Final = frozenset({"litellm", "openailike"})
_OPENAI: Final = frozenset({"openai", "azure", *_ANY})
_OPEN_MODELS: Final = frozenset({"togetherai", "nvidia", "huggingface", "fireworks", *_ANY})
_LOG_PROBABILITIES: Final = _OPENAI | _OPEN_MODELS | {"cerebras", "deepseek", "bytedance", "mistral", "xai"}


class ProviderParameter(NamedTuple):
    """A parameter under the provider's name.

    `protocols` has the protocols other than OpenAI's chat that take it. `providers` has those that take it with a
    protocol of OpenAI; None for all. Without a parameter that only tunes, a request has the same meaning: it is
    omitted where it is unknown, and others are rejected. The `default` has no effect, so it is omitted everywhere.
    """

    protocols: frozenset[str] = frozenset()
    providers: frozenset[str] | None = frozenset()
    only_tunes: bool = False
    default: Any = None


def _row(
    protocols: str = "", providers: frozenset[str] | None = frozenset(), *, tunes: bool = False, default: Any = None
) -> ProviderParameter:
    return ProviderParameter(frozenset(protocols.split()), providers, tunes, default)


#: Parameters of models that are not for chats or texts, which those never take.
MEDIA_PARAMETERS: Final = (
    "voice", "speed", "instructions", "language", "timestamp_granularities", "input_type", "task", "truncate",
    "top_n", "background", "moderation", "output_format", "output_compression", "negative_prompt", "steps",
    "guidance_scale",
)  # fmt: skip

PROVIDER_PARAMETERS: Final = {
    "stop": _row("completions anthropic bedrock cohere gemini", None),
    "stop_token_ids": _row("completions", frozenset({"nvidia", *_ANY})),
    "tool_choice": _row("anthropic bedrock cohere gemini responses", None, default="auto"),
    "parallel_tool_calls": _row(
        "anthropic responses", _OPENAI | {"groq", "mistral", "cerebras", "nvidia", "togetherai", "xai", "fireworks"},
        default=True,
    ),
    "n": _row("completions gemini", _OPENAI | _OPEN_MODELS | {"mistral", "moonshotai", "xai"}, default=1),
    "best_of": _row("completions", _OPENAI, default=1),
    "logit_bias": _row("completions", _OPENAI | _OPEN_MODELS | {"bytedance", "cerebras"}, tunes=True),
    "logprobs": _row(
        "completions gemini", _LOG_PROBABILITIES, default=False
    ),
    "top_logprobs": _row(
        "completions gemini", _LOG_PROBABILITIES, default=0
    ),
    "min_p": _row("completions", _OPEN_MODELS, tunes=True),
    "top_a": _row("completions", _ANY, tunes=True),
    "repetition_penalty": _row("completions", _OPEN_MODELS | {"mistral"}, tunes=True),
    "min_tokens": _row("completions", frozenset({"mistral", "cerebras", "nvidia", *_ANY}), tunes=True),
    "service_tier": _row("anthropic bedrock", _OPENAI | {"groq", "bytedance", "cerebras", "xai"}, tunes=True),
    "user": _row("completions anthropic", _OPENAI | {"groq", "cerebras", "nvidia", "xai", "fireworks"}, tunes=True),
    "safety_identifier": _row(providers=_OPENAI | {"moonshotai"}, tunes=True),
    "metadata": _row("anthropic bedrock responses", _OPENAI | {"mistral"}, tunes=True),
    "store": _row("responses", _OPENAI, tunes=True),
    "prompt_cache_key": _row(providers=_OPENAI | {"moonshotai", "cerebras"}, tunes=True),
    "prompt_cache_retention": _row(providers=_OPENAI, tunes=True),
    "prediction": _row(providers=_OPENAI | {"mistral", "cerebras"}, tunes=True),
    "modalities": _row(providers=_OPENAI, default=["text"]),
    "audio": _row(providers=_OPENAI),
    "web_search_options": _row(providers=_OPENAI),
    "reasoning": _row("responses", frozenset({"togetherai", *_ANY}), tunes=True),
    "thinking": _row(
        "anthropic bedrock cohere", frozenset({"deepseek", "moonshotai", "bytedance", "zai", "anthropic", *_ANY}),
        tunes=True,
    ),
    "reasoning_format": _row(providers=frozenset({"groq", "cerebras", *_ANY}), tunes=True),
    "include_reasoning": _row(providers=frozenset({"groq", "togetherai", *_ANY}), tunes=True),
    "chat_template_kwargs": _row(providers=_OPEN_MODELS, tunes=True),
    "suffix": _row("completions", _OPENAI | {"mistral", "deepseek"}, default=""),
    "echo": _row("completions", _OPENAI | {"togetherai", "deepseek", "cerebras"}, default=False),
    "preset": _row("responses", _ANY),
    "prompt_mode": _row(providers=frozenset({"mistral", *_ANY})),
    "safe_prompt": _row(providers=frozenset({"mistral", *_ANY}), default=False),
    "safety_mode": _row("cohere", _ANY),
    "safety_model": _row(providers=frozenset({"togetherai", *_ANY})),
    "safety_settings": _row("gemini", _ANY),
    "guardrail_config": _row("bedrock", _ANY),
    "performance_config": _row("bedrock", _ANY, tunes=True),
    **dict.fromkeys(MEDIA_PARAMETERS, _row(tunes=True)),
}  # fmt: skip

#: Parameters of the protocol for completions that the one for chats does not have.
_ONLY_COMPLETIONS: Final = frozenset({"suffix", "echo", "best_of"})

#: The parameters of Mistral's completions, which fill in the middle.
_FILL_IN: Final = frozenset({"stop", "suffix", "min_tokens", "metadata"})

#: The parameters that the Responses API of OpenAI and Azure takes, which is the protocol `openai_responses`.
_OPENAI_RESPONSES: Final = frozenset({
    "tool_choice", "parallel_tool_calls", "top_logprobs", "service_tier", "user", "safety_identifier", "metadata",
    "store", "prompt_cache_key", "prompt_cache_retention", "reasoning",
})  # fmt: skip

#: The JSON names of the contract's parameters.
CONTRACT: Final = frozenset(ContractParameters.__struct_encode_fields__)


def protocol_of(provider: str, model_type: str) -> str:
    """Return the name of the protocol that a provider has for models of a type."""
    return "completions" if model_type == "completion" else _PROTOCOLS.get(provider, "openai")


def takes(protocol: str, provider: str, name: str) -> bool:
    """Return whether a protocol, as the provider implements it, takes a parameter of the table."""
    row = PROVIDER_PARAMETERS[name]
    if protocol == "openai":
        return name not in _ONLY_COMPLETIONS and (row.providers is None or provider in row.providers)
    if protocol == "openai_responses":
        return name in _OPENAI_RESPONSES
    if protocol == "completions" and provider == "mistral":
        return name in _FILL_IN
    if protocol == "completions":
        return protocol in row.protocols and (row.providers is None or provider in row.providers)
    return protocol in row.protocols


def set_provider_parameters(parameters: ModelParameters) -> dict[str, Any]:
    """Return the parameters of the table that are set, by their names."""
    found = {name: getattr(parameters, name) for name in PROVIDER_PARAMETERS}
    return {name: value for name, value in found.items() if value is not UNSET}
