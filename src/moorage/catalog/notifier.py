"""Change notifications within a process.

They are sent in batches, so that thousands of subscribers do not block the event loop.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection

#: The number of subscribers that are notified before other tasks get the event loop.
BATCH = 20


class ChangeNotifier:
    """The notifier of a process, used only on its event loop."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._due: list[asyncio.Future[None]] = []

    def subscribe(self, project_id: str, future: asyncio.Future[None]) -> None:
        """Resolve the future on the next change to the project."""
        self._waiting[project_id].add(future)

    def unsubscribe(self, project_id: str, future: asyncio.Future[None]) -> None:
        """Remove a subscription."""
        self._waiting[project_id].discard(future)
        if not self._waiting[project_id]:
            del self._waiting[project_id]

    def notify(self, projects: Collection[str] | None) -> None:
        """Notify the subscribers of these projects; of all projects if it is None."""
        for project_id in [*self._waiting] if projects is None else projects:
            self._due += self._waiting.pop(project_id, ())
        if self._due and self._task is None:
            self._task = asyncio.create_task(self._resolve())

    async def _resolve(self) -> None:
        while self._due:
            batch, self._due = self._due[:BATCH], self._due[BATCH:]
            for future in batch:
                if not future.done():
                    future.set_result(None)
            await asyncio.sleep(0)
        self._task = None
