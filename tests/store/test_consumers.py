"""The stored consumers of versions, on each engine."""

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
from tests.support.threads import run_concurrently

DAY_US = 86_400_000_000


class ProjectStore:
    """A store with a project, deployments and API keys; its database is opened more than once."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        self.store: Store = database.store(self.clock)
        self.id = create_project(self.store, "p").id
        self.keys = sorted(create_api_key(self.store, self.id, f"k{n}", DEFAULT_SCOPES)[0].id for n in range(5))

    def deployment(self, key: str) -> tuple[str, str]:
        """Insert a deployment; return its id and the id of its version."""
        version_id = new_id()
        with self.store.write() as tx:
            deployment_id = tx.insert_deployment(self.id, key, "", version_id)
            tx.insert_version(version_id, deployment_id, FIRST_VERSION, CONTENT, Actor())
        return deployment_id, version_id

    def consumers(self, version_id: str, since_us: int = 0) -> dict[str, ConsumerRecord]:
        """Return the consumers of a version by the ids of their keys."""
        with self.store.read() as reader:
            return {consumer.api_key.id: consumer for consumer in reader.consumers_of_version(version_id, since_us)}


@pytest.fixture
def project(database: Database) -> ProjectStore:
    return ProjectStore(database)


def test_a_consumer_has_its_newest_time_and_all_names(project: ProjectStore) -> None:
    deployment_id, version_id = project.deployment("a")
    key = project.keys[0]

    project.store.record_consumers([UsageRecord(version_id, key, 10, 20, ("customer",))])
    project.store.record_consumers([UsageRecord(version_id, key, 15, 18, ("order", "customer"))])

    with project.store.read() as reader:
        (found,) = reader.consumers_of_deployment(deployment_id, 0)
        assert reader.consumers_of_deployment(deployment_id, 20) == []
    assert (found.version, found.last_us, found.inputs) == ("1.0", 20, frozenset({"customer", "order"}))
    assert found.api_key.name in {"k0", "k1", "k2", "k3", "k4"}


def test_recording_consumers_makes_no_revision_and_no_history_entry(project: ProjectStore) -> None:
    _, version_id = project.deployment("a")
    before, history = project.store.current_revision(), _history(project.store)

    project.store.record_consumers([UsageRecord(version_id, project.keys[0], 1, 1, ())])

    assert (project.store.current_revision(), project.store.newest_revision()) == (before, before)
    assert _history(project.store) == history


def test_the_number_of_stored_names_is_limited(project: ProjectStore) -> None:
    _, version_id = project.deployment("a")
    key = project.keys[0]

    for start in (0, 60):
        names = tuple(f"n{number}" for number in range(start, start + 60))
        project.store.record_consumers([UsageRecord(version_id, key, 1, 1, names)])

    assert len(project.consumers(version_id)[key].inputs) == MAX_NAMES


def test_records_of_deleted_or_unknown_versions_and_keys_are_ignored(project: ProjectStore) -> None:
    (deleted, deleted_version), (_, version_id) = project.deployment("deleted"), project.deployment("a")
    delete(project.store, deleted)
    key = project.keys[0]

    project.store.record_consumers(
        [UsageRecord(deleted_version, key, 1, 1, ()), UsageRecord(new_id(), key, 1, 1, ()),
         UsageRecord(version_id, "unknown", 1, 1, ()),
         UsageRecord(version_id, key, 1, 1, ())]
    )  # fmt: skip

    assert project.consumers(deleted_version) == {}
    assert list(project.consumers(version_id)) == [key]


def test_concurrent_records_of_the_same_rows_preserve_all_names_and_block_no_write(project: ProjectStore) -> None:
    versions = [project.deployment(f"d{number}")[1] for number in range(10)]
    rows = [(version, key) for version in versions for key in project.keys]

    def record(store: Store, writer: int) -> None:
        for turn in range(10):
            ordered = rows if (writer + turn) % 2 else rows[::-1]
            store.record_consumers([UsageRecord(*row, turn, turn, (f"w{writer}t{turn}",)) for row in ordered])

    def publish() -> None:
        for turn in range(20):
            project.deployment(f"more{turn}")

    run_concurrently(*(partial(record, project.database.store(), writer) for writer in range(4)), publish)

    expected = {f"w{writer}t{turn}" for writer in range(4) for turn in range(10)}
    assert all(project.consumers(version)[key].inputs == expected for version, key in rows)
    assert {consumer.last_us for version in versions for consumer in project.consumers(version).values()} == {9}


def test_a_purge_deletes_the_consumers(project: ProjectStore) -> None:
    deployment_id, version_id = project.deployment("a")
    _, other = project.deployment("b")
    now_us = project.store.now_us()
    project.store.record_consumers(
        [UsageRecord(version, project.keys[0], now_us, now_us, ()) for version in (version_id, other)]
    )
    delete(project.store, deployment_id)

    purge(project.store, days=0)

    assert project.consumers(version_id) == {}
    assert project.consumers(other)


def test_consumers_from_30_days_ago_are_deleted_without_a_revision(project: ProjectStore) -> None:
    (_, old), (_, recent) = project.deployment("a"), project.deployment("b")
    now_us = project.store.now_us()
    project.store.record_consumers([UsageRecord(old, project.keys[0], 1, now_us - 30 * DAY_US, ())])
    project.store.record_consumers([UsageRecord(recent, project.keys[0], 1, now_us - 30 * DAY_US + 1, ())])
    before = project.store.current_revision()

    delete_old_consumers(project.store)

    assert (project.consumers(old), list(project.consumers(recent))) == ({}, [project.keys[0]])
    assert project.store.current_revision() == before


def _history(store: Store) -> list[Row]:
    with store.dump() as dump:
        return list(dump.rows(HISTORY))
