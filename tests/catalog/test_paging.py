"""Property tests of paging: it returns every remaining deployment exactly once."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.catalog.catalog import Catalog
from moorage.core.deployments.page import MAX_LIMIT, PageQuery
from moorage.core.errors.requests import InvalidCursor
from moorage.store.store import Store
from moorage.store.unreadable import readable
from tests.support.registry import create_project
from tests.support.stores import Clock, Database, create, delete

WALKS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

#: The events between two pages: the number of inserts, the deployments to delete, and the change of the clock (ns).
EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.lists(st.integers(0, 200), max_size=4), st.integers(-(10**13), 10**10)), max_size=12
)


class PagedCatalog:
    """A store with a clock that can jump, and a catalog that follows the store."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.store: Store = database.store(self.clock)
        self.catalog = Catalog(self.store)
        self.projects = 0

    def new_project(self) -> "PagedProject":
        self.projects += 1
        return PagedProject(self, create_project(self.store, f"p{self.projects}").id)


class PagedProject:
    """The project of one example, with the ids of its created and deleted deployments."""

    def __init__(self, paged: PagedCatalog, project_id: str) -> None:
        self.paged = paged
        self.project_id = project_id
        self.created: list[str] = []
        self.deleted: set[str] = set()

    def insert(self, count: int) -> None:
        for _ in range(count):
            self.created.append(create(self.paged.store, self.project_id, f"k{len(self.created)}"))

    def delete(self, number: int) -> None:
        if self.created:
            chosen = self.created[number % len(self.created)]
            self.deleted.add(chosen)
            delete(self.paged.store, chosen)

    def apply(self, event: tuple[int, list[int], int]) -> None:
        inserts, deletes, jump = event
        self.paged.clock.now += jump
        self.insert(inserts)
        for number in deletes:
            self.delete(number)

    def page(self, query: PageQuery) -> dict[str, Any]:
        self.paged.catalog.catch_up()
        page: dict[str, Any] = json.loads(self.paged.catalog.project(self.project_id).page(query))
        return page

    @property
    def existing(self) -> list[str]:
        return [deployment_id for deployment_id in self.created if deployment_id not in self.deleted]


@pytest.fixture(scope="module")
def paged(new_database: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedCatalog]:
    folder = tmp_path_factory.mktemp("paging")
    with closing(Database(new_database(folder), folder)) as database:
        yield PagedCatalog(database)


def ids(page: dict[str, Any]) -> list[str]:
    return [item["id"] for item in page["data"]]


@pytest.mark.exhaustive
@WALKS
@given(count=st.integers(0, 25), limit=st.integers(1, MAX_LIMIT), events=EVENTS)
def test_paging_forward_returns_every_remaining_deployment_once_newest_first(
    paged: PagedCatalog, count: int, limit: int, events: list[tuple[int, list[int], int]]
) -> None:
    project = paged.new_project()
    project.insert(count)
    at_start = list(project.created)
    listed: list[str] = []
    remaining = iter(events)

    page = project.page(PageQuery(limit))
    listed += ids(page)
    while page["has_more"]:
        if event := next(remaining, None):
            project.apply(event)
        page = project.page(PageQuery(limit, starting_after=listed[-1]))
        listed += ids(page)

    expected_ids = [deployment_id for deployment_id in reversed(at_start) if deployment_id not in project.deleted]
    assert len(listed) == len(set(listed))
    assert [deployment_id for deployment_id in listed if deployment_id not in project.deleted] == expected_ids


@pytest.mark.exhaustive
@WALKS
@given(count=st.integers(1, 25), limit=st.integers(1, MAX_LIMIT), events=EVENTS)
def test_paging_backward_returns_every_remaining_and_every_new_deployment_once(
    paged: PagedCatalog, count: int, limit: int, events: list[tuple[int, list[int], int]]
) -> None:
    project = paged.new_project()
    project.insert(count)
    oldest = project.created[0]
    listed: list[list[str]] = []
    remaining = iter(events)

    cursor = oldest
    while True:
        if event := next(remaining, None):
            project.apply(event)
        page = project.page(PageQuery(limit, ending_before=cursor))
        listed.append(ids(page))
        if not page["has_more"]:
            break
        cursor = listed[-1][0]

    all_ids = [deployment_id for page_ids in reversed(listed) for deployment_id in page_ids]
    assert len(all_ids) == len(set(all_ids))
    expected = [deployment_id for deployment_id in reversed(project.existing) if deployment_id != oldest]
    assert [deployment_id for deployment_id in all_ids if deployment_id not in project.deleted] == expected


