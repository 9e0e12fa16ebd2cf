"""The environment that a command changes, and whether it requires approvals."""

import msgspec

from moorage.cli.client import Client
from moorage.cli.environment_responses import EnvironmentList
from moorage.cli.errors import ApiError
from moorage.core.environments import PRODUCTION, is_environment_name

#: The codes of errors of a server that has no environments, and of an API key that may not read them.
_UNKNOWN = frozenset({"not_found", "method_not_allowed", "insufficient_scope"})


class Target(msgspec.Struct, frozen=True):
    """An environment; `option` is the value of `--environment`, or None without the option."""

    option: str | None
    name: str
    required_approvals: int = 0

    @property
    def is_production(self) -> bool:
        """Whether it is production."""
        return self.name == PRODUCTION


def find_target(client: Client, option: str | None) -> Target:
    """Return the environment of the option, else that of the API key, else production.

    If the API key may not read it, no approvals are known: the server then makes a proposal of each change.
    """
    try:
        found = client.get("/v2/environments", EnvironmentList).value.data
    except ApiError as error:
        if error.code not in _UNKNOWN:
            raise
        found = []
    for row in found:  # the first one is that of the key, or production
        if option in (None, row.name) and is_environment_name(row.name):
            return Target(option, row.name, row.required_approvals)
    return Target(option, option or PRODUCTION)
