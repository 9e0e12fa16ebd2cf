"""Many publishes on one deployment from two nodes at once, some of them with `If-Match`, while it is read on both."""

import itertools
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
from bench.changes import mark_of, publish
from bench.client import Client, Reply
from bench.data import Named, rich
from bench.kept import Kept, Marked, controls
from tests.support.nodes import Nodes
from tests.support.postgres import PostgresServer
from tests.support.server import Project

from faults.account import Account
from faults.crowd import Crowd
from faults.diary import Diary, Told
from faults.outcome import Outcome
from moorage.registry.audit import verify_ledger
from moorage.store.opening import open_store

#: How many write on each node, and how many of them only over the version that they have seen.
WRITERS, _CAREFUL = 12, 2

#: For so many publishes there is one contest: all send the same `If-Match` at once.
_CONTESTS = 500

#: Seconds between two reads of a reader.
_PAUSE = 0.005

_HOT, _CONTESTED = Named("hot", rich(0).body), Named("contested", rich(1).body)


class Wins(msgspec.Struct):
    """What came of `If-Match`: for each ETag the version it was of, and those that were made over it; how many were
    refused with 412."""

    made: defaultdict[tuple[str, int], list[int]] = msgspec.field(default_factory=lambda: defaultdict(list))
    refused: int = 0

    def faults(self) -> list[str]:
        """ETags over which more than one version was made, or another one than the next."""
        return [
            f"over version 1.{seen} with {etag} were made {made}"
            for (etag, seen), made in self.made.items()
            if made != [seen + 1]
        ]


