"""Publishes on one deployment from many connections, and the comparison of the result with the acknowledgements."""

import time

import msgspec

from tools.bench.wrk import Load, Measured, run
from tools.common.client import Client
from tools.common.data import PLACEHOLDER, NewDeployment, deployment
from tools.common.servers import Moorage
from tools.common.stored import MarkedVersion, StoredVersions, Violations, check_detection

WRITERS = 12

_IDLE_SECONDS = 0.1


class Comparison(msgspec.Struct, frozen=True):
    """Number of acknowledged and of stored publishes, violations, and number of detected corruptions of a copy."""

    acknowledged: int
    published: int
    violations: Violations
    detected: int


class Publisher:
    """Load of publishes on one deployment, with a log of the acknowledged versions."""

    def __init__(self, server: Moorage, token: str, key: str, seed: int) -> None:
        """Creates the deployment."""
        self._server = server
        self._token = token
        self._seed = seed
        self._key = key
        self._runs = 0
        self._unacknowledged = 0
        self._acknowledged: list[MarkedVersion] = []
        hot = NewDeployment(key, deployment(0).body)
        request = hot.publish(PLACEHOLDER)
        self._target = request.target
        self._file = server.folder / f"{key}.json"
        self._file.write_bytes(request.body or b"")
        with Client(server.port, token) as client:
            client.expect(hot.create())

    def run(self, connections: int, seconds: int, warm_up: int = 0) -> Measured:
        """Publish over some connections.

        Raises:
            RuntimeError: a publish did not return 201.
        """
        if warm_up:
            self.run(connections, warm_up)
        self._runs += 1
        self._unacknowledged += connections  # wrk stops without waiting for the last responses
        arguments = (str(self._file), str(self._seed + self._runs), f"{self._key}-{self._runs}")
        load = Load(self._server, self._target, self._token, "publish.lua", arguments)
        measured = run(load, connections, seconds)
        responses = [line.split(" ", 2) for line in measured.lines if line[:3].isdecimal() and line[3:4] == " "]
        failed = [response for response in responses if response[0] != "201"]
        if failed or len(responses) != measured.requests:
            raise RuntimeError(f"{len(failed)} of {measured.requests} publishes failed: {failed[:3]}")
        self._acknowledged += [MarkedVersion(version, marker) for _, version, marker in responses]
        return measured

    def compare(self) -> Comparison:
        """Compare the stored versions and history with the acknowledgements."""
        with Client(self._server.port, self._token, timeout=60) as client:
            self._wait_until_idle(client)
            stored = StoredVersions.read(client, self._key)
        violations = stored.violations(self._acknowledged, self._unacknowledged)
        is_good = not violations.lost and not violations.broken
        detected = check_detection(stored, self._acknowledged, self._unacknowledged) if is_good else 0
        return Comparison(len(self._acknowledged), len(stored.published), violations, detected)

    def _wait_until_idle(self, client: Client) -> None:
        """Wait until the last requests of wrk are committed."""
        before = ""
        while (current := client.get(f"/v2/deployments/{self._key}").headers["etag"]) != before:
            before = current
            time.sleep(_IDLE_SECONDS)
