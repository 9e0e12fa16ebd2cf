"""The context of one request: the request, its API key, and the services."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from msgspec import UNSET, UnsetType
from starlette.requests import Request

from moorage.api.auth import authenticate_again
from moorage.api.body import receive_body
from moorage.api.idempotency import run_idempotent
from moorage.api.memory_budget import WRITE_BYTES, Lease, parsed_bytes
from moorage.api.services import Services
from moorage.api.write_options import change_reason, flag, idempotency_key, request_sha256, write_options
from moorage.core.access import ApiKey, Scope
from moorage.core.compatibility.errors import BreakingChange
from moorage.core.deployments.history import Actor
from moorage.core.deployments.version import Reason
from moorage.core.errors.requests import RepeatedParameter, UnknownParameter
from moorage.core.validation import strict_json
from moorage.core.validation.body import read_body
from moorage.core.validation.strict_json import MAX_BODY
from moorage.registry.authorization import authorize
from moorage.registry.calculations import Calculations, NotCalculated
from moorage.registry.write_context import WriteContext
from moorage.rendering.variables import VariablesNotCached
from moorage.store.reader import Reader
from moorage.store.transaction import Transaction

#: A body of more bytes is parsed and validated in a thread: it can take longer than other requests should wait.
SMALL_BODY = 16_384

P = ParamSpec("P")
T = TypeVar("T")


class RequestContext:
    """A request; `caller` is its API key, None on the open routes, and `lease` the memory that it holds."""

    __slots__ = (
        "_body", "_reason", "_scopes", "caller", "has_written", "is_replayed", "lease", "request", "services"
    )  # fmt: skip

    def __init__(self, request: Request, services: Services, caller: ApiKey | None, scopes: frozenset[Scope]) -> None:
        """`scopes` are those that the request needs."""
        self.request = request
        self.services = services
        self.caller = caller
        self.lease = Lease(services.memory, caller.id if caller else "")
        self._scopes = scopes
        self.has_written = False  # whether `write` returned a result
        self.is_replayed = False  # whether that result was stored under the idempotency key
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

    def path(self, name: str) -> str:
        """Return a path parameter."""
        value: str = self.request.path_params[name]
        return value

    def require_scope(self, scope: Scope) -> bool:
        """Require another scope, for a request whose body needs it; return whether the API key has it."""
        self._scopes |= {scope}
        return scope in self.key.scopes

    async def call_body(self) -> bytes:
        """Return the body of a call, which can have pictures; the request does not keep it.

        Calls have a limit and a budget of memory of their own, in which there is room for the response.

        Raises:
            As `body`.
        """
        self.lease = Lease(self.services.call_memory, self.key.id)
        body = await self.body(self.services.max_call_body)
        self.lease.take(len(body))
        self._body = None
        return body

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

    async def write(
        self, operation: Callable[Concatenate[Transaction, WriteContext, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a registry function in a transaction and return its result; then every read shows the write.

        A POST with an `Idempotency-Key` runs once: a second request with the key gets the stored result. Each attempt
        checks the API key in its transaction, before anything else.

        Raises:
            InvalidIdempotencyKey, InvalidFlag, InvalidRequest
            InvalidApiKey, ExpiredApiKey, InsufficientScope: the API key may not make the write any more.
            IdempotencyConflict: the key was used for another request.
            IdempotencyQuotaExceeded, ApiKeyQueueFull, WriteQueueFull
            StorageFull, StorageUnavailable: nothing is acknowledged.
            Anything that `operation` raises: it is rolled back.
        """
        context = self._write_context()
        key = idempotency_key(self.request)
        digest = request_sha256(self.request, self._body or b"") if key is not None else ""
        calculation: Callable[[], None] | None = None

        def run(tx: Transaction) -> tuple[T, bool]:
            authorize(tx, context)
            if key is None:
                return operation(tx, context, *args, **kwargs), False
            return run_idempotent(tx, context, key, digest, lambda tx: operation(tx, context, *args, **kwargs))

        self.lease.take(WRITE_BYTES)
        is_flushed = is_large = False
        while True:
            try:
                if calculation is not None:
                    await self.compute(calculation)
                    calculation, is_large = None, True
                self.lease.share()
                queue, release = self.services.write_queue, self.lease.release
                result, self.is_replayed = await queue.write(run, release, is_large=is_large)
                self.has_written = True
                return result
            except NotCalculated as missing:
                calculation = missing.run
            except VariablesNotCached as missing:
                # Only a jinja process can list the variables, and no write waits for a process (decision 0019).
                await self.services.template_variables.load(missing.templates)
            except BreakingChange:
                if is_flushed:
                    raise
                await self.services.consumers.flush()  # the error lists the consumers of the last seconds, too
                is_flushed = True

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

    def _write_context(self) -> WriteContext:
        key, request = self.key, self.request
        actor = Actor(key.id, key.name, request.scope["moorage.request_id"], change_reason(request))
        calculations = Calculations(len(self._body or b""))
        context = WriteContext(
            key.project_id,
            actor,
            write_options(self.request),
            self.services.template_variables,
            self._scopes,
            key.token_sha256,
            calculations,
        )
        return context.with_reason(self._reason)


def _parse(body: bytes, kind: type[T]) -> tuple[T, list[str]]:
    return read_body(strict_json.parse(body), kind)
