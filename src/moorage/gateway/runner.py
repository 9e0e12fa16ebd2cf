"""Runner: makes a call, with retries and fallbacks, and returns a response or a stream.

Retries end with the first event of a response. A fallback is tried after the retries of the model before it, with its
own configuration.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from functools import partial
from typing import Final, Protocol, TypeVar

import msgspec

from moorage.core.bounded_cache import BoundedCache
from moorage.core.errors.base import MoorageError
from moorage.core.errors.integrations import (
    CredentialsUnreadable,
    IntegrationUnreadable,
    NoIntegration,
    OtherProvider,
)
from moorage.gateway.attempts import attempt_of, skipped_attempt
from moorage.gateway.authentication import Authenticator
from moorage.gateway.breaker import Breaker
from moorage.gateway.call import Call, Progress, Target
from moorage.gateway.connection import Connection, Prepared, check_type, prepare
from moorage.gateway.credential_errors import CredentialUnusable
from moorage.gateway.egress import EgressForbidden, InvalidUrl
from moorage.gateway.errors import CallFailed, ProviderError
from moorage.gateway.exchange import SMALL_RESPONSE, CallStream, RequestFailed, decode, failure_of, read_body
from moorage.gateway.failures import Failure
from moorage.gateway.http.errors import TransportError
from moorage.gateway.http.transport import Transport
from moorage.gateway.media import MediaRunner, PreparedTask, prepare_task
from moorage.gateway.probe import Probe, probe
from moorage.providers.completion import Completion
from moorage.providers.media.results import Result
from moorage.providers.media.tasks import TYPES
from moorage.providers.table import ProviderRow

T = TypeVar("T")

#: The pause before the first retry, and the longest one (seconds); each is twice the one before, with jitter.
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 8.0

#: A provider that asks for a longer pause is not retried (seconds).
_MAX_RETRY_AFTER: Final = 30.0

#: Why a provider cannot be reached at all. A fallback can have another one.
_UNREACHABLE: Final = (
    NoIntegration, OtherProvider, CredentialsUnreadable, IntegrationUnreadable, CredentialUnusable, EgressForbidden,
    InvalidUrl,
)  # fmt: skip

#: The circuit breakers of a process take so many bytes; each counts as one of so many.
_BREAKER_BYTES: Final = 200


class _Stopped(Exception):
    """The caller may not call any more: no retry and no fallback follows."""

    def __init__(self, error: MoorageError) -> None:
        super().__init__(error)
        self.error = error


class _ConnectionChanged(Exception):
    """The integration was changed while the request waited."""


class Connections(Protocol):
    """Finds the connection to a provider."""

    def find(self, project_id: str, named: str | None, provider: str) -> Connection:
        """Return the connection of a project: the named integration, or the one for the provider.

        Raises:
            NoIntegration, OtherProvider, CredentialsUnreadable, IntegrationUnreadable
        """
        ...


class Runner:
    """Makes calls. It holds the circuit breakers of this process."""

    def __init__(
        self,
        connections: Connections,
        transport: Transport,
        authenticator: Authenticator,
        compute: Executor | None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Large responses are parsed in `compute`, and `sleep` waits before a retry."""
        self._connections = connections
        self._transport = transport
        self._authenticator = authenticator
        self._compute = compute
        self._sleep = sleep
        self._media = MediaRunner(transport, authenticator, compute, sleep)
        self._breakers: BoundedCache[str, Breaker] = BoundedCache(10_000 * _BREAKER_BYTES)

    async def complete(self, call: Call, progress: Progress) -> Completion:
        """Return the response to a call that is no stream.

        Raises:
            CallFailed: with all attempts.
            MoorageError: no provider can be reached, or the model does not have what the request asks for.
        """
        found = await self._run(call, progress)
        assert isinstance(found, Completion)  # noqa: S101 -- the call is no stream
        return found

    async def stream(self, call: Call, progress: Progress) -> CallStream:
        """Return the stream of a call, after its first event.

        Raises:
            As `complete`.
        """
        found = await self._run(call, progress)
        assert isinstance(found, CallStream)  # noqa: S101 -- the call is a stream
        return found

    async def perform(self, call: Call, progress: Progress) -> Result:
        """Return the result of a call with a task.

        Raises:
            As `complete`.
        """
        found = await self._run(call, progress)
        assert not isinstance(found, Completion | CallStream)  # noqa: S101 -- the call has a task
        return found

    async def probe(self, connection: Connection) -> Probe:
        """Test a connection."""
        return await probe(connection, self._transport, self._authenticator)

    async def close(self) -> None:
        """Close all connections to providers."""
        await self._transport.close()

    async def _run(self, call: Call, progress: Progress) -> Completion | CallStream | Result:
        deadline = None if call.seconds is None else asyncio.get_running_loop().time() + call.seconds
        failed: MoorageError | None = None
        for index in range(len(call.fallbacks) + 1):
            progress.target = target = call.target(index)
            is_last = index == len(call.fallbacks)
            try:
                return await self._try(call, target, progress, deadline, is_last=is_last)
            except _Stopped as stopped:
                raise stopped.error from None
            except CallFailed as error:
                failed = error
            except MoorageError as error:
                if index == 0 and not isinstance(error, _UNREACHABLE):
                    raise  # the request asks for what the model does not have
                progress.attempts.append(skipped_attempt(target, error.code, str(error)))
                if not isinstance(failed, CallFailed):  # the failure of a model that was tried counts more
                    failed = failed or error
            if not is_last:
                progress.attempts[-1] = msgspec.structs.replace(progress.attempts[-1], next="fallback")
        assert failed is not None  # noqa: S101 -- there is at least one model to try
        try:
            raise failed
        finally:
            del failed  # its traceback has this frame: the cycle would keep the request for the garbage collector

    async def _try(
        self, call: Call, target: Target, progress: Progress, deadline: float | None, *, is_last: bool
    ) -> Completion | CallStream | Result:
        """Send a request to one model, with retries.

        Raises:
            CallFailed: the last failure.
            MoorageError: nothing was sent.
        """
        wanted = None if call.task is None else TYPES[type(call.task)]
        row = check_type(target.config.provider, target.config.type, wanted)
        connection, prepared = await self._prepare(call, target, row, progress)
        breaker = self._breaker(connection)
        if not is_last and not breaker.allows():
            failure = Failure(ProviderError, "it failed several times in a row, so calls skip it for a short time")
            progress.attempts.append(skipped_attempt(target, "skipped", failure.reason))
            raise failure.error(row, connection.name)
        now = asyncio.get_running_loop().time
        until = now() + connection.endpoint.total
        until = until if deadline is None else min(until, deadline)
        tries = 0
        while True:
            started = time.perf_counter()
            check = partial(self._check, call, target, connection)
            try:
                found = await self._send(call, connection, prepared, progress, until, check)
            except RequestFailed as error:
                failure = error.failure
            except _ConnectionChanged:
                connection, prepared = await self._prepare(call, target, row, progress)
                breaker = self._breaker(connection)
                continue
            else:
                breaker.succeeded()
                progress.attempts.append(attempt_of(target, connection, None, started))
                return found
            if failure.is_unhealthy:
                breaker.failed()
            else:
                breaker.succeeded()
            progress.attempts.append(attempt_of(target, connection, failure, started))
            pause = _pause(failure, tries)
            if tries == call.retry_count or not failure.is_retried or pause is None:
                break
            if now() + pause >= until:
                break
            tries += 1
            progress.attempts[-1] = msgspec.structs.replace(
                progress.attempts[-1], next="retry", wait_ms=round(pause * 1e3, 1)
            )
            await self._sleep(pause)
            progress.waited_seconds += pause
        raise failure.error(row, connection.name)

    async def _prepare(
        self, call: Call, target: Target, row: ProviderRow, progress: Progress
    ) -> tuple[Connection, Prepared | PreparedTask]:
        connection = self._connections.find(call.project_id, target.integration, row.id)
        progress.integration = connection.name
        if call.task is not None:
            return connection, prepare_task(target.config, connection, call.task)
        making = partial(prepare, target.config, connection, is_stream=call.is_stream, native=target.native)
        prepared = making() if call.is_small else await self._in_thread(making)
        progress.omitted = dict(prepared.request.omitted)
        return connection, prepared

    def _check(self, call: Call, target: Target, connection: Connection) -> None:
        """Check, after all waits, that the caller may still call, and that the integration is still the same."""
        try:
            call.check()
        except MoorageError as error:
            raise _Stopped(error) from None
        if self._connections.find(call.project_id, target.integration, connection.row.id).id != connection.id:
            raise _ConnectionChanged

    async def _send(
        self,
        call: Call,
        connection: Connection,
        prepared: Prepared | PreparedTask,
        progress: Progress,
        until: float,
        check: Callable[[], None],
    ) -> Completion | CallStream | Result:
        if isinstance(prepared, PreparedTask):
            return await self._media.run(prepared, connection, progress, until, check, is_small=call.is_small)
        started = time.perf_counter()
        try:
            try:
                headers = await self._authenticator.headers(
                    connection, prepared.url, prepared.request.headers, prepared.body
                )
                response = await self._transport.send(
                    connection.endpoint, "POST", prepared.url, headers, prepared.body, until, check
                )
            except TransportError as error:
                raise RequestFailed(failure_of(error, connection)) from None
            if not call.is_stream:
                with response:
                    body = await read_body(response, connection)
                    progress.response_bytes = len(body)
                decoding = partial(decode, body, prepared, connection)
                completion = decoding() if len(body) <= SMALL_RESPONSE else await self._in_thread(decoding)
                progress.usage = completion.usage
                return completion
            stream = CallStream(response, prepared, connection, progress)
            await stream.start()
            return stream
        finally:
            progress.waited_seconds += time.perf_counter() - started

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._compute, function)

    def _breaker(self, connection: Connection) -> Breaker:
        name = connection.endpoint.name
        breaker = self._breakers.get(name)
        if breaker is None:
            breaker = Breaker()
            self._breakers.set(name, breaker, _BREAKER_BYTES)
        return breaker


def _pause(failure: Failure, tries: int) -> float | None:
    """Return the seconds before the next retry; None if the provider asks for more than a caller waits."""
    if failure.retry_after is not None:
        return failure.retry_after if failure.retry_after <= _MAX_RETRY_AFTER else None
    pause: float = min(_FIRST_PAUSE * 2**tries, _LONGEST_PAUSE)
    return pause * random.uniform(0.5, 1.0)  # noqa: S311 -- no secret
