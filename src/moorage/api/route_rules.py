"""The rules of a route: the scopes that it needs, and how it uses the environment of a request."""

from typing import Literal

import msgspec

from moorage.core.access import Scope
from moorage.core.environments import Environment

EnvironmentUse = Literal["", "view", "move", "call", "all"]


_NONE: frozenset[Scope] = frozenset()


class RouteRules(msgspec.Struct, frozen=True):
    """These rules. Open routes have no `scopes`.

    `environment` is how the route uses the environment of a request: it shows it (`view`), moves a live version in it
    (`move`), takes it from the context (`call`), concerns all of them, so that the API key must not be bound to one
    (`all`), or not at all. A request of a route that `is_batch` is about many contents. One that `decides` is about
    proposals, so a proposal is its result, and not a change that must be approved first.
    """

    scopes: frozenset[Scope] | None = None
    environment: EnvironmentUse = ""
    is_batch: bool = False
    decides: bool = False

    def scopes_in(self, environment: Environment | None) -> frozenset[Scope]:
        """Return the scopes that the route needs in an environment: to move a live version, its protection decides."""
        if self.environment != "move" or environment is None or environment.settings.protected:
            return self.scopes or _NONE
        return self.unprotected_scopes

    @property
    def unprotected_scopes(self) -> frozenset[Scope]:
        """The scopes that a move of a live version needs in an environment that is not protected."""
        return ((self.scopes or frozenset()) - {Scope.PUBLISH}) | {Scope.WRITE}
