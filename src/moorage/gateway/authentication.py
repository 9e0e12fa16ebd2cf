"""The headers that authenticate a request at a provider."""

import asyncio
from collections.abc import Mapping
from typing import Final

from moorage.gateway.aws_signer import AwsSigner, keys_of
from moorage.gateway.connection import Connection
from moorage.gateway.credential_errors import CredentialUnusable
from moorage.gateway.google_tokens import GoogleTokens, TokenResponse
from moorage.gateway.http.endpoint import Endpoint
from moorage.gateway.http.transport import Transport
from moorage.providers.signing import AwsKeys
from moorage.providers.table import Auth

#: The header of each kind of credential that is sent as it is, and the text before it.
_HEADERS: Final[Mapping[Auth, tuple[str, str]]] = {
    "bearer": ("Authorization", "Bearer "),
    "api-key": ("api-key", ""),
    "x-api-key": ("x-api-key", ""),
    "x-goog-api-key": ("x-goog-api-key", ""),
    "xi-api-key": ("xi-api-key", ""),
    "key": ("Authorization", "Key "),
}

#: Token endpoints of Google share their limits, and their responses are small.
_TOKENS: Final = Endpoint(name="google-tokens", total=60)
_MAX_TOKEN_BYTES: Final = 65_536


class Authenticator:
    """Adds the credentials of a connection to a request."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._signer = AwsSigner()
        self._tokens = GoogleTokens(self._post)

    async def headers(
        self, connection: Connection, url: str, given: Mapping[str, str], body: bytes, method: str = "POST"
    ) -> dict[str, str]:
        """Return all headers of a request. Those of the integration replace those that are given.

        Raises:
            CredentialUnusable, ExtraMissing, TransportError, EgressForbidden
        """
        headers = {"Content-Type": "application/json", **given}
        credentials = connection.credentials
        if (key := credentials.get("api_key")) is not None:
            name, prefix = _HEADERS.get(connection.row.auth, _HEADERS["bearer"])
            headers[name] = prefix + key
        elif connection.row.auth == "google":
            token = await self._tokens.token(connection.id, credentials)
            headers["Authorization"] = f"Bearer {token}"
        headers |= connection.headers
        if connection.row.auth == "aws" and key is None:
            keys = await self._keys(connection)
            region = connection.options.get("region", "us-east-1")
            return await self._signer.headers(method, url, headers, body, keys, region)
        return headers

    async def _keys(self, connection: Connection) -> AwsKeys:
        if (keys := keys_of(connection.credentials)) is not None:
            return keys
        if not connection.is_from_environment:
            raise CredentialUnusable(provider="aws", reason="it has neither an api_key nor an access_key_id")
        return await self._signer.server_keys()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> TokenResponse:
        deadline = asyncio.get_running_loop().time() + _TOKENS.total
        with await self._transport.send(_TOKENS, "POST", url, headers, body, deadline) as response:
            return TokenResponse(response.status, await response.read(_MAX_TOKEN_BYTES))
