"""The guarantees of a store on each engine."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from moorage.core.access import Project
from moorage.core.errors.storage import StorageUnavailable
from moorage.registry.api_keys import create_first_api_key
from moorage.store.changes import INITIAL
from moorage.store.queries import load_migrations, load_queries
from moorage.store.transaction import Transaction
from moorage.store.unreadable import readable
from tests.support.registry import create_project
from tests.support.stores import Clock, Database, create, delete, insert
from tests.support.threads import Background, run_concurrently


def test_a_write_that_raises_is_rolled_back(database: Database) -> None:
    store = database.store()

    def fail_halfway() -> None:
        with store.write() as tx:
            tx.insert_project("partial")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()

    assert store.projects() == []
    assert store.current_revision() == 0
    assert create_project(store, "complete").name == "complete"


def test_a_write_that_the_database_rejects_is_rolled_back(database: Database) -> None:
    store = database.store()
    create_project(store, "p")

    def insert_twice() -> None:
        with store.write() as tx:
            tx.insert_project("q")
            tx.insert_project("p")

    with pytest.raises(StorageUnavailable):
        insert_twice()

    assert [project.name for project in store.projects()] == ["p"]
    assert create_project(store, "q").name == "q"


def test_a_commit_is_visible_to_other_stores_immediately(database: Database) -> None:
    one, other = database.store(), database.store()
    before = other.newest_revision()

    create_project(one, "p")

    assert (before, other.newest_revision(), other.current_revision()) == (0, 1, 1)


def test_concurrent_first_starts_create_one_project_and_one_api_key(database: Database) -> None:
    stores = [database.store() for _ in range(6)]

    starting = [Background(partial(create_first_api_key, store)) for store in stores]

    assert sum(start.result() is not None for start in starting) == 1
    assert [key.name for key in stores[0].api_keys()] == ["first"]
    assert [project.name for project in stores[0].projects()] == ["default"]


def test_concurrent_writers_get_revisions_without_gaps_in_commit_order(
    database: Database,
) -> None:
    stores = [database.store(Clock()) for _ in range(4)]
    project = create_project(stores[0], "p")
    revisions: list[list[int]] = [[] for _ in stores]

    def write_many(number: int) -> None:
        for count in range(15):
            with stores[number].write() as tx:
                tx.insert_project(f"{number}-{count}")
                revisions[number].append(tx.rev)

    run_concurrently(*(lambda number=number: write_many(number) for number in range(len(stores))))

    assert sorted(rev for revs in revisions for rev in revs) == list(range(2, 62))
    assert all(revs == sorted(revs) for revs in revisions)
    times = [project.created_us for project in stores[0].projects()]
    assert times == sorted(set(times))
    assert (len(stores[0].projects()), project.name, stores[3].newest_revision()) == (61, "p", 61)


def test_a_group_commit_rolls_back_a_failed_write_alone(database: Database) -> None:
    store = database.store()

    def insert(name: str) -> Callable[[Transaction], Project]:
        def operation(tx: Transaction) -> Project:
            project = tx.insert_project(name)
            if name == "failed":
                raise KeyError(name)
            return project

        return operation

    one, failed, two = store.group_commit([insert("one"), insert("failed"), insert("two")])

    assert isinstance(failed, KeyError)
    assert [project.name for project in store.projects()] == ["one", "two"]
    assert [result.created_us for result in (one, two) if isinstance(result, Project)] == [
        project.created_us for project in store.projects()
    ]
    assert store.current_revision() == 2, "a write that was rolled back has no revision"


def test_a_group_commit_stores_the_other_writes_if_the_database_rejects_one(database: Database) -> None:
    store = database.store()

    def insert(*names: str) -> Callable[[Transaction], list[Project]]:
        def operation(tx: Transaction) -> list[Project]:
            return [tx.insert_project(name) for name in names]

        return operation

    one, rejected, two = store.group_commit([insert("one"), insert("twice", "twice"), insert("two")])

    assert isinstance(rejected, StorageUnavailable)
    assert isinstance(one, list)
    assert isinstance(two, list)
    assert [project.name for project in store.projects()] == ["one", "two"]


def test_a_read_returns_one_committed_state(database: Database) -> None:
    reader, writer = database.store(), database.store()
    project = create_project(writer, "p")
    first = create(writer, project.id, "first")

    with reader.changes(since=INITIAL) as changes:
        second = create(writer, project.id, "second")
        delete(writer, first)
        deployments = [(deployment.id, deployment.deleted_us) for deployment in readable(changes.deployments)]

    assert deployments == [(first, None)]
    with reader.changes(since=changes.position) as changes:
        deployments = [(deployment.id, deployment.deleted_us) for deployment in readable(changes.deployments)]
    assert [deployment_id for deployment_id, _ in deployments] == [second, first]
    assert [deleted_us is None for _, deleted_us in deployments] == [True, False]


def test_a_full_read_is_in_the_order_of_creation(database: Database) -> None:
    store = database.store()
    project = create_project(store, "p")
    ids = store.group_commit([_creation(project.id, f"d{number}") for number in range(1_234)])

    with store.changes(since=INITIAL) as changes:
        assert [deployment.id for deployment in readable(changes.deployments)] == ids


def test_a_read_can_end_before_its_last_row(database: Database) -> None:
    store = database.store()
    project = create_project(store, "p")
    store.group_commit([_creation(project.id, f"d{number}") for number in range(1_234)])

    for _ in range(20):
        with store.changes(since=INITIAL) as changes:
            assert next(changes.deployments).key == "d0"

    assert create_project(store, "q").name == "q"


@pytest.mark.parametrize("name", ["a\0b", "'; DROP TABLE revision; --", "%s", "%(project_id)s", ":id", "ä€😀", "1.0\0"])
def test_a_lookup_by_an_impossible_name_finds_nothing_and_changes_nothing(database: Database, name: str) -> None:
    store = database.store()
    project = create_project(store, "p")
    deployment_id = create(store, project.id, "d")

    with store.read() as reader:
        assert reader.find_deployment(project.id, name) is None
        assert reader.find_tombstone(project.id, name) is None
        assert reader.find_version(deployment_id, name) is None
        assert reader.find_deployment(project.id, "d") is not None


def test_every_query_is_described_and_used() -> None:
    text = (Path(__file__).parents[2] / "src/moorage/store/queries.sql").read_text()
    described = re.findall(r"^-- (\w+) --\n-- [A-Z]", text, re.MULTILINE)
    source = "".join(path.read_text() for path in (Path(__file__).parents[2] / "src").rglob("*.py"))

    assert set(described) == set(load_queries())
    assert [name for name in described if f'"{name}"' not in source] == []


def test_migrations_are_numbered_without_gaps() -> None:
    folder = Path(__file__).parents[2] / "src/moorage/store/migrations"
    numbers = sorted(int(path.name[:4]) for path in folder.glob("*.sql"))

    assert numbers == list(range(1, len(load_migrations()) + 1))


def _creation(project_id: str, key: str) -> Callable[[Transaction], str]:
    return lambda tx: insert(tx, project_id, key)
