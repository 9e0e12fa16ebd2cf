"""One exchange with a provider: its response as a completion, or as a stream of them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from moorage.gateway.call import Progress
from moorage.gateway.connection import Connection, Prepared
from moorage.gateway.errors import ProviderError, ProviderOverloaded, ProviderTimeout
from moorage.gateway.failures import Failure, failure_in_stream, failure_of_status, without_secrets
from moorage.gateway.http.errors import BrokenBeforeFirstByte, ConnectFailed, TimedOut, TransportError
from moorage.providers.completion import Completion
from moorage.providers.decoding import MAX_OBJECTS, MAX_VALUES, check_values
from moorage.providers.error_bodies import MAX_BODY
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.protocol import Event

if TYPE_CHECKING:  # importing aiohttp takes half a second
    from moorage.gateway.http.exchange import UpstreamResponse

#: The largest response that is not a stream, and the largest that is parsed on the event loop (bytes).
MAX_RESPONSE: Final = 32 * 1024 * 1024
SMALL_RESPONSE: Final = 128 * 1024

#: The most bytes of a stream: no model writes so much, so it is a stream without an end.
MAX_STREAM: Final = 256 * 1024 * 1024

#: The last event of many streams, and how long the end of the response can be after it (seconds).
_DONE: Final = b"[DONE]"
_END_SECONDS: Final = 0.1

#: How long an event with the usage can be after the model has ended, in streams without `[DONE]` (seconds).
_LATE_SECONDS: Final = 5.0

#: A larger piece is parsed in slices, while the loop serves others: it can have thousands of events (bytes).
_SLICE: Final = 32 * 1024

#: When so much has arrived without the end of an event, it is parsed in a thread: an event with a picture takes long.
_LARGE_EVENT: Final = 512 * 1024


class RequestFailed(Exception):
    """A single request failed before its first event."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


async def read_body(response: "UpstreamResponse", connection: Connection) -> bytes:
    """Return the body of a success.

    Raises:
        RequestFailed
    """
    try:
        await check_status(response, connection)
        return await response.read(MAX_RESPONSE)
    except TransportError as error:
        raise RequestFailed(failure_of(error, connection)) from None


def decode(body: bytes, prepared: Prepared, connection: Connection) -> Completion:
    """Return the completion in a body.

    Raises:
        RequestFailed
    """
    try:
        if len(body) > SMALL_RESPONSE:
            check_values(body, MAX_OBJECTS, MAX_VALUES)
        return prepared.protocol.decode(body)
    except (MalformedResponse, ProviderFailed) as error:
        raise RequestFailed(failure_of(error, connection)) from None


async def check_status(response: "UpstreamResponse", connection: Connection) -> None:
    """Raise `RequestFailed` for a response that is an error, with what the start of its body says."""
    if 200 <= response.status < 300:
        return
    pieces, size = list[bytes](), 0
    async for piece in response.pieces():
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY:
            break
    body = b"".join(pieces)
    raise RequestFailed(failure_of_status(response.status, body, response.headers, connection.secrets))


def failure_of(error: TransportError | MalformedResponse | ProviderFailed, connection: Connection) -> Failure:
    """Return the failure that an exception of an exchange is."""
    if isinstance(error, ProviderFailed):
        return failure_in_stream(error.message, error.status, error.code, connection.secrets)
    if isinstance(error, MalformedResponse):
        reason = without_secrets(str(error), connection.secrets)  # it can have a header of the response
        return Failure(ProviderError, f"its response cannot be parsed: {reason}")
    if isinstance(error, TimedOut):
        # No provider is at fault if all connections are in use.
        is_queue = error.limit == "queue"
        kind = ProviderOverloaded if is_queue else ProviderTimeout
        is_retried = error.limit in ("connect", "first_byte")
        return Failure(kind, str(error), is_retried=is_retried, is_unhealthy=not is_queue)
    is_retried = isinstance(error, ConnectFailed | BrokenBeforeFirstByte)
    return Failure(ProviderError, str(error), is_retried=is_retried)


