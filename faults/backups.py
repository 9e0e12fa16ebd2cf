"""Backups while others write: each is one committed state and comes back as it was; and what they cost the writers."""

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
from bench import changes
from bench.client import Client
from bench.data import rich
from bench.pacing import Latencies, Pacer
from bench.report import Bound, spread
from bench.wire import Request
from tests.cli.whole_database import contents
from tests.support.postgres import PostgresServer
from tests.support.program import moorage
from tests.support.server import Server

from faults.outcome import Outcome
from moorage.registry.check import check
from moorage.store.backup_file import open_backup
from moorage.store.opening import open_store
from moorage.store.whole import LEDGER

_RATE, _CONNECTIONS = 50, 5

#: From so many backups on they are taken of as many deployments, in rounds of so many seconds; else in small.
_MANY, _DEPLOYMENTS, _SECONDS = 20, 1_000, 4
_FEW_DEPLOYMENTS, _FEW_SECONDS = 100, 1

_ALLOWED = 2.0

#: What a control takes away from a backup, one row of each.
_LOSSES = ("ledger", "version", "deployment")


class Taken(msgspec.Struct, frozen=True):
    """A backup that was taken between the acknowledgements of two writes, at these revisions; and what it holds."""

    file: Path
    before: int
    after: int
    rev: int
    ledger_hash: str


