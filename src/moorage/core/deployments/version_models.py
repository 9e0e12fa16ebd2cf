"""The models of a version: that of each variant, and all fallbacks."""

from collections.abc import Iterator

import msgspec


class _Model(msgspec.Struct):
    provider: str
    model: str


class _VariantModels(msgspec.Struct):
    prompt_config: _Model
    fallbacks: list[_Model] = []


class _RuntimeModels(msgspec.Struct):
    fallbacks: list[_Model] = []
    variants: list[_VariantModels] = []

    def all(self) -> Iterator[_Model]:
        yield from self.fallbacks
        for variant in self.variants:
            yield variant.prompt_config
            yield from variant.fallbacks


_decode = msgspec.json.Decoder(_Model).decode
_decode_runtime = msgspec.json.Decoder(_RuntimeModels).decode


def runtime_models(runtime_config: str) -> list[tuple[str, str]]:
    """Return the provider and the model of each variant and fallback in the JSON of a runtime configuration.

    Raises:
        msgspec.DecodeError: the JSON was not written by Moorage.
    """
    if '"model"' not in runtime_config:
        return []
    return [(each.provider, each.model) for each in _decode_runtime(runtime_config).all()]


def version_models(prompt_config: str, runtime_config: str) -> list[tuple[str, str]]:
    """Return the provider and the model of each variant and fallback of a version.

    Raises:
        msgspec.DecodeError: a text was not written by Moorage.
    """
    default = _decode(prompt_config)
    return [(default.provider, default.model), *runtime_models(runtime_config)]
