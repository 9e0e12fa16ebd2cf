"""The official SDK pages through deployments."""

import time
from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from moorage.core.history import Actor
from moorage.registry.deployments import put_deployment
from moorage.store.opening import open_store
from moorage.store.store import Store
from tests.contract.conftest import Client, Connect, as_json, keys, names
from tests.support.server import Project, Server, a_body
from tests.support.stores import engine_on

MILLISECOND_NS = 1_000_000


@pytest.fixture
def stopped_clock(server: Server) -> Iterator[Store]:
    """The server's store as a process sees it whose clock stands still, at the start of a millisecond to come."""
    now = (time.time_ns() // MILLISECOND_NS + 1) * MILLISECOND_NS
    with closing(Store(engine_on(server.database), clock=lambda: now)) as store:
        yield store


def delete(project: Project, deployment_id: str) -> None:
    with closing(open_store(project.server.database)) as store, store.write() as write:
        write.delete_deployment(deployment_id)


def test_the_default_page_has_the_ten_newest_and_says_there_are_more(full_client: Client) -> None:
    """Case 1."""
    page = full_client.list()

    assert page.object == "list"
    assert keys(page) == names(60, 51)
    assert page.has_more is True


def test_no_limit_and_a_float_limit_give_the_bytes_that_the_sdks_default_gets(
    full_project: Project, full_client: Client
) -> None:
    """Case 2; SDKs that send `limit=10.0` themselves are in test_older_sdks."""
    pages = [full_project.request("GET", f"/v2/deployments{query}") for query in ("", "?limit=10", "?limit=10.0")]

    assert [page.status for page in pages] == [200] * 3
    assert len({page.body for page in pages}) == 1
    assert as_json(full_client.list(limit=None)) == as_json(full_client.list())


def test_a_page_has_at_most_fifty(full_client: Client) -> None:
    """Case 3."""
    page = full_client.list(limit=50)

    assert keys(page) == names(60, 11)
    assert page.has_more is True


def test_a_forward_walk_meets_all_sixty_once_in_order(full_client: Client) -> None:
    """Case 6."""
    pages = list(full_client.walk(limit=7))

    assert [key for page in pages for key in keys(page)] == names(60, 1)
    assert len({item.id for page in pages for item in page.data}) == 60
    assert [page.has_more for page in pages] == [True] * 8 + [False]


def test_the_rest_after_a_page_of_fifty_has_no_more(full_client: Client) -> None:
    """Case 7."""
    first, rest = full_client.walk(limit=50)

    assert (len(first.data), first.has_more) == (50, True)
    assert (keys(rest), rest.has_more) == (names(10, 1), False)


def test_the_sixth_page_of_ten_fits_exactly_and_has_no_more(full_client: Client) -> None:
    """Case 7."""
    pages = list(full_client.walk(limit=10))

    assert [len(page.data) for page in pages] == [10] * 6
    assert [page.has_more for page in pages] == [True] * 5 + [False]


def test_after_the_oldest_there_is_an_empty_page(full_client: Client, sixty: dict[str, str]) -> None:
    """Case 8."""
    page = full_client.list(starting_after=sixty["d1"])

    assert as_json(page) == {"object": "list", "data": [], "has_more": False}


def test_ending_before_gives_the_page_just_newer_newest_first(full_client: Client, sixty: dict[str, str]) -> None:
    """Case 9."""
    page = full_client.list(ending_before=sixty["d30"], limit=5)

    assert keys(page) == names(35, 31)
    assert page.has_more is True


def test_ending_before_near_the_top_gives_what_is_left(full_client: Client, sixty: dict[str, str]) -> None:
    """Case 10."""
    page = full_client.list(ending_before=sixty["d58"], limit=5)

    assert keys(page) == names(60, 59)
    assert page.has_more is False


def test_a_backward_walk_meets_all_newer_ones_once(full_client: Client, sixty: dict[str, str]) -> None:
    """Cases 9 and 10, page by page."""
    found: list[str] = []
    cursor, has_more = sixty["d1"], True
    while has_more:
        page = full_client.list(ending_before=cursor, limit=7)
        found = keys(page) + found
        cursor, has_more = page.data[0].id, page.has_more

    assert found == names(60, 2)


def test_items_of_the_same_millisecond_come_once_each_in_both_directions(
    project: Project, client: Client, stopped_clock: Store
) -> None:
    """Case 14."""
    body = msgspec.json.encode(a_body())
    for number in range(1, 6):
        put_deployment(stopped_clock, project.id, f"d{number}", body, Actor())

    pages = list(client.walk(limit=2))
    back = client.list(ending_before=pages[-1].data[-1].id, limit=2)

    assert len({item.created for page in pages for item in page.data}) == 1
    assert [keys(page) for page in pages] == [["d5", "d4"], ["d3", "d2"], ["d1"]]
    assert (keys(back), back.has_more) == (["d3", "d2"], True)


def test_a_new_deployment_does_not_move_the_pages_after_it(project: Project, client: Client) -> None:
    """Case 15."""
    project.fill(6)
    first = client.list(limit=3)

    project.put("newcomer")
    pages = list(client.walk(3, first))

    assert [key for page in pages for key in keys(page)] == names(6, 1)
    newer = client.list(ending_before=first.data[0].id)
    assert (keys(newer), newer.has_more) == (["newcomer"], False)


def test_a_cursor_keeps_its_place_when_its_deployment_is_deleted(project: Project, client: Client) -> None:
    """Case 15, the other way round."""
    cursor = project.fill(6)[3]["id"]

    delete(project, cursor)

    older = client.list(starting_after=cursor)
    newer = client.list(ending_before=cursor)
    assert keys(client.list()) == ["d6", "d5", "d3", "d2", "d1"]
    assert (keys(older), older.has_more) == (["d3", "d2", "d1"], False)
    assert (keys(newer), newer.has_more) == (["d6", "d5"], False)


def test_a_key_that_is_put_again_after_its_deletion_is_a_new_deployment(project: Project, client: Client) -> None:
    """Case 15: its old id is a place in the list, its new one another."""
    old = project.fill(3)[0]["id"]
    delete(project, old)

    new = project.put("d1").json["id"]

    assert new != old
    assert keys(client.list()) == ["d1", "d3", "d2"]
    assert keys(client.list(starting_after=old)) == []
    assert keys(client.list(starting_after=new)) == ["d3", "d2"]


def test_a_key_lists_its_own_project_alone(server: Server, connect: Connect, project: Project, client: Client) -> None:
    """Case 17."""
    other = server.new_project()
    project.put("mine")
    other.put("theirs")

    assert keys(client.list()) == ["mine"]
    assert keys(connect(other.token).list()) == ["theirs"]


def test_an_empty_project_is_an_empty_page(project: Project, client: Client) -> None:
    """Case 21."""
    empty = {"object": "list", "data": [], "has_more": False}

    assert as_json(client.list()) == empty
    assert project.page().json == empty
