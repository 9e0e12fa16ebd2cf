"""Errors of the translation to a provider's API."""

from typing import Final

from moorage.core.errors.base import MoorageError

#: The most characters of a provider's message and code that are shown, and the statuses of errors.
_MAX_MESSAGE: Final = 1_000
_MAX_CODE: Final = 100
_ERRORS: Final = range(400, 600)

#: The statuses of the codes of OpenAI, which many providers use in streams without the status.
_STATUSES: Final = {
    "rate_limit_exceeded": 429, "insufficient_quota": 429, "server_is_overloaded": 503, "invalid_prompt": 400,
    "context_length_exceeded": 400, "invalid_request_error": 400, "invalid_api_key": 401,
}  # fmt: skip


class NotSupportedByProvider(MoorageError):
    """{param} has no equivalent in the {api}: {reason}."""

    code = "not_supported_by_provider"
    hint = "Change the deployment, or use a provider that supports it."


class UnsupportedModelType(MoorageError):
    """A deployment with the model type {type!r} cannot be sent to the {api}; it takes: {types}."""

    code = "unsupported_model_type"
    hint = "`config.messages` and `config.parameters` have the configuration as it is stored."


class MalformedResponse(Exception):
    """The response of a provider is not what its protocol says. The argument is the reason, without content."""


class ProviderFailed(Exception):
    """A provider reported an error in the body of a success, or in a stream.

    `status` is the status of the same error elsewhere, such as 529 for an overload. If the provider names none, or a
    number that is no status of errors, it is that of the code, or else 500. The texts are cut off, because providers
    can send any.
    """

    def __init__(self, message: str, status: int = 500, code: str | None = None) -> None:
        self.message = message[:_MAX_MESSAGE]
        super().__init__(self.message)
        self.status = _STATUSES.get(code or "", 500) if status == 500 or status not in _ERRORS else status
        self.code = code[:_MAX_CODE] if code else None
