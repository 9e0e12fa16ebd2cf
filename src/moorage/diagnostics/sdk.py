"""Values that a version of the official SDK does not support.

A typed client validates a whole page, so one unsupported value makes the page unreadable. The registry stores values
that only newer versions of the SDK support. Each entry was measured with the SDK, and the tests measure it again.
"""

from collections.abc import Iterator, Mapping

from msgspec import UNSET

from moorage.core.deployments.prompt_config import PromptConfig

_LATER_PROVIDERS = frozenset({
    "minimax", "xai", "alibaba", "tensorix", "scaleway", "hcompany", "inception", "inceptron", "wafer", "poolside",
    "tencent", "nebius", "fireworks", "baseten", "reson8", "meta", "greenpt", "liquid", "typesafe", "berget",
    "cloudflare", "slack", "orq",
})  # fmt: skip

_LATER: Mapping[str, frozenset[str]] = {
    "provider": _LATER_PROVIDERS,
    "model_type": frozenset({"ocr", "classify"}),
    "role": frozenset({"developer"}),
    "reasoningEffort": frozenset({"xhigh", "max"}),
    "thinkingLevel": frozenset({"minimal", "medium"}),
}

#: Version of orq-ai-sdk -> field -> the values with which it rejects a page. Newest first.
REJECTED: Mapping[str, Mapping[str, frozenset[str]]] = {
    "4.17.13": {"provider": frozenset({"contextualai"})},
    "4.1.0rc44": _LATER,
    "3.14.45": {
        **_LATER,
        "provider": _LATER_PROVIDERS | {"deepseek", "contextualai", "moonshotai", "zai"},
    },
}

NEWEST = next(iter(REJECTED))

#: Field -> the most similar value that every version supports.
NEAREST: Mapping[str, str] = {
    "provider": "openailike",
    "model_type": "chat",
    "role": "system",
    "reasoningEffort": "high",
    "thinkingLevel": "low or high",
}


def rejected_by(version: str, config: PromptConfig) -> list[tuple[str, str]]:
    """Return the fields and values because of which a version of the SDK rejects a page with a configuration."""
    rejected = REJECTED[version]
    return sorted({(field, value) for field, value in _values(config) if value in rejected.get(field, ())})


def _values(config: PromptConfig) -> Iterator[tuple[str, str]]:
    yield "provider", config.provider
    yield "model_type", config.model_type
    for message in config.messages:
        yield "role", message.role
    parameters = config.model_parameters
    if parameters.reasoning_effort is not UNSET:
        yield "reasoningEffort", parameters.reasoning_effort
    if parameters.thinking_level is not UNSET:
        yield "thinkingLevel", parameters.thinking_level
