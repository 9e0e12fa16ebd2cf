"""The parameters of models in the editor: which ones are offered, and how each is typed."""

from functools import cache
from typing import Final

import msgspec

from moorage.core.deployments.model_parameters import ModelParameters

_CHAT: Final = (
    "temperature", "maxTokens", "topP", "frequencyPenalty", "presencePenalty", "seed", "stop", "reasoningEffort",
    "verbosity", "responseFormat", "tool_choice",
)  # fmt: skip

#: The parameters that are offered for a type of model; those that are set are shown anyway.
OFFERED: Final[dict[str, tuple[str, ...]]] = {
    "chat": _CHAT,
    "vision": _CHAT,
    "completion": ("temperature", "maxTokens", "topP", "frequencyPenalty", "presencePenalty", "seed", "stop"),
    "image": ("numImages", "quality", "style", "format", "seed"),
    "embedding": ("dimensions", "encoding_format"),
    "tts": ("responseFormat",),
    "stt": ("temperature", "responseFormat"),
}


@cache
def parameter_kinds() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return how each parameter is typed: as a number, a choice or JSON; and its choices."""
    info = msgspec.inspect.type_info(ModelParameters)
    assert isinstance(info, msgspec.inspect.StructType)  # noqa: S101 -- it is a struct
    return {field.encode_name: _kind(field.type) for field in info.fields}


def _kind(kind: msgspec.inspect.Type) -> tuple[str, tuple[str, ...]]:
    types = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    if all(isinstance(each, msgspec.inspect.IntType | msgspec.inspect.FloatType) for each in types):
        return "number", ()
    if len(types) == 1 and isinstance(types[0], msgspec.inspect.LiteralType):
        return "select", tuple(map(str, types[0].values))
    if len(types) == 1 and isinstance(types[0], msgspec.inspect.BoolType):
        return "select", ("true", "false")
    return "json", ()
