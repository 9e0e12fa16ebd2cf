"""Two nodes on one PostgreSQL database: each shows the writes of the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nodes import Nodes
from tests.support.postgres import PASSWORD
from tests.support.server import Project, TerminalServer, a_body
from tests.support.stores import Database
from tests.support.threads import until


@pytest.fixture
def nodes(postgresql: Database, folder: Path) -> Iterator[tuple[Project, Project]]:
    """Return the same project on both nodes."""
    with Nodes(folder, postgresql.url) as running:
        first, second = running.projects
        yield first, second


def test_a_write_becomes_visible_on_other_nodes_and_stays_visible(nodes: tuple[Project, Project]) -> None:
    first, second = nodes
    for number in range(20):
        revision = int(first.put("a", a_body(model=f"m{number}")).headers["x-moorage-revision"])
        assert first.get("a").json["prompt_config"]["model"] == f"m{number}", "immediately on the node of the write"

        revisions = [0]

        def is_visible(revision: int = revision, revisions: list[int] = revisions) -> bool:
            response = second.get("a")
            revisions.append(int(response.headers["x-moorage-revision"]))
            return revisions[-1] >= revision

        until(is_visible)
        assert revisions == sorted(revisions)
        assert second.get("a").json["prompt_config"]["model"] == f"m{number}"


def test_two_nodes_number_the_versions_of_one_deployment_without_gaps(nodes: tuple[Project, Project]) -> None:
    first, second = nodes
    first.put("a")
    for number in range(20):
        (first if number % 2 else second).put("a", a_body(model=f"m{number}"))

    listed = first.request("GET", "/v2/deployments/a/versions?limit=50").json["data"]

    assert [version["version"] for version in listed] == [f"1.{number}" for number in range(20, -1, -1)]


def test_the_output_and_the_log_do_not_contain_the_password(postgresql: Database, folder: Path) -> None:
    with TerminalServer(folder, database=postgresql.url) as server:
        greeting = server.greeting()

    assert "postgresql://" in greeting
    assert not [word for word in (PASSWORD, "sesame") if word in greeting + server.log.read_text()]
