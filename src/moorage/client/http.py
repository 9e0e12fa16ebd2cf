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

#: The read timeout of a snapshot, in seconds.
_READ_SECONDS = 30.0

#: The read timeout of the change stream, in seconds; the server sends a comment every 15 seconds.
SILENT_SECONDS = 40.0


class HttpClient:
    """An HTTP client for a server and an API key. Only `close` is safe to call from another thread."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url.rstrip("/") + "/v2/deployments/"
        self._api_key = api_key
        self._headers = {"Authorization": f"Bearer {api_key}", "User-Agent": f"moorage-client/{__version__}"}
        self._pool = urllib3.PoolManager(retries=False)
        self._stream: urllib3.BaseHTTPResponse | None = None
        self._is_closed = False

    def find_snapshot(self, etag: str | None) -> bytes | None:
        """Return the snapshot of the project, or None if its ETag is unchanged.

        Raises:
            ServerUnreachable
        """
        headers = {"Accept-Encoding": "gzip"} | ({} if etag is None else {"If-None-Match": etag})
        response = self._get("snapshot", headers, _READ_SECONDS, is_stream=False)
        if response.status == 304:
            return None
        body = response.data
        if not is_signed(body, self._api_key, response.headers.get("x-moorage-signature", "")):
            raise ServerUnreachable(reason="the snapshot is not signed with this API key")
        return body

    def changes(self, position: Position) -> Generator[Event, None, None]:
        """Yield the changes after a position, until the server ends the stream.

        Raises:
            ServerUnreachable
        """
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(position)}
        with self._get("changes", headers, SILENT_SECONDS, is_stream=True) as response:
            self._stream = response
            try:
                if not self._is_closed:
                    yield from events(response.stream(65_536, decode_content=False))
            except urllib3.exceptions.HTTPError as error:
                raise ServerUnreachable(reason=_error_text(error)) from error
            finally:
                self._stream = None

    def close(self) -> None:
        """End requests in progress, from any thread."""
        self._is_closed = True
        stream = self._stream
        if stream is not None:
            stream.shutdown()

    def _get(
        self, path: str, headers: dict[str, str], read_seconds: float, *, is_stream: bool
    ) -> urllib3.BaseHTTPResponse:
        try:
            response = self._pool.request(
                "GET", self._url + path, headers=self._headers | headers, redirect=False,
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=read_seconds), preload_content=not is_stream,
            )  # fmt: skip
            if response.status in (200, 304):
                return response
            raise ServerUnreachable(reason=f"HTTP status {response.status}{_message_of(response.data)}")
        except urllib3.exceptions.HTTPError as error:
            raise ServerUnreachable(reason=_error_text(error)) from error


def _message_of(data: bytes) -> str:
    try:
        return f": {msgspec.json.decode(data)['message']}"
    except (msgspec.DecodeError, KeyError, TypeError):
        return ", which is not a response of Moorage"


def _error_text(error: urllib3.exceptions.HTTPError) -> str:
    cause = error.__cause__ or error.__context__
    return cause.strerror.lower() if isinstance(cause, OSError) and cause.strerror else str(error).rpartition(": ")[2]
