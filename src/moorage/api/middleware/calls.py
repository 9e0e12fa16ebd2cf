"""The way of calls: the same handlers as those of the other routes, without the framework's router around them.

Its search among all routes and its layers of error handling cost about as much as everything else that happens in a
call.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from moorage.api.middleware.headers import RequestHeaders
from moorage.api.middleware.response_cache import CachedResponse
from moorage.api.operation import Operation
from moorage.api.responses import RawHeaders
from moorage.api.router import run
from moorage.api.services import Services
from moorage.core.access import ApiKey
from moorage.core.errors.base import MoorageError

OnError = Callable[[Request, Exception], Awaitable[Response]]


class _CallRoute:
    """What the pipeline reads of a route."""

    def __init__(self, path: str) -> None:
        self.path = path


class _Headers(Headers):
    """The headers of a request by name: a search through all of them for each name costs more."""

    def __init__(self, raw: RawHeaders) -> None:
        super().__init__(raw=raw)
        self._by_name = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(raw)}

    def get(self, key: str, default: Any = None) -> Any:
        return self._by_name.get(key.lower(), default)

    def __getitem__(self, key: str) -> str:
        return self._by_name[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._by_name


class _CallRequest(Request):
    """The request of a call."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self._by_name = _Headers(scope["headers"])

    @property
    def headers(self) -> Headers:
        return self._by_name


class CallRoutes:
    """The ASGI application of all calls whose path has no parameter."""

    def __init__(self, operations: Iterable[Operation], services: Services, on_error: OnError) -> None:
        whole = [each for each in operations if each.is_call and "{" not in each.path]
        self._operations = {each.path: (each, each.rules, _CallRoute(each.path)) for each in whole}
        self._services = services
        self._on_error = on_error

    def has(self, path: str) -> bool:
        """Return whether a path is that of a call."""
        return path in self._operations

    def repeated(self, scope: Scope, headers: RequestHeaders, age: float) -> CachedResponse | None:
        """Return the response to a call, if an equal one has it from the cache of responses of models.

        `age` is that of the catalog (seconds).
        """
        caller: ApiKey | None = scope.get("moorage.verified")
        if caller is None or "moorage.body" not in scope or scope["query_string"]:
            return None
        services, path = self._services, scope["path"]
        if not services.catalog.is_current():  # the body arrived late, and the usual way catches up
            return None
        if services.limits.per_key:  # a request that is over the limit must not be recorded as a call
            return None
        repeat = services.repeated_hits.find(caller.id, path, scope["moorage.body"], scope["headers"])
        if repeat is None or age > services.follower.max_staleness:
            return None
        made = repeat(headers.request_id.decode())
        return None if made is None else CachedResponse.of(*made, b"", path, caller)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a POST with a path of these."""
        operation, rules, scope["route"] = self._operations[scope["path"]]
        request = _CallRequest(scope, receive)
        try:
            response = await run(operation, rules, request, self._services)
        except MoorageError as error:
            response = await self._on_error(request, error)
        await response(scope, receive, send)
