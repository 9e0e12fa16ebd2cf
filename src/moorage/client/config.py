"""Config: the request to a model, and the source of the configuration."""

from typing import Literal

import msgspec

from moorage.core.deployments.deployment import LiveVersion
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.core.routing.table import Resolution

Source = Literal["server", "disk", "lockfile"]

_decode = msgspec.json.Decoder(ResolvedConfig).decode


class Config:
    """The answer to `get_config`. `json` is the same bytes as the server's answer to
    `POST /v2/deployments/get_config`, `source` says where it is known from, and `age` how many seconds ago that was
    known to be the newest; of a lockfile, which has no date in it, how many seconds ago the file was written here,
    which for a checkout is the checkout. The values of `messages`, `parameters` and `tools` belong to the caller, and
    may be changed."""

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
        """The number of the version that is live."""
        return self._live.version

    @property
    def variant(self) -> str:
        """The variant that was chosen."""
        return self._resolution.variant

    @property
    def reason(self) -> str:
        """Why it was: rule, split, default or only."""
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
        """The messages, the inputs in them."""
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
        """Follows from all the rest: the same request to the same version has the same."""
        return self._configuration().id

    def __repr__(self) -> str:
        return f"<Config {self.key} {self.version} {self.variant}, from the {self.source}, {self.age:.1f} s old>"

    def _configuration(self) -> ResolvedConfig:
        """Decoded at the first use; `cached_property` would do that under a lock."""
        if self._decoded is None:
            self._decoded = _decode(self.json)
        return self._decoded
