"""Failures of single requests to a provider: what they are, whether to retry, and the error that a caller gets."""

import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec
from msgspec import UNSET

from moorage import clock
from moorage.gateway.errors import (
    CallFailed,
    ProviderCredentialInvalid,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    ProviderReason,
    ProviderRejected,
    ProviderTimeout,
)
from moorage.providers.error_bodies import is_invalid_key, read_error
from moorage.providers.table import ProviderRow

#: The statuses after which a request is sent again.
RETRIED: Final = frozenset({408, 409, 429, 500, 502, 503, 504, 529})

#: Statuses that say that the provider works: they do not open the circuit.
_HEALTHY: Final = frozenset({400, 401, 402, 403, 404, 405, 406, 410, 411, 412, 413, 414, 415, 422, 451})

_CREDENTIAL: Final = frozenset({401, 402, 403})
#: The code of a wrong key in the API of OpenAI, also with another status than 401.
_INVALID_KEY: Final = "invalid_api_key"

_TIMEOUT: Final = frozenset({408, 504})
_OVERLOADED: Final = frozenset({503, 529})

#: What looks like a key in the message of a provider, which some echo.
_KEY: Final = re.compile(
    r"\b(?:sk-|pk-|rk-|gsk_|xai-|key-|hf_|nvapi-|AKIA|AIza|ABSK|ya29\.|Bearer )[-_A-Za-z0-9*.+/=]{8,}"
)

#: A shorter secret, or start of one, is in many words.
_MIN_SECRET: Final = 4

#: The longest value of Retry-After that is read, in characters.
_MAX_HEADER: Final = 64


class Failure(msgspec.Struct, frozen=True):
    """A request that failed. `status` is None if no response arrived, and `retry_after` is in seconds."""

    kind: type[CallFailed]
    reason: str
    status: int | None = None
    code: str | None = None
    is_retried: bool = False
    is_unhealthy: bool = True
    retry_after: float | None = None

    def error(self, row: ProviderRow, integration: str) -> CallFailed:
        """Return the error for the caller, without the attempts."""
        reason = self.reason.removesuffix(".")  # a sentence of the provider within one of ours
        error = self.kind(name=row.name, provider_id=row.id, integration=integration, reason=reason)
        status = UNSET if self.status is None else self.status
        error.provider = ProviderReason(row.id, status, self.code or UNSET, self.reason)
        error.retry_after = self.retry_after
        return error


def failure_of_status(status: int, body: bytes, headers: Mapping[str, str], secrets: Iterable[str]) -> Failure:
    """Return the failure that a response with an error is. The secrets are cut out of the provider's words."""
    found = read_error(body, headers)
    reason = f"status {status}" if found.message is None else without_secrets(found.message, secrets)
    if 300 <= status < 400:
        return Failure(ProviderError, f"it redirects (status {status}), and redirects are not followed", status)
    return Failure(
        _kind(status, body, found.code), reason, status, _code(found.code, secrets), status in RETRIED,
        status not in _HEALTHY,
        _retry_after(headers) if status in RETRIED else None,
    )  # fmt: skip


def failure_in_stream(message: str, status: int, code: str | None, secrets: Iterable[str]) -> Failure:
    """Return the failure for an error that a provider reports in a stream, or in the body of a success."""
    reason = without_secrets(message, secrets)
    return Failure(
        _kind(status, b"", code), reason, status, _code(code, secrets), status in RETRIED, status not in _HEALTHY
    )


def _code(code: str | None, secrets: Iterable[str]) -> str | None:
    return None if code is None else without_secrets(code, secrets)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return a provider's words without credentials: those of the integration, and whatever looks like one."""
    for secret in sorted(secrets, key=len, reverse=True):  # one can be a part of another
        if len(secret) >= _MIN_SECRET:
            text = text.replace(secret, "[removed]")
            for size in range(min(len(secret), len(text)), _MIN_SECRET, -1):  # the words were cut off within it
                if text.endswith(secret[:size]):
                    text = f"{text[:-size]}[removed]"
                    break
    return _KEY.sub("[removed]", text)


def _kind(status: int, body: bytes, code: str | None) -> type[CallFailed]:
    if status in _CREDENTIAL or code == _INVALID_KEY or (status == 400 and is_invalid_key(body)):
        return ProviderCredentialInvalid
    if status == 429:
        return ProviderRateLimited
    if status in _TIMEOUT:
        return ProviderTimeout
    if status in _OVERLOADED:
        return ProviderOverloaded
    return ProviderRejected if 400 <= status < 500 and status != 409 else ProviderError


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `retry-after-ms` or Retry-After, which can be a date."""
    milliseconds, value = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    for text, factor in ((milliseconds, 0.001), (value, 1.0)):
        if text and len(text) <= _MAX_HEADER and re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,9})?", text.strip()):
            return float(text) * factor
    if not value or len(value) > _MAX_HEADER:
        return None
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - clock.now_seconds())
    except (ValueError, OverflowError, TypeError):
        return None
