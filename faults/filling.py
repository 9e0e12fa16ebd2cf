"""Filling: clients that write and read while a disk runs full."""

import random
import threading
import time
from functools import partial
from typing import Any

import msgspec
from bench.changes import publish
from bench.client import Client, Reply
from bench.data import Named, rich
from bench.kept import Kept, Marked
from tests.support.threads import together

from faults.account import Account

KEY = "hot"
_WRITERS = 3

#: How much is left free at most when it begins, and how large a publish is at most, in bytes.
LEFT = 300_000
_LARGEST = 60_000

#: The disk is full when a writer was refused so often; so many publishes at most until then.
_REFUSALS = 4
_MOST = 400

#: What is answered from memory, and what from the database.
FROM_MEMORY = ("/v2/deployments", "/v2/deployments?limit=1", f"/v2/deployments/{KEY}")
FROM_DATABASE = (
    f"/v2/deployments/{KEY}/versions?limit=3",
    f"/v2/deployments/{KEY}/versions/1.0",
    f"/v2/deployments/{KEY}/history",
    "/v2/manifests?limit=1",
    "/health/ready",
)


class Filling:
    """Clients of one server, and what they were answered.

    `refused` are the marks of publishes that were answered with 507. Where the database may be away, 503 is an answer
    too: what was sent may be there or not; and only what is in memory is read.
    """

    def __init__(self, port: int, token: str, rng: random.Random, *, may_be_away: bool = False) -> None:
        """Creates the deployment that is published on."""
        self.account = Account()
        self.violations: list[str] = []
        self.refused: list[str] = []
        self.reads = 0
        self.slowest_resume = 0.0
        self._port = port
        self._token = token
        self._rng = rng
        self._may_be_away = may_be_away
        self._targets = FROM_MEMORY if may_be_away else (*FROM_MEMORY, *FROM_DATABASE)
        self._body = rich(0).body
        created = self._request("PUT", f"/v2/deployments/{KEY}", msgspec.json.encode(self._body))
        if created.status != 201:
            raise RuntimeError(f"{KEY} was not created: {created.status} {created.body[:500]!r}")

    def fill_up(self, prefix: str) -> None:
        """Publish until the disk is full, and read all the while."""
        done = threading.Event()

        def write_all() -> None:
            try:
                together(*(partial(self._write, f"{prefix}-{number}") for number in range(_WRITERS)))
            finally:
                done.set()

        together(write_all, lambda: self._read(done))

    def resume(self, prefix: str) -> None:
        """Publish until it is acknowledged again, now that it can be."""
        started, numbers = time.monotonic(), 0
        while not self._publish(f"{prefix}-again-{numbers}", 100):
            numbers += 1
            if time.monotonic() - started > 30:
                self.violations.append(f"{prefix}: no publish was acknowledged in 30 s after there was space")
                return
        self.slowest_resume = max(self.slowest_resume, time.monotonic() - started)

    def check(self) -> None:
        """Compare what is there with what was acknowledged."""
        self.violations += self.account.faults(KEY, self.kept())

    def kept(self) -> Kept:
        """What the server shows."""
        with Client(self._port, self._token, timeout=60.0) as client:
            return Kept.read(client, KEY)

    def _write(self, prefix: str) -> None:
        refusals = 0
        for number in range(_MOST):
            refusals += not self._publish(f"{prefix}-{number}", self._rng.randrange(_LARGEST))
            if refusals == _REFUSALS:
                return
        self.violations.append(f"{prefix}: the disk was not full after {_MOST} publishes")

    def _read(self, done: threading.Event) -> None:
        while not done.is_set():
            for target in self._targets:
                reply = self._request("GET", target)
                self.reads += 1
                if reply.status != 200:
                    self.violations.append(f"GET {target} was answered with {reply.status}: {reply.body[:200]!r}")

    def _publish(self, mark: str, size: int) -> bool:
        """Whether it was acknowledged."""
        config: dict[str, Any] = self._body["prompt_config"]
        long = [*config["messages"], {"role": "user", "content": self._rng.randbytes(size // 2).hex()}]
        body = {**self._body, "prompt_config": {**config, "messages": long}}
        request = publish(Named(KEY, body), mark)
        self.account.note_sent(KEY, mark)
        reply = self._request(request.method, request.target, request.body)
        if reply.status == 201:
            self.account.note_acknowledged(KEY, Marked(reply.json["version"], mark))
            return True
        answered = (reply.status, reply.json["error"]["code"])
        if answered == (507, "storage_full"):
            self.account.note_refused(KEY, mark)
            self.refused.append(mark)
        elif not (answered == (503, "storage_unavailable") and self._may_be_away):
            self.violations.append(f"{mark} was answered with {reply.status}: {reply.body[:200]!r}")
        return False

    def _request(self, method: str, target: str, body: bytes | None = None) -> Reply:
        with Client(self._port, self._token, timeout=30.0) as client:
            return client.request(method, target, body)
