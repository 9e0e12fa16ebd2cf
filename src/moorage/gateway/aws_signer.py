"""Signed requests to Amazon Web Services, with an access key or with the identity of the server."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from moorage import clock
from moorage.gateway.credential_errors import CredentialUnusable, ExtraMissing
from moorage.gateway.single_flight import SingleFlight
from moorage.providers.signing import AwsKeys, sign

#: The largest body that is signed in the event loop, in bytes: its hash takes a millisecond.
_MAX_SMALL: Final = 1024 * 1024


def find_server_credentials() -> Any:
    """Return the credentials that botocore finds on this machine; None if there are none. This blocks.

    It searches environment variables, profiles, web identities and the metadata services of containers and machines.
    """
    from botocore.session import Session  # noqa: PLC0415 -- an extra

    return Session().get_credentials()


class AwsSigner:
    """Signs requests. All that blocks runs in threads: the import of botocore, and the refresh of credentials."""

    def __init__(self, find: Callable[[], Any] = find_server_credentials) -> None:
        self._find = find
        self._found: Any = None
        self._is_loaded = False
        self._loading: SingleFlight[Any] = SingleFlight()

    async def server_keys(self) -> AwsKeys:
        """Return the keys of the server's own identity, such as the role of its machine.

        They are the operator's, so only an integration from the environment may use them.

        Raises:
            ExtraMissing, CredentialUnusable
        """
        await self._load()
        if self._found is None:
            self._found = await self._loading.run("find", lambda: _in_thread(self._find))
        if self._found is None:
            raise CredentialUnusable(provider="aws", reason="the server has no credentials of AWS")
        refresh_needed = getattr(self._found, "refresh_needed", None)
        if refresh_needed is not None and refresh_needed():
            frozen = await self._loading.run("refresh", lambda: _in_thread(self._found.get_frozen_credentials))
        else:
            frozen = self._found.get_frozen_credentials()
        return AwsKeys(frozen.access_key, frozen.secret_key, frozen.token)

    async def headers(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, keys: AwsKeys, region: str
    ) -> dict[str, str]:
        """Return the headers with those of a signature.

        Raises:
            ExtraMissing
        """
        await self._load()
        now = datetime.fromtimestamp(clock.now_seconds(), UTC)
        if len(body) <= _MAX_SMALL:
            return sign(method, url, headers, body, keys, region, now)
        return await asyncio.to_thread(sign, method, url, headers, body, keys, region, now)

    async def _load(self) -> None:
        if not self._is_loaded:
            try:
                await self._loading.run("import", lambda: asyncio.to_thread(_import))
            except ImportError as error:
                raise ExtraMissing(provider="aws", extra="aws") from error
            self._is_loaded = True


def keys_of(credentials: Mapping[str, str]) -> AwsKeys | None:
    """Return the access key of an integration; None if it has none.

    Raises:
        CredentialUnusable: it has one half of a key.
    """
    access, secret = credentials.get("access_key_id"), credentials.get("secret_access_key")
    if access and secret:
        return AwsKeys(access, secret, credentials.get("session_token") or None)
    if access or secret:
        missing = "secret_access_key" if access else "access_key_id"
        raise CredentialUnusable(provider="aws", reason=f"it has no {missing}")
    return None


def _import() -> None:
    import botocore.auth  # noqa: PLC0415 -- an extra
    import botocore.awsrequest  # noqa: PLC0415 -- an extra
    import botocore.credentials  # noqa: PLC0415, F401 -- an extra


async def _in_thread(function: Callable[[], Any]) -> Any:
    """Run a function of botocore in a thread; all its errors are about credentials."""
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 -- an extra

    try:
        return await asyncio.to_thread(function)
    except (BotoCoreError, OSError, ValueError) as error:
        raise CredentialUnusable(provider="aws", reason=f"{type(error).__name__} in the credentials") from error
