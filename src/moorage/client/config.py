"""Config: the request to a model, and the source of the configuration."""

import logging
from typing import Literal

import msgspec

from moorage.core.deployments.deployment import LiveVersion
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.core.routing.table import Resolution
from moorage.providers.anthropic import AnthropicArguments, encode_messages_request
from moorage.providers.openai import OpenAIArguments, encode_chat

Source = Literal["server", "disk", "lockfile"]

_decode = msgspec.json.Decoder(ResolvedConfig).decode

#: The versions whose omitted parts were logged, and how many are stored.
_logged: set[tuple[str, str, str]] = set()
_MAX_LOGGED = 10_000

_log = logging.getLogger("moorage.client")


class Config:
    """The result of `get_config`.

    `json` has the bytes of the server's response to `POST /v2/deployments/get_config`. `source` is the source of the
    deployments, and `age` is the time in seconds since they were current. A lockfile contains no date; its age is that
    of the file, which for a checkout starts at the checkout. Callers can change `messages`, `parameters` and `tools`.
    """

    def __init__(self, json: bytes, live: LiveVersion, resolution: Resolution, source: Source, age: float) -> None:
        self.json = json
        self._live = live
        self._resolution = resolution
        self._decoded: ResolvedConfig | None = None
        self.source = source
        self.age = age

    @property
    def key(self) -> str:
        """The deployment's key."""
        return self._live.key

    @property
    def version(self) -> str:
        """The number of the live version."""
        return self._live.version

    @property
    def variant(self) -> str:
        """The name of the variant."""
        return self._resolution.variant

    @property
    def reason(self) -> str:
        """The reason for the variant: rule, split, default or only."""
        return self._resolution.reason

    @property
    def provider(self) -> str:
        """The provider of the model."""
        return self._configuration().provider

    @property
    def model(self) -> str:
        """The model's name."""
        return self._configuration().model

    @property
    def type(self) -> str:
        """The kind of model."""
        return self._configuration().type

    @property
    def missing_inputs(self) -> list[str]:
        """Variables with neither input nor default."""
        return self._configuration().missing_inputs or []

    @property
    def messages(self) -> list[Object]:
        """The messages with the inputs."""
        return self._configuration().messages

    @property
    def parameters(self) -> Object:
        """The model's parameters, by the names of the API."""
        return self._configuration().parameters

    @property
    def tools(self) -> list[Object]:
        """The tools the model may call."""
        return self._configuration().tools or []

    @property
    def id(self) -> str:
        """The id, a hash of the rest: it is equal for the same request to the same version."""
        return self._configuration().id

    def for_openai(self) -> OpenAIArguments:
        """Return the arguments for `client.chat.completions.create` of the `openai` package.

        The configuration of any provider is translated: use a client for an endpoint that serves `provider`. A log
        line has what the API has no equivalent for, once for each version; so has `omitted_for`.

        Raises:
            UnsupportedModelType: the model is not one for chats.
            NotSupportedByProvider: without a part, the request would have another meaning.
        """
        arguments, omitted = encode_chat(self._configuration())
        self._log_omitted("openai", omitted)
        return arguments

    def for_anthropic(self) -> AnthropicArguments:
        """Return the arguments for `client.messages.create` of the `anthropic` package; see `for_openai`."""
        arguments, omitted = encode_messages_request(self._configuration())
        self._log_omitted("anthropic", omitted)
        return arguments

    def omitted_for(self, api: Literal["openai", "anthropic"]) -> dict[str, str]:
        """Return what `for_openai` or `for_anthropic` omits: the path of each part, and the reason."""
        encode = encode_chat if api == "openai" else encode_messages_request
        return encode(self._configuration())[1]

    def _log_omitted(self, api: str, omitted: dict[str, str]) -> None:
        version = (api, self._live.version_id, self.variant)
        if omitted and version not in _logged and len(_logged) < _MAX_LOGGED:
            _logged.add(version)
            parts = "; ".join(f"{path}: {reason}" for path, reason in omitted.items())
            _log.warning("%s %s %s is sent without: %s", self.key, self.version, self.variant, parts)

    def __repr__(self) -> str:
        return f"<Config {self.key} {self.version} {self.variant}, from the {self.source}, {self.age:.1f} s old>"

    def _configuration(self) -> ResolvedConfig:
        """Return the decoded configuration. `cached_property` would need a lock."""
        if self._decoded is None:
            self._decoded = _decode(self.json)
        return self._decoded
