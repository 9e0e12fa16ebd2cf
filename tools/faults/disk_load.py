"""Clients that write and read while a disk runs full."""

import random
import threading
import time
from functools import partial

from tests.support.threads import run_concurrently
from tools.common.client import Client, Response
from tools.common.data import NewDeployment, deployment
from tools.common.stored import MarkedVersion, StoredVersions, check_detection
from tools.faults.acknowledged import Acknowledged

#: Most free bytes at the beginning.
MOST_FREE = 300_000

_KEY = "hot"
_WRITERS = 3
_LARGEST = 60_000  # bytes of a publish

#: Rejections of a writer after which the disk counts as full, and most publishes until then.
_REJECTIONS, _MOST = 4, 400
_RESUME_SECONDS = 30

_FROM_MEMORY = ("/v2/deployments", "/v2/deployments?limit=1", f"/v2/deployments/{_KEY}")
_FROM_DATABASE = (
    f"/v2/deployments/{_KEY}/versions?limit=3",
    f"/v2/deployments/{_KEY}/versions/1.0",
    f"/v2/deployments/{_KEY}/history",
    "/v2/manifests?limit=1",
    "/health/ready",
)


class DiskLoad:
    """Clients of one server. `rejected` are the markers of publishes that returned 507.

    With `can_stop` the database may stop: then 503 is valid, too, and clients read only from memory.
    """

    def __init__(self, port: int, token: str, rng: random.Random, *, can_stop: bool = False) -> None:
        """Creates the deployment."""
        self.log = Acknowledged()
        self.violations: list[str] = []
        self.rejected: list[str] = []
        self.reads = 0
        self.slowest_resume = 0.0
        self._port = port
        self._token = token
        self._rng = rng
        self._can_stop = can_stop
        self._targets = _FROM_MEMORY if can_stop else (*_FROM_MEMORY, *_FROM_DATABASE)
        self._body = deployment(0).body
        with self._client() as client:
            client.expect(NewDeployment(_KEY, self._body).create())

    def fill_up(self, prefix: str) -> None:
        """Publish until the disk is full, and read at the same time."""
        done = threading.Event()

        def write() -> None:
            try:
                run_concurrently(*(partial(self._write, f"{prefix}-{number}") for number in range(_WRITERS)))
            finally:
                done.set()

        run_concurrently(write, lambda: self._read(done))

    def resume(self, prefix: str) -> None:
        """Publish until a publish is acknowledged, now that the disk has free space."""
        started, attempts = time.monotonic(), 0
        while not self._publish(f"{prefix}-resume-{attempts}", 100):
            attempts += 1
            if time.monotonic() - started > _RESUME_SECONDS:
                self.violations.append(f"{prefix}: no publish acknowledged {_RESUME_SECONDS} s after there was space")
                return
        self.slowest_resume = max(self.slowest_resume, time.monotonic() - started)

    def check(self) -> None:
        """Compare the stored versions with the log."""
        self.violations += self.log.violations(_KEY, self._stored())

    def check_detection(self) -> tuple[int, int]:
        """Return the number of corrupted copies, and of rejected publishes that the check would report as lost."""
        stored, acknowledged, unacknowledged = (
            self._stored(),
            self.log.versions[_KEY],
            len(self.log.unacknowledged(_KEY)),
        )
        claimed = [*acknowledged, *(MarkedVersion("1.1", marker) for marker in self.rejected)]
        lost = sum("is not stored" in text for text in stored.violations(claimed, unacknowledged).lost)
        return check_detection(stored, acknowledged, unacknowledged), lost

    def _stored(self) -> StoredVersions:
        with self._client() as client:
            return StoredVersions.read(client, _KEY)

    def _client(self) -> Client:
        return Client(self._port, self._token, timeout=60.0)

    def _write(self, prefix: str) -> None:
        rejections = 0
        for number in range(_MOST):
            rejections += not self._publish(f"{prefix}-{number}", self._rng.randrange(_LARGEST))
            if rejections == _REJECTIONS:
                return
        self.violations.append(f"{prefix}: the disk was not full after {_MOST} publishes")

    def _read(self, done: threading.Event) -> None:
        while not done.is_set():
            for target in self._targets:
                response = self._request("GET", target)
                self.reads += 1
                if response.status != 200:
                    self.violations.append(f"GET {target} returned {response}")

    def _publish(self, marker: str, size: int) -> bool:
        """Return whether a publish was acknowledged."""
        config = self._body["prompt_config"]
        padding = {"role": "user", "content": self._rng.randbytes(size // 2).hex()}
        body = {**self._body, "prompt_config": {**config, "messages": [*config["messages"], padding]}}
        request = NewDeployment(_KEY, body).publish(marker)
        self.log.add_sent(_KEY, marker)
        response = self._request(request.method, request.target, request.body)
        if response.status == 201:
            self.log.add_acknowledged(_KEY, MarkedVersion(response.json["version"], marker))
            return True
        error = (response.status, response.json["error"]["code"])
        if error == (507, "storage_full"):
            self.log.add_rejected(_KEY, marker)
            self.rejected.append(marker)
        elif not (error == (503, "storage_unavailable") and self._can_stop):
            self.violations.append(f"{marker} returned {response}")
        return False

    def _request(self, method: str, target: str, body: bytes | None = None) -> Response:
        with self._client() as client:
            return client.request(method, target, body)
