"""Pages of large items end early, so that a response has at most 8 MiB and one item; nothing is lost."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from moorage.core.deployments.page import MAX_PAGE_BYTES, fitting
from tests.support.server import Project, a_body

COUNT = 10


def _large(number: int) -> dict[str, Any]:
    return a_body(messages=[{"role": "user", "content": f"{number} " + "ß" * 480_000}])  # 960 KB


def _encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _fill(project: Project, of: str) -> tuple[str, str]:
    """Fill a list; return its path, and the name of the cursor in its items."""
    if of in ("deployments", "manifests"):
        for number in range(COUNT):
            assert project.put(f"d{number}", _encode(_large(number))).status == 201
        return f"/v2/{of}", "id"
    project.put("d")
    for number in range(COUNT):
        body = _encode({"prompt_config": _large(number)["prompt_config"]})
        assert project.request("POST", "/v2/deployments/d/versions", body).status == 201
    return "/v2/deployments/d/versions", "_id"


def _walk(project: Project, path: str, cursor: str, direction: str, start: str = "") -> Iterator[list[Any]]:
    query = f"&{direction}={start}" if start else ""
    while True:
        response = project.request("GET", f"{path}?limit=50{query}")
        page = response.json
        assert len(response.body) < MAX_PAGE_BYTES + 1_048_576
        yield page["data"]
        if not page["has_more"]:
            return
        query = f"&{direction}={page['data'][-1 if direction == 'starting_after' else 0][cursor]}"


@pytest.mark.parametrize("of", ["deployments", "manifests", "versions"])
def test_a_page_of_large_items_ends_early_and_paging_returns_every_item_once(project: Project, of: str) -> None:
    path, cursor = _fill(project, of)

    pages = list(_walk(project, path, cursor, "starting_after"))
    oldest_first = list(_walk(project, path, cursor, "ending_before", pages[-1][-1][cursor]))

    ids = [item[cursor] for page in pages for item in page]
    assert len(pages) > 1
    assert len(ids) == len(set(ids)) == COUNT + (of == "versions")
    assert [item[cursor] for page in oldest_first[::-1] for item in page] == ids[:-1]


def test_a_filtered_page_of_large_items_ends_early(project: Project) -> None:
    _fill(project, "deployments")

    page = project.page(limit=50, provider="openai")

    assert 1 < len(page.json["data"]) < COUNT
    assert page.json["has_more"]


def test_a_page_of_the_history_ends_early(project: Project) -> None:
    for number in range(60):
        names = "".join(f"{{{{{'n' * 990}{number}x{index}}}}}" for index in range(190))
        assert (
            project.put("d", a_body(messages=[{"role": "user", "content": names}]), "?allow_breaking=true").status < 300
        )

    pages = list(_walk(project, "/v2/deployments/d/history", "id", "starting_after"))

    assert 1 < len(pages[0]) < 50
    assert [entry["to_version"] for page in pages for entry in page] == [f"1.{number}" for number in range(59, -1, -1)]


def test_a_page_has_at_least_one_item() -> None:
    assert fitting([]) == 0
    assert fitting([MAX_PAGE_BYTES + 1, 1]) == 1
    assert fitting([MAX_PAGE_BYTES - 1, 1, 1]) == 2


def test_sizes_after_the_end_of_a_page_are_not_read() -> None:
    def sizes() -> Iterator[int]:
        yield MAX_PAGE_BYTES
        yield 1
        raise AssertionError

    assert fitting(sizes()) == 1
