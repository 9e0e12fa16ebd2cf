"""The promise of docs/operations.md, sentence by sentence: the docstring of each test here is one of them."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.nodes import Nodes
from tests.support.postgres import PostgresServer
from tests.support.server import Answer, Project, Server, a_body
from tests.support.stores import Database
from tests.support.threads import Background, until

DOCS = Path(__file__).parents[3] / "docs" / "operations.md"


@pytest.fixture(params=["sqlite", "postgresql"])
def one(request: pytest.FixtureRequest, folder: Path) -> Iterator[Project]:
    """A project on a machine with two workers, on each engine."""
    url = request.getfixturevalue("postgresql").url if request.param == "postgresql" else None
    with Server(folder, "--workers", "2", database=url) as server:
        yield server.new_project()


@pytest.fixture
def nodes(postgresql: Database, folder: Path) -> Iterator[list[Project]]:
    """The same project on three machines."""
    with Nodes(folder, postgresql.url, 3) as running:
        yield running.projects


def revision(answer: Answer) -> int:
    return int(answer.headers["x-moorage-revision"])


def afresh(one: Project) -> Project:
    """The same on another connection: as often as not by another worker."""
    return Project(one.server, one.id, one.name, one.token)


def read_fresh(node: Project) -> Answer:
    """Read without an age: a node that gets no processor for a second shows one."""
    answers: list[Answer] = []

    def is_fresh() -> bool:
        answers.append(node.get("a"))
        return "x-moorage-age" not in answers[-1].headers

    until(is_fresh)
    return answers[-1]


def test_what_was_acknowledged_is_there_after_a_kill(one: Project) -> None:
    """A 2xx to a write means the change is durable."""
    for number in range(5):
        acknowledged = one.put("a", a_body(model=f"m{number}"))
        one.server.kill()
        one.server.start()

        assert one.get("a").json == acknowledged.json


def test_writers_of_one_deployment_never_overwrite_each_other(nodes: list[Project]) -> None:
    """Writes to one deployment are linearizable; versions never change."""
    nodes[0].put("a", a_body(messages=[{"role": "user", "content": "0"}]))
    until(lambda: all(node.get("a").status == 200 for node in nodes))

    def count_up(project: Project) -> int:
        done = 0
        while done < 15:
            shown = project.get("a")
            content = str(int(shown.json["prompt_config"]["messages"][0]["content"]) + 1)
            body = a_body(messages=[{"role": "user", "content": content}])
            done += project.put("a", body, **{"If-Match": shown.headers["etag"]}).status == 200
        return done

    writers = [Background(partial(count_up, node)) for node in nodes]
    assert [each.result() for each in writers] == [15, 15, 15]

    versions = _versions(nodes[0])
    contents = [version["prompt_config"]["messages"][0]["content"] for version in versions]
    assert contents == [str(number) for number in range(45, -1, -1)], "each write came after exactly one other"
    assert _versions(nodes[2]) == versions


def test_a_read_after_the_answer_sees_the_write(one: Project) -> None:
    """On one machine a read that starts after the 2xx sees the write, whichever worker answers."""
    for number in range(60):
        written = one.put("a", a_body(model=f"m{number}"))
        shown = afresh(one).get("a")
        assert shown.json == written.json
        assert revision(shown) >= revision(written)

    deleted = one.request("DELETE", "/v2/deployments/a")
    missing = afresh(one).get("a")
    assert missing.status == 404
    assert revision(missing) >= revision(deleted)


def test_the_other_nodes_follow(nodes: list[Project]) -> None:
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


def test_nobody_is_taken_back(nodes: list[Project]) -> None:
    """Reads on a node never go back."""
    nodes[0].put("a", a_body(messages=[{"role": "user", "content": "0"}]))

    def write() -> None:
        for number in range(1, 60):
            nodes[0].put("a", a_body(messages=[{"role": "user", "content": str(number)}]))

    writing, last = Background(write), (0, 0)
    while last[1] < 59:
        shown = nodes[1].get("a")
        now = revision(shown), int(shown.json["prompt_config"]["messages"][0]["content"]) if shown.status == 200 else 0
        assert now >= last
        last = now
    writing.result()


def test_reads_go_on_without_the_database(nodes: list[Project], postgres: PostgresServer) -> None:
    """With the database unreachable, reads are answered from memory with `X-Moorage-Age`; writes get 503 and are never
    acknowledged."""
    node = nodes[1]
    node.put("a")
    before = read_fresh(node)
    postgres.stop()
    try:
        until(lambda: "x-moorage-age" in node.get("a").headers)
        read, page = node.get("a"), node.page()
        asked = [
            _ask(node, "get_config"),
            _ask(node, "get_config", **{"X-Moorage-Min-Revision": "1"}),
            _ask(node, "a/explain"),
        ]
        written = [node.put("a", a_body(model="lost")) for _ in range(3)]
        ready = node.request("GET", "/health/ready")
    finally:
        postgres.start()

    assert (read.status, read.body) == (200, before.body)
    assert int(read.headers["x-moorage-age"]) >= 2, "more than one is rounded up, or what is that old could be missing"
    assert (page.status, page.keys) == (200, ["a"])
    assert all(each.status == 200 and int(each.headers["x-moorage-age"]) >= 2 for each in asked)
    assert {(answer.status, answer.error["code"]) for answer in written} == {(503, "storage_unavailable")}
    assert all(answer.headers["retry-after"] for answer in written)
    assert (ready.status, ready.json["status"]) == (200, "degraded")

    until(lambda: node.put("b").status == 201)
    assert read_fresh(node).body == before.body, "what was not acknowledged is not there"
    assert node.request("GET", "/health/ready").json == {"status": "ready"}


def test_the_promise_that_is_printed_is_the_one_that_is_tested() -> None:
    tests = [each for name, each in vars(sys.modules[__name__]).items() if name.startswith("test_")]
    sentences = [" ".join(each.__doc__.split()) for each in tests if each.__doc__]
    quoted = [line.removeprefix("> ") for line in DOCS.read_text().splitlines() if line.startswith("> ")]

    assert " ".join(quoted) == " ".join(sentences)


def _ask(project: Project, what: str, **headers: str) -> Answer:
    body = b"{}" if what.endswith("/explain") else b'{"key": "a"}'
    return project.request("POST", f"/v2/deployments/{what}", body, headers)


def _versions(project: Project) -> list[dict[str, Any]]:
    """All versions of the deployment, newest first."""
    page = project.request("GET", "/v2/deployments/a/versions?limit=50").json
    assert not page["has_more"]
    versions: list[dict[str, Any]] = page["data"]
    return versions
