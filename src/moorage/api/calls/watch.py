"""A watch that cancels a call when its client disconnects.

The server reports that through `receive` only: it cancels nothing, and `send` never fails.
"""

import asyncio
from typing import Final, Self

from starlette.requests import ClientDisconnect
from starlette.types import Receive

_MESSAGE: Final = "the client disconnected"

#: Most calls that fail or have a fast model end earlier (seconds): for them, a task that watches is wasted work.
_GRACE_SECONDS: Final = 0.02


class Watch:
    """Cancels the current task when the client disconnects. Use it as a context manager.

    The cancellation becomes a `ClientDisconnect`; one from elsewhere, such as a shutdown, stays one.
    """

    __slots__ = ("_has_left", "_receive", "_task", "_timer", "_watcher")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._has_left = False
        self._task: asyncio.Task[object] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._start)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        assert self._task is not None and self._timer is not None  # noqa: S101, PT018 -- entered before
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._has_left and self._task.uncancel() == 0 and isinstance(error, asyncio.CancelledError):
            raise ClientDisconnect(_MESSAGE) from None

    def give_up(self) -> None:
        """Treat the client as one that disconnected: it receives nothing any more."""
        assert self._task is not None  # noqa: S101 -- entered before
        if not self._has_left:
            self._has_left = True
            self._task.cancel(_MESSAGE)

    def _start(self) -> None:
        self._watcher = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.give_up()
