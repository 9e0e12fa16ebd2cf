"""Runs the exchange of a task with a provider: sends its requests, waits between them, and cancels what was begun."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import Final
from urllib.parse import urlsplit

import msgspec

from moorage.core.resolution.config import ResolvedConfig
from moorage.gateway.authentication import Authenticator
from moorage.gateway.call import Progress
from moorage.gateway.connection import Connection
from moorage.gateway.egress import EgressForbidden, InvalidUrl
from moorage.gateway.errors import ProviderError, ProviderTimeout
from moorage.gateway.exchange import RequestFailed, check_status, failure_of, read_body
from moorage.gateway.failures import Failure
from moorage.gateway.http.errors import TransportError
from moorage.gateway.http.transport import Transport
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.media.reading import is_quick
from moorage.providers.media.results import Result
from moorage.providers.media.steps import Exchange, Pause, Reply, Request, Send
from moorage.providers.media.table import MEDIA, find_media_protocol
from moorage.providers.media.tasks import TYPES, Task

#: How often a request that only asks for a state is sent again after a failure, and the first pause (seconds).
_READS: Final = 3
_READ_PAUSE: Final = 0.5

#: How long the cancellation of what a provider has begun can take (seconds).
_CANCEL_SECONDS: Final = 10.0

#: The headers of requests to servers that get no credentials.
_PUBLIC_HEADERS: Final[Mapping[str, str]] = {"Accept": "*/*"}

_cancelling: set[asyncio.Task[None]] = set()


class PreparedTask(msgspec.Struct, frozen=True):
    """A task that is ready to be sent through a connection."""

    request: Request
    exchange: Callable[[], Exchange]


def prepare_task(config: ResolvedConfig, connection: Connection, task: Task) -> PreparedTask:
    """Return a task, ready for a connection."""
    request = Request(config, connection.options, task, connection.base_url)
    run = find_media_protocol(MEDIA[connection.row.id][TYPES[type(task)]])
    return PreparedTask(request, lambda: run(request))


class MediaRunner:
    """Runs exchanges through one transport."""

    def __init__(
        self,
        transport: Transport,
        authenticator: Authenticator,
        compute: Executor | None,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Large requests and responses are translated in `compute`; `sleep` waits."""
        self._transport = transport
        self._authenticator = authenticator
        self._compute = compute
        self._sleep = sleep

    async def run(
        self,
        prepared: PreparedTask,
        connection: Connection,
        progress: Progress,
        until: float,
        check: Callable[[], None],
        *,
        is_small: bool,
    ) -> Result:
        """Run an exchange, and return its result.

        `until` is a time of the loop's clock. `check` raises an error if the caller may not call any more.

        Raises:
            RequestFailed
            MoorageError: the provider does not have what the request asks for.
        """
        exchange = prepared.exchange()
        cancel: Send | None = None
        reply: Reply | None = None
        started = time.perf_counter()
        try:
            while True:
                step = await self._advance(exchange, reply, connection, is_small=is_small)
                progress.omitted = dict(prepared.request.omitted)
                if not isinstance(step, Send | Pause):
                    progress.usage = getattr(step, "usage", None)
                    return step
                cancel = step.cancel
                if isinstance(step, Send):
                    reply = await self._send(step, connection, until, check)
                    progress.response_bytes += len(reply.body)
                    is_small = is_quick(reply.body)
                else:
                    progress.note = step.note
                    await self._pause(step.seconds, until)
                    reply = None
        except BaseException:  # raised again: a cancellation must stop the work of the provider, too
            if reply is not None and reply.stream is not None:
                reply.stream.close()
            if cancel is not None:
                self._begin_cancellation(cancel, connection)
            raise
        finally:
            progress.waited_seconds += time.perf_counter() - started
            exchange.close()

    async def _advance(
        self, exchange: Exchange, reply: Reply | None, connection: Connection, *, is_small: bool
    ) -> Send | Pause | Result:
        def advance() -> Send | Pause | Result:
            try:
                return exchange.send(reply)  # type: ignore[arg-type]  # None begins it, and continues after a pause
            except StopIteration as end:
                result: Result = end.value
                return result

        try:
            return advance() if is_small else await asyncio.get_running_loop().run_in_executor(self._compute, advance)
        except (MalformedResponse, ProviderFailed) as error:
            raise RequestFailed(failure_of(error, connection)) from None

    async def _pause(self, seconds: float, until: float) -> None:
        if asyncio.get_running_loop().time() + seconds > until:
            raise RequestFailed(Failure(ProviderTimeout, "it had no result within the time of the call"))
        await self._sleep(seconds)

    async def _send(self, step: Send, connection: Connection, until: float, check: Callable[[], None]) -> Reply:
        """Send a request. One that only asks for a state is sent again after a failure that passes."""
        for tries in range(_READS):
            try:
                return await self._send_once(step, connection, until, check)
            except RequestFailed as error:
                if step.method != "GET" or not error.failure.is_retried or tries + 1 == _READS:
                    raise
                await self._pause(error.failure.retry_after or _READ_PAUSE * 2**tries, until)
        raise AssertionError  # the last try returns or raises

    async def _send_once(self, step: Send, connection: Connection, until: float, check: Callable[[], None]) -> Reply:
        url = _url(step, connection)
        signed = step.body if isinstance(step.body, bytes) else b""
        try:
            if step.is_public:
                headers: Mapping[str, str] = {**_PUBLIC_HEADERS, **step.headers}
            else:
                headers = await self._authenticator.headers(connection, url, step.headers, signed, step.method)
            response = await self._transport.send(
                connection.endpoint, step.method, url, headers, step.body, until, check
            )
            if not step.is_streamed:
                with response:
                    return Reply(await read_body(response, connection), response.headers)
            try:
                await check_status(response, connection)
            except BaseException:  # raised again: the response must be closed
                response.close()
                raise
            return Reply(b"", response.headers, response)
        except TransportError as error:
            raise RequestFailed(failure_of(error, connection)) from None
        except (InvalidUrl, EgressForbidden) as error:
            if step.url is None:
                raise
            reason = f"its response has a URL that cannot be loaded: {error.message}"
            raise RequestFailed(Failure(ProviderError, reason)) from None

    def _begin_cancellation(self, cancel: Send, connection: Connection) -> None:
        """Tell the provider to stop, in a task of its own: the caller has left already."""
        task = asyncio.ensure_future(self._cancel(cancel, connection))
        _cancelling.add(task)
        task.add_done_callback(_cancelling.discard)

    async def _cancel(self, cancel: Send, connection: Connection) -> None:
        until = asyncio.get_running_loop().time() + _CANCEL_SECONDS
        try:
            await self._send_once(cancel, connection, until, _allow)
        except Exception:  # noqa: BLE001 -- nobody waits for the result, and the work may have ended already
            return


def _allow() -> None:
    """Allow the request."""


def _url(step: Send, connection: Connection) -> str:
    """Return the URL of a request. Credentials are sent to the server of the integration only.

    Raises:
        RequestFailed
    """
    if step.url is None:
        return (step.base_url or connection.base_url) + step.path
    if step.is_public:
        return step.url
    own = urlsplit(connection.base_url)
    try:
        given = urlsplit(step.url)
    except ValueError as error:
        raise RequestFailed(Failure(ProviderError, f"its response has an invalid URL: {error}")) from None
    if (given.scheme, given.netloc) != (own.scheme, own.netloc):
        reason = f"it sends requests to another server ({given.netloc[:100]}) than that of its integration"
        raise RequestFailed(Failure(ProviderError, reason))
    return step.url
