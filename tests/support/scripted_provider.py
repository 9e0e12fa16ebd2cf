"""A provider on a real socket whose connections follow a script, so that it can break any rule."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Self

import msgspec
import uvloop

from moorage.core.private_hosts import PrivateHosts
from moorage.gateway.egress import Egress
from moorage.gateway.http.endpoint import Endpoint
from moorage.gateway.http.exchange import UpstreamResponse
from moorage.gateway.http.proxies import EnvironmentProxies
from moorage.gateway.http.transport import Transport

LOOPBACK = "127.0.0.1"

#: The event loops that the transport has to work on; the server uses the second.
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}

#: Far more than anything here needs; a test that waits so long has failed.
PATIENCE = 60.0

NO_HEADERS: Mapping[str, str] = {}


class Received(msgspec.Struct, frozen=True):
    """A request as it arrived. `headers` have names in lower case."""

    line: str
    headers: Mapping[str, str]
    body: bytes


class Peer:
    """One connection of a client."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.reader = reader
        self.writer = writer
        self.closed = asyncio.Event()

    async def request(self, *, with_body: bool = True) -> Received:
        """Return the next request."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.removesuffix("\r\n\r\n").split("\r\n")
        pairs = (field.partition(": ") for field in fields)
        headers = {name.lower(): value for name, _, value in pairs}
        length = int(headers.get("content-length", "0")) if with_body else 0
        return Received(line, headers, await self.reader.readexactly(length))

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def ok(self, body: bytes = b"ok", headers: str = "") -> None:
        """Send a complete response."""
        await self.send(f"HTTP/1.1 200 OK\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def until_closed(self) -> None:
        """Wait until the client has closed the connection."""
        with suppress(ConnectionError):
            while await self.reader.read(65_536):
                pass
        self.closed.set()

    def reset(self) -> None:
        """End the connection by RST."""
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


class ScriptedProvider:
    """A server on loopback. `peers` are the connections in the order of arrival."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._context = context
        self.peers: list[Peer] = []
        self.port = 0
        self._tasks = set[asyncio.Task[None]]()

    @property
    def url(self) -> str:
        """The URL of a route."""
        return f"{'https' if self._context else 'http'}://{LOOPBACK}:{self.port}/v1/chat"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(Peer(len(self.peers), reader, writer)))
        self._tasks.add(task)

    async def _serve(self, peer: Peer) -> None:
        self.peers.append(peer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                await self._script(peer)
            finally:
                peer.writer.close()
                await peer.writer.wait_closed()


def run(loop: str, main: Callable[[], Awaitable[None]]) -> None:
    """Run a test on an event loop."""

    async def patient() -> None:
        async with asyncio.timeout(PATIENCE):
            await main()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(patient())


class Caller:
    """A transport that may connect to loopback, and one endpoint."""

    def __init__(self, proxies: Mapping[str, str] | None = None, hosts: str = LOOPBACK, **limits: Any) -> None:
        self.transport = Transport(Egress(PrivateHosts.parse(hosts)), EnvironmentProxies(proxies or {}))
        self.endpoint = Endpoint(**{"name": "provider", "connect": PATIENCE, **limits})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.transport.close()

    async def send(
        self, url: str, body: bytes = b"{}", headers: Mapping[str, str] = NO_HEADERS, seconds: float = PATIENCE
    ) -> UpstreamResponse:
        """Send a request, and return the response; the deadline is in `seconds`."""
        deadline = asyncio.get_running_loop().time() + seconds
        return await self.transport.send(self.endpoint, "POST", url, headers, body, deadline)

    async def read(self, url: str, body: bytes = b"{}", headers: Mapping[str, str] = NO_HEADERS) -> bytes:
        """Send a request, and return the body of the response, which has at most a million bytes."""
        with await self.send(url, body, headers) as response:
            return await response.read(1_000_000)
