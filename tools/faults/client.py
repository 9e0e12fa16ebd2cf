"""Client that reads or writes on one node and logs the responses."""

import itertools
import time
from typing import Self

from tools.common.client import Client, Response
from tools.common.data import NewDeployment, deployment
from tools.faults.event_log import Event, EventLog

_PAUSE = 0.002  # seconds between two requests, so that one client does not use the whole machine
_TIMEOUT = 60.0


class LoggingClient:
    """Client on one connection, which it replaces after an error.

    `rejected` has the writes without acknowledgement: moment of sending, duration in seconds, and response or None.
    """

    def __init__(self, log: EventLog, node: int, port: int, token: str, key: str = "pulse") -> None:
        """Writes go to deployment `key`."""
        self.rejected: list[tuple[float, float, Response | None]] = []
        self._log = log
        self._node = node
        self._target = NewDeployment(key, deployment(0).body)
        self._numbers = itertools.count()
        self._client = Client(port, token, _TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def read(self) -> None:
        """Read a list page and log it."""
        sent = time.perf_counter()
        response = self._request("GET", "/v2/deployments?limit=1")
        received = time.perf_counter()
        if response is None:
            event = Event(self._node, sent, received, 0, status=0)
        else:
            age = response.headers.get("x-moorage-age")
            revision = int(response.headers.get("x-moorage-revision", "0"))
            event = Event(self._node, sent, received, revision, None if age is None else int(age), response.status)
        self._log.reads.append(event)
        time.sleep(_PAUSE)  # limits the load

    def write(self) -> int | None:
        """Put new content and log the acknowledgement; return the revision if there was one."""
        request = self._target.put(f"{self._node}-{next(self._numbers)}")
        sent = time.perf_counter()
        response = self._request(request.method, request.target, request.body)
        received = time.perf_counter()
        time.sleep(_PAUSE)  # limits the load
        if response is None or response.status not in (200, 201):
            self.rejected.append((sent, received - sent, response))
            return None
        revision = int(response.headers["x-moorage-revision"])
        self._log.writes.append(Event(self._node, sent, received, revision))
        return revision

    def violations(self) -> list[str]:
        """Return the rejections that are not a 503 with `Retry-After`."""
        return [
            f"a put at {sent:.3f} returned {response}"
            for sent, _, response in self.rejected
            if response is None or response.status != 503 or "retry-after" not in response.headers
        ]

    def _request(self, method: str, target: str, body: bytes | None = None) -> Response | None:
        try:
            return self._client.request(method, target, body)
        except OSError:
            return None
