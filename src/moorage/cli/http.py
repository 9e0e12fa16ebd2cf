"""The HTTP requests of the command line. A hostile or broken server costs limited time and memory."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.client import IncompleteRead
from typing import Final, Self

import msgspec
import urllib3

from moorage.core.escaping import visible_line

#: The maximum size of a response in bytes.
MAX_RESPONSE = 64 * 1024 * 1024

#: The time of one request with its response (seconds), and of a pause in a stream.
RESPONSE_SECONDS = 60.0

#: The time of a call of a model (seconds): a model can think for many minutes, and the server retries.
CALL_SECONDS = 3_600.0

_CONNECT_SECONDS = 5

#: A connection that was idle for longer is not used again (seconds): the server closes it after ten, which can cross
#: with a request.
_IDLE_SECONDS = 5

_PIECE = 65_536

#: How many pieces of a response wait for their reader.
_MAX_WAITING: Final = 16


class InvalidServerUrl(Exception):
    """A URL that is not one of a server; the message has the URL without its password."""


class NoResponse(Exception):
    """The server sent no complete response; the message says why, in a few words."""


class BrokenResponse(NoResponse):
    """There is a server, but not one that speaks HTTP within the limits."""


#: The errors without a connection.
_UNREACHABLE = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


class HttpResponse(msgspec.Struct, frozen=True):
    """A complete response; the names of headers are case-insensitive."""

    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes


class Exchange:
    """A response while it arrives: its head, and its body in pieces. Close it, best by `with`.

    A thread receives it. The wait for that thread limits all steps: the lookup of the name, TLS, and headers that
    arrive byte by byte. A timeout of the socket starts again with each byte.
    """

    def __init__(self, send: Callable[[], urllib3.BaseHTTPResponse], pause: float, total: float) -> None:
        """Send the request, and wait for the head of the response. `pause` and `total` are in seconds.

        Raises:
            NoResponse
        """
        self._pause, self._total = pause, total
        self._deadline = time.monotonic() + total
        self._is_closed = False
        self._items: queue.Queue[urllib3.BaseHTTPResponse | bytes | Exception] = queue.Queue(_MAX_WAITING)
        threading.Thread(target=self._receive, args=(send,), daemon=True).start()
        head = self._next()
        assert isinstance(head, urllib3.BaseHTTPResponse)  # noqa: S101 -- it is received first
        self.status, self.headers = head.status, head.headers

    def pieces(self) -> Iterator[bytes]:
        """Yield the body.

        Raises:
            NoResponse
        """
        while piece := self._next():
            assert isinstance(piece, bytes)  # noqa: S101 -- the head was received before
            yield piece

    def read(self) -> HttpResponse:
        """Return the complete response.

        Raises:
            NoResponse
        """
        received = bytearray()
        for piece in self.pieces():
            received += piece
            if len(received) > MAX_RESPONSE:
                raise BrokenResponse(f"it is larger than {MAX_RESPONSE} bytes")
        return HttpResponse(self.status, self.headers, bytes(received))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._is_closed = True
        while not self._items.empty():  # the thread can wait for a place in the queue
            self._items.get()

    def _next(self) -> urllib3.BaseHTTPResponse | bytes:
        left = self._deadline - time.monotonic()
        try:
            item = self._items.get(timeout=max(0.0, min(self._pause, left)))
        except queue.Empty:
            is_pause = self._pause < left
            reason = f"it paused for {self._pause:g} seconds" if is_pause else self._too_long()
            raise BrokenResponse(reason) from None
        if left <= 0:
            raise BrokenResponse(self._too_long())
        if isinstance(item, urllib3.exceptions.HTTPError):
            kind = NoResponse if isinstance(item, _UNREACHABLE) else BrokenResponse
            raise kind(_reason(item)) from item
        if isinstance(item, Exception):
            raise item
        return item

    def _too_long(self) -> str:
        return f"it was not complete within {self._total:g} seconds"

    def _receive(self, send: Callable[[], urllib3.BaseHTTPResponse]) -> None:
        try:
            response = send()
            try:
                self._items.put(response)
                while not self._is_closed and (piece := response.read1(_PIECE)):
                    self._items.put(piece)
            except BaseException:  # raised again: the rest of the response must not be read as the next one
                response.close()
                raise
            if self._is_closed:
                response.close()
            else:
                response.release_conn()
            self._items.put(b"")
        except Exception as error:  # noqa: BLE001 -- raised in the other thread
            self._items.put(error)


class HttpClient:
    """The connections to one server. `url` has no password and is safe to show."""

    def __init__(self, url: str) -> None:
        """Parse the URL; nothing is sent.

        Raises:
            InvalidServerUrl
        """
        try:
            parts = urllib3.util.parse_url(url)
        except (urllib3.exceptions.HTTPError, ValueError):
            parts = urllib3.util.Url()
        is_plain = not parts.query and not parts.fragment
        if parts.scheme not in ("http", "https") or not parts.host or not is_plain:
            raise InvalidServerUrl(visible_line(url.rpartition("@")[2], 200))
        self._prefix = (parts.path or "").rstrip("/")
        self.url = visible_line(parts._replace(auth=None, path=self._prefix).url, 200)
        pool = urllib3.HTTPSConnectionPool if parts.scheme == "https" else urllib3.HTTPConnectionPool
        self._open_pool = partial(pool, parts.host, parts.port)
        self._now = time.monotonic
        self._pool, self._used_at = self._open_pool(), self._now()

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        is_call: bool = False,
    ) -> HttpResponse:
        """Send a request to a path below the URL, and return the response; redirects are not followed.

        A call of a model can take much longer than other requests.

        Raises:
            NoResponse
        """
        seconds = CALL_SECONDS if is_call else RESPONSE_SECONDS
        with self._exchange(method, target, body, headers, seconds, seconds) as exchange:
            return exchange.read()

    def stream(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Exchange:
        """Send a request, and return its response after its head.

        Raises:
            NoResponse
        """
        return self._exchange(method, target, body, headers, RESPONSE_SECONDS, CALL_SECONDS)

    def _exchange(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        pause: float,
        total: float,
    ) -> Exchange:
        # The socket's own limit only ends the thread; the wait for the thread is limited before, with its own message.
        now = self._now()
        if now - self._used_at > _IDLE_SECONDS:
            self._pool = self._open_pool()
        self._used_at, pool = now, self._pool
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=2 * pause)

        def send() -> urllib3.BaseHTTPResponse:
            return pool.urlopen(
                method, self._prefix + target, body, headers, retries=False, redirect=False, preload_content=False,
                decode_content=False, timeout=timeout,
            )  # fmt: skip

        return Exchange(send, pause, total)


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    """Return why there was no response, in a few words."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, IncompleteRead):
        return "the connection ended within it"
    if isinstance(cause, OSError) and cause.strerror:
        return visible_line(cause.strerror.lower(), 200)
    return visible_line(str(error).rpartition(": ")[2], 200)
