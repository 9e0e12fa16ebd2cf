"""Clients that publish over HTTP and retry each publish, with its idempotency key, until it is acknowledged."""

import itertools
import threading
import time
from typing import Self

from tools.common.client import Client, Response
from tools.common.data import NewDeployment, deployment
from tools.common.stored import MarkedVersion, StoredVersions, check_detection
from tools.faults.acknowledged import Acknowledged

CLIENTS = 4

_RETRY_SECONDS = 60.0
_PAUSE = 0.02


class RetryingClients:
    """Clients on two new deployments. Leaving the block waits for the last responses, so the server must run by then.

    `retried` is the number of publishes that were sent more than once; `invalid` are invalid responses. Without
    idempotency keys a retry can publish twice: the positive control.
    """

    def __init__(self, port: int, token: str, prefix: str, *, has_keys: bool = True) -> None:
        """Creates the deployments, whose keys begin with `prefix`."""
        self.log = Acknowledged()
        self.keys = (f"{prefix}-0", f"{prefix}-1")
        self.invalid: list[str] = []
        self.retried = 0
        self._port = port
        self._token = token
        self._has_keys = has_keys
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]
        with self._client() as client:
            for key in self.keys:
                client.expect(NewDeployment(key, deployment(0).body).create())

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def violations(self) -> list[str]:
        """Return the violations in the responses and in the state that the API returns after the last response."""
        with self._client() as client:
            stored = {key: StoredVersions.read(client, key) for key in self.keys}
        return self.invalid + [text for key in self.keys for text in self.log.violations(key, stored[key])]

    def check_detection(self) -> int:
        """Corrupt copies of the stored versions; see `tools.common.stored.check_detection`."""
        with self._client() as client:
            key = self.keys[0]
            return check_detection(StoredVersions.read(client, key), self.log.versions[key], 0)

    def _client(self) -> Client:
        return Client(self._port, self._token, timeout=30.0)

    def _run(self, number: int) -> None:
        key = self.keys[number % len(self.keys)]
        for count in itertools.count():
            if self._stopped.is_set():
                return
            marker = f"{key}-{number}-{count}"
            self.log.add_sent(key, marker)
            if not self._publish(key, marker):
                return

    def _publish(self, key: str, marker: str) -> bool:
        """Send a publish until it is acknowledged; return whether it was."""
        request = NewDeployment(key, deployment(0).body).publish(marker)
        encoded = request.encode(self._token, {"Idempotency-Key": marker} if self._has_keys else {})
        deadline, response, attempts = time.monotonic() + _RETRY_SECONDS, None, 0
        while time.monotonic() < deadline:
            attempts += 1
            self.retried += attempts == 2
            try:
                with self._client() as client:
                    response = client.send(encoded)
            except OSError:
                response = None  # the publish can be stored or not
            if response is not None and self._is_final(marker, response):
                if response.status == 201:
                    self.log.add_acknowledged(key, MarkedVersion(response.json["version"], marker))
                return response.status == 201
            time.sleep(_PAUSE)  # between retries
        self.invalid.append(f"{marker} was not acknowledged within {_RETRY_SECONDS:.0f} s; last response: {response}")
        return False

    def _is_final(self, marker: str, response: Response) -> bool:
        if response.status == 201:
            return True
        if response.status == 503 and "retry-after" in response.headers:
            return False
        self.invalid.append(f"{marker} returned {response}")
        return True