@pytest.mark.exhaustive
@WALKS
@given(count=st.integers(0, 25), limit=st.integers(1, MAX_LIMIT), deletes=st.lists(st.integers(0, 200), max_size=10))
def test_has_more_is_exact_in_both_directions_from_any_cursor(
    paged: PagedCatalog, count: int, limit: int, deletes: list[int]
) -> None:
    project = paged.new_project()
    project.insert(count)
    for number in deletes:
        project.delete(number)

    for cursor in project.created:  # deleted ones too: their cursors stay valid
        index = project.created.index(cursor)
        older = [
            deployment_id for deployment_id in reversed(project.created[:index]) if deployment_id not in project.deleted
        ]
        newer = [
            deployment_id
            for deployment_id in reversed(project.created[index + 1 :])
            if deployment_id not in project.deleted
        ]
        after = project.page(PageQuery(limit, starting_after=cursor))
        before = project.page(PageQuery(limit, ending_before=cursor))
        assert (ids(after), after["has_more"]) == (older[:limit], len(older) > limit)
        assert (ids(before), before["has_more"]) == (newer[-limit:], len(newer) > limit)


@pytest.mark.exhaustive
@WALKS
@given(jumps=st.lists(st.integers(-(10**16), 10**16), min_size=2, max_size=8))
def test_created_increases_even_if_the_clock_jumps(paged: PagedCatalog, jumps: list[int]) -> None:
    project = paged.new_project()
    paged.catalog.catch_up()
    before = paged.catalog.state.position
    for jump in jumps:
        paged.clock.now = max(paged.clock.now + jump, 0)
        project.insert(1)

    with paged.store.changes(since=before) as changes:
        created_us = {deployment_id.id: deployment_id.created_us for deployment_id in readable(changes.deployments)}
    times = [created_us[deployment_id] for deployment_id in project.created]
    assert times == sorted(set(times))


def test_deployments_with_the_same_created_time_are_paged_one_by_one(paged: PagedCatalog) -> None:
    """The clock stops at the start of a new millisecond, and `created` has milliseconds."""
    project = paged.new_project()
    paged.catalog.catch_up()
    before = paged.catalog.state.position
    project.insert(1)
    with paged.store.changes(since=before) as changes:
        newest_us = max(deployment.created_us for deployment in readable(changes.deployments))
    paged.clock.now = (newest_us // 1_000 + 1) * 1_000_000
    project = paged.new_project()
    project.insert(5)

    page = project.page(PageQuery(5))
    assert len({item["created"] for item in page["data"]}) == 1
    all_ids = [ids(project.page(PageQuery(1, starting_after=cursor))) for cursor in ids(page)[:-1]]
    assert [deployment_id for page_ids in all_ids for deployment_id in page_ids] == ids(page)[1:]


def test_an_unknown_cursor_is_rejected(paged: PagedCatalog) -> None:
    project, other = paged.new_project(), paged.new_project()
    other.insert(1)

    for cursor in ("unknown", other.created[0]):
        with pytest.raises(InvalidCursor):
            project.page(PageQuery(starting_after=cursor))


def test_paging_by_offset_without_tombstones_loses_deployments(paged: PagedCatalog) -> None:
    """Positive control: the comparison of these tests fails for a list without cursors."""
    project = paged.new_project()
    project.insert(6)
    at_start = list(reversed(project.created))

    first = list(reversed(project.existing))[0:3]
    project.delete(5)
    second = list(reversed(project.existing))[3:6]

    assert [deployment_id for deployment_id in at_start if deployment_id not in project.deleted] != [
        deployment_id for deployment_id in first + second if deployment_id not in project.deleted
    ]
