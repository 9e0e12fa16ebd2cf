"""Errors of API keys.

NotAllowed
├── AuthenticationRequired, InvalidApiKey, ExpiredApiKey
└── InsufficientScope             PublishScopeMissing, NoScopeToGrant
NotFound                          ApiKeyNotFound
Conflict                          ApiKeyNotActive
"""

from typing import Final

from moorage.core.errors.base import Conflict, NotAllowed, NotFound

_CREATE: Final = (
    "On the machine of the server, `moorage keys create NAME` creates a key; elsewhere, an API key with the scope"
    " keys:admin can."
)


class AuthenticationRequired(NotAllowed):
    """The request has no API key."""

    code = "authentication_required"
    hint = f"Send the header `Authorization: Bearer <API key>`. {_CREATE}"


class InvalidApiKey(NotAllowed):
    """The API key is not valid on this server."""

    code = "invalid_api_key"
    hint = f"`moorage keys list` shows the valid keys. {_CREATE}"


class ExpiredApiKey(NotAllowed):
    """The API key expired at {expired_at}."""

    code = "expired_api_key"
    hint = _CREATE


class InsufficientScope(NotAllowed):
    """Missing scope: {required}. This API key has: {held}."""

    code = "insufficient_scope"


class PublishScopeMissing(InsufficientScope):
    """Missing scope: deployments:publish."""

    hint = "Save the version as a draft, or use a key with that scope."


class NoScopeToGrant(InsufficientScope):
    """This API key cannot grant any scope: it has only {held}."""


class ApiKeyNotFound(NotFound):
    """API key {name!r} not found."""

    code = "api_key_not_found"
    hint = "Use an id or a name: `moorage keys list` shows all keys."


class ApiKeyNotActive(Conflict):
    """API key {name!r} is {status}, so it gets no new token."""

    code = "api_key_not_active"
    hint = "`moorage keys create NAME` creates another one."
