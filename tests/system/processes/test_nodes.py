"""Two servers on one PostgreSQL, as two machines would be: each knows what the other has written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nodes import Nodes
from tests.support.postgres import PASSWORD
from tests.support.server import Project, Server, a_body
from tests.support.stores import Database
from tests.support.threads import until


@pytest.fixture
def nodes(postgresql: Database, folder: Path) -> Iterator[tuple[Project, Project]]:
    """The same project on both."""
    with Nodes(folder, postgresql.url) as running:
        here, there = running.projects
        yield here, there


def test_what_one_node_wrote_the_other_shows_and_never_goes_back(nodes: tuple[Project, Project]) -> None:
    here, there = nodes
    for number in range(20):
        revision = int(here.put("a", a_body(model=f"m{number}")).headers["x-moorage-revision"])
        assert here.get("a").json["prompt_config"]["model"] == f"m{number}", "the node that took the write, at once"

        shown = [0]

        def is_shown(revision: int = revision, shown: list[int] = shown) -> bool:
            response = there.get("a")
            shown.append(int(response.headers["x-moorage-revision"]))
            return shown[-1] >= revision

        until(is_shown)
        assert shown == sorted(shown)
        assert there.get("a").json["prompt_config"]["model"] == f"m{number}"


def test_two_nodes_number_the_versions_of_one_deployment_without_gap(nodes: tuple[Project, Project]) -> None:
    here, there = nodes
    here.put("a")
    for number in range(20):
        (here if number % 2 else there).put("a", a_body(model=f"m{number}"))

    listed = here.request("GET", "/v2/deployments/a/versions?limit=50").json["data"]

    assert [version["version"] for version in listed] == [f"1.{number}" for number in range(20, -1, -1)]


def test_nothing_that_is_printed_has_the_password(postgresql: Database, folder: Path) -> None:
    with Server(folder, database=postgresql.url) as server:
        greeting = server.greeting()

    assert "postgresql://" in greeting
    assert not [word for word in (PASSWORD, "sesame") if word in greeting + server.log.read_text()]
