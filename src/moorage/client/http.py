"""The requests of the client to the server.

The server, or a program between, is not trusted: each response has a maximum size and a maximum duration, and only
signed snapshots are returned. Redirects are not followed, because the other host would get the API key.
"""

import copy
import itertools
import os
import socket
import ssl
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import SplitResult, urlencode, urlsplit

import msgspec

from moorage import __version__
from moorage.client.body import read_body, read_start
from moorage.client.errors import InvalidResponse, ServerUnreachable
from moorage.client.rejections import rejection, shown
from moorage.client.sse import Event, batches
from moorage.core.position import Position
from moorage.core.resolution.snapshot import digest_of, etag_of_digest, is_digest_signed

_CONNECT_SECONDS = 5.0

#: The read timeout of a snapshot, and the time for a whole response or the headers of a stream (seconds).
_READ_SECONDS, _TOTAL_SECONDS = 30.0, 120.0

#: The longest time without a complete event or comment (seconds); the server sends a comment every 15 seconds.
SILENT_SECONDS = 40.0


class SignedSnapshot(msgspec.Struct, frozen=True):
    """A snapshot as the server sent it, with its signature. `body` is None if it is the expected one."""

    body: bytes | None
    digest: bytes
    signature: str


class HttpClient:
    """An HTTP client for a server and an API key. Only `close` is safe to call from another thread.

    Requests are about `environment`; without it, the server chooses that of the API key.
    """

    def __init__(self, url: str, api_key: str, environment: str | None = None) -> None:
        self._url = (url if "://" in url else f"http://{url}").rstrip("/") + "/v2/deployments/"
        self._api_key = api_key
        self._environment = environment
        self._query = "" if environment is None else f"?{urlencode({'environment': environment})}"
        self._tls: ssl.SSLContext | None = None
        self._open: list[list[socket.socket]] = []  # the sockets of each request; a duplicate is the first one
        self._is_closed = False

    def find_snapshot(self, expected: bytes | None) -> SignedSnapshot:
        """Return the snapshot of the project; without its body if its digest is the expected one.

        Raises:
            ServerUnreachable, InvalidResponse
        """
        headers = {"Accept-Encoding": "gzip"} | (
            {} if expected is None else {"If-None-Match": etag_of_digest(expected)}
        )
        with self._response("snapshot", headers, _READ_SECONDS) as (response, _):
            body = None if response.status == 304 else read_body(response)
            digest = expected if body is None else digest_of(body)
            signature = response.headers.get("x-moorage-signature", "")
        if digest is None or not is_digest_signed(digest, self._api_key, signature):
            raise InvalidResponse(reason="the snapshot is not signed with this API key")
        return SignedSnapshot(body, digest, signature)

    def changes(self, position: Position) -> Generator[list[Event], None, None]:
        """Yield the events after a position as they arrive, until the server ends the stream. They are not signed.

        Raises:
            ServerUnreachable, InvalidResponse
        """
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(position)}
        with self._response("changes", headers, SILENT_SECONDS) as (response, started):
            started()
            yield from batches(_pieces(response), SILENT_SECONDS)

    def report_usage(self, report: bytes) -> None:
        """Send a report of usage.

        Raises:
            ServerUnreachable, InvalidResponse
        """
        headers = {"Content-Type": "application/json"}
        with self._response("usage", headers, _READ_SECONDS, report) as (response, _):
            read_body(response)

    def close(self) -> None:
        """End requests in progress, from any thread."""
        self._is_closed = True
        for handle, *_ in [*self._open]:
            _abort(handle)

    def replace_in_child(self) -> "HttpClient":
        """Return a client for a forked process, and close the copies of the parent's connections there."""
        child = copy.copy(self)
        child._tls, child._open = None, []
        for inherited in itertools.chain(*self._open):
            descriptor = inherited.detach()  # `close` would wait for readers, which are threads of the parent
            if descriptor >= 0:
                os.close(descriptor)
        return child

    @contextmanager
    def _response(
        self, path: str, headers: dict[str, str], read_seconds: float, body: bytes | None = None
    ) -> Iterator[tuple[HTTPResponse, Callable[[], None]]]:
        """Yield a response with status 200 or 304, and a function that ends the limit of its duration.

        With a body, the method is POST.
        """
        response, deadline = None, None
        try:
            parts = self._parts()
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
            with socket.create_connection((host, port), _CONNECT_SECONDS) as connected, connected.dup() as handle:
                opened = [handle, connected]
                self._open.append(opened)
                deadline = _Deadline(handle)
                try:
                    if self._is_closed:
                        _abort(handle)
                    with self._encrypted(connected, parts) as secured:
                        opened.append(secured)
                        secured.settimeout(read_seconds)
                        response = self._request(secured, parts, path, headers, body)
                        if response.status not in (200, 304):
                            data = read_start(response)
                            raise rejection(response.status, data, f"{host}:{port}", self._environment)
                        yield response, deadline.cancel
                finally:
                    deadline.cancel()
                    _abort(handle)  # also for processes that inherited the connection
                    self._open.remove(opened)
                    if response is not None:
                        response.close()
        except (OSError, HTTPException, UnicodeError) as error:  # the last one for a host name
            is_late = deadline is not None and deadline.is_over
            reason = f"no complete response in {_TOTAL_SECONDS:.0f} seconds" if is_late else _error_text(error)
            raise ServerUnreachable(reason=reason) from error

    def _encrypted(self, connected: socket.socket, parts: SplitResult) -> socket.socket:
        if parts.scheme == "http":
            return connected
        self._tls = self._tls or ssl.create_default_context()
        return self._tls.wrap_socket(connected, server_hostname=parts.hostname)

    def _parts(self) -> SplitResult:
        with suppress(ValueError):
            parts = urlsplit(self._url)
            if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
                return parts
        raise ServerUnreachable(reason="the URL is not http://HOST:PORT or https://HOST:PORT")

    def _request(
        self, secured: socket.socket, parts: SplitResult, path: str, headers: dict[str, str], body: bytes | None
    ) -> HTTPResponse:
        own = {
            "Host": parts.netloc.rpartition("@")[2], "Authorization": f"Bearer {self._api_key}",
            "User-Agent": f"moorage-client/{__version__}", "Accept-Encoding": "identity", "Connection": "close",
        }  # fmt: skip
        connection = HTTPConnection(parts.hostname or "")
        connection.sock = secured
        try:
            connection.request("GET" if body is None else "POST", parts.path + path + self._query, body, own | headers)
        except ValueError:  # its text has the API key
            raise ServerUnreachable(reason="the URL or the API key has characters that HTTP does not allow") from None
        return connection.getresponse()


class _Deadline:
    """A timer that ends a connection, however slowly its bytes arrive."""

    def __init__(self, handle: socket.socket) -> None:
        """`handle` is a duplicate, which stays valid in each state of the connection."""
        self.is_over = False
        self._handle = handle
        self._timer = threading.Timer(_TOTAL_SECONDS, self._end)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """Stop the timer."""
        self._timer.cancel()

    def _end(self) -> None:
        self.is_over = True
        _abort(self._handle)


def _pieces(response: HTTPResponse) -> Iterator[bytes]:
    while piece := response.read1(65_536):
        yield piece


def _abort(handle: socket.socket) -> None:
    with suppress(OSError):  # it is closed
        handle.shutdown(socket.SHUT_RDWR)


def _error_text(error: OSError | HTTPException | UnicodeError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return shown(str(error)) or type(error).__name__
