"""Backups during writes: each must be one committed state, and writes must not become much slower."""

import itertools
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from subprocess import CompletedProcess

import apsw
import msgspec

from moorage.diagnostics.integrity import check
from moorage.store.opening import open_store
from moorage.store.transfer.backup_file import open_backup
from moorage.store.transfer.dump import HISTORY
from tests.cli.whole_database import contents
from tests.support.postgres import PostgresServer
from tests.support.program import moorage_process
from tests.support.server import Server
from tools.common.client import Client, Request
from tools.common.data import deployment
from tools.common.machine import rng as random_numbers
from tools.common.pacing import Latencies, Pacer
from tools.common.report import Bound, spread
from tools.faults.outcome import Outcome, Part

_RATE, _CONNECTIONS = 50, 5

#: From this number of backups on, the database has more deployments and rounds take more seconds.
_MANY, _DEPLOYMENTS, _SECONDS = 20, 1_000, 4
_FEW_DEPLOYMENTS, _FEW_SECONDS = 100, 1

_ALLOWED = 2.0

#: Tables from which the positive control deletes a row.
_LOSSES = ("history", "version", "deployment")


class Backup(msgspec.Struct, frozen=True):
    """Backup file, the revisions of the writes acknowledged before and after it, and the position of the backup."""

    file: Path
    before: int
    after: int
    rev: int
    history_hash: str


