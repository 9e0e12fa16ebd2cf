"""Errors of calls: what a provider did, in the codes that clients of this API know.

MoorageError
└── CallFailed
    ├── ProviderCredentialInvalid    422: the provider rejects the credential
    ├── ProviderRejected             400: the provider rejects the request
    ├── ProviderRateLimited          429
    ├── ProviderOverloaded           503
    ├── ProviderTimeout              504
    └── ProviderError                502: everything else, such as a response that cannot be parsed
"""

import msgspec
from msgspec import UNSET, UnsetType

from moorage.core.errors.base import MoorageError


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request to a provider, or the reason why there was none.

    `status` is the provider's; it is absent if no response arrived. `outcome` is `ok`, or the code of an error, or
    `skipped`. `next` says why the call went on: `retry` after `wait_ms`, or `fallback`.
    """

    provider: str
    model: str
    integration: str
    outcome: str
    milliseconds: float = 0.0
    status: int | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    next: str | UnsetType = UNSET
    wait_ms: float | UnsetType = UNSET


class ProviderReason(msgspec.Struct, frozen=True, omit_defaults=True):
    """The words of a provider; `status` is absent if no response arrived."""

    name: str
    status: int | UnsetType = UNSET
    code: str | UnsetType = UNSET
    message: str | UnsetType = UNSET


class CallFailed(MoorageError):
    """The call failed."""

    provider: ProviderReason | None = None
    retry_after: float | None = None


class ProviderCredentialInvalid(CallFailed):
    """{name} rejects the credential of integration {integration!r}: {reason}."""

    code = "provider_credential_invalid"
    hint = (
        "Set a valid one with `moorage integrations set {integration} --provider {provider_id} --api-key-stdin`; an"
        " integration from the environment needs a restart."
    )


class ProviderRejected(CallFailed):
    """{name} rejects the request: {reason}."""

    code = "provider_rejected"
    hint = "Change the request or the deployment; a retry has the same result."


class ProviderRateLimited(CallFailed):
    """{name} rejects the call because of a limit: {reason}."""

    code = "rate_limit_exceeded"
    hint = "Retry later. A fallback to a provider that works takes over."


class ProviderOverloaded(CallFailed):
    """{name} is overloaded: {reason}."""

    code = "provider_overloaded"
    hint = "Retry later. A fallback to a provider that works takes over."


class ProviderTimeout(CallFailed):
    """{name} did not respond in time: {reason}."""

    code = "provider_timeout"
    hint = "Retry, or raise the timeout of the integration (`--option timeout_total_s=1800`)."


class ProviderError(CallFailed):
    """{name} failed: {reason}."""

    code = "provider_error"
    hint = "Retry later. A fallback to a provider that works takes over."


class UnsupportedModelTypeForCall(MoorageError):
    """A deployment with the model type {type!r} cannot be called at {name}."""

    code = "unsupported_model_type"
    hint = "{available}"


class WrongRoute(MoorageError):
    """The deployment has the model type {type!r}, which this route does not call."""

    code = "unsupported_model_type"
    hint = "Call it with POST {route}, or change the model type of the deployment."