class Race:
    """Publishes on one deployment through all nodes at once; `account`, `diary` and `wins` tell what came of it."""

    def __init__(self, projects: Sequence[Project], count: int, seed: int) -> None:
        """So many publishes are to be acknowledged."""
        self.account = Account()
        self.diary = Diary()
        self.wins = Wins()
        self.wrong: list[str] = []
        self._shown: set[Marked] = set()
        self._projects = projects
        self._tickets = itertools.count()
        self._count = count
        self._seed = seed

    def run(self) -> float:
        """Run it; how many seconds it took."""
        _create(self._projects[0], _HOT)
        with Crowd() as crowd, ThreadPoolExecutor(WRITERS * len(self._projects)) as writers:
            for node in range(len(self._projects)):
                client = crowd.keep(_client(self._projects[node]))
                crowd.start(partial(self._read_and_pause, node, client))
            began = time.perf_counter()
            places = itertools.product(range(len(self._projects)), range(WRITERS))
            for done in [writers.submit(self._write, node, number) for node, number in places]:
                done.result()
            return time.perf_counter() - began

    def faults(self, kept: Kept) -> list[str]:
        """What is wrong, in words, with what is kept and what was told."""
        unknown = [f"{told} was shown and is not there" for told in sorted(self._shown - set(kept.versions))]
        found = self.account.faults(_HOT.key, kept)
        return [*self.wrong, *found, *unknown, *self.wins.faults(), *self.diary.faults()]

    def spoil(self, kept: Kept) -> int:
        """Spoil copies of what was kept and told; how many ways there were.

        Raises:
            RuntimeError: the check did not find one of them, so that it finds nothing says nothing.
        """
        acknowledged = self.account.acknowledged[_HOT.key]
        reads, writes = self.diary.reads, self.diary.writes
        middle, write = sorted(reads)[len(reads) // 2], sorted(writes)[len(writes) // 2]
        late = write._replace(asked=write.answered + 1e-6, answered=write.answered + 1e-3)
        after = Told(write.node, late.asked, late.answered, 0)
        etag, seen = next(iter(self.wins.made))
        spoilt = {
            "a read that went back": Diary([*reads, after]).gone_back(),
            "a read that lacks its own node's write": Diary([after], writes).gone_back(),
            "a read that lacks another's after a second": Diary(
                [after._replace(node=1 - write.node, asked=write.answered + 1.1)], writes
            ).too_old(),
            "a read without an answer": Diary([middle._replace(status=0)]).failed(),
            "a write before one that was told": Diary(reads, [*writes, late]).out_of_order(),
            "an ETag that was good twice": Wins(defaultdict(list, {(etag, seen): [seen + 1, seen + 2]})).faults(),
        }
        if missed := [what for what, found in spoilt.items() if not found]:
            raise RuntimeError(f"the check does not find this: {', '.join(missed)}")
        return len(spoilt) + controls(kept, acknowledged, 0)

    def _write(self, node: int, number: int) -> None:
        with _client(self._projects[node]) as client:
            while (ticket := next(self._tickets)) < self._count:
                mark = f"{self._seed}-{node}-{number}-{ticket}"
                if number < _CAREFUL:
                    self._publish_carefully(node, client, mark)
                else:
                    self._publish(node, client, mark)

    def _publish(self, node: int, client: Client, mark: str, etag: str = "") -> int | None:
        """Publish; the version's minor number, or None if it was refused for its `If-Match`."""
        self.account.note_sent(_HOT.key, mark)
        asked = time.perf_counter()
        reply = _send(client, _HOT, mark, etag)
        answered = time.perf_counter()
        if reply.status == 412 and etag:
            self.wins.refused += 1
            return None
        if reply.status != 201:
            self.wrong.append(f"{mark} was answered with {reply.status}: {reply.body[:300]!r}")
            return None
        minor = _minor(reply)
        self.account.note_acknowledged(_HOT.key, Marked(f"1.{minor}", mark))
        self.diary.writes.append(Told(node, asked, answered, minor))
        return minor

    def _publish_carefully(self, node: int, client: Client, mark: str) -> None:
        """Publish over the version that is shown, until that was the newest."""
        while not self.wrong:
            etag, seen = self._read(node, client)
            made = self._publish(node, client, mark, etag)
            if made is not None:
                self.wins.made[etag, seen].append(made)
                return

    def _read(self, node: int, client: Client) -> tuple[str, int]:
        """The ETag and the minor number of the version that is shown."""
        asked = time.perf_counter()
        reply = client.get(f"/v2/deployments/{_HOT.key}")
        answered, minor, age = time.perf_counter(), _minor(reply), reply.headers.get("x-moorage-age")
        self.diary.reads.append(Told(node, asked, answered, minor, None if age is None else int(age)))
        self._shown.add(Marked(f"1.{minor}", mark_of(reply.json["prompt_config"])))
        return reply.headers["etag"], minor

    def _read_and_pause(self, node: int, client: Client) -> None:
        self._read(node, client)
        time.sleep(_PAUSE)  # see there


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Publish so often; see `Part`."""
    with PostgresServer() as postgres:
        database = postgres.new_database()
        with Nodes(folder, database) as nodes:
            race = Race(nodes.projects, count, seed)
            seconds = race.run()
            contests = -(-count // _CONTESTS)
            contested = [what for number in range(contests) for what in contest(nodes.projects, number)]
            with _client(nodes.projects[-1]) as client:
                kept = Kept.read(client, _HOT.key)
            with closing(open_store(database)) as store:
                broken = verify_ledger(store)
    violations = [*race.faults(kept), *contested, *broken]
    wins = sum(map(len, race.wins.made.values()))
    return Outcome(
        fault=f"{WRITERS} connections to each of two nodes publish on one deployment, {_CAREFUL} of them with "
        f"`If-Match`; {contests:,} times all {2 * WRITERS} send the same `If-Match` at once",
        invariant="versions are 1.0, 1.1, … without a gap; all that was acknowledged is there once, and nothing else; "
        "the ledger verifies; of one ETag one is answered with 201; a read shows what its node acknowledged "
        "before, and never less than the read before; a write comes after all that was told before it was sent",
        count=count,
        result=f"{race.account.count():,} publishes acknowledged, {count / seconds:,.0f} in a second; "
        f"{wins:,} with `If-Match`, {race.wins.refused:,} such refused with 412; {len(race.diary.reads):,} reads",
        violations=violations,
        control=f"{race.spoil(kept) if not violations else 0} ways to spoil a copy of what is there and was told",
        is_control_found=not violations,
    )


def contest(projects: Sequence[Project], number: int) -> list[str]:
    """Have all send the same `If-Match` at once; what is wrong with the answers, in words."""
    if number == 0:
        _create(projects[0], _CONTESTED)
    places = list(itertools.product(projects, range(WRITERS)))
    random.Random(number).shuffle(places)
    with _client(projects[0]) as client:
        shown = client.get(f"/v2/deployments/{_CONTESTED.key}")

    def send(project: Project, place: int) -> Reply:
        with _client(project) as client:
            return _send(client, _CONTESTED, f"{number}-{project.server.port}-{place}", shown.headers["etag"])

    with ThreadPoolExecutor(len(places)) as senders:
        replies = list(senders.map(lambda place: send(*place), places))
    statuses = Counter(reply.status for reply in replies)
    made = [_minor(reply) for reply in replies if reply.status == 201]
    if statuses != {201: 1, 412: len(places) - 1} or made != [_minor(shown) + 1]:
        return [f"contest {number} over 1.{_minor(shown)} was answered with {dict(statuses)} and made {made}"]
    return []


def _client(project: Project) -> Client:
    return Client(project.server.port, project.token, timeout=60.0)


def _create(project: Project, named: Named) -> None:
    with _client(project) as client:
        created = client.request("PUT", f"/v2/deployments/{named.key}", msgspec.json.encode(named.body))
    if created.status != 201:
        raise RuntimeError(f"{named.key} was not created: {created.status} {created.body[:500]!r}")


def _send(client: Client, named: Named, mark: str, etag: str) -> Reply:
    request = publish(named, mark)
    return client.request(request.method, request.target, request.body, {"If-Match": etag} if etag else {})


def _minor(reply: Reply) -> int:
    major, _, minor = reply.json["version"].partition(".")
    if major != "1":
        raise RuntimeError(f"a version that is none of these: {reply.body[:300]!r}")
    return int(minor)
