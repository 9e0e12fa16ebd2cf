"""Access tokens of Google for service accounts. google-auth signs the requests for them, and the gateway sends them."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC
from typing import Any, Final

import msgspec

from moorage import clock
from moorage.core.bounded_cache import BoundedCache
from moorage.gateway.credential_errors import CredentialUnusable, ExtraMissing
from moorage.gateway.single_flight import SingleFlight

#: What a token may be used for.
_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)

#: A token is refreshed when it has less time left, and not used with less than the second, in seconds.
_REFRESHED_BEFORE: Final = 300
_USABLE_BEFORE: Final = 30

_CACHE_BYTES: Final = 4 * 1024 * 1024


class TokenResponse(msgspec.Struct, frozen=True):
    """The response of a token endpoint."""

    status: int
    body: bytes


#: Sends a form to a URL by POST, under the same rules as calls: the guard of addresses, proxies, time limits.
Post = Callable[[str, Mapping[str, str], bytes], Awaitable[TokenResponse]]


class _Token(msgspec.Struct, frozen=True):
    value: str
    expires: float  # seconds since 1970


class GoogleTokens:
    """The tokens of integrations. Each is requested once for all callers, and before the last one expires."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._tokens: BoundedCache[str, _Token] = BoundedCache(_CACHE_BYTES)
        self._refreshing: SingleFlight[_Token] = SingleFlight()

    async def token(self, integration: str, credentials: Mapping[str, str]) -> str:
        """Return a token for the credentials of an integration; other credentials get another token.

        Raises:
            ExtraMissing, CredentialUnusable, and those of `post`
        """
        if given := credentials.get("access_token"):
            return given
        key = f"{integration}:{_digest(credentials)}"
        known, now = self._tokens.get(key), clock.now_seconds()
        if known is not None and known.expires - now > _USABLE_BEFORE:
            if known.expires - now < _REFRESHED_BEFORE:  # nobody waits, and a failure has time for another try
                self._refreshing.start(key, lambda: self._refresh(key, credentials))
            return known.value
        return (await self._refreshing.run(key, lambda: self._refresh(key, credentials))).value

    async def _refresh(self, key: str, credentials: Mapping[str, str]) -> _Token:
        loop = asyncio.get_running_loop()

        def post(url: str, headers: Mapping[str, str], body: bytes) -> TokenResponse:
            async def send() -> TokenResponse:
                return await self._post(url, headers, body)

            return asyncio.run_coroutine_threadsafe(send(), loop).result()

        token = await asyncio.to_thread(_request, dict(credentials), post)
        self._tokens.set(key, token, len(token.value) + len(key) + 200)
        return token


class _Response:
    """A response as google-auth reads it."""

    def __init__(self, response: TokenResponse) -> None:
        self.status, self.data = response.status, response.body
        self.headers: dict[str, str] = {}


def _request(credentials: dict[str, str], post: Callable[[str, Mapping[str, str], bytes], TokenResponse]) -> _Token:
    """Request a token. This blocks, and signing takes milliseconds."""
    try:
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 -- an extra
        from google.oauth2.service_account import Credentials  # noqa: PLC0415
    except ImportError as error:
        raise ExtraMissing(provider="google", extra="google") from error
    try:
        found: Any = Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            credentials, scopes=_SCOPES
        )
    except (ValueError, TypeError, AttributeError, GoogleAuthError) as error:
        reason = "it is no file of a service account with private_key, client_email and token_uri"
        raise CredentialUnusable(provider="google", reason=reason) from error

    def send(url: str, method: str = "GET", body: Any = None, headers: Any = None, **_: object) -> _Response:
        if method != "POST" or url != credentials["token_uri"]:
            raise CredentialUnusable(provider="google", reason="google-auth sends a request that is not for a token")
        return _Response(post(url, headers or {}, body or b""))

    try:
        found.refresh(send)
    except (GoogleAuthError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CredentialUnusable(provider="google", reason=_reason(error)) from error
    if not isinstance(found.token, str) or not found.token or not found.token.isprintable() or found.expiry is None:
        raise CredentialUnusable(provider="google", reason="the token endpoint returned no token")
    return _Token(found.token, found.expiry.replace(tzinfo=UTC).timestamp())


def _digest(credentials: Mapping[str, str]) -> str:
    text = "\0".join(f"{name}={credentials[name]}" for name in sorted(credentials))
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _reason(error: Exception) -> str:
    """Return the reason of the token endpoint, which has no secrets, or the type of the error."""
    details = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], dict) else {}
    words = [str(details[name])[:200] for name in ("error", "error_description") if details.get(name)]
    return f"the token endpoint says: {': '.join(words)}" if words else f"{type(error).__name__} at the token endpoint"
