"""Steps of an exchange with a provider. A protocol yields them, and gets the response of each; it does no I/O.

So a protocol that must send several requests, or ask again until a picture is ready, reads from top to bottom.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from moorage.core.deployments.provider_parameters import CONTRACT
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.errors import NotSupportedByProvider
from moorage.providers.media.results import Result
from moorage.providers.request import native_model


class Body(Protocol):
    """The body of a request that is sent in pieces."""

    def __len__(self) -> int: ...

    def pieces(self) -> Iterator[bytes]:
        """Return the body from its start, in pieces."""
        ...


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """Send a request. `path` is appended to the base URL; `url` is a whole one, and can be of the same server only.

    A provider with several services has a `base_url` for others, which comes from the integration or from the program.

    The body of the response is read whole, unless the request `is_streamed`. A request that `is_public` has no
    credentials, and its `url` can be of any server. `cancel` is sent if the caller leaves before the next step.
    """

    path: str = ""
    url: str | None = None
    base_url: str | None = None
    method: str = "POST"
    body: bytes | Body = b""
    headers: Mapping[str, str] = {}
    is_streamed: bool = False
    is_public: bool = False
    cancel: "Send | None" = None


class Pause(msgspec.Struct, frozen=True):
    """Wait for some seconds; `note` says for what, in a few words."""

    seconds: float
    note: str = ""
    cancel: Send | None = None


class Reply(msgspec.Struct, frozen=True):
    """The successful response to a request. `stream` is the response itself if the request was streamed."""

    body: bytes
    headers: Mapping[str, str]
    stream: Any = None

    @property
    def media_type(self) -> str:
        """The media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


T = TypeVar("T")

#: The steps of a part of an exchange, which ends with a value of its own; and those of a whole one.
Part: TypeAlias = Generator[Send | Pause, Reply, T]
Exchange: TypeAlias = Part[Result]


class Request:
    """A task for a model, and its parameters. `omitted` has the path of each part that is not sent, and the reason."""

    def __init__(self, config: ResolvedConfig, options: Mapping[str, str], task: Any, base_url: str = "") -> None:
        self.task = task
        self.base_url = base_url
        self.options = options
        self.provider, self.model = config.provider, native_model(config.provider, config.model)
        self.parameters: Object = {name: value for name, value in config.parameters.items() if value is not None}
        self.omitted: dict[str, str] = {}

    def take(self, name: str) -> Any:
        """Return a parameter, which is used by that; None if it is not set."""
        return self.parameters.pop(name, None)

    def text(self, name: str) -> str | None:
        """Return a parameter that is a text; None if it is not set. A call can give any value for it.

        Raises:
            NotSupportedByProvider
        """
        value = self.take(name)
        if value is None or isinstance(value, str):
            return value
        raise self.reject(name, f"{value!r:.60} is not a text")

    def count(self, name: str) -> int | None:
        """Return a whole number from 1, which can be a text, as in `dimensions`; None if it is not set.

        Raises:
            NotSupportedByProvider
        """
        value = self.take(name)
        if value is None:
            return None
        is_text = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
        is_number = type(value) is int or (isinstance(value, float) and value.is_integer())
        found = int(value) if is_text or is_number else 0
        if found < 1:
            raise self.reject(name, f"{value!r:.60} is not a whole number from 1")
        return found

    def named(self, names: Mapping[str, str]) -> Object:
        """Return the parameters that are set of those, under the provider's names."""
        return {native: self.parameters.pop(name) for name, native in names.items() if name in self.parameters}

    def rest(self) -> Object:
        """Return the parameters that the call gave under the provider's own names; the contract's are omitted."""
        self.omit_rest()
        return {name: value for name, value in self.parameters.items() if name not in CONTRACT}

    def omit_rest(self, *, all_of_them: bool = False) -> None:
        """Record that the other parameters are not sent: those of the contract, or all of them."""
        for name in self.parameters:
            if all_of_them or name in CONTRACT:
                self.omitted[f"parameters.{name}"] = f"the API of {self.provider} has no such parameter"

    def reject(self, name: str, reason: str) -> NotSupportedByProvider:
        """Return the error for a parameter without which the response would be another one."""
        return NotSupportedByProvider(param=f"parameters.{name}", api=f"API of {self.provider}", reason=reason)


#: A protocol: returns the exchange for a request.
Run = Callable[[Request], Exchange]
