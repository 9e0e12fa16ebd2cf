"""What a store promises, whichever database is under it."""

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
from tests.support.registry import create_project
from tests.support.stores import Clock, Database, create, delete, insert
from tests.support.threads import Background, together


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    store = database.store()

    def fail_halfway() -> None:
        with store.write() as write:
            write.insert_project("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()

    assert store.projects() == []
    assert store.current_revision() == 0
    assert create_project(store, "whole").name == "whole"


def test_a_write_that_the_database_refuses_leaves_nothing(database: Database) -> None:
    store = database.store()
    create_project(store, "p")

    def insert_twice() -> None:
        with store.write() as write:
            write.insert_project("q")
            write.insert_project("p")

    with pytest.raises(StorageUnavailable):
        insert_twice()

    assert [project.name for project in store.projects()] == ["p"]
    assert create_project(store, "q").name == "q"


def test_what_one_store_commits_the_other_knows_at_once(database: Database) -> None:
    one, other = database.store(), database.store()
    before = other.newest_revision()

    create_project(one, "p")

    assert (before, other.newest_revision(), other.current_revision()) == (0, 1, 1)


def test_nodes_that_start_at_once_on_an_empty_database_make_one_project_and_one_api_key(database: Database) -> None:
    stores = [database.store() for _ in range(6)]

    starting = [Background(partial(create_first_api_key, store)) for store in stores]

    assert sum(each.result() is not None for each in starting) == 1
    assert [key.name for key in stores[0].api_keys()] == ["first"]
    assert [project.name for project in stores[0].projects()] == ["default"]


def test_writers_that_write_at_once_get_revisions_without_gaps_in_the_order_of_their_commits(
    database: Database,
) -> None:
    stores = [database.store(Clock()) for _ in range(4)]
    project = create_project(stores[0], "p")
    seen: list[list[int]] = [[] for _ in stores]

    def write_on(number: int) -> None:
        for count in range(15):
            with stores[number].write() as write:
                write.insert_project(f"{number}-{count}")
                seen[number].append(write.rev)

    together(*(lambda number=number: write_on(number) for number in range(len(stores))))

    assert sorted(rev for revs in seen for rev in revs) == list(range(2, 62))
    assert all(revs == sorted(revs) for revs in seen)
    assert [each.created_us for each in stores[0].projects()] == sorted(
        {each.created_us for each in stores[0].projects()}
    )
    assert (len(stores[0].projects()), project.name, stores[3].newest_revision()) == (61, "p", 61)


def test_writes_that_are_committed_together_are_kept_or_undone_each_by_itself(database: Database) -> None:
    store = database.store()

    def insert(name: str) -> Callable[[Transaction], Project]:
        def operation(tx: Transaction) -> Project:
            project = tx.insert_project(name)
            if name == "undone":
                raise KeyError(name)
            return project

        return operation

    one, undone, two = store.group_commit([insert("one"), insert("undone"), insert("two")])

    assert isinstance(undone, KeyError)
    assert [project.name for project in store.projects()] == ["one", "two"]
    assert [each.created_us for each in (one, two) if isinstance(each, Project)] == [
        project.created_us for project in store.projects()
    ]
    assert store.current_revision() == 2, "the one that was undone has no revision"


def test_one_write_that_the_database_cannot_keep_is_no_harm_to_those_beside_it(database: Database) -> None:
    store = database.store()

    def insert(*names: str) -> Callable[[Transaction], list[Project]]:
        def operation(tx: Transaction) -> list[Project]:
            return [tx.insert_project(name) for name in names]

        return operation

    one, refused, two = store.group_commit([insert("one"), insert("twice", "twice"), insert("two")])

    assert isinstance(refused, StorageUnavailable)
    assert isinstance(one, list)
    assert isinstance(two, list)
    assert [project.name for project in store.projects()] == ["one", "two"]


def test_all_that_is_read_in_one_reading_is_of_one_state(database: Database) -> None:
    reader, writer = database.store(), database.store()
    project = create_project(writer, "p")
    first = create(writer, project.id, "first")

    with reader.changes(since=INITIAL) as changes:
        second = create(writer, project.id, "second")
        delete(writer, first)
        seen = [(each.id, each.deleted_us) for each in changes.deployments]

    assert seen == [(first, None)]
    with reader.changes(since=changes.state) as changes:
        assert [(each.id, each.deleted_us is None) for each in changes.deployments] == [(second, True), (first, False)]


def test_a_whole_catalog_comes_in_the_order_it_was_made(database: Database) -> None:
    store = database.store()
    project = create_project(store, "p")
    made = store.group_commit([_creation(project.id, f"d{number}") for number in range(1_234)])

    with store.changes(since=INITIAL) as changes:
        assert [each.id for each in changes.deployments] == made


def test_a_reading_may_be_left_in_the_middle(database: Database) -> None:
    store = database.store()
    project = create_project(store, "p")
    store.group_commit([_creation(project.id, f"d{number}") for number in range(1_234)])

    for _ in range(20):
        with store.changes(since=INITIAL) as changes:
            assert next(changes.deployments).key == "d0"

    assert create_project(store, "q").name == "q"


@pytest.mark.parametrize("name", ["a\0b", "'; DROP TABLE revision; --", "%s", "%(project_id)s", ":id", "ä€😀", "1.0\0"])
def test_nothing_is_found_under_a_name_that_cannot_be_and_nothing_else_happens(database: Database, name: str) -> None:
    store = database.store()
    project = create_project(store, "p")
    deployment_id = create(store, project.id, "d")

    with store.read() as reading:
        assert reading.find_deployment(project.id, name) is None
        assert reading.find_tombstone(project.id, name) is None
        assert reading.find_version(deployment_id, name) is None
        assert reading.find_deployment(project.id, "d") is not None


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
