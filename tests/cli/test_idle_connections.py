"""A server closes connections that are idle; the command line does not send on one that it may be closing."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from moorage.cli import http


class Counting(BaseHTTPRequestHandler):
    """Responds with the number of the connection."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        """Count the connection."""
        super().setup()
        type(self).connections += 1
        self.number = self.connections

    def do_GET(self) -> None:
        """Respond."""
        body = b"%d" % self.number
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 -- the name of the base class
        """Print nothing."""


@pytest.fixture
def client() -> Iterator[http.HttpClient]:
    Counting.connections = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Counting) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield http.HttpClient(f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()


@pytest.mark.parametrize(("idle", "expected"), [(http._IDLE_SECONDS - 1, b"1"), (http._IDLE_SECONDS + 1, b"2")])
def test_a_connection_that_was_idle_for_long_is_not_used_again(
    client: http.HttpClient, idle: float, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_now", lambda: 100.0)
    assert client.send("GET", "/").body == b"1"

    monkeypatch.setattr(client, "_now", lambda: 100.0 + idle)

    assert client.send("GET", "/").body == expected
