"""An HTTP proxy that changes what a client receives, as a hostile program between client and server can."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import urllib3

from tests.support.threads import HANG_SECONDS


class Reply:
    """A response of the server, which an attack can change before it is forwarded."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Middleman:
    """A proxy in front of a server. `on_snapshot` changes snapshots, and `on_event` replaces an event by others.

    `on_raw` writes a response to a path by itself, if it returns true. `requests` has the paths, and `etags` the
    `If-None-Match` of the snapshots.
    """

    def __init__(self, url: str) -> None:
        self.on_snapshot: Callable[[Reply], Reply] = lambda reply: reply
        self.on_event: Callable[[bytes], Iterable[bytes]] = lambda event: [event]
        self.on_raw: Callable[[str, Callable[[bytes], None]], bool] = lambda path, send: False
        self.requests: list[str] = []
        self.authorizations: list[str | None] = []
        self.statuses: list[int] = []
        self.positions: list[str | None] = []
        self.stopped = threading.Event()
        middleman, self._target = self, url

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with suppress(OSError, urllib3.exceptions.HTTPError):
                    middleman._forward(self)
                self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        class Http(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self._http = Http(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self._http.shutdown()
        self._thread.join()
        self._http.socket.close()

    def count(self, name: str) -> int:
        """Return the number of requests to a route."""
        return sum(_path(target).endswith(name) for target in [*self.requests])

    def _forward(self, handler: BaseHTTPRequestHandler) -> None:
        self.authorizations.append(handler.headers["Authorization"])
        self.requests.append(handler.path)
        if self.on_raw(handler.path, lambda data: _send(handler, data)):
            return
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "host"}
        with (
            urllib3.PoolManager(retries=False, timeout=HANG_SECONDS) as pool,
            pool.request("GET", self._target + handler.path, headers=headers, preload_content=False) as response,
        ):
            kept = {
                name: value for name, value in response.headers.items()
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}
            }  # fmt: skip
            if _path(handler.path).endswith("/changes"):
                self.positions.append(handler.headers["Last-Event-ID"])
                self._stream(handler, response, kept)
                return
            reply = self.on_snapshot(Reply(response.status, kept, response.read(decode_content=False)))
            self.statuses.append(reply.status)
            _start(handler, reply.status, {"Content-Length": str(len(reply.body))} | reply.headers)
            handler.wfile.write(reply.body)

    def _stream(
        self, handler: BaseHTTPRequestHandler, response: urllib3.BaseHTTPResponse, headers: dict[str, str]
    ) -> None:
        _start(handler, response.status, headers | {"Connection": "close"})
        for block in _blocks(response):
            for event in self.on_event(block):
                handler.wfile.write(event)
                handler.wfile.flush()


def _path(target: str) -> str:
    """Return the path of a request without its query."""
    return target.partition("?")[0]


def _send(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    handler.wfile.write(data)


def _start(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
    handler.send_response_only(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def _blocks(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield the events of a stream with their last empty line."""
    incomplete = b""
    for piece in response.stream(65_536):
        *blocks, incomplete = (incomplete + piece).split(b"\n\n")
        yield from (block + b"\n\n" for block in blocks)
