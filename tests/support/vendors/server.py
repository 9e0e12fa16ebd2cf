"""One HTTP server for the fakes of all vendors. It has its own parser, so that it can send what no server would."""

import asyncio
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec

from tests.support.threads import HANG_SECONDS, until

_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


class Received(msgspec.Struct):
    """A request. `path` has the query, and is that after the vendor's own prefix; header names are in lower case.

    `is_hung_up` is whether the client closed the connection before the end of the response.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    is_hung_up: bool = False

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


class Reply(msgspec.Struct):
    """A response: one part with a length, or the parts of a stream.

    `ends` is how it ends: `well`; `early`, where the connection is closed without the end of the body; or `never`,
    where the server is silent until the client closes the connection. Without a `status`, nothing is sent.
    """

    status: int | None = 200
    headers: Mapping[str, str] = {}
    parts: Sequence[bytes] = ()
    is_stream: bool = False
    ends: str = "well"

    @classmethod
    def of_json(cls, value: Any, status: int = 200, **headers: str) -> "Reply":
        """Return a response with JSON."""
        return cls(status, {"Content-Type": "application/json", **headers}, [json.dumps(value).encode()])

    @classmethod
    def of_events(cls, events: Sequence[bytes], media_type: str = "text/event-stream") -> "Reply":
        """Return a response with a stream of events, which are encoded."""
        return cls(200, {"Content-Type": media_type}, events, is_stream=True)


class Refused(Exception):
    """A request that the vendor rejects, with its response."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.parts)
        self.reply = reply


class Vendor(Protocol):
    """The fake of a vendor. `base` is the path of its base URL, and `key` the credential that it takes."""

    id: str
    base: str
    key: str

    def model(self, kind: str) -> str:
        """Return a model of a type."""
        ...

    def respond(self, request: Received) -> Reply:
        """Return the response to a request.

        Raises:
            Refused
        """
        ...

    def failure(self, status: int, message: str) -> Reply:
        """Return an error as the vendor sends it."""
        ...

    def error_event(self, message: str) -> bytes:
        """Return an error as the vendor sends it in a stream."""
        ...


#: Replaces the response to one request.
Fault = Callable[[Vendor, Received], Reply]


class VendorServer:
    """The server; each vendor has a folder. `fail_next` makes the next requests to a vendor fail."""

    def __init__(self, vendors: Sequence[Vendor]) -> None:
        self.vendors = {vendor.id: vendor for vendor in vendors}
        self.received: dict[str, list[Received]] = defaultdict(list)
        self._faults: dict[str, list[Fault]] = defaultdict(list)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._server: asyncio.Server | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(HANG_SECONDS)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(HANG_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def base_url(self, vendor: str) -> str:
        """Return the base URL of a vendor's API."""
        return f"http://127.0.0.1:{self.port}/{vendor}{self.vendors[vendor].base}"

    def fail_next(self, vendor: str, *faults: Fault) -> None:
        """Replace the next responses of a vendor."""
        self._faults[vendor] += faults

    def take(self, vendor: str) -> list[Received]:
        """Return the requests to a vendor since the last time, and check that no fault is left."""
        found, self.received[vendor] = self.received[vendor], []
        left, self._faults[vendor] = self._faults[vendor], []
        assert not left, "the gateway sent fewer requests than the test expects"
        return found

    def wait_for_request(self, vendor: str) -> None:
        """Return when a request has arrived since the last `take`."""
        until(lambda: bool(self.received[vendor]))

    def wait_for_hang_up(self, request: Received) -> None:
        """Return when the client has closed the connection of a request."""
        until(lambda: request.is_hung_up)

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (found := await _read(reader)) is not None:
                name, request = found
                vendor = self.vendors[name]
                self.received[name].append(request)
                fault = self._faults[name].pop(0) if self._faults[name] else None
                try:
                    reply = fault(vendor, request) if fault else vendor.respond(request)
                except Refused as refused:
                    reply = refused.reply
                try:
                    is_open = await _send(reply, reader, writer)
                except ConnectionError:
                    is_open, request.is_hung_up = False, True
                if not is_open:
                    request.is_hung_up = request.is_hung_up or reply.ends == "never"
                    return
        except ConnectionError:
            return
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> tuple[str, Received] | None:
    """Return the next request, and the folder that it names; None at the end of the connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    line, *lines = head.rstrip().split("\r\n")
    method, target, _ = line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    assert "transfer-encoding" not in headers, "requests have a length"
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    _, name, path = target.split("/", 2)
    return name, Received(method, f"/{path}", headers, body)


async def _send(reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Send a response; return whether the connection can be used again."""
    if reply.status is None:
        if reply.ends == "never":
            await reader.read(1)
        return False
    headers = {**reply.headers}
    if reply.is_stream:
        headers["Transfer-Encoding"] = "chunked"
    else:
        missing = 100 if reply.ends != "well" else 0
        headers["Content-Length"] = str(sum(map(len, reply.parts)) + missing)
    lines = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    for part in reply.parts:
        writer.write(b"%x\r\n%b\r\n" % (len(part), part) if reply.is_stream else part)
        await writer.drain()
        await asyncio.sleep(0)  # so that most parts arrive by themselves
    if reply.ends == "well":
        writer.write(b"0\r\n\r\n" if reply.is_stream else b"")
        await writer.drain()
        return True
    if reply.ends == "never":
        await reader.read(1)
    return False
