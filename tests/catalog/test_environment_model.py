"""Random changes of a project with three environments: each view equals the database, and a fresh catalog."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.catalog.catalog import Catalog
from moorage.catalog.disk_cache import _decode, _encode, _File
from moorage.catalog.prepared import prepare
from moorage.catalog.state import CatalogState
from moorage.catalog.view import View
from moorage.core.deployments.deployment import Deployment, LiveVersion
from moorage.core.deployments.filter import Filter
from moorage.core.deployments.page import PageQuery
from moorage.core.environments import PRODUCTION, Environment, production_of
from moorage.core.errors.base import MoorageError
from moorage.core.resolution.snapshot import encode_snapshot
from moorage.store.store import Store
from tests.support.registry import create_project, delete, purge, put, restore, save
from tests.support.server import a_body
from tests.support.staged_project import (
    create_environment,
    delete_environment,
    find_in,
    publish_in,
    put_in,
    undo_in,
    unpublish_in,
)
from tests.support.stores import Clock, Database

CHANGES = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = (PRODUCTION, "staging", "qa")
KEYS = ("a", "b", "c", "d")

Operation = tuple[str, int, int, int]

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["put", "put", "put", "publish", "unpublish", "undo", "draft", "describe", "delete", "restore", "purge",
             "new environment", "catch up"],
        ),
        st.integers(0, 2), st.integers(0, 3), st.integers(0, 3),
    ),
    min_size=5, max_size=40,
)  # fmt: skip


class Shop:
    """A project of one example, and a catalog that is updated in steps."""

    def __init__(self, store: Store, clock: Clock, name: str) -> None:
        self.store = store
        self.clock = clock
        self.id = create_project(store, name).id
        self.environments = {PRODUCTION: production_of(self.id, 0, 0)}
        for environment in NAMES[1:]:
            self.environments[environment] = create_environment(store, self.id, environment)
        self.ids: list[str] = []
        self.catalog = Catalog(store)
        self.known: dict[str, tuple[int, dict[str, str]]] = {}  # what a client of each environment has
        self.follow()

    def apply(self, operation: Operation) -> None:
        """Apply an operation; one that is not possible changes nothing."""
        name, environment_number, key_number, number = operation
        environment, key = self.environments[NAMES[environment_number]], KEYS[key_number]
        body = a_body(model=f"m{number}")
        operations: dict[str, Callable[[], object]] = {
            "put": lambda: self.ids.append(put_in(self.store, environment, key, body).deployment.id),
            "publish": lambda: publish_in(self.store, environment, key, f"1.{number}"),
            "unpublish": lambda: unpublish_in(self.store, environment, key),
            "undo": lambda: undo_in(self.store, environment, key),
            "draft": lambda: save(self.store, self.id, key, body | {"status": "draft"}),
            "describe": lambda: self.put_description(key, body | {"description": f"d{number}"}),
            "delete": lambda: delete(self.store, self.id, key),
            "restore": lambda: restore(self.store, self.id, self.ids[number % len(self.ids)] if self.ids else key),
            "purge": self.purge,
            "new environment": lambda: self.replace_environment(environment),
            "catch up": self.follow,
        }
        with suppress(MoorageError):
            operations[name]()
        self.ids = [*dict.fromkeys(self.ids)]

    def put_description(self, key: str, body: dict[str, Any]) -> None:
        self.ids.append(put(self.store, self.id, key, body).deployment.id)

    def purge(self) -> None:
        self.clock.now += 20 * 86_400_000_000_000
        purge(self.store)

    def replace_environment(self, environment: Environment) -> None:
        """Delete an environment, unless it is production, and create another one with its name."""
        if not environment.is_production:
            delete_environment(self.store, environment)
            new = create_environment(self.store, self.id, environment.name)
            self.environments[environment.name] = new
            self.known.pop(environment.name, None)

    def view(self, name: str, catalog: Catalog | None = None) -> View:
        return (catalog or self.catalog).view(self.id, self.environments[name])

    def follow(self) -> None:
        """Catch up, and apply the changes of each view to what its client has: that is what the view has then."""
        self.catalog.catch_up()
        for name in NAMES:
            view = self.view(name)
            position = self.catalog.revision
            current = {live.id: live.version_id for live in view.live_versions()}
            since, held = self.known.get(name, (-1, {}))
            last = since
            for rev, change in view.changes(since):
                assert rev > since
                assert rev >= last
                last = rev
                if isinstance(change, LiveVersion):
                    held[change.id] = change.version_id
                else:
                    held.pop(change.id, None)
            assert held == current
            assert view.revision <= position
            self.known[name] = position, held

    def deployments(self, name: str) -> list[Deployment]:
        """Return what an environment shows according to the database, newest first."""
        found = [find_in(self.store, self.environments[name], id_) for id_ in self.ids]
        shown = [each for each in found if each is not None and each.live_version_id is not None]
        return sorted(shown, key=lambda each: each.seq, reverse=True)


def walk(view: View, limit: int, filters: Filter | None = None) -> list[Any]:
    """Return all items, page by page from the newest, and check that the way back has the same pages."""
    items: list[Any] = []
    cursor: str | None = None
    while True:
        page = json.loads(view.page(PageQuery(limit, cursor), filters))
        items += page["data"]
        if not page["has_more"]:
            break
        cursor = page["data"][-1]["id"]
    if items:
        back, cursor = [items[-1]], items[-1]["id"]
        while True:
            page = json.loads(view.page(PageQuery(limit, None, cursor), filters))
            back = page["data"] + back
            if not page["has_more"]:
                break
            cursor = page["data"][0]["id"]
        assert back == items
    return items


def contents(view: View, ids: list[str]) -> Mapping[str, Any]:
    """Return everything that a view returns."""
    found: dict[str, Any] = {}
    for name in (*KEYS, *ids):
        try:
            found[name] = view.id_of(name), view.get(name), view.live(name), view.follows(name)
        except MoorageError as error:
            found[name] = view.id_of(name), type(error), str(error)
    return found | {
        "pages": [view.page(PageQuery(limit)) for limit in (1, 3, 50)],
        "changes": [(rev, change) for since in (0, view.revision // 2) for rev, change in view.changes(since)],
        "lives": list(view.live_versions()), "revision": view.revision, "count": len(view),
    }  # fmt: skip


def production_alone(shop: Shop) -> CatalogState:
    """Return a state of the deployments in production, without any environment or pointer."""
    state = CatalogState()
    with shop.store.changes(since=CatalogState().position) as changes:
        ever_live = [each for each in changes.deployments if getattr(each, "live_version_id", None) is not None]
        state.apply(changes.position, map(prepare, ever_live), (), ())
    return state


@pytest.fixture(scope="module")
def stores(
    new_database: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, Clock]]:
    folder = tmp_path_factory.mktemp("environments")
    with closing(Database(new_database(folder), folder)) as database:
        clock = Clock()
        yield database.store(clock), clock


_numbers = iter(range(1_000_000))


@given(operations=OPERATIONS, limit=st.integers(1, 3))
@CHANGES
def test_each_environment_equals_the_database_and_a_fresh_catalog(
    stores: tuple[Store, Clock], operations: list[Operation], limit: int
) -> None:
    shop = Shop(*stores, f"p{next(_numbers)}")
    for operation in operations:
        shop.apply(operation)
    shop.follow()
    fresh = Catalog(shop.store)
    fresh.catch_up()
    stored = _stored(shop.catalog.state)

    for name in NAMES:
        view, expected = shop.view(name), shop.deployments(name)
        assert walk(view, limit) == [json.loads(each.item()) for each in expected]
        for number in range(4):
            model = f"m{number}"
            matching = [each for each in expected if f'"{model}"' in each.content.prompt_config]
            assert walk(view, limit, Filter(model=model)) == [json.loads(each.item()) for each in matching]
        for each in expected:
            assert view.get(each.key) == view.get(each.id) == (each.item(), each.etag)
            assert view.live(each.key).version_id == each.live_version_id
            assert view.follows(each.id) == each.is_following
        found = contents(view, shop.ids)
        assert contents(shop.view(name, fresh), shop.ids) == found
        shop.catalog.state, before = stored, shop.catalog.state
        assert contents(shop.view(name), shop.ids) == found, "from the disk cache"
        shop.catalog.state = before

    alone = production_alone(shop).project(shop.id)
    production = shop.catalog.project(shop.id)
    assert alone.revision == production.revision
    assert alone.page(PageQuery(50)) == production.page(PageQuery(50))
    assert list(alone.changes(0)) == list(production.changes(0))
    snapshots = [encode_snapshot(shop.id, "e", each.revision, each.live_versions()) for each in (alone, production)]
    assert snapshots[0] == snapshots[1]
    for each in shop.deployments(PRODUCTION):
        assert alone.get(each.key) == production.get(each.key)


def _stored(state: CatalogState) -> CatalogState:
    """Return a state after it was written to a disk cache and read."""
    file = _File(
        state.position, state.project_states(), state.api_keys, state.integrations.stored(), state.environments.stored()
    )
    read = _decode(_encode(file))
    return CatalogState.of(read.position, read.projects, read.api_keys, read.integrations, read.environments)
