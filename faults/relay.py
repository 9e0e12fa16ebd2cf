"""Relay: a plain TCP balancer, and a cable that can be cut without either end being told."""

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self

_PIECE = 65_536


class Relay:
    """Passes connections to its `port` on to one of several ports of this machine in turn, or to the next if that one
    refuses. It looks at nothing that goes through, and passes a broken connection on as a broken connection."""

    def __init__(self, targets: Sequence[int]) -> None:
        self.port = 0
        self._targets = targets
        self._turn = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever)
        self._is_connected = asyncio.Event()
        self._passing: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_connected.set()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accept, "127.0.0.1", 0), self._loop
        ).result()
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Let nothing through from now on; no connection is closed, and new ones are taken."""
        self._loop.call_soon_threadsafe(self._is_connected.clear)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        try:
            await self._pass_on(reader, writer)
        except asyncio.CancelledError:  # only `_close` cancels it, and nobody waits for more
            pass
        finally:
            self._passing.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._is_connected.wait()
        first = next(self._turn)
        for number in range(len(self._targets)):
            with suppress(OSError):
                there, back = await asyncio.open_connection(
                    "127.0.0.1", self._targets[(first + number) % len(self._targets)]
                )
                break
        else:
            return
        ways = [asyncio.create_task(self._pump(*way)) for way in ((reader, back), (there, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            back.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                data = await source.read(_PIECE)
                await self._is_connected.wait()
                if not data:
                    return
                sink.write(data)
                await sink.drain()

    async def _close(self) -> None:
        self._server.close()
        for task in list(self._passing):
            task.cancel()
        while self._passing:
            await asyncio.wait(list(self._passing))