class Node:
    """A server on one database, what is written to it, and the backups that are taken meanwhile."""

    def __init__(
        self, name: str, server: Server, folder: Path, rng: random.Random, deployments: int, seconds: int
    ) -> None:
        """Puts so many deployments; rounds take so many seconds."""
        project = server.new_project()
        self.name = name
        self.project = project
        self.taken: list[Taken] = []
        self.violations: list[str] = []
        self.ratios: list[float] = []
        self._database = server.database
        self._folder = folder
        self._rng = rng
        self._deployments, self._seconds = deployments, seconds
        self._marks = itertools.count()
        with Client(project.server.port, project.token) as client:
            for number in range(deployments):
                made = rich(number)
                client.request("PUT", f"/v2/deployments/{made.key}", msgspec.json.encode(made.body))

    def round(self, most: int) -> None:
        """Writes at an even pace, without backups and then with one after the other, `most` at most; and a look at
        each."""
        quiet = self._pacer().run()
        begun = len(self.taken)
        with self._pacer() as pacer:
            ends_at = time.monotonic() + self._seconds
            while time.monotonic() < ends_at and len(self.taken) - begun < most:
                self._take()
        self.ratios.append(Latencies.of(pacer.times()).p99 / Latencies.of(quiet).p99)
        for taken in self.taken[begun:]:
            self.violations += self._look_at(taken)

    def compare(self) -> None:
        """Hold the end of each backup's ledger against the database's own at that revision."""
        place = LEDGER.columns.index("hash")
        with closing(open_store(self._database)) as store, store.whole() as whole:
            hashes = {row[0]: row[place] for row in whole.rows(LEDGER)}
        for taken in self.taken:
            newest = max(rev for rev in hashes if rev <= taken.rev)
            if hashes[newest] != taken.ledger_hash:
                self.violations.append(f"{self.name}, {taken.file.name}: another history than at its revision")
            if not taken.before <= taken.rev < taken.after:
                self.violations.append(
                    f"{self.name}, {taken.file.name}: revision {taken.rev}, taken from {taken.before} to {taken.after}"
                )

    def refused_losses(self) -> int:
        """How many of the ways of losing a row from the last backup are found when it is restored."""
        found = 0
        for table in _LOSSES:
            lossy = self._folder / f"lossy-{table}.backup"
            shutil.copy(self.taken[-1].file, lossy)
            with closing(apsw.Connection(str(lossy))) as connection:
                connection.execute(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) - 5 FROM {table})")
            found += self._restore(lossy).returncode != 0
        return found

    def _take(self) -> None:
        file = self._folder / f"{len(self.taken)}.backup"
        before = self._write()
        done = moorage("backup", file.name, "--database", self._database, folder=self._folder)
        after = self._write()
        if done.returncode:
            raise RuntimeError(f"a backup failed: {done.stderr}")
        with open_backup(file) as saved, saved.whole() as whole:
            self.taken.append(Taken(file, before, after, whole.rev, whole.ledger_hash))

    def _look_at(self, taken: Taken) -> Iterator[str]:
        """What is wrong with a backup, by restoring it. Only the last one is kept."""
        done = self._restore(taken.file)
        if done.returncode:
            yield f"{self.name}, {taken.file.name}: {done.stderr}"
            return
        with open_backup(taken.file) as saved, closing(open_store(self._elsewhere(taken.file))) as restored:
            before, after = contents(saved), contents(restored)
            if any(before[table] != after[table] for table in before if table not in {"rev", "last"}):
                yield f"{self.name}, {taken.file.name}: what came back is not what was saved"
            yield from (f"{taken.file.name}: {finding}" for each in check(restored) for finding in each.findings)
        if taken is not self.taken[-1]:
            taken.file.unlink()

    def _restore(self, file: Path) -> CompletedProcess[str]:
        return moorage("restore", file.name, "--database", self._elsewhere(file), folder=self._folder)

    def _elsewhere(self, file: Path) -> str:
        return f"sqlite:///{file.with_suffix('.db')}"

    def _pacer(self) -> Pacer:
        return Pacer(self.project.server.port, self.project.token, list(self._puts()), _RATE, _CONNECTIONS)

    def _puts(self) -> Iterator[Request]:
        chosen = self._rng.sample(range(self._deployments), self._seconds * _RATE)
        return (changes.put(rich(number), f"b{next(self._marks)}") for number in chosen)

    def _write(self) -> int:
        """The revision of a write."""
        reply = self.project.put("probe", changes.put(rich(0), f"b{next(self._marks)}").body)
        if reply.status not in {200, 201}:
            raise RuntimeError(f"a write was answered with {reply.status}: {reply.body!r}")
        return int(reply.headers["x-moorage-revision"])


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Take so many backups, half of them of each engine; see `Part`."""
    nodes = []
    deployments, seconds = (_DEPLOYMENTS, _SECONDS) if count >= _MANY else (_FEW_DEPLOYMENTS, _FEW_SECONDS)
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer())
        for name, database in (("SQLite", None), ("PostgreSQL", postgres.new_database("template0"))):
            place = folder / name
            place.mkdir()
            server = stack.enter_context(Server(place, database=database))
            rng = random.Random(f"{seed} {name}")
            nodes.append(Node(name, server, place, rng, deployments, seconds))
        halves = (count - count // 2, count // 2)
        while any(len(node.taken) < half for node, half in zip(nodes, halves, strict=True)):
            for node, half in zip(nodes, halves, strict=True):
                if len(node.taken) < half:
                    node.round(half - len(node.taken))
        for node in nodes:
            node.compare()
    refused = sum(node.refused_losses() for node in nodes)
    revisions = sum(taken.after - taken.before for node in nodes for taken in node.taken)
    return Outcome(
        fault=f"`moorage backup`, one after the other, while {_CONNECTIONS} clients put {_RATE} times a second into "
        f"{deployments:,} deployments, on both engines in turn; each is restored into another database",
        invariant="a backup has what was acknowledged before it began, nothing after a gap, and nothing from after it "
        "ended; what comes back is what was saved, row by row, and sound; its history is the database's own",
        count=sum(len(node.taken) for node in nodes),
        result=f"{revisions:,} revisions were made while they were taken; p99 of the writes as a multiple of quiet: "
        + ", ".join(f"{spread(node.ratios, '.2f')} on {node.name}" for node in nodes),
        violations=[violation for node in nodes for violation in node.violations],
        control=f"{refused} of {len(nodes) * len(_LOSSES)} backups with a row taken away are refused",
        is_control_found=refused == len(nodes) * len(_LOSSES),
        bounds=[
            Bound(f"p99 of writes during backups as a multiple of quiet, {node.name}", median(node.ratios), _ALLOWED)
            for node in nodes
        ],
        not_shown=["A backup is taken of a healthy database; of what a broken disk gives, the checks above tell."],
    )