class Node:
    """Server on one database, its writers, and the backups."""

    def __init__(
        self, name: str, server: Server, folder: Path, rng: random.Random, deployments: int, seconds: int
    ) -> None:
        """Creates the deployments; a round takes `seconds`."""
        self.name = name
        self.project = server.new_project()
        self.backups: list[Backup] = []
        self.violations: list[str] = []
        self.ratios: list[float] = []
        self._database = server.database
        self._folder = folder
        self._rng = rng
        self._deployments, self._seconds = deployments, seconds
        self._markers = (f"b{number}" for number in itertools.count())
        with Client(server.port, self.project.token) as client:
            for number in range(deployments):
                client.expect(deployment(number).create())

    def round(self, most: int) -> None:
        """Write at a constant rate, without and with at most `most` backups, and inspect the backups."""
        quiet = self._pacer().run()
        first = len(self.backups)
        with self._pacer() as pacer:
            end = time.monotonic() + self._seconds
            while time.monotonic() < end and len(self.backups) - first < most:
                self._back_up()
        self.ratios.append(Latencies.of(pacer.times()).p99 / Latencies.of(quiet).p99)
        for backup in self.backups[first:]:
            self.violations += self._inspect(backup)

    def compare(self) -> None:
        """Compare the history hash of each backup with that of the database at the same revision."""
        place = HISTORY.columns.index("hash")
        with closing(open_store(self._database)) as store, store.dump() as dump:
            hashes = {row[0]: row[place] for row in dump.rows(HISTORY)}
        for backup in self.backups:
            name = f"{self.name}, {backup.file.name}"
            if hashes[max(rev for rev in hashes if rev <= backup.rev)] != backup.history_hash:
                self.violations.append(f"{name}: the history differs from that of its revision")
            if not backup.before <= backup.rev < backup.after:
                self.violations.append(f"{name}: revision {backup.rev}, taken from {backup.before} to {backup.after}")

    def detected_losses(self) -> int:
        """Delete a row from copies of the last backup; return how many copies the restore rejects."""
        found = 0
        for table in _LOSSES:
            lossy = self._folder / f"lossy-{table}.backup"
            shutil.copy(self.backups[-1].file, lossy)
            with closing(apsw.Connection(str(lossy))) as connection:
                connection.execute(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) - 5 FROM {table})")
            found += self._restore(lossy).returncode != 0
        return found

    def _back_up(self) -> None:
        file = self._folder / f"{len(self.backups)}.backup"
        before = self._write()
        done = moorage_process("db", "backup", file.name, "--database", self._database, folder=self._folder)
        after = self._write()
        if done.returncode:
            raise RuntimeError(f"a backup failed: {done.stderr}")
        with open_backup(file) as saved, saved.dump() as dump:
            self.backups.append(Backup(file, before, after, dump.rev, dump.history_hash))

    def _inspect(self, backup: Backup) -> Iterator[str]:
        """Restore a backup and yield its errors; delete all backups but the last."""
        name = f"{self.name}, {backup.file.name}"
        done = self._restore(backup.file)
        if done.returncode:
            yield f"{name}: {done.stderr}"
            return
        with open_backup(backup.file) as saved, closing(open_store(self._target(backup.file))) as restored:
            before, after = contents(saved), contents(restored)
            if any(before[table] != after[table] for table in before if table not in {"rev", "last"}):
                yield f"{name}: the restored rows differ from the saved rows"
            yield from (f"{name}: {finding}" for result in check(restored) for finding in result.findings)
        if backup is not self.backups[-1]:
            backup.file.unlink()

    def _restore(self, file: Path) -> CompletedProcess[str]:
        return moorage_process("db", "restore", file.name, "--database", self._target(file), folder=self._folder)

    def _target(self, file: Path) -> str:
        return f"sqlite:///{file.with_suffix('.db')}"

    def _pacer(self) -> Pacer:
        chosen = self._rng.sample(range(self._deployments), self._seconds * _RATE)
        puts: list[Request] = [deployment(number).put(next(self._markers)) for number in chosen]
        return Pacer(self.project.server.port, self.project.token, puts, _RATE, _CONNECTIONS)

    def _write(self) -> int:
        """Write and return the revision."""
        response = self.project.put("probe", deployment(0).put(next(self._markers)).body)
        if response.status not in {200, 201}:
            raise RuntimeError(f"a write returned {response.status}: {response.body!r}")
        return int(response.headers["x-moorage-revision"])


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Take `count` backups, half of them of each engine; see `Part`."""
    nodes = []
    size = (_DEPLOYMENTS, _SECONDS) if count >= _MANY else (_FEW_DEPLOYMENTS, _FEW_SECONDS)
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer())
        for name, database in (("SQLite", None), ("PostgreSQL", postgres.new_database("template0"))):
            place = folder / name
            place.mkdir()
            server = stack.enter_context(Server(place, database=database))
            nodes.append(Node(name, server, place, random_numbers(seed, name), *size))
        halves = (count - count // 2, count // 2)
        while any(len(node.backups) < half for node, half in zip(nodes, halves, strict=True)):
            for node, half in zip(nodes, halves, strict=True):
                if len(node.backups) < half:
                    node.round(half - len(node.backups))
        for node in nodes:
            node.compare()
    detected = sum(node.detected_losses() for node in nodes)
    revisions = sum(backup.after - backup.before for node in nodes for backup in node.backups)
    ratios = ", ".join(f"{spread(node.ratios, '.2f')} on {node.name}" for node in nodes)
    return Outcome(
        count=sum(len(node.backups) for node in nodes),
        result=f"{revisions:,} revisions were written during the backups; p99 of the writes divided by the quiet p99: "
        f"{ratios}",
        violations=[violation for node in nodes for violation in node.violations],
        control=f"{detected} of {len(nodes) * len(_LOSSES)} backups with a deleted row are rejected",
        is_control_found=detected == len(nodes) * len(_LOSSES),
        bounds=[
            Bound(f"p99 of writes during backups, divided by the quiet p99, {node.name}", median(node.ratios), _ALLOWED)
            for node in nodes
        ],
    )


PART = Part(
    "backups", run, 200, 6, "backups",
    fault=f"`moorage db backup` in a loop while {_CONNECTIONS} clients put {_RATE} times per second into "
    f"{_DEPLOYMENTS:,} deployments, on both engines; each backup is restored into another database",
    invariant="a backup has every write acknowledged before it began, no gap, and nothing written after it ended; the "
    "restored rows are the saved rows and pass `moorage db check`; the history is that of the database",
    limit="Backups are taken of a healthy database; a broken disk can give wrong data.",
)  # fmt: skip
