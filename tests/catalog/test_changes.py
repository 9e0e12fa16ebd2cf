"""The changes of a project since a revision: in order, each deployment once, and built only when they are needed."""

from itertools import islice

import pytest

from moorage.catalog import deployment_list
from moorage.catalog.catalog import Catalog
from moorage.catalog.change_log import MAX_OUTDATED, ChangeLog
from moorage.catalog.prepared import LiveFields
from moorage.catalog.project import ProjectCatalog
from moorage.core.deployments.deployment import LiveVersion, Tombstone
from tests.support.registry import create_project
from tests.support.stores import Database, create, delete


def keys(project: ProjectCatalog, since: int = 0) -> list[str]:
    return [change.key for _, change in project.changes(since)]


def test_each_deployment_is_returned_once_in_the_order_of_its_last_change(database: Database) -> None:
    store = database.store()
    catalog = Catalog(store)
    project_id = create_project(store, "p").id
    ids = [create(store, project_id, key) for key in "abc"]
    catalog.apply(catalog.fetch())
    project = catalog.project(project_id)
    middle = project.revision
    assert keys(project) == ["a", "b", "c"]

    store.run(lambda tx: tx.touch_deployment(ids[0]))
    delete(store, ids[1])
    catalog.apply(catalog.fetch())
    assert keys(project) == ["c", "a", "b"]
    assert keys(project, middle) == ["a", "b"]
    kinds = [type(change) for _, change in project.changes(middle)]
    assert kinds == [LiveVersion, Tombstone]
    assert keys(project, project.revision) == []


def test_only_the_changes_that_are_read_are_built(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = database.store()
    catalog = Catalog(store)
    project_id = create_project(store, "p").id
    for number in range(50):
        create(store, project_id, f"d{number}")
    catalog.apply(catalog.fetch())
    built, build = list[LiveVersion](), deployment_list.live_version

    def counted(item: bytes, fields: LiveFields) -> LiveVersion:
        built.append(build(item, fields))
        return built[-1]

    monkeypatch.setattr(deployment_list, "live_version", counted)

    position, read = 0, list[str]()
    while chunk := list(islice(catalog.project(project_id).changes(position), 5)):
        position = chunk[-1][0]
        read += [change.key for _, change in chunk]

    assert read == [f"d{number}" for number in range(50)]
    assert len(built) == 50


def test_outdated_changes_do_not_accumulate() -> None:
    log = ChangeLog({"a": 1})
    for number in range(MAX_OUTDATED + 10):
        log.record("x", log.revision + 1)
        if number == 0:
            assert len(log.in_order()) == 2
    assert len(log.in_order()) <= 2 * 2 + MAX_OUTDATED + 1
