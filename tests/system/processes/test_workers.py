"""Two workers on one database behave like one server."""

import http.client
import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from moorage.core.access import Scope
from moorage.store.opening import open_store
from tests.support.connections import Connection
from tests.support.registry import revoke_api_key
from tests.support.server import Project, Server, a_body
from tests.support.threads import until


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("pair")
    with Server(folder, "--workers", "2", database=new_database(folder)) as running:
        yield running


@pytest.fixture
def project(pair: Server) -> Project:
    return pair.new_project()


@pytest.fixture
def connections(project: Project) -> Iterator["Connections"]:
    opened = Connections(project)
    yield opened
    for connection in opened.all:
        connection.close()


class Connections:
    """Many keep-alive connections. The kernel assigns them to workers, so both workers have some of them."""

    def __init__(self, project: Project, count: int = 24) -> None:
        self._headers = {"Authorization": f"Bearer {project.token}"}
        self.all = [Connection(project.server.port) for _ in range(count)]

    def get(self, number: int, path: str, token: str | None = None) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {token}"} if token else self._headers
        self.all[number].request("GET", path, headers=headers)
        return self.all[number].getresponse()

    def put(self, number: int, key: str, body: object) -> int:
        self.all[number].request("PUT", f"/v2/deployments/{key}", json.dumps(body), self._headers)
        response = self.all[number].getresponse()
        response.read()
        return response.status


def test_a_read_on_any_worker_returns_an_earlier_write(connections: Connections) -> None:
    for number in range(1, 201):
        writer = number % len(connections.all)
        body = a_body(messages=[{"role": "user", "content": str(number)}])

        assert connections.put(writer, "hot", body) in (200, 201)
        for reader in ((writer + 1) % len(connections.all), (writer + 7) % len(connections.all)):
            page = json.loads(connections.get(reader, "/v2/deployments").read())
            assert page["data"][0]["prompt_config"]["messages"][0]["content"] == str(number)


def test_concurrent_writes_on_both_workers_are_all_stored(project: Project, connections: Connections) -> None:
    statuses: list[int] = []

    def write(number: int) -> None:
        for turn in range(25):
            body = a_body(messages=[{"role": "user", "content": f"{number}.{turn}"}])
            statuses.append(connections.put(number, "hot", body))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(set(statuses)) == [200, 201]
    assert statuses.count(201) == 1
    assert project.get("hot").json["version"] == f"1.{8 * 25 - 1}", "each put has new content"


def test_reads_never_go_back_across_workers(project: Project, connections: Connections) -> None:
    project.put("hot")
    revisions: list[int] = []

    def write() -> None:
        for number in itertools.count():
            project.put("hot", a_body(messages=[{"role": "user", "content": str(number)}]))
            if number >= 150 and len(revisions) > 50:
                return

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        response = connections.get(len(revisions) % len(connections.all), "/v2/deployments")
        revisions.append(int(response.headers["x-moorage-revision"]))
        response.read()
    writer.join()

    assert revisions == sorted(revisions)


def test_every_worker_rejects_a_revoked_key_immediately(
    pair: Server, project: Project, connections: Connections
) -> None:
    key_id, token = project.key(Scope.READ)
    before = set()
    for number in range(len(connections.all)):
        response = connections.get(number, "/v2/deployments", token)
        response.read()
        before.add(response.status)

    with closing(open_store(pair.database)) as store:
        revoke_api_key(store, key_id)
    after = set()
    for number in range(len(connections.all)):
        response = connections.get(number, "/v2/deployments", token)
        response.read()
        after.add(response.status)

    assert (before, after) == ({200}, {401})


def test_metrics_are_the_sum_of_both_workers(project: Project, connections: Connections) -> None:
    for number in range(len(connections.all)):
        connections.get(number, "/v2/deployments/nothing").read()

    pattern = r'moorage_http_requests_total{.*route="/v2/deployments/{key_or_id}",status="404"} (\S+)'

    def count() -> float:
        found = re.search(pattern, project.request("GET", "/metrics").body.decode())
        return float(found[1]) if found else 0.0

    until(lambda: count() >= len(connections.all), details=count)  # a worker writes its counts four times a second
    assert count() == len(connections.all)
