"""Clients that hold streams open: `python -m tools.bench.holders PORT TARGET TOKEN FILE COUNT`.

It prints `open` when each stream has sent an event. At the end of its input, it prints the number of streams that are
still open, and that of the events.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import uvloop

from tools.common.client import Request

_AT_ONCE = 20
_SECONDS = 60


class _Holder(asyncio.Protocol):
    """One stream."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.is_open = False
        self.events = 0
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.is_open = True
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.events += data.count(b"data: ")
        if self.events and not self.first.done():
            self.first.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if not self.first.done():
            self.first.set_exception(RuntimeError("a stream ended before its first event"))


async def _hold(port: int, request: bytes, count: int) -> None:
    loop, holders = asyncio.get_running_loop(), list[_Holder]()
    while len(holders) < count:
        opened = [
            await loop.create_connection(lambda: _Holder(request), "127.0.0.1", port)
            for _ in range(min(_AT_ONCE, count - len(holders)))
        ]
        holders += [holder for _, holder in opened]
        async with asyncio.timeout(_SECONDS):
            await asyncio.gather(*(holder.first for _, holder in opened))
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(sum(holder.is_open for holder in holders), sum(holder.events for holder in holders))


def main() -> None:
    """Hold streams until the end of the input."""
    port, target, token, file, count = sys.argv[1:]
    request = Request("POST", target, Path(file).read_bytes())
    uvloop.run(_hold(int(port), request.encode(token, {"Content-Type": "application/json"}), int(count)))


if __name__ == "__main__":
    main()
