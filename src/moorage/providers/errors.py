"""Errors of the translation to a provider's API."""

from moorage.core.errors.base import MoorageError


class NotSupportedByProvider(MoorageError):
    """{param} has no equivalent in the {api}: {reason}."""

    code = "not_supported_by_provider"
    hint = "Change the deployment, or use a provider that supports it."


class UnsupportedModelType(MoorageError):
    """A deployment with the model type {type!r} cannot be sent to the {api}; it takes: chat, vision."""

    code = "unsupported_model_type"
    hint = "`config.messages` and `config.parameters` have the configuration as it is stored."
