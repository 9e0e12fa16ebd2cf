"""TCP relay that can stop forwarding without closing a connection, as a cut cable does."""

import asyncio
from contextlib import suppress
from threading import Thread
from typing import Self

_CHUNK = 65_536


class Relay:
    """Forwards connections from its `port` to another port of this machine."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever)
        self._is_connected = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_connected.set()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accept, "127.0.0.1", 0), self._loop
        ).result()
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Stop forwarding; connections stay open, and new ones are accepted."""
        self._loop.call_soon_threadsafe(self._is_connected.clear)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._forward(reader, writer)
        except (OSError, asyncio.CancelledError):  # only `_close` cancels it
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._is_connected.wait()
        target, back = await asyncio.open_connection("127.0.0.1", self._target)
        ways = [asyncio.create_task(self._pump(*way)) for way in ((reader, back), (target, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            back.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                data = await source.read(_CHUNK)
                await self._is_connected.wait()
                if not data:
                    return
                sink.write(data)
                await sink.drain()

    async def _close(self) -> None:
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        while self._connections:
            await asyncio.wait(list(self._connections))
