"""The consistency guarantees of docs/operations.md. The docstring of each test is one sentence of that page."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.nodes import Nodes
from tests.support.postgres import PostgresServer
from tests.support.server import Project, Response, Server, a_body
from tests.support.stores import Database
from tests.support.threads import Background, until

DOCS = Path(__file__).parents[3] / "docs" / "operations.md"


@pytest.fixture(params=["sqlite", "postgresql"])
def project(request: pytest.FixtureRequest, folder: Path) -> Iterator[Project]:
    """Return a project on one node with two workers, on each engine."""
    url = request.getfixturevalue("postgresql").url if request.param == "postgresql" else None
    with Server(folder, "--workers", "2", database=url) as server:
        yield server.new_project()


@pytest.fixture
def nodes(postgresql: Database, folder: Path) -> Iterator[list[Project]]:
    """Return the same project on three nodes."""
    with Nodes(folder, postgresql.url, 3) as running:
        yield running.projects


def revision(response: Response) -> int:
    return int(response.headers["x-moorage-revision"])


def on_new_connection(project: Project) -> Project:
    """Return the project with a new connection, which another worker may accept."""
    return Project(project.server, project.id, project.name, project.token)


def get_without_age(node: Project) -> Response:
    """Get the deployment `a` until the response has no age. A node that gets no processor for a second sends an age."""
    responses: list[Response] = []

    def has_no_age() -> bool:
        responses.append(node.get("a"))
        return "x-moorage-age" not in responses[-1].headers

    until(has_no_age)
    return responses[-1]


def test_an_acknowledged_write_survives_a_kill(project: Project) -> None:
    """A 2xx to a write means the change is durable."""
    for number in range(5):
        acknowledged = project.put("a", a_body(model=f"m{number}"))
        project.server.kill()
        project.server.start()

        assert project.get("a").json == acknowledged.json


def test_concurrent_writers_of_one_deployment_never_overwrite_each_other(nodes: list[Project]) -> None:
    """Writes to one deployment are linearizable; versions never change."""
    nodes[0].put("a", a_body(messages=[{"role": "user", "content": "0"}]))
    until(lambda: all(node.get("a").status == 200 for node in nodes))

    def increment(node: Project) -> int:
        count = 0
        while count < 15:
            current = node.get("a")
            content = str(int(current.json["prompt_config"]["messages"][0]["content"]) + 1)
            body = a_body(messages=[{"role": "user", "content": content}])
            count += node.put("a", body, **{"If-Match": current.headers["etag"]}).status == 200
        return count

    writers = [Background(partial(increment, node)) for node in nodes]
    assert [writer.result() for writer in writers] == [15, 15, 15]

    versions = _versions(nodes[0])
    contents = [version["prompt_config"]["messages"][0]["content"] for version in versions]
    assert contents == [str(number) for number in range(45, -1, -1)], "each write follows exactly one other write"
    assert _versions(nodes[2]) == versions


def test_a_read_after_the_response_returns_the_write(project: Project) -> None:
    """On one machine a read that starts after the 2xx sees the write, whichever worker responds."""
    for number in range(60):
        written = project.put("a", a_body(model=f"m{number}"))
        read = on_new_connection(project).get("a")
        assert read.json == written.json
        assert revision(read) >= revision(written)

    deleted = project.request("DELETE", "/v2/deployments/a")
    missing = on_new_connection(project).get("a")
    assert missing.status == 404
    assert revision(missing) >= revision(deleted)


def test_a_write_becomes_visible_on_all_nodes(nodes: list[Project]) -> None:
    """On several, the node that took the write serves it at once and any healthy node within 1,000 ms (typically under
    50); send `X-Moorage-Revision` back as `X-Moorage-Min-Revision` to wait for it (at most 2 s, then 503 `stale`)."""
    written = nodes[0].put("a")
    for number in range(20):
        written = nodes[0].put("a", a_body(model=f"m{number}"))
        assert nodes[0].get("a").json == written.json
        assert nodes[1].get_at("/v2/deployments/a", revision(written)).json == written.json
        until(lambda: nodes[2].get("a").body == nodes[0].get("a").body)

    unknown = nodes[1].get("a", **{"X-Moorage-Min-Revision": str(revision(written) + 1)})
    assert (unknown.status, unknown.error["code"]) == (503, "stale")
    assert unknown.headers["retry-after"]


def test_reads_on_a_node_never_go_back(nodes: list[Project]) -> None:
    """Reads on a node never go back."""
    nodes[0].put("a", a_body(messages=[{"role": "user", "content": "0"}]))

    def write() -> None:
        for number in range(1, 60):
            nodes[0].put("a", a_body(messages=[{"role": "user", "content": str(number)}]))

    writing, last = Background(write), (0, 0)
    while last[1] < 59:
        read = nodes[1].get("a")
        number = int(read.json["prompt_config"]["messages"][0]["content"]) if read.status == 200 else 0
        assert (revision(read), number) >= last
        last = revision(read), number
    writing.result()


def test_reads_continue_while_the_database_is_unreachable(nodes: list[Project], postgres: PostgresServer) -> None:
    """With the database unreachable, reads are served from memory with `X-Moorage-Age`; writes get 503 and are never
    acknowledged."""
    node = nodes[1]
    node.put("a")
    before = get_without_age(node)
    postgres.stop()
    try:
        until(lambda: "x-moorage-age" in node.get("a").headers)
        read, page = node.get("a"), node.page()
        resolved = [
            _resolve(node, "get_config"),
            _resolve(node, "get_config", **{"X-Moorage-Min-Revision": "1"}),
            _resolve(node, "a/explain"),
        ]
        written = [node.put("a", a_body(model="lost")) for _ in range(3)]
        ready = node.request("GET", "/health/ready")
    finally:
        postgres.start()

    assert (read.status, read.body) == (200, before.body)
    assert int(read.headers["x-moorage-age"]) >= 2, "the age is rounded up, so that no older write is missing"
    assert (page.status, page.keys) == (200, ["a"])
    assert all(response.status == 200 and int(response.headers["x-moorage-age"]) >= 2 for response in resolved)
    assert {(response.status, response.error["code"]) for response in written} == {(503, "storage_unavailable")}
    assert all(response.headers["retry-after"] for response in written)
    assert (ready.status, ready.json["status"]) == (200, "degraded")

    until(lambda: node.put("b").status == 201)
    assert get_without_age(node).body == before.body, "a write with a 503 is not stored"
    assert node.request("GET", "/health/ready").json == {"status": "ready"}


def test_the_docs_quote_the_tested_sentences() -> None:
    tests = [test for name, test in vars(sys.modules[__name__]).items() if name.startswith("test_")]
    sentences = [" ".join(test.__doc__.split()) for test in tests if test.__doc__]
    quoted = [line.removeprefix("> ") for line in DOCS.read_text().splitlines() if line.startswith("> ")]

    assert " ".join(quoted) == " ".join(sentences)


def _resolve(project: Project, path: str, **headers: str) -> Response:
    body = b"{}" if path.endswith("/explain") else b'{"key": "a"}'
    return project.request("POST", f"/v2/deployments/{path}", body, headers)


def _versions(project: Project) -> list[dict[str, Any]]:
    """Return all versions of the deployment `a`, newest first."""
    page = project.request("GET", "/v2/deployments/a/versions?limit=50").json
    assert not page["has_more"]
    versions: list[dict[str, Any]] = page["data"]
    return versions
