"""Sends the requests of one event loop, each within the limits of its integration."""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Final

from aiohttp.connector import Connection

from moorage.gateway.egress import Egress, Target
from moorage.gateway.http.connections import Connections, Origin
from moorage.gateway.http.deadlines import Sweep, Watch
from moorage.gateway.http.endpoint import Endpoint
from moorage.gateway.http.errors import BrokenBeforeFirstByte, UnsendableRequest
from moorage.gateway.http.exchange import UpstreamResponse, abort, exchange
from moorage.gateway.http.proxies import EnvironmentProxies
from moorage.gateway.http.slots import Slots
from moorage.providers.media.steps import Body

#: The sender writes these headers itself.
_OWN: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect"})

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t -~\x80-\xff]*")


class Sender:
    """The connections, limits and timers of one event loop."""

    def __init__(self, egress: Egress, proxies: EnvironmentProxies) -> None:
        self._loop = asyncio.get_running_loop()
        self._connections = Connections(egress, proxies)
        self._sweep = Sweep(self._loop)
        self._slots: dict[str, Slots] = {}

    async def send(
        self,
        endpoint: Endpoint,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | Body,
        deadline: float,
        check: Callable[[], object],
    ) -> UpstreamResponse:
        """Send a request, and return its response when its head has arrived.

        Raises:
            TransportError, EgressForbidden
        """
        now = self._loop.time()
        total = min(max(0.0, deadline - now), endpoint.total)
        watch = self._sweep.watch(now + total, total)
        try:
            slots = await self._take_slot(endpoint, watch)
        except BaseException:  # raised again: a cancellation must close the connection, too
            self._sweep.discard(watch)
            raise

        def close() -> None:
            self._sweep.discard(watch)
            slots.release()
            self._forget(endpoint.name, slots)

        try:
            origin = self._connections.known_origin(target, endpoint.ca_file)
            if origin is None:
                with watch.limit("connect", endpoint.connect):
                    origin = await self._connections.find_origin(target, endpoint.ca_file)
            head = _head(origin, method, target, headers, len(body))
            is_fresh = False
            while True:
                with watch.limit("connect", endpoint.connect):
                    connection, is_new = await self._connections.connect(origin, is_fresh=is_fresh)
                try:
                    check()
                except BaseException:  # raised again: a cancellation must close the connection, too
                    abort(connection)
                    raise
                try:
                    return await _respond(connection, head, body, watch, endpoint, close)
                except BrokenBeforeFirstByte:
                    if is_new:
                        raise
                    is_fresh = True  # the provider closed an idle connection when this request was on its way
        except BaseException:  # raised again: a cancellation must close the connection, too
            close()
            raise

    async def close(self) -> None:
        """Close all connections."""
        self._sweep.close()
        await self._connections.close()

    async def _take_slot(self, endpoint: Endpoint, watch: Watch) -> Slots:
        slots = self._slots.get(endpoint.name)
        if slots is None:
            slots = self._slots[endpoint.name] = Slots()
        if not slots.take(endpoint.max_connections):
            try:
                with watch.limit("queue"):
                    await slots.wait(endpoint.max_connections)
            except BaseException:  # raised again: a cancellation must close the connection, too
                self._forget(endpoint.name, slots)
                raise
        return slots

    def _forget(self, name: str, slots: Slots) -> None:
        if slots.is_idle and self._slots.get(name) is slots:
            del self._slots[name]


async def _respond(
    connection: Connection, head: bytes, body: bytes | Body, watch: Watch, endpoint: Endpoint, close: Callable[[], None]
) -> UpstreamResponse:
    try:
        message, content, upload = await exchange(connection, head, body, watch, endpoint.first_byte)
    except BaseException:  # raised again: a cancellation must close the connection, too
        abort(connection)
        raise
    limits = endpoint.first_byte, endpoint.between_bytes
    return UpstreamResponse(connection, (message, content), upload, watch, limits, close)


def _head(origin: Origin, method: str, target: Target, headers: Mapping[str, str], length: int) -> bytes:
    """Return the request line and the headers."""
    lines = [f"{method} {origin.prefix}{target.path} HTTP/1.1\r\n{origin.headers}Content-Length: {length}\r\n"]
    for name, value in headers.items():
        if name.lower() not in _OWN:
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                raise UnsendableRequest(f"the header {name[:80]!r} has a character that HTTP does not allow")
            lines.append(f"{name}: {value}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1")
