"""Pagination as properties: whatever happens during a walk, what survives it is met exactly once."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.catalog.catalog import Catalog
from moorage.core.page import MAX_LIMIT, PageQuery
from moorage.core.request_errors import InvalidCursor
from moorage.registry.projects import create_project
from moorage.store.store import Store
from tests.support.stores import Clock, Database, create, delete

WALKS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

#: What happens between two pages: how many are inserted, which of the rows are deleted, how far the clock jumps.
EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.lists(st.integers(0, 200), max_size=4), st.integers(-(10**13), 10**10)), max_size=12
)


class Sea:
    """A project under change, with a catalog that follows it."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.store: Store = database.store(self.clock)
        self.catalog = Catalog(self.store)
        self.projects = 0

    def new_project(self) -> "Shore":
        self.projects += 1
        return Shore(self, create_project(self.store, f"p{self.projects}").id)


class Shore:
    """One example's project: what was created, what was deleted."""

    def __init__(self, sea: Sea, project_id: str) -> None:
        self.sea = sea
        self.project_id = project_id
        self.created: list[str] = []
        self.deleted: set[str] = set()

    def insert(self, count: int) -> None:
        for _ in range(count):
            self.created.append(create(self.sea.store, self.project_id, f"k{len(self.created)}"))

    def delete(self, number: int) -> None:
        if self.created:
            chosen = self.created[number % len(self.created)]
            self.deleted.add(chosen)
            delete(self.sea.store, chosen)

    def happen(self, event: tuple[int, list[int], int]) -> None:
        inserts, deletes, jump = event
        self.sea.clock.now += jump
        self.insert(inserts)
        for number in deletes:
            self.delete(number)

    def page(self, query: PageQuery) -> dict[str, Any]:
        self.sea.catalog.catch_up()
        page: dict[str, Any] = json.loads(self.sea.catalog.project(self.project_id).page(query))
        return page

    @property
    def alive(self) -> list[str]:
        return [each for each in self.created if each not in self.deleted]


@pytest.fixture(scope="module")
def sea(new_database: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sea]:
    folder = tmp_path_factory.mktemp("sea")
    with closing(Database(new_database(folder), folder)) as database:
        yield Sea(database)


def ids(page: dict[str, Any]) -> list[str]:
    return [item["id"] for item in page["data"]]


@WALKS
@given(count=st.integers(0, 25), limit=st.integers(1, MAX_LIMIT), events=EVENTS)
def test_a_forward_walk_meets_every_survivor_once_newest_first(
    sea: Sea, count: int, limit: int, events: list[tuple[int, list[int], int]]
) -> None:
    shore = sea.new_project()
    shore.insert(count)
    at_start = list(shore.created)
    met: list[str] = []
    remaining = iter(events)

    page = shore.page(PageQuery(limit))
    met += ids(page)
    while page["has_more"]:
        if event := next(remaining, None):
            shore.happen(event)
        page = shore.page(PageQuery(limit, starting_after=met[-1]))
        met += ids(page)

    survivors = [each for each in reversed(at_start) if each not in shore.deleted]
    assert len(met) == len(set(met))
    assert [each for each in met if each not in shore.deleted] == survivors


@WALKS
@given(count=st.integers(1, 25), limit=st.integers(1, MAX_LIMIT), events=EVENTS)
def test_a_backward_walk_meets_every_survivor_once_and_the_newcomers_too(
    sea: Sea, count: int, limit: int, events: list[tuple[int, list[int], int]]
) -> None:
    shore = sea.new_project()
    shore.insert(count)
    oldest = shore.created[0]
    met: list[list[str]] = []
    remaining = iter(events)

    cursor = oldest
    while True:
        if event := next(remaining, None):
            shore.happen(event)
        page = shore.page(PageQuery(limit, ending_before=cursor))
        met.append(ids(page))
        if not page["has_more"]:
            break
        cursor = met[-1][0]

    walked = [each for page_ids in reversed(met) for each in page_ids]
    assert len(walked) == len(set(walked))
    expected = [each for each in reversed(shore.alive) if each != oldest]
    assert [each for each in walked if each not in shore.deleted] == expected


@WALKS
@given(count=st.integers(0, 25), limit=st.integers(1, MAX_LIMIT), deletes=st.lists(st.integers(0, 200), max_size=10))
def test_has_more_is_exact_in_both_directions_from_any_cursor(
    sea: Sea, count: int, limit: int, deletes: list[int]
) -> None:
    shore = sea.new_project()
    shore.insert(count)
    for number in deletes:
        shore.delete(number)

    for cursor in shore.created:  # deleted ones too: they keep their place
        place = shore.created.index(cursor)
        older = [each for each in reversed(shore.created[:place]) if each not in shore.deleted]
        newer = [each for each in reversed(shore.created[place + 1 :]) if each not in shore.deleted]
        after = shore.page(PageQuery(limit, starting_after=cursor))
        before = shore.page(PageQuery(limit, ending_before=cursor))
        assert (ids(after), after["has_more"]) == (older[:limit], len(older) > limit)
        assert (ids(before), before["has_more"]) == (newer[-limit:], len(newer) > limit)


@WALKS
@given(jumps=st.lists(st.integers(-(10**16), 10**16), min_size=2, max_size=8))
def test_created_never_goes_back_and_never_repeats_whatever_the_clock_does(sea: Sea, jumps: list[int]) -> None:
    shore = sea.new_project()
    sea.catalog.catch_up()
    before = sea.catalog.contents.state
    for jump in jumps:
        sea.clock.now = max(sea.clock.now + jump, 0)
        shore.insert(1)

    with sea.store.changes(since=before) as changes:
        created_us = {each.id: each.created_us for each in changes.deployments}
    times = [created_us[each] for each in shore.created]
    assert times == sorted(set(times))


def test_equal_times_on_the_wire_page_one_by_one(sea: Sea) -> None:
    """The clock stands still; the wire shows milliseconds, so these five are created at the same time."""
    shore = sea.new_project()
    shore.insert(5)

    page = shore.page(PageQuery(5))
    assert len({item["created"] for item in page["data"]}) == 1
    walked = [ids(shore.page(PageQuery(1, starting_after=cursor))) for cursor in ids(page)[:-1]]
    assert [each for page_ids in walked for each in page_ids] == ids(page)[1:]


def test_a_cursor_that_never_was_is_refused(sea: Sea) -> None:
    shore, other = sea.new_project(), sea.new_project()
    other.insert(1)

    for cursor in ("never", other.created[0]):
        with pytest.raises(InvalidCursor):
            shore.page(PageQuery(starting_after=cursor))


def test_the_check_can_fail_without_tombstones(sea: Sea) -> None:
    """The positive control: a walk by offsets, which is what a list without cursors does, loses rows."""
    shore = sea.new_project()
    shore.insert(6)
    at_start = list(reversed(shore.created))

    first = list(reversed(shore.alive))[0:3]
    shore.delete(5)
    second = list(reversed(shore.alive))[3:6]

    assert [each for each in at_start if each not in shore.deleted] != [
        each for each in first + second if each not in shore.deleted
    ]
