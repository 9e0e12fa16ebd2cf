"""Clients that publish over HTTP through everything: a publish is sent again, with its key, until it is answered."""

import http.client
import itertools
import threading
import time
from types import TracebackType
from typing import Self

import msgspec
from bench.changes import publish
from bench.client import Client, Reply
from bench.data import Named, rich
from bench.kept import Kept, Marked, controls

from faults.account import Account

CLIENTS = 4

#: How long a publish is sent again, in seconds, and the pause before it is.
_PATIENCE = 60.0
_PAUSE = 0.02

_BODY = rich(0).body


class Clients:
    """Clients on two deployments of their own. On leaving the block each waits for its last answer, so what runs them
    must be up again by then.

    `cut_off` is how many publishes were sent more than once, `wrong` are answers that must not be. Without keys, what
    is sent again may be done twice: the positive control.
    """

    def __init__(self, port: int, token: str, prefix: str, *, is_keyed: bool = True) -> None:
        """Creates the deployments, whose keys begin with `prefix`."""
        self.account = Account()
        self.keys = (f"{prefix}-0", f"{prefix}-1")
        self.wrong: list[str] = []
        self.cut_off = 0
        self._port = port
        self._token = token
        self._is_keyed = is_keyed
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]
        with self._client() as client:
            for key in self.keys:
                created = client.request("PUT", f"/v2/deployments/{key}", msgspec.json.encode(_BODY))
                if created.status != 201:
                    raise RuntimeError(f"{key} was not created: {created.status} {created.body[:500]!r}")

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def faults(self) -> list[str]:
        """What is wrong, in words, once all were answered: as the server shows it, not the database."""
        with self._client() as client:
            found = [what for key in self.keys for what in self.account.faults(key, Kept.read(client, key))]
        return self.wrong + found

    def spoil(self) -> int:
        """Spoil copies of what is there; how many ways there were, see `bench.kept.controls`."""
        with self._client() as client:
            key = self.keys[0]
            return controls(Kept.read(client, key), self.account.acknowledged[key], 0)

    def _client(self) -> Client:
        return Client(self._port, self._token, timeout=30.0)

    def _run(self, number: int) -> None:
        key = self.keys[number % len(self.keys)]
        for count in itertools.count():
            if self._stopped.is_set():
                return
            mark = f"{key}-{number}-{count}"
            self.account.note_sent(key, mark)
            if not self._publish(key, mark):
                return

    def _publish(self, key: str, mark: str) -> bool:
        """Send it until it is acknowledged; whether it was."""
        request = publish(Named(key, _BODY), mark)
        headers = {"Idempotency-Key": mark} if self._is_keyed else {}
        deadline, reply, attempts = time.monotonic() + _PATIENCE, None, 0
        while time.monotonic() < deadline:
            attempts += 1
            self.cut_off += attempts == 2
            try:
                with self._client() as client:
                    reply = client.request(request.method, request.target, request.body, headers)
            except (OSError, http.client.HTTPException):
                reply = None  # whether it was done nobody knows
            if reply is not None and self._is_final(mark, reply):
                if reply.status == 201:
                    self.account.note_acknowledged(key, Marked(reply.json["version"], mark))
                return reply.status == 201
            time.sleep(_PAUSE)  # asked again, up to the deadline
        self.wrong.append(f"{mark} was not answered within {_PATIENCE:.0f} s; the last answer was {reply}")
        return False

    def _is_final(self, mark: str, reply: Reply) -> bool:
        if reply.status == 201:
            return True
        if reply.status == 503 and "retry-after" in reply.headers:
            return False
        self.wrong.append(f"{mark} was answered with {reply.status}: {reply.body[:300]!r}")
        return True
