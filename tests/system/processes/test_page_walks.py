"""Walks through the list over several nodes while deployments are created and deleted."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.nodes import Nodes
from tests.support.server import Project
from tests.support.stores import Database

_PERMANENT = 20


def walk(projects: list[Project], limit: int, direction: str, cursor: str, revision: str) -> list[str]:
    """Return the ids of all pages, each page from the next node with the revision of the page before."""
    ids: list[str] = []
    for project in itertools.cycle(projects):
        query = f"limit={limit}" + (f"&{direction}={cursor}" if cursor else "")
        page = project.get_at(f"/v2/deployments?{query}", revision)
        assert page.status == 200, page.body
        assert int(page.headers["x-moorage-revision"]) >= int(revision)
        revision, found = page.headers["x-moorage-revision"], [item["id"] for item in page.json["data"]]
        ids += found if direction == "starting_after" else found[::-1]
        if not page.json["has_more"] or not found:
            return ids
        cursor = found[-1 if direction == "starting_after" else 0]
    raise AssertionError("unreachable")


@pytest.mark.parametrize("direction", ["starting_after", "ending_before"])
def test_a_walk_has_every_permanent_deployment_once_and_no_other_twice(
    direction: str, postgresql: Database, folder: Path
) -> None:
    with Nodes(folder, postgresql.url, 2) as nodes:
        first, second = nodes.projects
        oldest, revision, permanent = first.put("oldest").json["id"], "", []
        for number in range(_PERMANENT):  # with deployments between them that are deleted during the walks
            permanent.append(first.put(f"permanent-{number}").json["id"])
            revision = first.put(f"deleted-{number}").headers["x-moorage-revision"]
        first.request("DELETE", "/v2/deployments/oldest")

        def change() -> None:
            for number in range(_PERMANENT):
                assert second.request("DELETE", f"/v2/deployments/deleted-{number}").status == 200
                assert first.put(f"new-{number}").status == 201

        with ThreadPoolExecutor(1) as pool:
            changes, walks = pool.submit(change), 0
            while not changes.done() or not walks:
                cursor = oldest if direction == "ending_before" else ""
                ids = walk(nodes.projects, 1 + walks % 7, direction, cursor, revision)
                order = permanent if direction == "ending_before" else permanent[::-1]
                assert [each for each in ids if each in set(permanent)] == order
                assert len(ids) == len(set(ids))
                walks += 1
        changes.result()
