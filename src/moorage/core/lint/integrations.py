"""The integrations that a content names."""

from collections.abc import Iterator

import msgspec

from moorage.core.deployments.content import Content, StoredContent


class Model(msgspec.Struct, frozen=True):
    """A model of a variant or a fallback: its path, its provider, and the integration that it names, if any."""

    path: str
    provider: str
    integration_id: str | None


def models_of(content: Content) -> Iterator[Model]:
    """Yield the models of every variant and fallback."""
    runtime = content.runtime_config
    variants = [("", content.prompt_config, runtime.fallbacks)]
    for index, each in enumerate(runtime.variants):
        variants.append((f"variants[{index}].", each.prompt_config, each.fallbacks or []))
    for path, config, fallbacks in variants:
        yield Model(f"{path}prompt_config", config.provider, config.integration_id or None)
        for index, fallback in enumerate(fallbacks):
            yield Model(f"{path}fallbacks[{index}]", fallback.provider, fallback.integration_id or None)


def named_integrations(content: StoredContent) -> list[Model]:
    """Return the models that name an integration."""
    return [model for model in models_of(content.decode()) if model.integration_id is not None]


def can_name_integrations(content: StoredContent) -> bool:
    """Return whether a content can name an integration, without decoding it."""
    return '"integration_id"' in content.prompt_config or '"integration_id"' in content.runtime_config
