"""The names of environments in contexts that do not exist: stored for 7 days, in a limited number."""

import asyncio
from pathlib import Path

import pytest

from moorage.gateway.unknown_names import MAX_LENGTH, MAX_NAMES, UnknownNames
from moorage.store.store import MAX_UNKNOWN_NAMES, Store
from tests.support import registry
from tests.support.stores import a_store

_DAY_NS = 86_400_000_000_000


class Clock:
    """A clock that a test sets, in nanoseconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def store(folder: Path) -> Store:
    return a_store(folder)


def stored(store: Store, project_id: str, since_us: int = 0) -> list[str]:
    with store.read() as reader:
        return reader.unknown_names(project_id, since_us)


def test_a_name_is_stored_once_and_each_call_is_counted(store: Store) -> None:
    project_id, calls = registry.create_project(store, "shop").id, list[None]()
    names = UnknownNames(store, on_record=lambda: calls.append(None))

    for _ in range(3):
        names.record(project_id, "stagign")
    asyncio.run(names.flush())

    assert stored(store, project_id) == ["stagign"]
    assert len(calls) == 3


def test_a_name_is_deleted_a_week_after_its_last_call(store: Store) -> None:
    project_id, clock = registry.create_project(store, "shop").id, Clock()
    names = UnknownNames(store, clock)
    names.record(project_id, "old")
    asyncio.run(names.flush())

    clock.now += 8 * _DAY_NS
    names.record(project_id, "new")
    asyncio.run(names.flush())

    assert stored(store, project_id) == ["new"]


def test_end_users_cannot_fill_the_database_with_names(store: Store) -> None:
    project_id = registry.create_project(store, "shop").id
    names = UnknownNames(store)

    for round_ in range(3):
        for number in range(2 * MAX_NAMES):
            names.record(project_id, f"{round_}-{number}-" + "x" * 10_000)
        asyncio.run(names.flush())

    found = stored(store, project_id)
    assert len(found) == MAX_UNKNOWN_NAMES
    assert max(map(len, found)) == MAX_LENGTH


def test_names_of_a_project_that_does_not_exist_are_ignored(store: Store) -> None:
    names = UnknownNames(store)
    names.record("no project", "staging")

    asyncio.run(names.flush())

    assert stored(store, "no project") == []
