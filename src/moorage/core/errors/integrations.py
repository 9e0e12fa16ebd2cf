"""Errors of integrations: the connections to providers, and their credentials.

    MoorageError
    ├── NotFound
    │   └── IntegrationNotFound
    ├── Conflict                  IntegrationInUse, IntegrationFromEnvironment, CredentialsRequired
    ├── PreconditionFailed        IntegrationChanged, IntegrationExists
    ├── NoIntegration, OtherProvider, CredentialsUnreadable    a call, or a write that needs the stored credentials
    ├── IntegrationUnreadable     another program wrote into the database
    └── StorageError              EncryptionKeyMissing, KeyFileUnusable

They are built like all errors, see `moorage.core.errors.base`. No message has a value of a credential or a header.
"""

from collections.abc import Sequence

from moorage.core.errors.base import Conflict, MoorageError, NotFound, PreconditionFailed
from moorage.core.errors.storage import StorageError

#: How many deployments a message names.
_MAX_NAMED = 10


class IntegrationNotFound(NotFound):
    """Integration {name!r} not found in this project."""

    code = "integration_not_found"
    hint = "`moorage integrations list` shows all integrations."


class NoIntegration(MoorageError):
    """There is no integration {which}, so nothing can call {provider}."""

    code = "integration_not_found"
    hint = "{action}"


class OtherProvider(MoorageError):
    """The integration {name!r} is of the provider {found}, and the model is of {provider}."""

    code = "integration_of_other_provider"
    hint = "Name an integration of {provider} in `integration_id`, or omit `integration_id`."


class CredentialsUnreadable(MoorageError):
    """The credentials of the integration {name!r} cannot be decrypted: {reason}."""

    code = "provider_credential_invalid"
    hint = "Add that key to MOORAGE_SECRET_KEY, or send the credentials again: moorage integrations set {name} …"


class IntegrationUnreadable(MoorageError):
    """Integration {name!r} cannot be decoded and is not used: {reason}."""

    code = "integration_unreadable"
    hint = "Run `moorage db check`: it names the row and what to do."


class IntegrationInUse(Conflict):
    """Integration {name!r} is used by live versions of deployments: {deployments}."""

    code = "integration_in_use"
    hint = "Publish versions that name another integration, or delete the deployments first."

    used_by: Sequence[str] = ()

    @classmethod
    def of(cls, name: str, used_by: Sequence[str], *, has_more: bool) -> "IntegrationInUse":
        """Return the error for an integration and the keys of the deployments that use it."""
        is_cut = has_more or len(used_by) > _MAX_NAMED
        error = cls(name=name, deployments=", ".join(used_by[:_MAX_NAMED]) + (" and more" if is_cut else ""))
        error.used_by = used_by
        return error


class IntegrationFromEnvironment(Conflict):
    """The integration {name!r} is from the environment of the server ({variable})."""

    code = "integration_from_environment"
    hint = "Unset {variable} and restart the server, or override the integration in this project with a PUT."


class CredentialsRequired(Conflict):
    """The stored credentials of the integration {name!r} were sent for {before}, so they are not sent to {after}."""

    code = "credentials_required"
    hint = "Send the credentials (and the headers, if there are any) again, with this change."


class IntegrationChanged(PreconditionFailed):
    """Integration {name!r} has changed: If-Match was {given}, the current ETag is {etag}."""

    hint = "Read it again, then retry with the current ETag."


class IntegrationExists(PreconditionFailed):
    """Integration {name!r} already exists, and the request requires that it does not (If-None-Match: *)."""

    hint = "Its ETag is {etag}."


class EncryptionKeyMissing(StorageError):
    """The credentials of integrations are encrypted, and this process has no secret key."""

    code = "secret_key_missing"
    is_public = True
    hint = (
        "Create a key with `openssl rand -hex 32`, and set MOORAGE_SECRET_KEY to it for all processes that use this"
        " database."
    )


class KeyFileUnusable(StorageError):
    """The file moorage.key beside the database cannot be used: {reason}."""

    code = "secret_key_unusable"
    is_public = True
    hint = "Correct that on the server, or set MOORAGE_SECRET_KEY."
