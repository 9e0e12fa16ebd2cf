"""A disk that runs full under a file of SQLite while clients write and read, and has space again."""

import random
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from bench.changes import publish
from bench.client import Client, Reply
from bench.data import Named, rich
from bench.kept import Kept, Marked, controls
from bench.report import Bound
from tests.support.server import Server
from tests.support.small_disk import SmallDisk, fill
from tests.support.threads import together

from faults.account import Account
from faults.inspection import inspect
from faults.outcome import NotRun, Outcome, Tally

_SIZE = 48 * 2**20
_KEY = "hot"
_WRITERS = 3

#: How much is left free at most when the disk begins to be full, and how large a publish is at most, in bytes.
_LEFT = 300_000
_LARGEST = 60_000

#: The disk is full when a writer was refused so often; so many publishes at most until then.
_REFUSALS = 4
_MOST = 400

_READS = (
    "/v2/deployments",
    "/v2/deployments?limit=1",
    f"/v2/deployments/{_KEY}",
    f"/v2/deployments/{_KEY}/versions?limit=3",
    f"/v2/deployments/{_KEY}/versions/1.0",
    f"/v2/deployments/{_KEY}/history",
    "/v2/manifests?limit=1",
    "/health/ready",
)


class Filling:
    """Clients of one server, and what they were answered."""

    def __init__(self, port: int, token: str, rng: random.Random) -> None:
        self.account, self.tally = Account(), Tally()
        self.refused: list[str] = []
        self.reads = 0
        self.slowest_resume = 0.0
        self._port = port
        self._token = token
        self._rng = rng
        self._body = rich(0).body
        created = self._request("PUT", f"/v2/deployments/{_KEY}", msgspec.json.encode(self._body))
        if created.status != 201:
            raise RuntimeError(f"{_KEY} was not created: {created.status} {created.body[:500]!r}")

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
        """Publish until it is acknowledged again."""
        started, numbers = time.monotonic(), 0
        while not self._publish(f"{prefix}-again-{numbers}", 100):
            numbers += 1
            if time.monotonic() - started > 30:
                self.tally.violations.append(f"{prefix}: no publish was acknowledged in 30 s after there was space")
                return
        self.slowest_resume = max(self.slowest_resume, time.monotonic() - started)

    def check(self) -> None:
        """Compare what is there with what was acknowledged."""
        self.tally.violations += self.account.faults(_KEY, self.kept())

    def kept(self) -> Kept:
        """What the server shows."""
        with Client(self._port, self._token, timeout=60.0) as client:
            return Kept.read(client, _KEY)

    def _write(self, prefix: str) -> None:
        refusals = 0
        for number in range(_MOST):
            refusals += not self._publish(f"{prefix}-{number}", self._rng.randrange(_LARGEST))
            if refusals == _REFUSALS:
                return
        self.tally.violations.append(f"{prefix}: the disk was not full after {_MOST} publishes")

    def _read(self, done: threading.Event) -> None:
        while not done.is_set():
            for target in _READS:
                reply = self._request("GET", target)
                self.reads += 1
                if reply.status != 200:
                    self.tally.violations.append(f"GET {target} was answered with {reply.status}: {reply.body[:200]!r}")

    def _publish(self, mark: str, size: int) -> bool:
        """Whether it was acknowledged."""
        config: dict[str, Any] = self._body["prompt_config"]
        long = [*config["messages"], {"role": "user", "content": "x" * size}]
        body = {**self._body, "prompt_config": {**config, "messages": long}}
        request = publish(Named(_KEY, body), mark)
        self.account.note_sent(_KEY, mark)
        reply = self._request(request.method, request.target, request.body)
        if reply.status == 201:
            self.account.note_acknowledged(_KEY, Marked(reply.json["version"], mark))
            return True
        self.account.note_refused(_KEY, mark)
        self.refused.append(mark)
        if (reply.status, reply.json["error"]["code"]) != (507, "storage_full") or "retry-after" not in reply.headers:
            self.tally.violations.append(f"{mark} was answered with {reply.status}: {reply.body[:200]!r}")
        return False

    def _request(self, method: str, target: str, body: bytes | None = None) -> Reply:
        with Client(self._port, self._token, timeout=30.0) as client:
            return client.request(method, target, body)


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Fill the disk so often; see `Part`."""
    disk = SmallDisk(folder / "disk", _SIZE)
    if problem := disk.problem():
        raise NotRun(problem)
    rng = random.Random(f"{seed} disk-full")
    server = Server(disk.folder, prefix=disk.prefix)
    server.log, server.output = folder / "log", folder / "output"
    with server:
        assert server.process is not None
        seen = disk.seen_from(server.process.pid)
        token = next(word for word in server.greeting().split() if word.startswith("mrg_"))
        filling = Filling(server.port, token, rng)
        for number in range(count):
            fill(seen / "ballast", left=rng.randrange(_LEFT))
            filling.fill_up(f"f{number}")
            (seen / "ballast").unlink()
            filling.resume(f"f{number}")
            filling.check()
        kept, acknowledged = filling.kept(), filling.account.acknowledged[_KEY]
        ways = controls(kept, acknowledged, 0)
        claimed = [*acknowledged, *(Marked("1.1", mark) for mark in filling.refused)]
        lost = sum("is not there" in what for what in kept.faults(claimed, 0).lost)
        for name in ("moorage.db", "moorage.db-wal"):
            with suppress(FileNotFoundError):
                (folder / name).write_bytes((seen / name).read_bytes())
    violations = [*filling.tally.violations, *inspect(folder / "moorage.db", Account())]
    return Outcome(
        fault="the disk (a tmpfs) runs full under SQLite, with up to 0.3 MB left at first, while 3 clients publish and "
        "one reads; then there is space again",
        invariant="every read is answered; a write is acknowledged, or it gets 507 `storage_full` and nothing of it is "
        "there; the file and the ledger are intact",
        count=count,
        result=f"{len(acknowledged):,} publishes acknowledged, {len(filling.refused):,} refused, "
        f"{filling.reads:,} reads",
        violations=violations,
        control=f"the check with the refused publishes as if they had been acknowledged: {lost:,} lost; "
        f"{ways} ways to spoil a copy",
        is_control_found=lost == len(filling.refused) > 0,
        bounds=[Bound("a full disk: longest time from space to a write", filling.slowest_resume, 1.0, unit="s")],
    )
