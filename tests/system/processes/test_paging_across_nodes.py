"""Paging through the list over several nodes while deployments are created and deleted."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.nodes import Nodes
from tests.support.server import Project
from tests.support.stores import Database

_PERMANENT = 20


def list_ids(projects: list[Project], limit: int, direction: str, cursor: str, revision: str) -> list[str]:
    """Return the ids of all pages. Each page is from the next node, at least at the revision of the page before."""
    ids: list[str] = []
    for project in itertools.cycle(projects):
        query = f"limit={limit}" + (f"&{direction}={cursor}" if cursor else "")
        page = project.get_at(f"/v2/deployments?{query}", revision)
        assert page.status == 200, page.body
        assert int(page.headers["x-moorage-revision"]) >= int(revision)
        revision, page_ids = page.headers["x-moorage-revision"], [item["id"] for item in page.json["data"]]
        ids += page_ids if direction == "starting_after" else page_ids[::-1]
        if not page.json["has_more"] or not page_ids:
            return ids
        cursor = page_ids[-1 if direction == "starting_after" else 0]
    raise AssertionError("unreachable")


@pytest.mark.parametrize("direction", ["starting_after", "ending_before"])
def test_paging_returns_every_permanent_deployment_once_and_no_deployment_twice(
    direction: str, postgresql: Database, folder: Path
) -> None:
    with Nodes(folder, postgresql.url, 2) as nodes:
        first, second = nodes.projects
        oldest, revision, permanent = first.put("oldest").json["id"], "", []
        for number in range(_PERMANENT):  # between deployments that are deleted while the pages are read
            permanent.append(first.put(f"permanent-{number}").json["id"])
            revision = first.put(f"deleted-{number}").headers["x-moorage-revision"]
        first.request("DELETE", "/v2/deployments/oldest")

        def change() -> None:
            for number in range(_PERMANENT):
                assert second.request("DELETE", f"/v2/deployments/deleted-{number}").status == 200
                assert first.put(f"new-{number}").status == 201

        with ThreadPoolExecutor(1) as pool:
            changes, rounds = pool.submit(change), 0
            while not changes.done() or not rounds:
                cursor = oldest if direction == "ending_before" else ""
                ids = list_ids(nodes.projects, 1 + rounds % 7, direction, cursor, revision)
                order = permanent if direction == "ending_before" else permanent[::-1]
                assert [deployment_id for deployment_id in ids if deployment_id in set(permanent)] == order
                assert len(ids) == len(set(ids))
                rounds += 1
        changes.result()
