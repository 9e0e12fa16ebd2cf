"""What is kept of who was served by which version, whichever database is under it."""

from functools import partial

import pytest

from moorage.core.access import DEFAULT_SCOPES
from moorage.core.compatibility.consumers import MAX_NAMES, ConsumerRecord, UsageRecord
from moorage.core.deployments.deployment import FIRST_VERSION
from moorage.core.deployments.history import Actor
from moorage.core.deployments.ids import new_id
from moorage.registry.purge import delete_old_consumers
from moorage.store.engine import Row
from moorage.store.store import Store
from moorage.store.transfer.dump import HISTORY
from tests.support.registry import create_api_key, create_project, purge
from tests.support.stores import CONTENT, Clock, Database, delete
from tests.support.threads import together

DAY_US = 86_400_000_000


class Desk:
    """A project with deployments and API keys in one store, which is opened more than once."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        self.store: Store = database.store(self.clock)
        self.project = create_project(self.store, "desk").id
        self.keys = sorted(create_api_key(self.store, self.project, f"k{n}", DEFAULT_SCOPES)[0].id for n in range(5))

    def deployment(self, key: str) -> tuple[str, str]:
        """A new deployment: its id and that of its version."""
        version_id = new_id()
        with self.store.write() as write:
            deployment_id = write.insert_deployment(self.project, key, "", version_id)
            write.insert_version(version_id, deployment_id, FIRST_VERSION, CONTENT, Actor())
        return deployment_id, version_id

    def used(self, version_id: str, since_us: int = 0) -> dict[str, ConsumerRecord]:
        """Who was served by a version, by the ids of the keys."""
        with self.store.read() as reading:
            return {each.api_key.id: each for each in reading.consumers_of_version(version_id, since_us)}


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_who_was_served_is_kept_with_the_newest_time_and_all_names(desk: Desk) -> None:
    deployment_id, version_id = desk.deployment("a")
    key = desk.keys[0]

    desk.store.record_consumers([UsageRecord(version_id, key, 10, 20, ("customer",))])
    desk.store.record_consumers([UsageRecord(version_id, key, 15, 18, ("order", "customer"))])

    with desk.store.read() as reading:
        (found,) = reading.consumers_of_deployment(deployment_id, 0)
        assert reading.consumers_of_deployment(deployment_id, 20) == []
    assert (found.version, found.last_us, found.inputs) == ("1.0", 20, frozenset({"customer", "order"}))
    assert found.api_key.name in {"k0", "k1", "k2", "k3", "k4"}


def test_usage_is_no_revision_and_changes_nothing_that_is_shown(desk: Desk) -> None:
    _, version_id = desk.deployment("a")
    before, ledger = desk.store.current_revision(), _ledger(desk.store)

    desk.store.record_consumers([UsageRecord(version_id, desk.keys[0], 1, 1, ())])

    assert (desk.store.current_revision(), desk.store.newest_revision()) == (before, before)
    assert _ledger(desk.store) == ledger


def test_no_more_names_are_kept_than_may_be(desk: Desk) -> None:
    _, version_id = desk.deployment("a")
    key = desk.keys[0]

    for start in (0, 60):
        names = tuple(f"n{number}" for number in range(start, start + 60))
        desk.store.record_consumers([UsageRecord(version_id, key, 1, 1, names)])

    assert len(desk.used(version_id)[key].inputs) == MAX_NAMES


def test_what_is_deleted_or_not_there_is_passed_over(desk: Desk) -> None:
    (gone, gone_version), (_, version_id) = desk.deployment("gone"), desk.deployment("a")
    delete(desk.store, gone)
    key = desk.keys[0]

    desk.store.record_consumers(
        [UsageRecord(gone_version, key, 1, 1, ()), UsageRecord(new_id(), key, 1, 1, ()),
         UsageRecord(version_id, "nobody", 1, 1, ()),
         UsageRecord(version_id, key, 1, 1, ())]
    )  # fmt: skip

    assert desk.used(gone_version) == {}
    assert list(desk.used(version_id)) == [key]


def test_stores_that_note_the_same_rows_at_once_lose_no_name_and_stand_in_nobodys_way(desk: Desk) -> None:
    versions = [desk.deployment(f"d{number}")[1] for number in range(10)]
    rows = [(version, key) for version in versions for key in desk.keys]

    def note(store: Store, writer: int) -> None:
        for turn in range(10):
            ordered = rows if (writer + turn) % 2 else rows[::-1]
            store.record_consumers([UsageRecord(*row, turn, turn, (f"w{writer}t{turn}",)) for row in ordered])

    def publish() -> None:
        for turn in range(20):
            desk.deployment(f"more{turn}")

    together(*(partial(note, desk.database.store(), writer) for writer in range(4)), publish)

    expected = {f"w{writer}t{turn}" for writer in range(4) for turn in range(10)}
    assert all(desk.used(version)[key].inputs == expected for version, key in rows)
    assert {each.last_us for version in versions for each in desk.used(version).values()} == {9}


def test_what_is_erased_loses_who_used_it(desk: Desk) -> None:
    deployment_id, version_id = desk.deployment("a")
    _, other = desk.deployment("b")
    now_us = desk.store.now_us()
    desk.store.record_consumers([UsageRecord(each, desk.keys[0], now_us, now_us, ()) for each in (version_id, other)])
    delete(desk.store, deployment_id)

    purge(desk.store, days=0)

    assert desk.used(version_id) == {}
    assert desk.used(other)


def test_usage_of_thirty_days_ago_is_forgotten_without_a_revision(desk: Desk) -> None:
    (_, old), (_, young) = desk.deployment("a"), desk.deployment("b")
    now_us = desk.store.now_us()
    desk.store.record_consumers([UsageRecord(old, desk.keys[0], 1, now_us - 30 * DAY_US, ())])
    desk.store.record_consumers([UsageRecord(young, desk.keys[0], 1, now_us - 30 * DAY_US + 1, ())])
    before = desk.store.current_revision()

    delete_old_consumers(desk.store)

    assert (desk.used(old), list(desk.used(young))) == ({}, [desk.keys[0]])
    assert desk.store.current_revision() == before


def _ledger(store: Store) -> list[Row]:
    with store.whole() as whole:
        return list(whole.rows(HISTORY))