class CallStream:
    """The stream of a call. `next` returns what arrived at once, so that it can be passed on at once."""

    def __init__(
        self, response: "UpstreamResponse", prepared: Prepared, connection: Connection, progress: Progress
    ) -> None:
        self._response = response
        self._connection = connection
        self._progress = progress
        self._splitter = prepared.protocol.splitter()
        self._parser = prepared.protocol.parser()
        self._pieces: AsyncIterator[bytes] | None = None
        self._first: Sequence[Completion] = ()
        self._piece: bytes | None = b""
        self._position = self._size = self._waiting = 0
        self._now = asyncio.get_running_loop().time
        self._last_event = self._now()
        self._failure: MalformedResponse | ProviderFailed | None = None
        self._is_done = self._has_ended = False

    async def start(self) -> None:
        """Wait for the first event.

        Raises:
            RequestFailed
        """
        try:
            await check_status(self._response, self._connection)
            media_type = self._response.headers.get("content-type", "")
            if media_type.startswith(("application/json", "text/html")):
                raise MalformedResponse(f"it is {media_type.partition(';')[0]}, and no stream")
            self._pieces = self._response.pieces()
            self._first = await self._read() or ()
        except (TransportError, MalformedResponse, ProviderFailed) as error:
            self._response.close()
            raise RequestFailed(failure_of(error, self._connection)) from None
        except BaseException:  # raised again: a cancellation must close the connection, too
            self._response.close()
            raise
        self._progress.first_at = time.perf_counter()

    async def next(self) -> Sequence[Completion] | None:
        """Return the next events, at least one; None at the end of the stream.

        Raises:
            CallFailed: the stream broke, or the provider reported an error in it.
        """
        if self._first:
            first, self._first = self._first, ()
            return first
        try:
            return await self._read()
        except (TransportError, MalformedResponse, ProviderFailed) as error:
            self._response.close()
            failure = failure_of(error, self._connection)
            attempts = self._progress.attempts
            attempts[-1] = msgspec.structs.replace(attempts[-1], outcome=failure.kind.code, reason=failure.reason)
            raise failure.error(self._connection.row, self._connection.name) from None

    def close(self) -> None:
        """Close the connection, unless the stream has ended: then it is in the pool."""
        if not self._has_ended:
            self._response.close()

    async def _read(self) -> Sequence[Completion] | None:
        """Return the events of the next piece with any; None at the end."""
        found: Sequence[Completion] = ()
        while not found:
            if self._failure is not None:
                raise self._take_failure()
            if self._has_ended:
                return None
            piece = await self._next_slice()
            self._waiting += len(piece or b"")
            is_large = self._waiting > _LARGE_EVENT
            found = await asyncio.to_thread(self._parse, piece) if is_large else self._parse(piece)
            if piece is None:
                self._has_ended = True
                if not self._parser.is_complete and self._failure is None:
                    self._failure = MalformedResponse("its stream ended too early")
        return found

    def _take_failure(self) -> MalformedResponse | ProviderFailed:
        """Return the failure, and keep no reference to it: its traceback gets frames that have this object."""
        assert self._failure is not None  # noqa: S101 -- the caller has checked that
        failure, self._failure = self._failure.with_traceback(None), None
        self._has_ended = True
        return failure

    async def _next_slice(self) -> bytes | None:
        """Return the next slice of what arrived; None at the end."""
        if self._piece and self._position < len(self._piece) and not self._is_done:
            await asyncio.sleep(0)
        else:
            self._piece, self._position = await self._next_piece(), 0
        if self._piece is None:
            return None
        start, self._position = self._position, self._position + _SLICE
        return self._piece if len(self._piece) <= _SLICE else self._piece[start : self._position]

    async def _next_piece(self) -> bytes | None:
        """Return the next piece; None at the end.

        After the last event, the end of the response is near. A connection that has been read to its end can be used
        again. Some providers never end it, and some send comments for ever.
        """
        assert self._pieces is not None  # noqa: S101 -- `start` comes first
        if not self._is_done and not self._parser.is_complete:
            return await anext(self._pieces, None)
        try:
            async with asyncio.timeout_at(self._last_event + (_END_SECONDS if self._is_done else _LATE_SECONDS)):
                piece = await anext(self._pieces, None)
                await asyncio.sleep(0)  # a timeout needs a wait, and what has arrived needs none
                return piece
        except TransportError:
            if not self._parser.is_complete:
                raise
        except TimeoutError:
            pass
        self._response.close()  # the provider had said everything
        return None

    def _parse(self, piece: bytes | None) -> list[Completion]:
        """Return the completions of a piece. A failure counts after the events before it."""
        found: list[Completion] = []
        if self._is_done and piece is not None:
            return found
        feed: Callable[[Event], Completion | None] = self._parser.feed
        try:
            self._size += len(piece or b"")
            if self._size > MAX_STREAM:
                raise MalformedResponse(f"its stream has more than {MAX_STREAM} bytes")
            for event in self._splitter.close() if piece is None else self._splitter.feed(piece):
                self._waiting = 0
                if self._is_done:
                    break
                self._last_event = self._now()
                if len(event.data) > _SLICE:
                    check_values(event.data, MAX_OBJECTS // 5, MAX_VALUES // 5)
                completion = feed(event)
                if completion is not None:
                    found.append(completion)
                    if completion.usage is not None:
                        self._progress.usage = completion.usage
                elif event.data == _DONE:
                    self._is_done = True
        except (MalformedResponse, ProviderFailed) as error:
            self._failure = error
        return found
