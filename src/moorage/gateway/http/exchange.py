"""One request and its response on a connection: HTTP/1.1, written here and parsed by aiohttp."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Final, Self

from aiohttp import ClientError, ClientPayloadError, StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage, StreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EofStream
from multidict import CIMultiDict

from moorage.core.errors.base import MoorageError
from moorage.gateway.http.deadlines import Watch
from moorage.gateway.http.errors import (
    BrokenAfterFirstByte,
    BrokenBeforeFirstByte,
    InvalidResponse,
    ResponseTooLarge,
    TransportError,
)
from moorage.providers.media.steps import Body

#: A larger request is written in slices, while the loop serves others and the response may come early.
_SLICE: Final = 65_536

_MAX_INTERIM: Final = 16
_BROKEN: Final = (ClientError, OSError, EofStream, RuntimeError)


class UpstreamResponse:
    """A response of a provider; its body is read once, by `read` or by `pieces`. Each status is a response, also a 307.

    `with response:` closes its connection unless the body was read completely: then it is in the pool.
    """

    __slots__ = (
        "_between",
        "_close",
        "_connection",
        "_content",
        "_first",
        "_is_plain",
        "_upload",
        "_watch",
        "headers",
        "status",
    )

    def __init__(
        self,
        connection: Connection,
        head: tuple[RawResponseMessage, StreamReader],
        upload: asyncio.Task[None] | None,
        watch: Watch,
        limits: tuple[float, float],
        close: Callable[[], None],
    ) -> None:
        message, self._content = head
        self.status: int = message.code
        self.headers: Mapping[str, str] = message.headers
        if not all(map(str.isascii, self.headers.values())):  # other bytes became lone surrogates, which JSON rejects
            self.headers = CIMultiDict(
                (name, value.encode("ascii", "replace").decode()) for name, value in self.headers.items()
            )
        encoding = self.headers.get("Content-Encoding", "identity").strip().lower()
        self._is_plain = encoding in ("identity", "")
        self._connection: Connection | None = connection
        self._upload = upload
        self._watch = watch
        self._first, self._between = limits
        self._close = close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def read(self, maximum: int) -> bytes:
        """Return the body.

        Raises:
            ResponseTooLarge, BrokenAfterFirstByte, InvalidResponse, TimedOut: the connection is closed.
        """
        length = self.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > maximum):
            self.close()
            raise ResponseTooLarge(maximum)
        pieces, size = list[bytes](), 0
        async for piece in self:
            size += len(piece)
            if size > maximum:
                self.close()
                raise ResponseTooLarge(maximum)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def pieces(self) -> Self:
        """Return an iterator of the pieces of the body, each as it arrived."""
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._connection is None:
            raise StopAsyncIteration
        try:
            if not self._is_plain:  # it could be far larger when it is decoded
                raise InvalidResponse("the response is compressed, although the request accepts no encoding")
            self._watch.check()  # a fast provider always has bytes, so nothing waits
            piece = self._content.read_nowait()
            if not piece and not self._content.is_eof():
                limit, seconds = ("first_byte", self._first) if self._first else ("between_bytes", self._between)
                with self._watch.limit(limit, seconds):  # type: ignore[arg-type]  # mypy widens the literal of a tuple
                    piece = await self._content.readany()
        except BaseException as error:  # raised again: a cancellation must close the connection, too
            self.close()
            if isinstance(error, Exception):
                raise broken(error, has_head=True) from error
            raise
        if piece:
            self._first = 0
            return piece
        self._finish()
        raise StopAsyncIteration

    def close(self) -> None:
        """Close the connection, unless the response was read completely."""
        self._finish(is_complete=False)

    def _finish(self, *, is_complete: bool = True) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._upload is not None and not self._upload.done():
            self._upload.cancel()
            is_complete = False
        if is_complete:
            connection.release()
        else:
            abort(connection)
        self._close()


def abort(connection: Connection) -> None:
    """Close a connection at once, and drop what was not sent: a provider that reads nothing would keep it open."""
    if connection.transport is not None:
        connection.transport.abort()
    connection.close()


async def exchange(
    connection: Connection, head: bytes, body: bytes | Body, watch: Watch, first_byte: float
) -> tuple[RawResponseMessage, StreamReader, asyncio.Task[None] | None]:
    """Send a request, and return the head of its response, its body, and the task that still sends the request.

    Raises:
        BrokenBeforeFirstByte, InvalidResponse, TimedOut
    """
    protocol, upload = connection.protocol, None
    if protocol is None or protocol.transport is None or protocol.transport.is_closing():
        raise BrokenBeforeFirstByte("the connection was closed")
    try:
        protocol.set_response_params(read_until_eof=True, auto_decompress=False)
        with watch.limit("first_byte", first_byte):
            if isinstance(body, bytes) and len(body) <= _SLICE:
                protocol.transport.write(head + body)
            else:
                upload = asyncio.create_task(_write(protocol, head, body, watch))
                upload.add_done_callback(_ignore)
            message, content = await _read_head(protocol.read)
    except BaseException as error:  # raised again: a cancellation must close the connection, too
        if upload is not None:
            upload.cancel()
        if isinstance(error, Exception):
            raise broken(error, has_head=False) from error
        raise
    return message, content, upload


async def _read_head(
    read: Callable[[], Awaitable[tuple[RawResponseMessage, StreamReader]]],
) -> tuple[RawResponseMessage, StreamReader]:
    for _ in range(_MAX_INTERIM):
        message, content = await read()
        if message.code >= 200:
            return message, content
        if message.code == 101:
            raise InvalidResponse("the provider switched to another protocol")
    raise InvalidResponse("the provider sent only interim responses (1xx)")


async def _write(protocol: ResponseHandler, head: bytes, body: bytes | Body, watch: Watch) -> None:
    writer = StreamWriter(protocol, asyncio.get_running_loop())
    await writer.write(head, drain=False)
    for piece in _slices(body) if isinstance(body, bytes) else body.pieces():
        await writer.write(piece)
        await asyncio.sleep(0)  # a fast network never makes the writer wait
        watch.extend()


def _slices(body: bytes) -> Iterator[bytes]:
    return (body[start : start + _SLICE] for start in range(0, len(body), _SLICE))


def _ignore(task: asyncio.Task[None]) -> None:
    """Retrieve the error of an upload: the end of the connection says the same."""
    if not task.cancelled():
        task.exception()


def broken(error: Exception, *, has_head: bool) -> Exception:
    """Return the error of the transport for an error of aiohttp, without the content that some of its errors show."""
    if isinstance(error, TransportError | MoorageError):
        return error
    if isinstance(error, ClientPayloadError):
        return BrokenAfterFirstByte("the response ended early, or its encoding is malformed")
    if isinstance(error, HttpProcessingError):
        return InvalidResponse(f"the response is malformed ({type(error).__name__})")
    if not isinstance(error, _BROKEN):
        return error
    if has_head:
        return BrokenAfterFirstByte("the connection was lost within the response")
    return BrokenBeforeFirstByte("the connection ended before the response")
