"""Connections: integrations that are ready for calls, and the requests that they send."""

from collections.abc import Mapping

import msgspec

from moorage.core.resolution.config import ResolvedConfig
from moorage.gateway.errors import UnsupportedModelTypeForCall
from moorage.gateway.http.endpoint import Endpoint
from moorage.providers.protocol import ChatProtocol, ProviderRequest
from moorage.providers.protocols import find_protocol
from moorage.providers.table import PROVIDERS, ProviderRow


class Connection(msgspec.Struct, frozen=True):
    """An integration with its decrypted credentials, which never appear in `repr`.

    `id` is that of this state of the integration. `endpoint` has its timeouts and its connection limit, and identifies
    its pool of connections.
    """

    id: str
    name: str
    row: ProviderRow
    base_url: str
    options: Mapping[str, str]
    credentials: Mapping[str, str]
    headers: Mapping[str, str]
    endpoint: Endpoint
    is_from_environment: bool = False

    def __repr__(self) -> str:
        return f"Connection({self.name!r})"

    @property
    def secrets(self) -> list[str]:
        """The values that must never be shown."""
        return [value for value in (*self.credentials.values(), *self.headers.values()) if value]


class Prepared(msgspec.Struct, frozen=True):
    """A request that is ready to be sent through a connection."""

    protocol: ChatProtocol
    request: ProviderRequest
    url: str
    body: bytes


def check_type(config: ResolvedConfig) -> ProviderRow:
    """Return the row of a configuration's provider.

    Raises:
        UnsupportedModelTypeForCall: Moorage cannot call models of this type there.
    """
    row = PROVIDERS.get(config.provider)
    if row is None:
        providers = ", ".join(sorted(row.id for row in PROVIDERS.values() if row.protocols))
        raise UnsupportedModelTypeForCall(
            param="provider", type=config.type, name=config.provider, available=f"Moorage calls: {providers}."
        )
    if config.type not in row.protocols:
        raise UnsupportedModelTypeForCall(param="type", type=config.type, name=row.name, available=_available(row))
    return row


def _available(row: ProviderRow) -> str:
    """Return a sentence about the model types of a provider."""
    here = f"Moorage calls its models of the types: {', '.join(row.protocols)}." if row.protocols else ""
    elsewhere = f"{row.name} also has {', '.join(row.elsewhere)}, which Moorage does not call yet." if here else (
        f"{row.name} has {', '.join(row.elsewhere)}, which Moorage does not call yet."
    )  # fmt: skip
    return " ".join(part for part in (here, elsewhere if row.elsewhere else "") if part)


def prepare(config: ResolvedConfig, connection: Connection, *, is_stream: bool) -> Prepared:
    """Return the request for a configuration.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    protocol = find_protocol(connection.row.protocols[config.type])
    request = protocol.encode(config, connection.options, stream=is_stream)
    url = connection.base_url + request.path
    return Prepared(protocol, request, url, msgspec.json.encode(request.body))
