"""The requests of the client to the server."""

from collections.abc import Generator

import msgspec
import urllib3

from moorage import __version__
from moorage.client.errors import ServerUnreachable
from moorage.client.sse import Event, events
from moorage.core.position import Position
from moorage.core.resolution.snapshot import is_signed

_CONNECT_SECONDS = 5.0

#: A bundle may take so long between two pieces of it.
_READ_SECONDS = 30.0

#: The server says something every 15 seconds, so after this long it is not there.
SILENT_SECONDS = 40.0


class Server:
    """One server and one API key. Used by one thread, but for `close`."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url.rstrip("/") + "/v2/deployments/"
        self._api_key = api_key
        self._headers = {"Authorization": f"Bearer {api_key}", "User-Agent": f"moorage-client/{__version__}"}
        self._pool = urllib3.PoolManager(retries=False)
        self._stream: urllib3.BaseHTTPResponse | None = None
        self._is_closed = False

    def find_snapshot(self, etag: str | None) -> bytes | None:
        """The bundle of the project; None if it still is the one with this ETag.

        Raises:
            Unreachable
        """
        headers = {"Accept-Encoding": "gzip"} | ({} if etag is None else {"If-None-Match": etag})
        response = self._ask("snapshot", headers, _READ_SECONDS, is_stream=False)
        if response.status == 304:
            return None
        body = response.data
        if not is_signed(body, self._api_key, response.headers.get("x-moorage-signature", "")):
            raise ServerUnreachable(reason="its bundle is not signed by a server that has this API key")
        return body

    def changes(self, position: Position) -> Generator[Event, None, None]:
        """Yield the changes after a position, until the server ends the stream.

        Raises:
            Unreachable
        """
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(position)}
        with self._ask("changes", headers, SILENT_SECONDS, is_stream=True) as response:
            self._stream = response
            try:
                if not self._is_closed:
                    yield from events(response.stream(65_536, decode_content=False))
            except urllib3.exceptions.HTTPError as error:
                raise ServerUnreachable(reason=_reason(error)) from error
            finally:
                self._stream = None

    def close(self) -> None:
        """End the requests in progress, from any thread."""
        self._is_closed = True
        stream = self._stream
        if stream is not None:
            stream.shutdown()

    def _ask(
        self, path: str, headers: dict[str, str], read_seconds: float, *, is_stream: bool
    ) -> urllib3.BaseHTTPResponse:
        try:
            response = self._pool.request(
                "GET", self._url + path, headers=self._headers | headers, redirect=False,
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=read_seconds), preload_content=not is_stream,
            )  # fmt: skip
            if response.status in (200, 304):
                return response
            raise ServerUnreachable(reason=f"it answered {response.status}{_said(response.data)}")
        except urllib3.exceptions.HTTPError as error:
            raise ServerUnreachable(reason=_reason(error)) from error


def _said(data: bytes) -> str:
    try:
        return f": {msgspec.json.decode(data)['message']}"
    except (msgspec.DecodeError, KeyError, TypeError):
        return ", and not as Moorage does"


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    cause = error.__cause__ or error.__context__
    return cause.strerror.lower() if isinstance(cause, OSError) and cause.strerror else str(error).rpartition(": ")[2]
