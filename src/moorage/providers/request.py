"""The parts of a translation that all protocols share: the model's name, numbers, and the list of what is omitted."""

from typing import Any

import msgspec

from moorage.core.deployments.prompt_config import JsonObjectFormat, JsonSchemaFormat, TextFormat
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.errors import NotSupportedByProvider, UnsupportedModelType

_CHAT_TYPES = ("chat", "vision")

#: Parameters of models of another type, such as images or speech.
_OTHER_TYPES = (
    "numImages", "format", "dimensions", "quality", "style", "photoRealVersion", "encoding_format",
)  # fmt: skip

#: The parameters of the contract; others come from `extra_params`, and have the provider's names.
CONTRACT = frozenset((
    "temperature", "maxTokens", "topK", "topP", "frequencyPenalty", "presencePenalty", "seed", "responseFormat",
    "cacheControl", "reasoningEffort", "budgetTokens", "verbosity", "thinkingLevel", *_OTHER_TYPES,
))  # fmt: skip

#: Providers whose model names begin with their id.
_PREFIXED = frozenset({"perplexity"})


class Translation:
    """The translation of a configuration to an API. `omitted` has the path of each omitted part, and the reason."""

    def __init__(self, config: ResolvedConfig, api: str) -> None:
        if config.type not in _CHAT_TYPES:
            raise UnsupportedModelType(param="type", type=config.type, api=api)
        self.api, self.provider, self.model = api, config.provider, native_model(config.provider, config.model)
        self.omitted: dict[str, str] = {}
        self.parameters = {name: value for name, value in config.parameters.items() if value is not None}
        for name in _OTHER_TYPES:
            if name in self.parameters:
                self.omit(f"parameters.{name}", "it is a parameter of models of another type")

    def omit(self, path: str, reason: str) -> None:
        """Record that a part is not sent."""
        self.omitted[path] = reason

    def reject(self, path: str, reason: str) -> NotSupportedByProvider:
        """Return the error for a part without which the request would have another meaning."""
        return NotSupportedByProvider(param=path, api=self.api, reason=reason)

    def whole(self, name: str) -> int | None:
        """Return a parameter as a whole number; None if it is not set, or another value, which is omitted."""
        value = self.parameters.get(name)
        if value is None or type(value) is int:
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        self.omit(f"parameters.{name}", f"{value!r:.40} is not a whole number")
        return None

    def response_format(self) -> Object | None:
        """Return the format of a response of a chat, or None.

        Raises:
            NotSupportedByProvider: a call gave an invalid one.
        """
        found = self.parameters.get("responseFormat")
        if found is None:
            return None
        if isinstance(found, str):
            self.omit("parameters.responseFormat", "it is a format of models of another type")
            return None
        try:
            valid = msgspec.convert(found, JsonSchemaFormat | JsonObjectFormat | TextFormat)
        except msgspec.ValidationError as error:
            raise self.reject("parameters.responseFormat", str(error)) from error
        return dict(msgspec.to_builtins(valid))

    def copy(self, names: dict[str, str], arguments: Object) -> None:
        """Copy parameters to `arguments` under the provider's names."""
        for name, native in names.items():
            if name in self.parameters:
                arguments[native] = self.parameters[name]

    def omit_parameters(self, names: tuple[str, ...], reason: str) -> None:
        """Record that these parameters are not sent, if they are set."""
        for name in names:
            if name in self.parameters:
                self.omit(f"parameters.{name}", reason)

    def extra(self) -> Object:
        """Return the parameters that a call gave under the provider's names.

        Raises:
            NotSupportedByProvider: `stream`, which changes the type of the response.
        """
        if "stream" in self.parameters:
            raise self.reject("parameters.stream", "pass it to the method of the SDK")
        return {name: value for name, value in self.parameters.items() if name not in CONTRACT}


def native_model(provider: str, model: str) -> str:
    """Return the provider's name of a model: without the provider's id, as in `openai/gpt-4o`."""
    return model if provider in _PREFIXED else model.removeprefix(f"{provider}/")


def set_fields(**fields: Any) -> Object:
    """Return the fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}
