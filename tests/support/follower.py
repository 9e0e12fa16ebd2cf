"""A client of the change stream that reconnects after its last event."""

import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec
import urllib3

from moorage.client.sse import Event, events
from tests.support.server import Project
from tests.support.threads import HANG_SECONDS, until


class ReceivedEvent(NamedTuple):
    """An event; the revision is None if it has no id."""

    rev: int | None
    name: str
    data: Any


class Follower:
    """A thread that reads the stream at `url`: of the server, or of a proxy."""

    def __init__(self, project: Project, since: str = "0", url: str | None = None) -> None:
        self.events: list[ReceivedEvent] = []
        self.comments: list[bytes] = []
        self.connections = 0
        self._last_event_id = since
        self._url = f"{url or project.server.url}/v2/deployments/changes"
        self._headers = {"Authorization": f"Bearer {project.token}"}
        self._stopped = threading.Event()
        self._response: urllib3.BaseHTTPResponse | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        while self._thread.is_alive():
            if self._response is not None:
                with suppress(ValueError):  # the stream has ended
                    self._response.shutdown()
            self._thread.join(0.05)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Return when a condition is true."""
        until(condition, details=lambda: f"{self.comments} {[(event.rev, event.name) for event in self.events[-5:]]}")

    def wait_for(self, rev: int) -> None:
        """Return when the event of a revision has arrived."""
        self.wait(lambda: any(event.rev == rev for event in [*self.events]))

    def state(self) -> dict[str, Any]:
        """Return the deployments by id, as the events describe them."""
        deployments: dict[str, Any] = {}
        for event in self.events:
            if event.name == "deployment":
                deployments[event.data["id"]] = event.data
            elif event.name == "deleted":
                deployments.pop(event.data["id"], None)
        return deployments

    def _run(self) -> None:
        with urllib3.PoolManager(retries=False) as pool:
            while not self._stopped.is_set():
                self._read(pool)
                self._stopped.wait(0.02)

    def _read(self, pool: urllib3.PoolManager) -> None:
        headers = self._headers | {"Last-Event-ID": self._last_event_id}
        try:
            with pool.request(
                "GET", self._url, headers=headers, timeout=HANG_SECONDS, preload_content=False
            ) as response:
                self.connections += response.status == 200
                self._response = response
                for event in events(response.stream(65_536)):
                    self._record(event)
        except urllib3.exceptions.HTTPError:
            pass  # disconnected: the loop reconnects
        finally:
            self._response = None

    def _record(self, event: Event) -> None:
        """Keep an event. The names of the environments, which each stream begins with, change no deployment."""
        if event.name == "environments":
            return
        if event.name == "comment":
            self.comments.append(event.data)
            return
        if event.id is not None:
            self._last_event_id = event.id
        rev = None if event.id is None else int(event.id.partition(".")[0])
        self.events.append(ReceivedEvent(rev, event.name, msgspec.json.decode(event.data)))
