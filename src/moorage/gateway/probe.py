"""The test of an integration: one request without costs, which shows whether the provider accepts the credential."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType

from moorage.core.errors.base import MoorageError
from moorage.gateway.authentication import Authenticator
from moorage.gateway.connection import Connection
from moorage.gateway.errors import ProviderCredentialInvalid, ProviderError, ProviderOverloaded, ProviderTimeout
from moorage.gateway.exchange import RequestFailed, check_status, failure_of
from moorage.gateway.failures import Failure
from moorage.gateway.http.errors import TransportError
from moorage.gateway.http.transport import Transport

#: A model that no provider has: the response to its call says whether the credential is accepted.
_NO_MODEL: Final = "moorage-connection-test"

_VERTEX: Final = "/projects/{project}/locations/{location}/publishers/google/models"

#: The requests of providers without a list of models at `/models`: the method and the path.
_REQUESTS: Final[Mapping[str, tuple[str, str]]] = {
    "aws": ("POST", f"/model/{_NO_MODEL}/converse"),
    "google": (
        "POST",
        f"/projects/{{project}}/locations/{{location}}/publishers/google/models/{_NO_MODEL}:countTokens",
    ),
    "cohere": ("GET", "/v1/models"),
    "huggingface": ("GET", "/v1/models"),
    "elevenlabs": ("GET", "/v1/models"),
    "leonardoai": ("GET", "/me"),
}

_HEADERS: Final[Mapping[str, Mapping[str, str]]] = {"anthropic": {"anthropic-version": "2023-06-01"}}

#: Failures after which no call would succeed. Others are those of the request, which has no model.
_FAILURES: Final = (ProviderCredentialInvalid, ProviderError, ProviderOverloaded, ProviderTimeout)


class Probe(msgspec.Struct, frozen=True):
    """The result of a test. `status` is that of the provider's response; without one, `code` and `message` say why."""

    name: str
    provider: str
    url: str
    ok: bool
    milliseconds: float
    message: str
    status: int | UnsetType = UNSET
    code: str | UnsetType = UNSET


async def probe(connection: Connection, transport: Transport, authenticator: Authenticator) -> Probe:
    """Send a request that costs nothing, and return what became of it."""
    method, path = _REQUESTS.get(connection.row.id, ("GET", "/models"))
    options = {name: quote(value, safe="") for name, value in connection.options.items()}
    try:
        url = connection.base_url + path.format_map(options)
    except KeyError as missing:
        return Probe(
            connection.name, connection.row.id, connection.base_url, ok=False, milliseconds=0.0,
            message=f"The integration needs the option {missing.args[0]}.", code="provider_error",
        )  # fmt: skip
    started = time.perf_counter()
    failure, error, status = None, None, 200
    try:
        body, headers = (b"{}" if method == "POST" else b""), _HEADERS.get(connection.row.id, {})
        headers = await authenticator.headers(connection, url, headers, body, method)
        until = asyncio.get_running_loop().time() + connection.endpoint.first_byte
        with await transport.send(connection.endpoint, method, url, headers, body, until) as response:
            status = response.status
            await check_status(response, connection)
    except RequestFailed as failed:
        failure = failed.failure
    except TransportError as broken:
        failure = failure_of(broken, connection)
    except MoorageError as found:
        error = found
    result = Probe(
        connection.name, connection.row.id, url, ok=True, milliseconds=round((time.perf_counter() - started) * 1e3, 1),
        message=f"{connection.row.name} accepts the credential.", status=status,
    )  # fmt: skip
    return _result(result, connection, failure, error)


def _result(result: Probe, connection: Connection, failure: Failure | None, error: MoorageError | None) -> Probe:
    """Return the result of a request, with its failure or error."""
    if error is not None:
        return msgspec.structs.replace(result, ok=False, message=str(error), code=error.code)
    if failure is None:
        return result
    status = UNSET if failure.status is None else failure.status
    if failure.kind not in _FAILURES:
        message = f"{connection.row.name} did not reject the credential; it responded with the status {status}."
        return msgspec.structs.replace(result, status=status, message=message)
    found = failure.error(connection.row, connection.name)
    return msgspec.structs.replace(result, ok=False, status=status, message=str(found), code=found.code)
