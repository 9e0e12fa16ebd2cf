"""Long scans of a project run in a thread, on copies of its lists."""

import json

from moorage.catalog.catalog import Catalog
from moorage.core.deployments.filter import Filter
from moorage.core.deployments.page import PageQuery
from tests.support.registry import create_project
from tests.support.stores import Database, create, delete


def test_a_scan_returns_the_state_in_which_it_started(database: Database) -> None:
    store = database.store()
    catalog, project_id = Catalog(store), create_project(store, "p").id
    ids = [create(store, project_id, key) for key in "abc"]
    catalog.catch_up()
    project = catalog.project(project_id)
    query, everything = PageQuery(), Filter(updated_since="2000")
    scan, before = project.for_scan(), project.page(query, everything)

    delete(store, ids[0])
    create(store, project_id, "d")
    catalog.catch_up()

    assert scan.page(query, everything) == before
    assert [item["key"] for item in json.loads(project.page(query, everything))["data"]] == ["d", "c", "b"]
