"""Visitor: reads on a server, or writes on it, and notes what it is told."""

import http.client
import itertools
import time
from types import TracebackType
from typing import Self

from bench.changes import put
from bench.client import Client, Reply
from bench.data import Named, rich

from faults.diary import Diary, Told

#: Seconds between two requests of a visitor, or one would take the whole machine.
_PAUSE = 0.002

#: Seconds after which a request counts as not answered.
_PATIENCE = 60.0

_BODY = rich(0).body


class Visitor:
    """A client on one kept connection, which is made anew when it breaks.

    `refused` are the answers to writes that were not acknowledged: the moment when they were sent, how many seconds
    they took, and the answer; None where the connection broke.
    """

    def __init__(self, diary: Diary, node: int, port: int, token: str, key: str = "pulse") -> None:
        """Notes what it is told in the diary as answers of `node`. Writes go to the deployment `key`."""
        self.refused: list[tuple[float, float, Reply | None]] = []
        self._diary = diary
        self._node = node
        self._port = port
        self._token = token
        self._key = key
        self._numbers = itertools.count()
        self._client = Client(port, token, _PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, trace)

    def read(self) -> None:
        """Read a page, and note what it shows."""
        asked = time.perf_counter()
        reply = self._ask("GET", "/v2/deployments?limit=1")
        answered = time.perf_counter()
        if reply is None:
            told = Told(self._node, asked, answered, 0, status=0)
        else:
            age = reply.headers.get("x-moorage-age")
            revision = int(reply.headers.get("x-moorage-revision", "0"))
            told = Told(self._node, asked, answered, revision, None if age is None else int(age), reply.status)
        self._diary.reads.append(told)
        time.sleep(_PAUSE)  # see there

    def write(self) -> int | None:
        """Put another content into the deployment, and note it if it is acknowledged; the revision then."""
        request = put(Named(self._key, _BODY), f"{self._node}-{next(self._numbers)}")
        asked = time.perf_counter()
        reply = self._ask(request.method, request.target, request.body)
        answered = time.perf_counter()
        time.sleep(_PAUSE)  # see there
        if reply is None or reply.status not in (200, 201):
            self.refused.append((asked, answered - asked, reply))
            return None
        revision = int(reply.headers["x-moorage-revision"])
        self._diary.writes.append(Told(self._node, asked, answered, revision))
        return revision

    def wrong(self) -> list[str]:
        """What is wrong with how writes were refused: anything but a 503 with `Retry-After`."""
        return [
            f"a put at {sent:.3f} was answered with {reply and (reply.status, reply.body[:300])}"
            for sent, _, reply in self.refused
            if reply is None or reply.status != 503 or "retry-after" not in reply.headers
        ]

    def _ask(self, method: str, target: str, body: bytes | None = None) -> Reply | None:
        try:
            return self._client.request(method, target, body)
        except (OSError, http.client.HTTPException):
            self._client.__exit__(None, None, None)
            self._client = Client(self._port, self._token, _PATIENCE)
            return None
