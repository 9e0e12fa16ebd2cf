"""The errors of the client.

    MoorageError
    └── ClientError
        ├── UnknownDeployment
        ├── BrokenDeployment
        ├── NothingKnown
        └── Unreachable           inside: the server does not answer as it should

Those of templates, contexts and messages are the server's own, see `moorage.core.errors`. They are made as all others.
"""

from moorage.core.errors import MoorageError


class ClientError(MoorageError):
    """The client cannot do this now."""

    code = "client_error"


class UnknownDeployment(ClientError):
    """There is no deployment {key!r} in what is known from the {source}, {age} seconds old{hint}. It knows {count}."""

    code = "deployment_not_found"


class BrokenDeployment(ClientError):
    """The deployment {key!r} cannot be read as it is known from the {source}: {reason}. `moorage pull` writes a
    lockfile anew; what a newer server has needs a newer Moorage here."""

    code = "broken_deployment"


class NothingKnown(ClientError):
    """There are no configurations to answer from. The server: {server}. The cache: {cache}. The lockfile: {lockfile}.
    Start the server, or write a lockfile where it runs: `moorage pull --out deployments.lock.json`."""

    code = "nothing_known"


class Unreachable(ClientError):
    """{reason}"""

    code = "unreachable"
