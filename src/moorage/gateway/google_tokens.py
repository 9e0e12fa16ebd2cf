"""Access tokens of Google for service accounts. google-auth signs the requests for them, and the gateway sends them."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC
from typing import Any, Final, NoReturn

import msgspec

from moorage import clock
from moorage.core.bounded_cache import BoundedCache
from moorage.gateway.credential_errors import CredentialUnusable, ExtraMissing
from moorage.gateway.failures import RETRIED
from moorage.gateway.http.errors import BrokenBeforeFirstByte
from moorage.gateway.single_flight import SingleFlight

#: What a token may be used for.
_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)

#: A token is refreshed when it has less time left, and not used with less than the second, in seconds.
_REFRESHED_BEFORE: Final = 300
_USABLE_BEFORE: Final = 30

#: A token is valid for an hour; a longer time is no time (seconds).
_LONGEST: Final = 86_400 * 366

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
        """Request a token. Only the signature is made in a thread: one that waited would keep others from theirs."""
        signed = await asyncio.to_thread(_sign, dict(credentials))
        token = signed if isinstance(signed, _Token) else _read(await self._post(*signed))
        self._tokens.set(key, token, len(token.value) + len(key) + 200)
        return token


class _Signed(Exception):
    """Ends the exchange of google-auth when its request is signed."""

    def __init__(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__()
        self.request = url, headers, body


class _Answer(msgspec.Struct):
    """The response of a token endpoint (RFC 6749); some send the number as a text."""

    access_token: str | None = None
    expires_in: int | float | str | None = None
    error: str | None = None
    error_description: str | None = None


def _sign(credentials: dict[str, str]) -> tuple[str, Mapping[str, str], bytes] | _Token:
    """Return the request for a token, or the token, if it needs no request. Signing takes milliseconds."""
    try:
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 -- an extra
        from google.oauth2.service_account import Credentials  # noqa: PLC0415 -- an extra
    except ImportError as error:
        raise ExtraMissing(provider="google", extra="google") from error
    try:
        found: Any = Credentials.from_service_account_info(  # type: ignore[no-untyped-call]  # it has no types
            credentials, scopes=_SCOPES
        )
    except (ValueError, TypeError, AttributeError, GoogleAuthError) as error:
        reason = "it is no file of a service account with private_key, client_email and token_uri"
        raise CredentialUnusable(provider="google", reason=reason) from error

    def send(url: str, method: str = "GET", body: Any = None, headers: Any = None, **_: object) -> NoReturn:
        if method != "POST" or url != credentials["token_uri"]:
            raise CredentialUnusable(provider="google", reason="google-auth sends a request that is not for a token")
        raise _Signed(url, headers or {}, body or b"")

    try:
        found.refresh(send)
    except _Signed as signed:
        return signed.request
    except (GoogleAuthError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CredentialUnusable(provider="google", reason=f"{type(error).__name__} when it is signed") from error
    return _token(found.token, found.expiry.replace(tzinfo=UTC).timestamp() if found.expiry else None)


def _read(response: TokenResponse) -> _Token:
    """Return the token in a response."""
    if response.status in RETRIED:
        raise BrokenBeforeFirstByte(f"the token endpoint responded with the status {response.status}")
    try:
        answer = _decode(response.body)
        seconds = float("nan" if answer.expires_in is None else answer.expires_in)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError):
        answer, seconds = _Answer(), 0.0
    if words := [word[:200] for word in (answer.error, answer.error_description) if word]:
        raise CredentialUnusable(provider="google", reason=f"the token endpoint says: {': '.join(words)}")
    return _token(answer.access_token, clock.now_seconds() + seconds if 0 < seconds <= _LONGEST else None)


_decode = msgspec.json.Decoder(_Answer).decode


def _token(value: Any, expires: float | None) -> _Token:
    if not isinstance(value, str) or not value or not value.isprintable() or expires is None:
        raise CredentialUnusable(provider="google", reason="the token endpoint returned no token")
    return _Token(value, expires)


def _digest(credentials: Mapping[str, str]) -> str:
    text = "\0".join(f"{name}={credentials[name]}" for name in sorted(credentials))
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
