"""The HTTP requests of the command line. A hostile or broken server costs limited time and memory."""

import queue
import threading
from collections.abc import Mapping

import msgspec
import urllib3

from moorage.core.escaping import visible_line

#: The maximum size of a response in bytes.
MAX_RESPONSE = 64 * 1024 * 1024

#: The time of one request with its response (seconds). A timeout of the socket starts again with each byte.
RESPONSE_SECONDS = 60.0

_TIMEOUT = urllib3.Timeout(connect=5, read=RESPONSE_SECONDS)

_PIECE = 65_536


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
        self._pool = pool(parts.host, parts.port, timeout=_TIMEOUT)

    def send(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """Send a request to a path below the URL; redirects are not followed.

        Raises:
            NoResponse
        """
        done: queue.SimpleQueue[HttpResponse | Exception] = queue.SimpleQueue()

        def run() -> None:
            try:
                done.put(self._send(method, self._prefix + target, body, headers))
            except Exception as error:  # noqa: BLE001 -- raised in the other thread
                done.put(error)

        # The wait for a thread limits all steps: the lookup of the name, TLS, and headers that arrive byte by byte.
        threading.Thread(target=run, daemon=True).start()
        try:
            result = done.get(timeout=RESPONSE_SECONDS)
        except queue.Empty:
            raise BrokenResponse(f"it was not complete within {RESPONSE_SECONDS:g} seconds") from None
        if isinstance(result, HttpResponse):
            return result
        if isinstance(result, urllib3.exceptions.HTTPError):
            kind = NoResponse if isinstance(result, _UNREACHABLE) else BrokenResponse
            raise kind(_reason(result)) from result
        raise result

    def _send(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str] | None) -> HttpResponse:
        response = self._pool.urlopen(
            method, target, body, headers, retries=False, redirect=False, preload_content=False, decode_content=False
        )
        try:
            received = bytearray()
            while piece := response.read1(_PIECE):
                received += piece
                if len(received) > MAX_RESPONSE:
                    raise BrokenResponse(f"it is larger than {MAX_RESPONSE} bytes")
        except BaseException:  # raised again: the rest of the response must not be read as the next one
            response.close()
            raise
        response.release_conn()
        return HttpResponse(response.status, response.headers, bytes(received))


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    """Return why there was no response, in a few words."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return visible_line(cause.strerror.lower(), 200)
    return visible_line(str(error).rpartition(": ")[2], 200)
