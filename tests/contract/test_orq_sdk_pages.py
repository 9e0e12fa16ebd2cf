"""The official SDK lists deployments page by page."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from moorage.store.opening import open_store
from moorage.store.store import Store
from tests.contract.conftest import Client, Connect, as_json, keys, names
from tests.support.registry import put
from tests.support.server import Project, Server, a_body
from tests.support.stores import open_engine

MILLISECOND_NS = 1_000_000


@pytest.fixture
def stopped_clock(server: Server) -> Iterator[Store]:
    """Return the store of the server with a clock that is stopped at the start of the next millisecond."""
    now = (time.time_ns() // MILLISECOND_NS + 1) * MILLISECOND_NS
    with closing(Store(open_engine(server.database), clock=lambda: now)) as store:
        yield store


def delete(project: Project, deployment_id: str) -> None:
    with closing(open_store(project.server.database)) as store, store.write() as write:
        write.delete_deployment(deployment_id)


def test_the_default_page_has_the_ten_newest_deployments_and_has_more(full_client: Client) -> None:
    """Case 1."""
    page = full_client.list()

    assert page.object == "list"
    assert keys(page) == names(60, 51)
    assert page.has_more is True


def test_the_default_limit_an_integer_and_a_float_return_the_same_bytes(
    full_project: Project, full_client: Client
) -> None:
    """Case 2; SDKs that send `limit=10.0` themselves are in test_older_sdks."""
    pages = [full_project.request("GET", f"/v2/deployments{query}") for query in ("", "?limit=10", "?limit=10.0")]

    assert [page.status for page in pages] == [200] * 3
    assert len({page.body for page in pages}) == 1
    assert as_json(full_client.list(limit=None)) == as_json(full_client.list())


def test_a_page_has_at_most_50_deployments(full_client: Client) -> None:
    """Case 3."""
    page = full_client.list(limit=50)

    assert keys(page) == names(60, 11)
    assert page.has_more is True


def test_paging_forward_returns_all_60_deployments_once_in_order(full_client: Client) -> None:
    """Case 6."""
    pages = list(full_client.walk(limit=7))

    assert [key for page in pages for key in keys(page)] == names(60, 1)
    assert len({item.id for page in pages for item in page.data}) == 60
    assert [page.has_more for page in pages] == [True] * 8 + [False]


def test_the_last_page_after_a_page_of_50_has_no_more(full_client: Client) -> None:
    """Case 7."""
    first, rest = full_client.walk(limit=50)

    assert (len(first.data), first.has_more) == (50, True)
    assert (keys(rest), rest.has_more) == (names(10, 1), False)


def test_the_last_full_page_has_no_more(full_client: Client) -> None:
    """Case 7."""
    pages = list(full_client.walk(limit=10))

    assert [len(page.data) for page in pages] == [10] * 6
    assert [page.has_more for page in pages] == [True] * 5 + [False]


def test_the_page_after_the_oldest_deployment_is_empty(full_client: Client, deployment_ids: dict[str, str]) -> None:
    """Case 8."""
    page = full_client.list(starting_after=deployment_ids["d1"])

    assert as_json(page) == {"object": "list", "data": [], "has_more": False}


def test_ending_before_returns_the_next_newer_page_newest_first(
    full_client: Client, deployment_ids: dict[str, str]
) -> None:
    """Case 9."""
    page = full_client.list(ending_before=deployment_ids["d30"], limit=5)

    assert keys(page) == names(35, 31)
    assert page.has_more is True


def test_ending_before_returns_a_shorter_page_at_the_newest_end(
    full_client: Client, deployment_ids: dict[str, str]
) -> None:
    """Case 10."""
    page = full_client.list(ending_before=deployment_ids["d58"], limit=5)

    assert keys(page) == names(60, 59)
    assert page.has_more is False


def test_paging_backward_returns_all_newer_deployments_once(
    full_client: Client, deployment_ids: dict[str, str]
) -> None:
    """Cases 9 and 10."""
    listed: list[str] = []
    cursor, has_more = deployment_ids["d1"], True
    while has_more:
        page = full_client.list(ending_before=cursor, limit=7)
        listed = keys(page) + listed
        cursor, has_more = page.data[0].id, page.has_more

    assert listed == names(60, 2)


def test_items_created_in_the_same_millisecond_are_returned_once_in_both_directions(
    project: Project, client: Client, stopped_clock: Store
) -> None:
    """Case 14."""
    for number in range(1, 6):
        put(stopped_clock, project.id, f"d{number}", a_body())

    pages = list(client.walk(limit=2))
    back = client.list(ending_before=pages[-1].data[-1].id, limit=2)

    assert len({item.created for page in pages for item in page.data}) == 1
    assert [keys(page) for page in pages] == [["d5", "d4"], ["d3", "d2"], ["d1"]]
    assert (keys(back), back.has_more) == (["d3", "d2"], True)


def test_a_new_deployment_does_not_change_the_older_pages(project: Project, client: Client) -> None:
    """Case 15."""
    project.fill(6)
    first = client.list(limit=3)

    project.put("new")
    pages = list(client.walk(3, first))

    assert [key for page in pages for key in keys(page)] == names(6, 1)
    newer = client.list(ending_before=first.data[0].id)
    assert (keys(newer), newer.has_more) == (["new"], False)


def test_the_cursor_of_a_deleted_deployment_stays_valid(project: Project, client: Client) -> None:
    """Case 15, for a deletion."""
    cursor = project.fill(6)[3]["id"]

    delete(project, cursor)

    older = client.list(starting_after=cursor)
    newer = client.list(ending_before=cursor)
    assert keys(client.list()) == ["d6", "d5", "d3", "d2", "d1"]
    assert (keys(older), older.has_more) == (["d3", "d2", "d1"], False)
    assert (keys(newer), newer.has_more) == (["d6", "d5"], False)


def test_putting_a_deleted_key_again_creates_a_new_deployment(project: Project, client: Client) -> None:
    """Case 15: the old id and the new id are different cursors."""
    old = project.fill(3)[0]["id"]
    delete(project, old)

    new = project.put("d1").json["id"]

    assert new != old
    assert keys(client.list()) == ["d1", "d3", "d2"]
    assert keys(client.list(starting_after=old)) == []
    assert keys(client.list(starting_after=new)) == ["d3", "d2"]


def test_an_api_key_lists_only_its_own_project(
    server: Server, connect: Connect, project: Project, client: Client
) -> None:
    """Case 17."""
    other = server.new_project()
    project.put("mine")
    other.put("theirs")

    assert keys(client.list()) == ["mine"]
    assert keys(connect(other.token).list()) == ["theirs"]


def test_the_page_of_an_empty_project_is_empty(project: Project, client: Client) -> None:
    """Case 21."""
    empty = {"object": "list", "data": [], "has_more": False}

    assert as_json(client.list()) == empty
    assert project.page().json == empty
