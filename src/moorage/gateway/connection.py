"""Connections: integrations that are ready for calls, and the requests that they send."""

from collections.abc import Mapping
from typing import Final

import msgspec

from moorage.core.resolution.config import ResolvedConfig
from moorage.gateway.errors import UnsupportedModelTypeForCall, WrongRoute
from moorage.gateway.http.endpoint import Endpoint
from moorage.providers import native_responses
from moorage.providers.errors import NotSupportedByProvider
from moorage.providers.media.table import MEDIA
from moorage.providers.native_request import NATIVE_PROVIDERS, NativeRequest, is_native
from moorage.providers.protocol import ProviderRequest, ResponseProtocol
from moorage.providers.protocols import find_protocol
from moorage.providers.table import PROVIDERS, ProviderRow

#: The route that calls models of each type.
ROUTES: Final[Mapping[str, str]] = {
    "chat": "/v1/chat/completions", "vision": "/v1/chat/completions", "completion": "/v1/completions",
    "embedding": "/v1/embeddings", "image": "/v1/images/generations", "tts": "/v1/audio/speech",
    "stt": "/v1/audio/transcriptions", "rerank": "/v1/rerank", "moderation": "/v1/moderations",
}  # fmt: skip


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

    protocol: ResponseProtocol
    request: ProviderRequest
    url: str
    body: bytes


def check_type(provider: str, kind: str, wanted: str | None = None) -> ProviderRow:
    """Return the row of a provider of a model of a type. `wanted` is the type that a route calls, other than chats.

    Raises:
        UnsupportedModelTypeForCall: the provider has no models of this type, or another route calls them.
    """
    row = PROVIDERS.get(provider)
    if row is None:
        providers = ", ".join(sorted(PROVIDERS))
        raise UnsupportedModelTypeForCall(
            param="provider", type=kind, name=provider, available=f"Moorage calls: {providers}."
        )
    media = MEDIA.get(row.id, {})
    if kind not in row.protocols and kind not in media:
        types = ", ".join((*row.protocols, *media))
        raise UnsupportedModelTypeForCall(
            param="type", type=kind, name=row.name, available=f"{row.name} has models of the types: {types}."
        )
    if kind in (row.protocols if wanted is None else (wanted,)):
        return row
    raise WrongRoute(param="model", type=kind, route=ROUTES[kind])


def prepare(
    config: ResolvedConfig, connection: Connection, *, is_stream: bool, native: NativeRequest | None = None
) -> Prepared:
    """Return the request for a configuration; `native` is that of a caller of the Responses API.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    row = connection.row
    protocol: ResponseProtocol = native_responses
    if native is not None and is_native(row.id, config.type):
        request = native_responses.encode(config, native, connection.options, stream=is_stream)
    else:
        _check_translated(native, row)
        protocol = chat = find_protocol(row.protocols[config.type])
        request = chat.encode(config, connection.options, stream=is_stream)
        if native is not None and native.omitted:
            request = msgspec.structs.replace(request, omitted={**request.omitted, **native.omitted})
    url = connection.base_url + request.path
    return Prepared(protocol, request, url, msgspec.json.encode(request.body))


def _check_translated(native: NativeRequest | None, row: ProviderRow) -> None:
    """Raise an error for a part of a request of the Responses API that no other API has."""
    if native is None or not native.untranslated:
        return
    param, what = next(iter(native.untranslated.items()))
    available = ", ".join(sorted(NATIVE_PROVIDERS))
    reason = f"{what} needs a provider that has the Responses API ({available})"
    raise NotSupportedByProvider(param=param, api=f"API of {row.name}", reason=reason)
