"""Lower bounds of a call: handlers on the server of Moorage that do nothing but respond, or pass on a stream."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from starlette.types import Message, Receive, Scope, Send

from moorage.core.private_hosts import PrivateHosts
from moorage.gateway.egress import Egress
from moorage.gateway.http.endpoint import Endpoint
from moorage.gateway.http.transport import Transport
from tools.bench.provider import RESPONSE
from tools.common.servers import REPOSITORY, Server

_UPSTREAM = "BENCH_UPSTREAM"
_JSON = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(RESPONSE))]
_EVENTS = [(b"content-type", b"text/event-stream")]
_BODY: Message = {"type": "http.response.body", "body": RESPONSE}
_ENDPOINT = Endpoint(name="provider", max_connections=10_000)

_transport = Transport(Egress(PrivateHosts.parse("127.0.0.1")))


class Anchor(Server):
    """granian with these handlers, with the settings that Moorage has."""

    def __init__(self, folder: Path, core: int | None, upstream: str) -> None:
        """`upstream` is the URL that streams come from."""
        super().__init__("granian", folder, core, "/")
        self._upstream = upstream

    def command(self) -> list[str]:
        """See `Server.command`."""
        return [
            sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1", "--runtime-mode", "st", "--loop",
            "uvloop", "--http", "1", "--no-ws", "--backpressure", "10000", "--log-level", "warning", "--host",
            "127.0.0.1", "--port", str(self.port), "tools.bench.anchors:application",
        ]  # fmt: skip

    def environment(self) -> Mapping[str, str]:
        """See `Server.environment`."""
        return {"PYTHONPATH": str(REPOSITORY), _UPSTREAM: self._upstream}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and respond; to `/stream`, with the pieces of the provider's response as they arrive."""
    if scope["type"] != "http":
        return
    message = await receive()
    body = message["body"]
    while message.get("more_body") and len(body) < _length(scope):
        message = await receive()
        body += message["body"]
    if scope["path"] != "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": _JSON})
        await send(_BODY)
        return
    deadline = asyncio.get_running_loop().time() + 900
    headers = {"Content-Type": "application/json"}
    with await _transport.send(_ENDPOINT, "POST", os.environ[_UPSTREAM], headers, body, deadline) as response:
        await send({"type": "http.response.start", "status": response.status, "headers": _EVENTS})
        async for piece in response.pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _length(scope: Scope) -> int:
    return int(dict(scope["headers"]).get(b"content-length", b"0"))
