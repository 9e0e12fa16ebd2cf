"""Errors of the client.

    MoorageError
    └── ClientError
        ├── DeploymentNotFound
        ├── DeploymentUnreadable
        ├── NoConfigurationError
        ├── WrongEnvironment
        ├── InvalidEnvironment
        └── ServerUnreachable     internal: the server does not respond
            └── InvalidResponse   internal: its response cannot be trusted

For templates, contexts and messages, the client raises the errors of the server, see `moorage.core.errors`.
"""

from moorage.core.errors.base import MoorageError


class ClientError(MoorageError):
    """The client cannot do this now."""

    code = "client_error"


class DeploymentNotFound(ClientError):
    """Deployment {key!r} not found in the {source} ({count}, {age} seconds old).{suggestion}"""

    code = "deployment_not_found"


class DeploymentUnreadable(ClientError):
    """Deployment {key!r} in the {source} cannot be decoded: {reason}."""

    code = "deployment_unreadable"
    hint = "`moorage lock` writes a new lockfile; a configuration of a newer server requires a newer Moorage here."


class NoConfigurationError(ClientError):
    """No configuration available. Server: {server}. Disk cache: {cache}. Lockfile: {lockfile}."""

    code = "no_configuration"
    hint = "Start the server, or create a lockfile on a machine that reaches it: `moorage lock --out FILE`."


class WrongEnvironment(ClientError):
    """The context names the environment {named!r}, and this client is of {own!r}."""

    code = "wrong_environment"
    hint = "Use a client of that environment: Moorage(url, api_key, environment={named!r})."


class InvalidEnvironment(ClientError):
    """The client cannot be created from the environment: {reason}."""

    code = "invalid_environment"


class ServerUnreachable(ClientError):
    """{reason}"""

    code = "unreachable"


class InvalidResponse(ServerUnreachable):
    """{reason}"""

    code = "invalid_response"
