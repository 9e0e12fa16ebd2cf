"""The server purges data that was deleted long ago, and reports it as permanently deleted."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from moorage.diagnostics.history import verify_history
from moorage.store.opening import open_store
from tests.api.test_versions import content, history, post, versions
from tests.support.registry import purge
from tests.support.server import Project, Response, Server
from tests.support.stores import run_sql
from tests.support.threads import until

pytestmark = pytest.mark.system

DAY_US = 86_400_000_000

SECRET = "the words of the prompt"


@pytest.fixture
def own_server(folder: Path, new_database: Callable[[Path], str]) -> Iterator[Server]:
    """Return a separate server, because a purge affects all projects."""
    with Server(folder, database=new_database(folder)) as running:
        yield running


def delete(project: Project, path: str) -> Response:
    response = project.request("DELETE", f"/v2/deployments/{path}")
    assert response.status == 200, response.body
    return response


def backdate_deletion(server: Server, table: str, item_id: str, days: int = 31) -> None:
    """Move the deletion of a row that many days into the past, by both of its times (decision 0024)."""
    change = f"UPDATE {table} SET deleted_us = deleted_us - {days * DAY_US}"
    if table == "deployment":
        change += f", updated_us = updated_us - {days * DAY_US}"
    else:
        entry = f"action = 'deleted' AND to_version_id = '{item_id}'"
        run_sql(server.database, f"UPDATE history SET at_us = at_us - {days * DAY_US} WHERE {entry}")
    assert len(run_sql(server.database, f"{change} WHERE id = '{item_id}' RETURNING id")) == 1


def is_stored(server: Server, text: str) -> bool:
    """Return whether a row with content contains the text."""
    tables = ("version", "deployment", "idempotency")
    return any(text in str(row) for table in tables for row in run_sql(server.database, f"SELECT * FROM {table}"))


def purge_database(server: Server, days: int = 30) -> int:
    """Purge as `moorage db purge` does, while the server runs."""
    with closing(open_store(server.database)) as store:
        return purge(store, days)


def wait_until_purged(project: Project, path: str) -> Response:
    """Wait until the response reports the purge; return it."""
    responses: list[Response] = []

    def is_purged() -> bool:
        responses.append(project.request("GET", f"/v2/deployments/{path}"))
        assert responses[-1].status == 404, responses[-1].body
        return "It was permanently deleted." in responses[-1].error["message"]

    until(is_purged, details=lambda: responses[-1].error["message"])
    return responses[-1]


def test_a_server_purges_data_deleted_more_than_30_days_ago_at_its_start(own_server: Server) -> None:
    project = own_server.new_project()
    old = project.put("old", content(f"old: {SECRET}", description=f"old: {SECRET}")).json["id"]
    recent = project.put("recent", content(f"recent: {SECRET}")).json["id"]
    project.put("live", content(f"live: {SECRET}"))
    draft = post(project, "live/versions", content(f"draft: {SECRET}")).json["_id"]
    for path in ("old", "recent", "live/versions/1.1"):
        delete(project, path)
    assert own_server.stop() == 0
    for table, item, days in (("deployment", old, 31), ("deployment", recent, 29), ("version", draft, 31)):
        backdate_deletion(own_server, table, item, days)
    assert is_stored(own_server, f"old: {SECRET}")

    own_server.start()
    old_response, draft_response = wait_until_purged(project, "old"), wait_until_purged(project, "live/versions/1.1")

    assert (old_response.error["code"], draft_response.error["code"]) == ("deployment_deleted", "version_deleted")
    assert not is_stored(own_server, f"old: {SECRET}")
    assert not is_stored(own_server, f"draft: {SECRET}")
    assert is_stored(own_server, f"recent: {SECRET}")
    assert is_stored(own_server, f"live: {SECRET}")
    assert "can be restored until" in project.get("recent").error["message"]
    assert post(project, "recent/restore").status == 200
    assert post(project, "old/restore").error["code"] == "deployment_deleted"
    assert project.page().keys == ["live", "recent"]


def test_workers_that_start_concurrently_purge_once(folder: Path, new_database: Callable[[Path], str]) -> None:
    with Server(folder, "--workers", "2", database=new_database(folder)) as server:
        project = server.new_project()
        old = project.put("old").json["id"]
        before = int(delete(project, "old").headers["x-moorage-revision"])
        assert server.stop() == 0
        backdate_deletion(server, "deployment", old)

        server.start()
        missing = wait_until_purged(project, "old")
        after = int(project.put("new").headers["x-moorage-revision"])

        assert missing.error["code"] == "deployment_deleted"
        assert after == before + 2, "one write for the purge, and one for the put"


def test_a_running_server_follows_a_purge_by_another_process(own_server: Server) -> None:
    project = own_server.new_project()
    purged = project.put("a", content(SECRET)).json["id"]
    deleted = delete(project, "a").json
    before = project.get("a").error["message"]

    assert purge_database(own_server, days=0) == 1

    for name in ("a", purged):
        missing = project.get(name)
        assert (missing.status, missing.error["code"]) == (404, "deployment_deleted")
        assert missing.error["message"] == (
            f"Deployment 'a' was deleted at {deleted['deleted_at']}. It was permanently deleted."
        )
        rejected = post(project, f"{name}/restore")
        assert (rejected.status, rejected.error["code"]) == (404, "deployment_deleted")
        assert rejected.error["message"] == missing.error["message"]
    assert f"It can be restored until {deleted['restorable_until']}" in before
    assert not is_stored(own_server, SECRET)


def test_the_key_of_a_purged_deployment_is_free(own_server: Server) -> None:
    project = own_server.new_project()
    purged = project.put("a").json["id"]
    delete(project, "a")
    purge_database(own_server, days=0)

    repeated = project.put("a")

    assert (repeated.status, repeated.json["version"]) == (201, "1.0")
    assert repeated.json["id"] != purged
    assert project.get("a").json == repeated.json
    assert "It was permanently deleted." in project.get(purged).error["message"]


def test_cursors_to_a_purged_deployment_stay_valid_across_a_restart(own_server: Server) -> None:
    project = own_server.new_project()
    items = project.fill(5)
    delete(project, "d3")
    purge_database(own_server, days=0)
    cursor = items[2]["id"]

    for _ in range(2):
        assert project.page(starting_after=cursor).keys == ["d2", "d1"]
        assert project.page(ending_before=cursor).keys == ["d5", "d4"]
        for parameter, keys in (("starting_after", ["d2", "d1"]), ("ending_before", ["d5", "d4"])):
            assert project.request("GET", f"/v2/manifests?{parameter}={cursor}").keys == keys
        own_server.stop()
        own_server.start()


def test_the_history_of_a_purged_deployment_is_still_listed(own_server: Server) -> None:
    project = own_server.new_project()
    project.put("a", content("one"))
    purged = project.put("a", content(SECRET)).json["id"]
    delete(project, "a")
    before = project.request("GET", f"/v2/deployments/{purged}/history").json

    assert purge_database(own_server, days=0) == 1

    assert history(project, purged) == ["deleted 1.1 None", "published 1.0 1.1", "created None 1.0"]
    assert project.request("GET", "/v2/deployments/a/history").json == before
    project.put("a")
    assert history(project, "a") == ["created None 1.0"]
    assert project.request("GET", f"/v2/deployments/{purged}/history").json == before


def test_the_history_names_a_purged_version_and_its_number_is_not_reused(own_server: Server) -> None:
    project = own_server.new_project()
    project.put("a", content("one"))
    cursor = post(project, "a/versions", content(SECRET)).json["_id"]
    post(project, "a/versions", content("three"))
    delete(project, "a/versions/1.1")
    before = project.get("a").headers["etag"]

    assert purge_database(own_server, days=0) == 1

    assert project.get("a").headers["etag"] == before
    assert history(project) == ["deleted 1.1 1.1", "created None 1.0"]
    assert [version["version"] for version in versions(project)] == ["1.2", "1.0"]
    assert [version["version"] for version in versions(project, query=f"starting_after={cursor}")] == ["1.0"]
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/publish"), ("POST", "/restore")):
        missing = project.request(method, f"/v2/deployments/a/versions/1.1{path}")
        assert (missing.status, missing.error["code"]) == (404, "version_deleted")
        assert "It was permanently deleted." in missing.error["message"]
    assert project.put("a", content(SECRET)).json["version"] == "1.3"
    with closing(open_store(own_server.database)) as store:
        assert verify_history(store) == []


def test_an_error_describes_the_deployment_with_the_key_that_was_deleted_last(own_server: Server) -> None:
    project = own_server.new_project()
    first = project.put("a").json["id"]
    delete(project, "a")
    second = project.put("a").json["id"]
    deleted = delete(project, "a").json
    backdate_deletion(own_server, "deployment", first)

    assert purge_database(own_server) == 1

    for _ in range(2):  # after an incremental update of the catalog, and after a full load
        missing = project.get("a").error["message"]
        assert deleted["deleted_at"] in missing
        assert f"POST /v2/deployments/{second}/restore" in missing
        assert "It was permanently deleted." in project.get(first).error["message"]
        own_server.stop()
        own_server.start()
    assert post(project, "a/restore").json["id"] == second
    assert project.get("a").json["id"] == second


def test_the_deployment_deleted_last_can_be_the_one_created_first(own_server: Server) -> None:
    project = own_server.new_project()
    first = project.put("a").json["id"]
    delete(project, "a")
    second = project.put("a").json["id"]
    delete(project, "a")
    post(project, f"{first}/restore")
    delete(project, "a")
    backdate_deletion(own_server, "deployment", second)

    assert purge_database(own_server) == 1

    for _ in range(2):
        assert f"POST /v2/deployments/{first}/restore" in project.get("a").error["message"]
        own_server.stop()
        own_server.start()


def test_a_replayed_response_has_no_purged_content(own_server: Server) -> None:
    project = own_server.new_project()
    project.put("a")
    post(project, "a/versions", content(SECRET), **{"Idempotency-Key": "k1"})
    delete(project, "a/versions/1.1")
    purge_database(own_server, days=0)

    repeated = post(project, "a/versions", content(SECRET), **{"Idempotency-Key": "k1"})

    replayed = repeated.body if "x-moorage-replayed" in repeated.headers else b""
    assert SECRET not in replayed.decode()
