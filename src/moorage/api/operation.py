"""Operation: an entry of the route table."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.api.route_rules import EnvironmentUse, RouteRules
from moorage.core.access import Scope
from moorage.core.errors.base import MoorageError

#: The `scopes` of a route that needs no API key.
OPEN: frozenset[Scope] | None = None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A method of a path.

    `responses` maps a status to the type of its body, to its media type, or to several of them. `headers` lists the
    headers of a success with an API key, without those that every response has. A call (`is_call`) reads nothing after
    its body has arrived, and its response can take minutes; if it `is_idempotent`, its response can be stored under an
    idempotency key. See `RouteRules` about the others.
    """

    method: str
    path: str
    handler: Callable[[RequestContext], Awaitable[Response]]
    scopes: frozenset[Scope] | None
    name: str
    parameters: tuple[str, ...] = ()
    body: type | None = None
    is_body_optional: bool = False
    responses: dict[int, Any]
    headers: tuple[str, ...] = ("ETag",)
    errors: tuple[type[MoorageError], ...] = ()
    is_call: bool = False
    is_idempotent: bool = False
    environment: EnvironmentUse = ""
    is_batch: bool = False
    decides: bool = False

    @property
    def rules(self) -> RouteRules:
        """The rules of the route."""
        return RouteRules(self.scopes, self.environment, self.is_batch, self.decides)
