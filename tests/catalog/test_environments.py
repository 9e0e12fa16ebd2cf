"""Each environment shows its own live versions, and else those of production; production shows nothing of them."""

import json
from typing import Any

import msgspec
import pytest

from moorage.catalog.catalog import Catalog
from moorage.catalog.overlay import NO_OVERLAY
from moorage.catalog.view import View
from moorage.core.deployments.deployment import LiveVersion, Tombstone
from moorage.core.deployments.filter import Filter
from moorage.core.deployments.page import MAX_LIMIT, PageQuery
from moorage.core.environments import PRODUCTION, Environment
from moorage.core.errors.base import DeploymentDeleted, DeploymentNotFound, DeploymentUnreadable
from moorage.core.errors.environments import NotInEnvironment
from moorage.core.resolution.snapshot import GoneDeployment
from tests.support.registry import create_project, delete, put, restore, save
from tests.support.server import a_body
from tests.support.staged_project import (
    create_environment,
    delete_environment,
    publish_in,
    put_in,
    set_environment,
    undo_in,
    unpublish_in,
)
from tests.support.stores import Database, run_sql


class Shop:
    """A project with the environments production, staging and qa, and a catalog that follows its store."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = database.store()
        self.id = create_project(self.store, "shop").id
        self.staging = create_environment(self.store, self.id, "staging")
        self.qa = create_environment(self.store, self.id, "qa")
        self.catalog = Catalog(self.store)

    def view(self, environment: Environment | None = None) -> View:
        self.catalog.catch_up()
        return self.catalog.view(self.id, environment)

    def put(self, key: str, model: str, environment: Environment | None = None, **fields: Any) -> None:
        body = a_body(model=model) | fields
        if environment is None:
            put(self.store, self.id, key, body)
        else:
            put_in(self.store, environment, key, body)


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


def page(view: View, filters: Filter | None = None, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(view.page(PageQuery(**query), filters))
    return found


def models(view: View, **query: Any) -> dict[str, str]:
    return {item["key"]: item["prompt_config"]["model"] for item in page(view, **query)["data"]}


def events(view: View, since: int = 0) -> list[tuple[str, str]]:
    return [
        (change.key, change.version if isinstance(change, LiveVersion) else "gone") for _, change in view.changes(since)
    ]


def test_an_environment_lists_its_own_live_versions_and_else_those_of_production(shop: Shop) -> None:
    for key in "abc":
        shop.put(key, "one")
    shop.put("b", "two", shop.staging)
    shop.put("d", "three", shop.staging)
    shop.put("e", "one")

    assert models(shop.view()) == {"e": "one", "c": "one", "b": "one", "a": "one"}
    assert models(shop.view(shop.staging)) == {"e": "one", "d": "three", "c": "one", "b": "two", "a": "one"}
    assert models(shop.view(shop.qa)) == models(shop.view())
    assert [len(shop.view(each)) for each in (None, shop.staging, shop.qa)] == [4, 5, 4]
    assert [live.key for live in shop.view(shop.staging).live_versions()] == ["a", "b", "c", "d", "e"]
    staging = shop.view(shop.staging)
    assert [staging.follows(key) for key in "abde"] == [True, False, False, True]
    assert not any(shop.view().follows(key) for key in "abe")
    assert json.loads(staging.get("b")[0])["version"] == staging.live("b").version == "1.1"


def test_the_view_of_production_is_its_list(shop: Shop) -> None:
    production = shop.catalog.environments(shop.id)[PRODUCTION]
    assert shop.view(production) is shop.view() is shop.catalog.project(shop.id)


def test_a_cursor_to_a_deployment_that_the_environment_does_not_show_still_pages(shop: Shop) -> None:
    shop.put("a", "one")
    shop.put("b", "two", shop.staging)
    shop.put("c", "one")
    hidden = shop.view(shop.staging).id_of("b")
    assert hidden is not None
    assert shop.view().id_of("b") == hidden
    for view in (shop.view(), shop.view(shop.qa)):
        assert models(view, starting_after=hidden) == {"a": "one"}
        assert models(view, ending_before=hidden) == {"c": "one"}


@pytest.mark.parametrize("filters", [None, Filter(model="two"), Filter(model="one")])
@pytest.mark.parametrize("limit", [1, 2, 3, MAX_LIMIT])
def test_a_walk_in_both_directions_returns_each_deployment_once(shop: Shop, limit: int, filters: Filter | None) -> None:
    for number in range(12):
        shop.put(f"k{number}", "one")
    for number in (0, 3, 4, 11):
        shop.put(f"k{number}", "two", shop.staging)
    for number in (12, 13):
        shop.put(f"k{number}", "two", shop.staging)
    shop.put("k14", "one")
    view = shop.view(shop.staging)
    expected = [
        f"k{number}"
        for number in range(14, -1, -1)
        if filters is None or filters.model == ("two" if number in {0, 3, 4, 11, 12, 13} else "one")
    ]

    older, cursor = list[str](), None
    while True:
        found = page(view, filters, limit=limit, starting_after=cursor)
        older += [item["key"] for item in found["data"]]
        if not found["has_more"]:
            break
        cursor = found["data"][-1]["id"]
    assert older == expected

    newer, cursor = list[str](), view.id_of("k0")
    while True:
        found = page(view, filters, limit=limit, ending_before=cursor)
        newer = [item["key"] for item in found["data"]] + newer
        if not found["has_more"]:
            break
        cursor = found["data"][0]["id"]
    assert newer == [key for key in expected if key != "k0"]


def test_a_page_of_an_environment_ends_at_its_limit_in_bytes(shop: Shop) -> None:
    messages = [{"role": "user", "content": "x" * 90_000}] * 30
    for number in range(3):
        put(shop.store, shop.id, f"k{number}", a_body(model="one", messages=messages))
        put_in(shop.store, shop.staging, f"k{number}", a_body(model="two", messages=messages))
        put_in(shop.store, shop.staging, f"s{number}", a_body(model="two", messages=messages))
    found = page(shop.view(shop.staging))
    assert [item["key"] for item in found["data"]] == ["s2", "k2", "s1"]
    assert found["has_more"]


def test_a_deployment_that_is_not_in_production_is_named_with_its_environments(shop: Shop) -> None:
    shop.put("b", "two", shop.staging)
    shop.put("b", "two", shop.qa)
    for name in ("b", shop.view(shop.staging).id_of("b") or ""):
        with pytest.raises(NotInEnvironment, match="not in the environment 'production'; it is in: qa, staging"):
            shop.view().get(name)
    unpublish_in(shop.store, shop.qa, "b")
    with pytest.raises(NotInEnvironment, match="not in the environment 'qa'; it is in: staging"):
        shop.view(shop.qa).live("b")
    unpublish_in(shop.store, shop.staging, "b")
    with pytest.raises(NotInEnvironment, match="it is in: none"):
        shop.view(shop.staging).follows("b")
    assert events(shop.view(shop.staging)) == [("b", "gone")]
    with pytest.raises(DeploymentNotFound, match="'z'"):
        shop.view(shop.staging).get("z")


def test_a_deployment_promoted_later_appears_at_its_place_by_creation(shop: Shop) -> None:
    shop.put("a", "one")
    shop.put("b", "two", shop.staging)
    shop.put("c", "one")
    since = shop.view().revision
    shop.put("b", "two")
    assert [*models(shop.view())] == ["c", "b", "a"]
    assert events(shop.view(), since) == [("b", "1.0")]
    assert events(shop.view(shop.qa), since) == [("b", "1.0")]
    assert events(shop.view(shop.staging), since) == []


def test_production_sees_neither_an_event_nor_a_new_etag_while_staging_moves_100_times(shop: Shop) -> None:
    shop.put("a", "one")
    before = (shop.view().get("a"), shop.view().page(PageQuery()), shop.view().revision)
    follower = shop.view(shop.qa).get("a"), shop.view(shop.qa).revision
    for number in range(100):
        shop.put("a", f"m{number}", shop.staging)
        shop.put("new", f"m{number}", shop.staging)
    delete(shop.store, shop.id, shop.view(shop.staging).id_of("new") or "")
    after = shop.view()
    assert (after.get("a"), after.page(PageQuery()), after.revision) == before
    assert events(after, before[2]) == []
    assert (shop.view(shop.qa).get("a"), shop.view(shop.qa).revision) == follower
    assert events(shop.view(shop.qa), before[2]) == []


def test_an_own_live_version_hides_the_moves_of_production_and_a_follower_sees_each(shop: Shop) -> None:
    shop.put("a", "one")
    shop.put("a", "two", shop.staging)
    own, followed = shop.view(shop.staging), shop.view(shop.qa)
    etag, revision, seen = own.get("a")[1], own.revision, followed.revision
    for number in range(5):
        shop.put("a", f"m{number}")
        own, followed = shop.view(shop.staging), shop.view(shop.qa)
        assert (own.get("a")[1], own.revision, events(own, revision)) == (etag, revision, [])
        assert events(followed, seen) == [("a", f"1.{number + 2}")]
        assert followed.get("a") == shop.view().get("a")
        seen = followed.revision


def test_undo_of_the_first_publish_and_unpublish_follow_production_again(shop: Shop) -> None:
    shop.put("a", "one")
    for back in (undo_in, unpublish_in):
        publish_in(shop.store, shop.staging, "a", "1.0")
        shop.put("a", "two", shop.staging)
        if back is undo_in:
            unpublish_in(shop.store, shop.staging, "a")
            shop.put("a", "three", shop.staging)
        since, etag = shop.view(shop.staging).revision, shop.view(shop.staging).get("a")[1]
        back(shop.store, shop.staging, "a")
        view = shop.view(shop.staging)
        assert view.follows("a")
        assert view.get("a")[0] == shop.view().get("a")[0]
        assert view.get("a")[1] not in (etag, shop.view().get("a")[1])
        assert events(view, since) == [("a", "1.0")]


def test_a_version_that_equals_production_is_an_own_one_when_it_is_published(shop: Shop) -> None:
    shop.put("a", "one")
    publish_in(shop.store, shop.staging, "a", "1.0")
    assert not shop.view(shop.staging).follows("a")
    shop.put("a", "two")
    assert models(shop.view(shop.staging)) == {"a": "one"}


def test_a_description_changes_the_etag_of_an_own_live_version_and_sends_no_event(shop: Shop) -> None:
    shop.put("a", "one")
    shop.put("a", "two", shop.staging)
    view = shop.view(shop.staging)
    etag, revision = view.get("a")[1], view.revision
    shop.put("a", "one", description="changed")
    view = shop.view(shop.staging)
    assert json.loads(view.get("a")[0])["description"] == "changed"
    assert view.get("a")[1] != etag
    assert view.get("a")[1].split("-")[0] == etag.split("-")[0]
    assert (view.revision, events(view, revision)) == (revision, [])


def test_a_draft_changes_nothing_where_the_live_version_is_an_own_one(shop: Shop) -> None:
    shop.put("a", "one")
    shop.put("a", "two", shop.staging)
    before = shop.view(shop.staging).get("a"), shop.view(shop.staging).revision
    save(shop.store, shop.id, "a", a_body(model="draft") | {"status": "draft"})
    assert (shop.view(shop.staging).get("a"), shop.view(shop.staging).revision) == before


def test_a_deletion_and_a_restore_are_events_of_each_environment_that_shows_the_deployment(shop: Shop) -> None:
    shop.put("a", "one")
    shop.put("a", "two", shop.staging)
    shop.put("b", "two", shop.staging)
    ids = {key: shop.view(shop.staging).id_of(key) or "" for key in "ab"}
    since = max(shop.view(each).revision for each in (None, shop.staging))
    for key in "ab":
        delete(shop.store, shop.id, key)
    assert events(shop.view(), since) == events(shop.view(shop.qa), since) == [("a", "gone")]
    assert events(shop.view(shop.staging), since) == [("a", "gone"), ("b", "gone")]
    kinds = {type(change) for _, change in shop.view(shop.staging).changes(since)}
    assert kinds == {Tombstone}
    for view in (shop.view(), shop.view(shop.staging)):
        assert models(view) == {}
        for name in ("a", "b", *ids.values()):
            with pytest.raises(DeploymentDeleted):
                view.get(name)

    for deployment_id in ids.values():
        restore(shop.store, shop.id, deployment_id)
    assert models(shop.view()) == {"a": "one"}
    assert models(shop.view(shop.staging)) == {"b": "two", "a": "two"}
    assert events(shop.view(shop.staging), since) == [("a", "1.1"), ("b", "1.0")]
    assert events(shop.view(), since) == [("a", "1.0")]


def test_a_key_of_a_deleted_deployment_is_free_in_all_environments(shop: Shop) -> None:
    shop.put("a", "one", shop.staging)
    first = shop.view(shop.staging).id_of("a")
    delete(shop.store, shop.id, "a")
    shop.put("a", "two")
    assert models(shop.view()) == models(shop.view(shop.staging)) == {"a": "two"}
    assert shop.view(shop.staging).id_of("a") != first
    assert shop.view().id_of("a") == shop.view(shop.qa).id_of("a")


def test_a_deleted_environment_is_found_by_its_id_and_a_new_one_of_its_name_is_empty(shop: Shop) -> None:
    shop.put("a", "one")
    shop.put("a", "two", shop.staging)
    old = shop.view(shop.staging).revision
    delete_environment(shop.store, shop.staging)
    shop.catalog.catch_up()
    assert [*shop.catalog.environments(shop.id)] == [PRODUCTION, "qa"]
    found = shop.catalog.find_environment(shop.staging.id)
    assert found is not None
    assert found.deleted_us is not None
    delete(shop.store, shop.id, "a")
    restore(shop.store, shop.id, "a")

    again = create_environment(shop.store, shop.id, "staging")
    assert models(shop.view(again)) == {"a": "one"}
    assert shop.view(again).revision > old
    assert [*shop.catalog.environments(shop.id)] == [PRODUCTION, "qa", "staging"]
    assert shop.staging.id not in shop.catalog.project(shop.id).overlays


def test_environments_that_cannot_be_decoded_keep_their_previous_state_or_are_those_of_a_new_project(
    shop: Shop,
) -> None:
    shop.put("a", "one")
    shop.put("a", "two", shop.staging)
    assert models(shop.view(shop.staging)) == {"a": "two"}
    shop.put("b", "one")
    run_sql(shop.database.url, "UPDATE environment SET is_protected = 7, rev = rev + 1000")
    assert models(shop.view(shop.staging)) == {"b": "one", "a": "two"}
    assert [*shop.catalog.environments(shop.id)] == [PRODUCTION, "staging", "qa"]

    restarted = Catalog(shop.store)
    restarted.catch_up()
    assert [*restarted.environments(shop.id)] == [PRODUCTION]
    assert restarted.environments(shop.id)[PRODUCTION].settings.protected
    assert restarted.find_environment(shop.staging.id) is None

    run_sql(shop.database.url, "UPDATE environment SET is_protected = 0")
    shop.put("c", "one")
    restarted.catch_up()
    assert [*restarted.environments(shop.id)] == [PRODUCTION, "staging", "qa"]
    assert models(restarted.view(shop.id, shop.staging)) == {"c": "one", "b": "one", "a": "two"}


def test_settings_of_an_environment_are_those_of_its_last_change(shop: Shop) -> None:
    set_environment(shop.store, shop.qa, display_name="Tests", protected=True)
    shop.catalog.catch_up()
    assert shop.catalog.environments(shop.id)["qa"].settings.display_name == "Tests"
    assert [*shop.catalog.environments(shop.id)] == [PRODUCTION, "staging", "qa"]


def test_an_own_version_that_cannot_be_decoded_keeps_the_previous_state_and_is_withheld_after_a_start(
    shop: Shop,
) -> None:
    shop.put("a", "one")
    shop.put("b", "one")
    shop.put("a", "two", shop.staging)
    view = shop.view(shop.staging)
    before = models(view), view.revision
    shop.put("a", "three", shop.staging)
    run_sql(shop.database.url, "UPDATE version SET prompt_config = '[' WHERE prompt_config LIKE '%three%'")

    view = shop.view(shop.staging)
    assert (models(view), view.revision) == before
    assert [error.fields["key"] for error in view.unreadable.values()] == ["a"]
    assert shop.catalog.unreadable == 1
    assert shop.view().unreadable == shop.view(shop.qa).unreadable == {}

    restarted = Catalog(shop.store)
    restarted.catch_up()
    view = restarted.view(shop.id, shop.staging)
    assert models(view) == {"b": "one"}, "production's version is another one"
    assert len(view) == 1
    assert [live.key for live in view.live_versions()] == ["b"]
    for read in (view.get, view.live, view.follows):
        with pytest.raises(DeploymentUnreadable, match="'a'"):
            read("a")
    assert events(view) == [("b", "1.0")]
    assert restarted.unreadable == 1

    shop.put("a", "four")
    restarted.catch_up()
    assert models(restarted.view(shop.id, shop.staging)) == {"b": "one"}
    shop.put("a", "five", shop.staging)
    for catalog in (shop.catalog, restarted):
        catalog.catch_up()
        assert models(catalog.view(shop.id, shop.staging)) == {"b": "one", "a": "five"}
        assert catalog.unreadable == 0


def test_a_pointer_whose_row_cannot_be_decoded_does_not_affect_the_others(shop: Shop) -> None:
    for key in "ab":
        shop.put(key, "one")
        shop.put(key, "two", shop.staging)
    run_sql(
        shop.database.url,
        "UPDATE pointer SET owner = 'nobody' WHERE deployment_id = (SELECT id FROM deployment WHERE key = 'a')",
    )
    view = shop.view(shop.staging)
    assert models(view) == {"b": "two"}
    assert [error.fields["key"] for error in view.unreadable.values()] == ["a"]
    assert models(shop.view()) == {"b": "one", "a": "one"}


def test_a_gone_deployment_of_an_environment_has_its_id_and_key(shop: Shop) -> None:
    shop.put("a", "one", shop.staging)
    id_, since = shop.view(shop.staging).id_of("a"), shop.view(shop.staging).revision
    unpublish_in(shop.store, shop.staging, "a")
    assert [change for _, change in shop.view(shop.staging).changes(since)] == [GoneDeployment(id_ or "", "a")]


def test_a_scan_of_an_environment_returns_the_state_in_which_it_started(shop: Shop) -> None:
    for key in "abc":
        shop.put(key, "one")
    shop.put("b", "two", shop.staging)
    query, everything = PageQuery(), Filter(updated_since="2000")
    view = shop.view(shop.staging)
    scan, lives, before = view.for_scan(), view.live_versions(), view.page(query, everything)
    shop.put("a", "three", shop.staging)
    shop.put("d", "three", shop.staging)
    unpublish_in(shop.store, shop.staging, "b")
    delete(shop.store, shop.id, "c")
    shop.catalog.catch_up()
    assert scan.page(query, everything) == before
    assert [live.version for live in lives] == ["1.0", "1.1", "1.0"]
    assert [*models(view)] == ["d", "b", "a"]


def test_the_overlay_of_an_environment_without_pointers_stays_empty(shop: Shop) -> None:
    shop.put("a", "one")
    shop.put("a", "two", shop.staging)
    assert shop.view(shop.qa).revision >= shop.view().revision
    assert msgspec.msgpack.encode(NO_OVERLAY.state()) == msgspec.msgpack.encode(["", [[], [], [], []], {}, {}, 0])
