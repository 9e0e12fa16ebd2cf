"""Bell: wakes those who wait for news of a project, some at a time, so that thousands of them hold up nobody."""

import asyncio
from collections import defaultdict
from collections.abc import Collection

#: How many are woken before others have their turn on the event loop.
TOGETHER = 20


class ChangeNotifier:
    """One for a process, used on its event loop alone."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._ringing: asyncio.Task[None] | None = None
        self._rung: list[asyncio.Future[None]] = []

    def subscribe(self, project_id: str, awakened: asyncio.Future[None]) -> None:
        """Have a future done at the next news of a project."""
        self._waiting[project_id].add(awakened)

    def unsubscribe(self, project_id: str, awakened: asyncio.Future[None]) -> None:
        """Wake it no more."""
        self._waiting[project_id].discard(awakened)
        if not self._waiting[project_id]:
            del self._waiting[project_id]

    def notify(self, projects: Collection[str] | None) -> None:
        """There is news of these projects; of all, if it is None."""
        for project_id in [*self._waiting] if projects is None else projects:
            self._rung += self._waiting.pop(project_id, ())
        if self._rung and self._ringing is None:
            self._ringing = asyncio.create_task(self._wake())

    async def _wake(self) -> None:
        while self._rung:
            together, self._rung = self._rung[:TOGETHER], self._rung[TOGETHER:]
            for awakened in together:
                if not awakened.done():
                    awakened.set_result(None)
            await asyncio.sleep(0)  # whoever else waits for the event loop has its turn
        self._ringing = None
