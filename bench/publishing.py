"""Publishing: many connections that publish on one deployment as fast as they are answered."""

import time
from pathlib import Path

import msgspec

from bench import changes
from bench.client import Client
from bench.data import Named, rich
from bench.kept import Faults, Kept, Marked, controls
from bench.servers import Moorage
from bench.wrk import Load, Measured, run

#: How many write at once.
WRITERS = 12

_SCRIPT = Path(__file__).with_name("publish.lua")
_SETTLED_SECONDS = 0.1


class Checked(msgspec.Struct, frozen=True):
    """What came of it: how many publishes were acknowledged and how many are there, and what is wrong with them.

    `controls` is how many ways of losing one the same check was shown, and found.
    """

    acknowledged: int
    published: int
    faults: Faults
    controls: int


class Publisher:
    """Publishes on one deployment of its own, and notes what was acknowledged."""

    def __init__(self, server: Moorage, token: str, key: str, seed: int) -> None:
        """Creates the deployment. The seed draws the contents."""
        self._server = server
        self._token = token
        self._seed = seed
        self._runs = 0
        self._cut_off = 0
        self._acknowledged: list[Marked] = []
        self._named = Named(key, rich(0).body)
        request = changes.publish(self._named, changes.PLACEHOLDER)
        self.target = request.target
        self.body = request.body or b""
        self._file = server.folder / f"{key}.json"
        self._file.write_bytes(self.body)
        with Client(server.port, token) as client:
            created = client.request("PUT", f"/v2/deployments/{key}", msgspec.json.encode(self._named.body))
        if created.status != 201:
            raise RuntimeError(f"{key} was not created: {created.status} {created.body[:500]!r}")

    def run(self, connections: int, seconds: int) -> Measured:
        """Publish on so many connections.

        Raises:
            RuntimeError: a publish was answered with anything but 201.
        """
        self._runs += 1
        self._cut_off += connections
        arguments = (str(self._file), str(self._seed + self._runs), f"{self._named.key}-{self._runs}")
        load = Load(self._server, self.target, self._token, script=_SCRIPT, arguments=arguments)
        measured = run(load, connections, seconds)
        answers = [line.split(" ", 2) for line in measured.lines if line[:3].isdecimal() and line[3:4] == " "]
        refused = [answer for answer in answers if answer[0] != "201"]
        if refused or len(answers) != measured.requests:
            raise RuntimeError(f"{len(refused)} of {measured.requests} publishes were refused: {refused[:3]}")
        self._acknowledged += [Marked(version, mark) for _, version, mark in answers]
        return measured

    def check(self) -> Checked:
        """Compare everything that the server has of the deployment with what it acknowledged."""
        with Client(self._server.port, self._token, timeout=60) as client:
            self._settle(client)
            kept = Kept.read(client, self._named.key)
        faults = kept.faults(self._acknowledged, self._cut_off)
        shown = 0 if faults.lost or faults.breaks else controls(kept, self._acknowledged, self._cut_off)
        return Checked(len(self._acknowledged), len(kept.published), faults, shown)

    def _settle(self, client: Client) -> None:
        """Wait until what wrk left behind when it ended is written."""
        before = ""
        while (now := client.get(f"/v2/deployments/{self._named.key}").headers["etag"]) != before:
            before = now
            time.sleep(_SETTLED_SECONDS)
