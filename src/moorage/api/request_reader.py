"""What a request asks for: its API key, its environment, its parameters and its body."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from msgspec import UNSET, UnsetType
from starlette.requests import Request

from moorage.api.auth import authenticate_again
from moorage.api.body import receive_body
from moorage.api.environment import choose_environment, environment_parameter, other_parameters
from moorage.api.memory_budget import Lease, parsed_bytes
from moorage.api.route_rules import RouteRules
from moorage.api.services import Services
from moorage.api.write_options import flag, write_options
from moorage.core.access import ApiKey, Scope
from moorage.core.deployments.version import Reason
from moorage.core.environments import Choice, Environment
from moorage.core.errors.requests import InvalidRequest, RepeatedParameter, UnknownParameter
from moorage.core.validation import strict_json
from moorage.core.validation.body import read_body
from moorage.core.validation.strict_json import MAX_BODY
from moorage.store.reader import Reader

#: A body of more bytes is parsed and validated in a thread: it can take longer than other requests should wait.
SMALL_BODY = 16_384

P = ParamSpec("P")
T = TypeVar("T")


class RequestReader:
    """A request; `caller` is its API key, None on the open routes, and `lease` the memory that it holds."""

    __slots__ = (
        "_body", "_extra_scopes", "_reason", "_rules", "caller", "choice", "follows", "lease", "request",
        "services",
    )  # fmt: skip

    def __init__(self, request: Request, services: Services, caller: ApiKey | None, rules: RouteRules) -> None:
        self.request = request
        self.services = services
        self.caller = caller
        self.lease = Lease(services.memory, caller.id if caller else "")
        self.choice: Choice | None = None  # the environment, on a route that has one
        self.follows = False  # whether the deployment of the response follows production there
        self._rules = rules
        self._extra_scopes = frozenset[Scope]()
        self._body: bytes | None = None
        self._reason: str | UnsetType = UNSET

    @property
    def key(self) -> ApiKey:
        """The API key, on a route that requires one."""
        assert self.caller is not None  # noqa: S101 -- every route with a project has a scope, see routes
        return self.caller

    @property
    def project_id(self) -> str:
        """The project of the API key: a request sees nothing else."""
        return self.key.project_id

    @property
    def environment(self) -> Environment:
        """The environment of the request, on a route that has one."""
        assert self.choice is not None  # noqa: S101 -- the router or the handler has chosen it
        return self.choice.environment

    def choose_environment(self, attribute: object = None, *, parameter: str | None = None) -> Environment:
        """Choose the environment of the request; `attribute` is that of the context of a call.

        `parameter` is the name in the body, which must not contradict the query.

        Raises:
            RepeatedParameter, InvalidRequest, EnvironmentGone, EnvironmentNotFound, WrongEnvironment
        """
        named = environment_parameter(self.request)
        if parameter is not None and named not in (None, parameter):
            raise InvalidRequest(param="environment", reason=f"environment must be {parameter!r}, as in model, or none")
        named = parameter if named is None else named
        self.choice = choose_environment(self.services.catalog, self.key, named, attribute)
        self.request.scope["moorage.environment"] = self.choice.environment.name  # for the response of an error
        if self.choice.unknown_name is not None:
            self.services.unknown_names.record(self.project_id, self.choice.unknown_name)
        return self.choice.environment

    def check_scopes(self) -> None:
        """Check the scopes that the route needs in the environment.

        Raises:
            InsufficientScope
        """
        self.key.check_scopes(self._scopes)

    @property
    def _scopes(self) -> frozenset[Scope]:
        needed = self._rules.scopes_in(None if self.choice is None else self.choice.environment)
        return needed | self._extra_scopes if self._extra_scopes else needed

    def parameters(self) -> list[tuple[str, str]]:
        """Return the query parameters without that of the environment."""
        return list(other_parameters(self.request))

    def path(self, name: str) -> str:
        """Return a path parameter."""
        value: str = self.request.path_params[name]
        return value

    def require_publish(self) -> bool:
        """Require the scope to publish in the environment, for a request whose body needs it.

        Return whether the API key has it.
        """
        scope = Scope.PUBLISH if self.environment.settings.protected else Scope.WRITE
        self._extra_scopes |= {scope}
        return scope in self.key.scopes

    async def call_body(self) -> bytes:
        """Return the body of a call, which can have pictures; the request does not keep it.

        Calls have a limit and a budget of memory of their own, in which there is room for the response.

        Raises:
            As `body`.
        """
        body = await self.keep_call_body()
        self._body = None
        return body

    async def keep_call_body(self) -> bytes:
        """Return the body of a call, which the request keeps until `call_body`.

        Raises:
            As `body`.
        """
        if self._body is None:
            self.lease = Lease(self.services.call_memory, self.key.id)
            self.lease.take(len(await self.body(self.services.max_call_body)))
        return await self.body()

    async def check_caller(self) -> None:
        """Check the API key again, after a wait: in the meantime, it can have been revoked or have expired.

        Raises:
            InvalidApiKey, ExpiredApiKey, InsufficientScope, TooStale
        """
        services = self.services
        if not services.catalog.is_current():
            await services.follower.catch_up()
        services.follower.check_age()
        self.check_caller_now()

    def check_caller_now(self) -> None:
        """Check the API key again, with the state of this process.

        Raises:
            InvalidApiKey, ExpiredApiKey, InsufficientScope
        """
        self.caller = self.request.scope["moorage.caller"] = authenticate_again(self.services.catalog, self.key)
        self.key.check_scopes(self._scopes)

    async def read(self, lookup: Callable[[Reader], T]) -> tuple[T, int]:
        """Look something up in the database, in a thread; return it with its revision.

        The catalog may show another revision by then.
        """
        services = self.services

        def in_one_state() -> tuple[T, int]:
            with services.store.read() as reader:
                return lookup(reader), reader.rev

        return await asyncio.get_running_loop().run_in_executor(services.reader, in_one_state)

    async def compute(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a long calculation in a thread: there it does not hold up other requests."""
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.services.compute, call)

    def allow_query_params(self, *known: str) -> None:
        """Reject every other query parameter, because ignoring one would break a promise; validate the write options.

        Raises:
            UnknownParameter, RepeatedParameter, InvalidFlag, InvalidRequest
        """
        if not known and not self.request.scope["query_string"]:
            return
        use = self._rules.environment
        if use in ("view", "move", "call"):
            known = (*known, "environment")
        if use == "move":
            known = (*known, "emergency")
        names = [name for name, _ in self.request.query_params.multi_items()]
        for name in names:
            if name not in known:
                raise UnknownParameter(param=name[:200], name=name[:200], allowed=", ".join(known) or "none")
            if names.count(name) > 1:
                raise RepeatedParameter(param=name, name=name)
        if known:
            write_options(self.request)  # an invalid flag is reported before the body is read

    def flag(self, name: str) -> bool:
        """Return a query parameter that is `true`, `false`, or absent.

        Raises:
            InvalidFlag
        """
        return flag(self.request, name)

    async def parse(self, kind: type[T]) -> tuple[T, list[str]]:
        """Return the body as a value of a type, and the paths that were normalized.

        Raises:
            BodyTooLarge, BodyTooSlow, UnsupportedEncoding, InvalidJson, InvalidBody
        """
        body = await self.body()
        return await self.compute(_parse, body, kind) if len(body) > SMALL_BODY else _parse(body, kind)

    async def parse_reason(self) -> None:
        """Use the reason of an optional body (`Reason`) for the write.

        Raises:
            BodyTooLarge, BodyTooSlow, UnsupportedEncoding, InvalidJson, InvalidBody
        """
        if (await self.body()).strip():
            self._reason = (await self.parse(Reason))[0].reason

    async def body(self, maximum: int = MAX_BODY) -> bytes:
        """Return the body, at most `maximum` bytes, and check the API key again.

        The request holds the memory of the body, and of the values that are parsed from it.

        Raises:
            BodyTooLarge, BodyTooSlow, MalformedBody, UnsupportedEncoding, ApiKeyQueueFull, WriteQueueFull
            InvalidApiKey, ExpiredApiKey, InsufficientScope, TooStale
        """
        if self._body is not None:
            return self._body
        body = await receive_body(self.request, self.lease, maximum)
        await self.check_caller()
        is_small = len(body) <= SMALL_BODY
        self.lease.take(parsed_bytes(body) if is_small else await self.compute(parsed_bytes, body))
        self._body = body
        return body


def _parse(body: bytes, kind: type[T]) -> tuple[T, list[str]]:
    return read_body(strict_json.parse(body), kind)
