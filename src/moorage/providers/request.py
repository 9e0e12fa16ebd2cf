"""The parts of a translation that all protocols share: the model's name, numbers, and the list of what is omitted."""

from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from moorage.core.deployments.model_parameters import (
    JsonObjectFormat,
    JsonSchemaFormat,
    NamedTool,
    TextFormat,
)
from moorage.core.deployments.provider_parameters import CONTRACT, PROVIDER_PARAMETERS, takes
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.errors import NotSupportedByProvider, UnsupportedModelType

_CHAT_TYPES = ("chat", "vision")

_T = TypeVar("_T")

#: Parameters of models of another type, such as images or speech.
_OTHER_TYPES = (
    "numImages", "format", "dimensions", "quality", "style", "photoRealVersion", "encoding_format",
)  # fmt: skip

#: Providers whose model names begin with their id.
_PREFIXED = frozenset({"perplexity"})


class ToolChoice(NamedTuple):
    """Whether the model must call tools; `name` is that of the tool that it must call."""

    mode: Literal["none", "auto", "required", "function"]
    name: str = ""


#: The modes of `tool_choice` in OpenAI's words, and in those of others.
_MODES: dict[str, Literal["none", "auto", "required"]] = {
    "none": "none", "auto": "auto", "required": "required", "any": "required",
}  # fmt: skip


class Translation:
    """The translation of a configuration to an API. `omitted` has the path of each omitted part, and the reason.

    Args:
        config: The configuration.
        api: The name of the API in errors.
        protocol: Its name in the table of provider parameters.
        types: The model types that the API has.

    Raises:
        UnsupportedModelType
        NotSupportedByProvider: the API does not take a parameter without which the request has another meaning.
    """

    def __init__(self, config: ResolvedConfig, api: str, protocol: str, types: tuple[str, ...] = _CHAT_TYPES) -> None:
        if config.type not in types:
            raise UnsupportedModelType(param="type", type=config.type, api=api, types=", ".join(types))
        self.api, self.provider, self.model = api, config.provider, native_model(config.provider, config.model)
        self.messages = config.messages
        self.omitted: dict[str, str] = {}
        self.parameters = {name: value for name, value in config.parameters.items() if value is not None}
        for name in _OTHER_TYPES:
            if name in self.parameters:
                self.omit(f"parameters.{name}", "it is a parameter of models of another type")
        self._refuse_parameters(protocol)

    def _refuse_parameters(self, protocol: str) -> None:
        """Omit or reject the provider parameters that the protocol does not take."""
        for name in [name for name in self.parameters if name in PROVIDER_PARAMETERS]:
            if takes(protocol, self.provider, name):
                continue
            row, value = PROVIDER_PARAMETERS[name], self.parameters.pop(name)
            reason = f"the API of {self.provider} has no such parameter"
            if row.only_tunes:
                self.omit(f"parameters.{name}", reason)
            elif value != row.default:
                raise self.reject(f"parameters.{name}", reason)

    def take(self, name: str, kind: type[_T]) -> _T | None:
        """Return a provider parameter; None if it is not set.

        Raises:
            NotSupportedByProvider: a call gave a value of another type.
        """
        value = self.parameters.get(name)
        if value is None:
            return None
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise self.reject(f"parameters.{name}", str(error)) from error

    def stop(self) -> list[str] | None:
        """Return the sequences at which the model stops."""
        value = self.parameters.get("stop")
        return [value] if isinstance(value, str) else self.take("stop", list[str])

    def tool_choice(self) -> ToolChoice | None:
        """Return the choice of tools, also in the forms of Anthropic and of the Responses API."""
        value = self.parameters.get("tool_choice")
        if value is None:
            return None
        kind = value.get("type") if isinstance(value, dict) else value
        if isinstance(kind, str) and kind in _MODES:
            return ToolChoice(_MODES[kind])
        if isinstance(value, dict) and kind in ("tool", "function") and isinstance(value.get("name"), str):
            return ToolChoice("function", value["name"])
        named = self.take("tool_choice", NamedTool)
        return ToolChoice("function", named.function.name if named else "")

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
        return {
            name: value for name, value in self.parameters.items()
            if name not in CONTRACT and name not in PROVIDER_PARAMETERS
        }  # fmt: skip

    def provider_parameters(self) -> Object:
        """Return the provider parameters that the API takes, as they are."""
        return {name: value for name, value in self.parameters.items() if name in PROVIDER_PARAMETERS}


def native_model(provider: str, model: str) -> str:
    """Return the provider's name of a model: without the provider's id, as in `openai/gpt-6-luna`."""
    return model if provider in _PREFIXED else model.removeprefix(f"{provider}/")


def set_fields(**fields: Any) -> Object:
    """Return the fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}
