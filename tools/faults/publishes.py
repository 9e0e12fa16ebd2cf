"""Concurrent publishes on one deployment through two nodes, some with `If-Match`, while clients read on both."""

import itertools
import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.support.nodes import Nodes
from tests.support.postgres import PostgresServer
from tests.support.server import Project
from tools.common.client import Client, Response
from tools.common.data import NewDeployment, deployment, marker_of
from tools.common.report import pluralize
from tools.common.stored import MarkedVersion, StoredVersions, check_detection
from tools.faults.acknowledged import Acknowledged
from tools.faults.event_log import Event, EventLog
from tools.faults.inspection import check_history
from tools.faults.load import Load
from tools.faults.outcome import Outcome, Part

#: Writers on each node.
WRITERS = 12

#: One contest per so many publishes: all writers send the same `If-Match` at the same time.
_CONTESTS = 500

_PAUSE = 0.005  # seconds between two reads of a reader

_HOT, _CONTESTED = NewDeployment("hot", deployment(0).body), NewDeployment("contested", deployment(1).body)


class Race:
    """Publishes on one deployment through all nodes, with logs of all responses."""

    def __init__(self, projects: Sequence[Project], count: int, seed: int) -> None:
        self.acknowledged = Acknowledged()
        self.log = EventLog()
        self.invalid: list[str] = []
        self._revisions: list[int] = []
        self._shown: set[MarkedVersion] = set()
        self._projects = projects
        self._tickets = iter(range(count))
        self._seed = seed

    def run(self) -> float:
        """Publish; return the duration in seconds."""
        _create(self._projects, _HOT)
        with Load() as load, ThreadPoolExecutor(WRITERS * len(self._projects)) as pool:
            for node in range(len(self._projects)):
                client = load.enter(_client(self._projects[node]))
                load.start(partial(self._read, node, client))
            started = time.perf_counter()
            places = itertools.product(range(len(self._projects)), range(WRITERS))
            for future in [pool.submit(self._write, node, number) for node, number in places]:
                future.result()
            return time.perf_counter() - started

    @property
    def revision(self) -> int:
        """Return the newest revision of a response."""
        return max(self._revisions, default=0)

    def violations(self, stored: StoredVersions) -> list[str]:
        """Return the violations in the stored versions and in the responses."""
        unknown = [f"{shown} was read and is not stored" for shown in sorted(self._shown - set(stored.versions))]
        found = self.acknowledged.violations(_HOT.key, stored)
        return [*self.invalid, *found, *unknown, *self.log.violations()]

    def _write(self, node: int, number: int) -> None:
        with _client(self._projects[node]) as client:
            for ticket in self._tickets:
                marker = f"{self._seed}-{node}-{number}-{ticket}"
                self.acknowledged.add_sent(_HOT.key, marker)
                sent = time.perf_counter()
                response = _send(client, _HOT, marker, "")
                received = time.perf_counter()
                if response.status != 201:
                    self.invalid.append(f"{marker} returned {response}")
                    return
                minor = _minor(response)
                self._revisions.append(_revision(response))
                self.acknowledged.add_acknowledged(_HOT.key, MarkedVersion(f"1.{minor}", marker))
                self.log.writes.append(Event(node, sent, received, minor))

    def _read(self, node: int, client: Client) -> None:
        sent = time.perf_counter()
        response = client.get(f"/v2/deployments/{_HOT.key}")
        received, minor, age = time.perf_counter(), _minor(response), response.headers.get("x-moorage-age")
        self.log.reads.append(Event(node, sent, received, minor, None if age is None else int(age)))
        self._shown.add(MarkedVersion(f"1.{minor}", marker_of(response.json["prompt_config"])))
        time.sleep(_PAUSE)  # limits the load


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Publish `count` times; see `Part`."""
    with PostgresServer() as postgres:
        database = postgres.new_database()
        with Nodes(folder, database) as nodes:
            race = Race(nodes.projects, count, seed)
            seconds = race.run()
            contests = -(-count // _CONTESTS)
            contested = [text for number in range(contests) for text in contest(nodes.projects, number)]
            _wait_for(nodes.projects[-1:], _HOT, race.revision)
            with _client(nodes.projects[-1]) as client:
                stored = StoredVersions.read(client, _HOT.key)
            violations = [*race.violations(stored), *contested, *check_history(database)]
    detected = check_detection(stored, race.acknowledged.versions[_HOT.key], 0) if not violations else 0
    return Outcome(
        count=count,
        result=f"{race.acknowledged.count():,} publishes acknowledged, {count / seconds:,.0f} per second; "
        f"{pluralize(contests, 'contest')}; {len(race.log.reads):,} reads",
        violations=violations,
        control=f"{detected} corrupted copies",
        is_control_found=detected > 0,
    )


def contest(projects: Sequence[Project], number: int) -> list[str]:
    """Send the same `If-Match` from all writers at the same time; return the violations."""
    if number == 0:
        _create(projects, _CONTESTED)
    places = list(itertools.product(projects, range(WRITERS)))
    random.Random(number).shuffle(places)
    with _client(projects[0]) as client:
        # Not a read, because a node shows the publish of another node with a delay.
        current = _send(client, _CONTESTED, f"{number}-before", "")

    def send(project: Project, place: int) -> Response:
        with _client(project) as client:
            return _send(client, _CONTESTED, f"{number}-{project.server.port}-{place}", current.headers["etag"])

    with ThreadPoolExecutor(len(places)) as pool:
        responses = list(pool.map(lambda place: send(*place), places))
    statuses = Counter(response.status for response in responses)
    published = [_minor(response) for response in responses if response.status == 201]
    if statuses != {201: 1, 412: len(places) - 1} or published != [_minor(current) + 1]:
        return [f"contest {number} over 1.{_minor(current)} returned {dict(statuses)} and published {published}"]
    return []


def _client(project: Project) -> Client:
    return Client(project.server.port, project.token, timeout=60.0)


def _create(projects: Sequence[Project], new: NewDeployment) -> None:
    """Create a deployment on the first node, and wait until all nodes have it."""
    with _client(projects[0]) as client:
        revision = _revision(client.expect(new.create()))
    _wait_for(projects, new, revision)


def _wait_for(projects: Sequence[Project], target: NewDeployment, revision: int) -> None:
    for project in projects:
        project.get_at(f"/v2/deployments/{target.key}", revision)


def _send(client: Client, target: NewDeployment, marker: str, etag: str) -> Response:
    request = target.publish(marker)
    return client.request(request.method, request.target, request.body, {"If-Match": etag} if etag else {})


def _revision(response: Response) -> int:
    return int(response.headers["x-moorage-revision"])


def _minor(response: Response) -> int:
    major, _, minor = response.json["version"].partition(".")
    if major != "1":
        raise RuntimeError(f"unexpected version: {response}")
    return int(minor)


PART = Part(
    "publishes", run, 50_000, 2_000, "publishes",
    fault=f"{WRITERS} connections to each of two nodes publish on one deployment; once per {_CONTESTS} publishes all "
    f"{2 * WRITERS} send the same `If-Match` at the same time",
    invariant="versions are 1.0, 1.1, … without a gap; every acknowledged publish is stored once, and nothing else; "
    "the history chain is valid; each ETag gets one 201; a read shows the acknowledged writes of its node, and never "
    "less than the read before; a write is newer than every response received before it was sent",
)  # fmt: skip
