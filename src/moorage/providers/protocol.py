"""Protocol: the API of a provider, as a module that builds requests and parses responses. No module does any I/O."""

from collections.abc import Mapping, Sequence
from typing import Protocol as _Protocol

import msgspec

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.completion import Completion


class ProviderRequest(msgspec.Struct, frozen=True):
    """A request to a provider.

    `path` is appended to the base URL, and can have a query. `omitted` has the path of each part of the configuration
    that is not sent, such as `parameters.topK`, and the reason.
    """

    path: str
    body: Object
    headers: Mapping[str, str] = {}
    omitted: Mapping[str, str] = {}


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event of a stream: `name` is empty where the protocol has no names."""

    data: bytes
    name: str = ""


class EventSplitter(_Protocol):
    """Splits the bytes of a stream into events. Bytes arrive in pieces of any size."""

    def feed(self, data: bytes) -> Sequence[Event]:
        """Return the events that are complete with these bytes.

        Raises:
            MalformedResponse: the bytes are not such a stream, or an event is too large.
        """
        ...

    def close(self) -> Sequence[Event]:
        """Return the events that the end of the stream completes."""
        ...


class StreamParser(_Protocol):
    """Parses the events of one stream. `is_complete` says whether the provider has said that it ends here.

    A stream that ends while it is False was cut off.
    """

    is_complete: bool

    def feed(self, event: Event) -> Completion | None:
        """Return what an event adds, or None.

        Raises:
            MalformedResponse
            ProviderFailed: the provider reported an error in the stream.
        """
        ...


class ResponseProtocol(_Protocol):
    """The part of a protocol that reads responses."""

    def decode(self, body: bytes) -> Completion:
        """Return the response in a body.

        Raises:
            MalformedResponse
            ProviderFailed: the body is an error, although its status is a success.
        """
        ...

    def splitter(self) -> EventSplitter:
        """Return a splitter for one stream."""
        ...

    def parser(self) -> StreamParser:
        """Return a parser for one stream."""
        ...


class ChatProtocol(ResponseProtocol, _Protocol):
    """A protocol for the model types chat and vision, and for completion where the provider has it."""

    def encode(self, config: ResolvedConfig, options: Mapping[str, str], *, stream: bool) -> ProviderRequest:
        """Return the request for a configuration; `options` are those of the integration.

        Raises:
            UnsupportedModelType, NotSupportedByProvider
        """
        ...
