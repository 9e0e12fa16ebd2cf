"""Versions can be deleted, and restored for 30 days; the live version cannot, and numbers are not reused."""

import json
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from moorage.diagnostics.history import verify_history
from moorage.store.opening import open_store
from tests.api.test_versions import content, history, live, post, versions
from tests.support.server import Project, Response, Server


def delete(project: Project, path: str, **headers: str) -> Response:
    return project.request("DELETE", f"/v2/deployments/{path}", headers=headers)


def get(project: Project, path: str) -> Response:
    return project.request("GET", f"/v2/deployments/{path}")


def statuses(project: Project) -> list[tuple[str, str]]:
    """Return number and status of the listed versions of `a`, newest first."""
    return [(version["version"], version["status"]) for version in versions(project)]


@pytest.fixture
def three(project: Project) -> Project:
    """Return a project whose deployment `a` has versions 1.0 (published), 1.1 (live) and 1.2 (draft)."""
    project.put("a", content("one"))
    project.put("a", content("two"))
    post(project, "a/versions", content("three", notes="better", description="Try this"))
    assert statuses(project) == [("1.2", "draft"), ("1.1", "live"), ("1.0", "published")]
    return project


def test_a_deletion_returns_until_when_it_can_be_restored(three: Project) -> None:
    version = versions(three)[0]

    response = delete(three, "a/versions/1.2")
    deleted = response.json

    assert response.status == 200
    assert (deleted["id"], deleted["version"], deleted["deleted"]) == (version["_id"], "1.2", True)
    assert deleted["deployment_id"] == three.get("a").json["id"]
    restorable_for = datetime.fromisoformat(deleted["restorable_until"]) - datetime.fromisoformat(deleted["deleted_at"])
    assert restorable_for == timedelta(days=30)
    assert statuses(three) == [("1.1", "live"), ("1.0", "published")]


@pytest.mark.parametrize("by", ["version", "_id"])
@pytest.mark.parametrize("number", ["1.0", "1.2"])
def test_a_restored_version_is_unchanged(three: Project, number: str, by: str) -> None:
    before = versions(three)
    (version,) = [item for item in before if item["version"] == number]

    deleted = delete(three, f"a/versions/{version[by]}")
    remaining = statuses(three)
    restored = post(three, f"a/versions/{version[by]}/restore")

    assert deleted.status == 200
    assert number not in dict(remaining)
    assert (restored.status, restored.json) == (200, version)
    assert get(three, f"a/versions/{number}").json == version
    assert versions(three) == before


def test_a_restored_draft_is_a_draft_until_it_is_published(three: Project) -> None:
    delete(three, "a/versions/1.2")
    restored = post(three, "a/versions/1.2/restore").json["status"]
    published = post(three, "a/versions/1.2/publish").json["status"]

    assert (restored, published) == ("draft", "live")
    assert statuses(three) == [("1.2", "live"), ("1.1", "published"), ("1.0", "published")]


def test_a_restored_draft_that_was_live_before_is_published(three: Project) -> None:
    post(three, "a/versions/1.2/publish")
    post(three, "a/undo")
    delete(three, "a/versions/1.2")

    assert post(three, "a/versions/1.2/restore").json["status"] == "published"


@pytest.mark.parametrize("name", ["1.1", "live", "_id"])
def test_the_live_version_is_not_deleted(three: Project, name: str) -> None:
    before = three.get("a")

    rejected = delete(three, f"a/versions/{versions(three)[1]['_id'] if name == '_id' else name}")

    assert (rejected.status, rejected.error["code"], rejected.error["param"]) == (409, "version_is_live", "version")
    assert "Publish another version first" in rejected.error["message"]
    assert three.get("a").headers["etag"] == before.headers["etag"]
    assert live(three) == "1.1 two"
    assert len(history(three)) == 2


def test_a_version_can_be_deleted_when_another_one_is_live(three: Project) -> None:
    post(three, "a/versions/1.0/publish")

    assert delete(three, "a/versions/1.1").status == 200
    assert live(three) == "1.0 one"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "a/versions/1.2"),
        ("DELETE", "a/versions/1.2"),
        ("POST", "a/versions/1.2/publish"),
        ("GET", "a/diff?to=1.2"),
        ("GET", "a/diff?from=1.2&to=live"),
    ],
)
@pytest.mark.parametrize("by", ["version", "_id"])
def test_a_deleted_version_is_404_with_the_time_and_how_to_restore_it(
    three: Project, method: str, path: str, by: str
) -> None:
    version_id = versions(three)[0]["_id"]
    deleted = delete(three, "a/versions/1.2").json
    before = three.get("a").headers["etag"]

    missing = three.request(method, f"/v2/deployments/{path.replace('1.2', version_id if by == '_id' else '1.2')}")

    assert (missing.status, missing.error["code"], missing.error["param"]) == (404, "version_deleted", "version")
    assert missing.error["message"] == (
        f"Version 1.2 of deployment 'a' was deleted at {deleted['deleted_at']}. It can be restored until "
        f"{deleted['restorable_until']}: POST /v2/deployments/a/versions/1.2/restore"
    )
    assert three.get("a").headers["etag"] == before
    restore_path = missing.error["message"].rpartition("POST ")[2]
    assert three.request("POST", restore_path).status == 200


def test_an_undo_to_a_deleted_version_is_rejected_until_it_is_restored(three: Project) -> None:
    delete(three, "a/versions/1.0")

    rejected = post(three, "a/undo")
    unchanged = live(three)
    post(three, "a/versions/1.0/restore")
    undone = post(three, "a/undo")

    assert (rejected.status, rejected.error["code"]) == (404, "version_deleted")
    assert "POST /v2/deployments/a/versions/1.0/restore" in rejected.error["message"]
    assert (unchanged, undone.status, live(three)) == ("1.1 two", 200, "1.0 one")


def test_an_undo_reverts_a_publish_and_no_deletion(three: Project) -> None:
    delete(three, "a/versions/1.2")
    post(three, "a/versions/1.2/restore")
    delete(three, "a/versions/1.2")

    assert post(three, "a/undo").json["version"] == "1.0"
    assert dict(statuses(three)) == {"1.1": "published", "1.0": "live"}


@pytest.mark.parametrize(("bump", "number"), [("minor", "1.3"), ("major", "2.0")])
def test_the_number_of_a_deleted_version_is_not_reused(three: Project, bump: str, number: str) -> None:
    delete(three, "a/versions/1.2")

    saved = post(three, "a/versions", content("three", version_bump=bump))

    assert saved.json["version"] == number
    assert post(three, "a/versions/1.2/restore").json["version"] == "1.2"
    assert [version["version"] for version in versions(three)] == [number, "1.2", "1.1", "1.0"]


def test_the_content_of_a_deleted_version_makes_a_new_version(three: Project) -> None:
    delete(three, "a/versions/1.0")

    response = three.put("a", content("one"))

    assert (response.headers["x-moorage-result"], response.json["version"]) == ("updated", "1.3")


def test_a_deleted_version_changes_the_etag_of_its_deployment_and_not_its_item(three: Project) -> None:
    before = three.get("a")

    deleted = delete(three, "a/versions/1.2")
    after = three.get("a")
    back = post(three, "a/versions/1.2/restore")
    restored = three.get("a")

    assert before.body == after.body == restored.body
    assert len({response.headers["etag"] for response in (before, after, restored)}) == 3
    assert (deleted.headers["etag"], back.headers["etag"]) == (after.headers["etag"], restored.headers["etag"])
    assert deleted.headers["x-moorage-revision"] == after.headers["x-moorage-revision"]


@pytest.mark.parametrize(("method", "path"), [("DELETE", "a/versions/1.0"), ("POST", "a/versions/1.2/restore")])
def test_a_deletion_or_restore_with_a_stale_etag_is_rejected(three: Project, method: str, path: str) -> None:
    older = three.get("a").headers["etag"]
    delete(three, "a/versions/1.2", **{"X-Moorage-Change-Reason": "too long"})
    current, before = three.get("a"), statuses(three)

    rejected = three.request(method, f"/v2/deployments/{path}", headers={"If-Match": older})
    remaining = statuses(three)
    accepted = three.request(method, f"/v2/deployments/{path}", headers={"If-Match": current.headers["etag"]})

    assert (rejected.status, rejected.error["code"]) == (412, "precondition_failed")
    assert rejected.error["current"] == current.json
    (entry,) = rejected.error["history"]
    assert (entry["action"], entry["from_version"], entry["reason"]) == ("deleted", "1.2", "too long")
    assert remaining == before
    assert accepted.status == 200


def test_the_history_has_the_version_and_the_reason_of_a_deletion(three: Project, server: Server) -> None:
    delete(three, "a/versions/1.2", **{"X-Moorage-Change-Reason": "too long"})
    post(three, "a/versions/1.2/restore", **{"X-Moorage-Change-Reason": "not that long"})
    delete(three, "a/versions/1.0")

    entries = get(three, "a/history?limit=3").json["data"]

    assert history(three)[:3] == ["deleted 1.0 1.0", "restored 1.2 1.2", "deleted 1.2 1.2"]
    assert [entry["reason"] for entry in entries] == ["", "not that long", "too long"]
    assert {entry["api_key"]["name"] for entry in entries} == {"test"}
    with closing(open_store(server.database)) as store:
        assert verify_history(store) == []


def test_a_cursor_to_a_deleted_version_stays_valid(project: Project) -> None:
    for number in range(6):
        project.put("a", content(str(number)))
    ids = [version["_id"] for version in versions(project)]
    delete(project, "a/versions/1.3")
    delete(project, "a/versions/1.1")

    def page(query: str) -> tuple[list[str], bool]:
        found: dict[str, Any] = get(project, f"a/versions?{query}").json
        return [version["version"] for version in found["data"]], found["has_more"]

    assert page("") == (["1.5", "1.4", "1.2", "1.0"], False)
    assert page("limit=2") == (["1.5", "1.4"], True)
    assert page(f"limit=1&starting_after={ids[2]}") == (["1.2"], True)
    assert page(f"limit=2&starting_after={ids[2]}") == (["1.2", "1.0"], False)
    assert page(f"limit=1&ending_before={ids[2]}") == (["1.4"], True)
    assert page(f"limit=2&ending_before={ids[2]}") == (["1.5", "1.4"], False)
    assert page(f"limit=2&ending_before={ids[5]}") == (["1.4", "1.2"], True)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "a/versions/1.0/restore", 409, "not_deleted"),
        ("POST", "a/versions/live/restore", 409, "not_deleted"),
        ("POST", "a/versions/7.7/restore", 404, "version_not_found"),
        ("DELETE", "a/versions/7.7", 404, "version_not_found"),
        ("DELETE", "a/versions/nothing", 404, "version_not_found"),
        ("DELETE", "b/versions/1.0", 404, "deployment_not_found"),
        ("POST", "b/versions/1.0/restore", 404, "deployment_not_found"),
    ],
)
def test_an_impossible_request_is_rejected_and_changes_nothing(
    three: Project, method: str, path: str, status: int, code: str
) -> None:
    before = three.get("a").headers["etag"]

    rejected = three.request(method, f"/v2/deployments/{path}")

    assert (rejected.status, rejected.error["code"]) == (status, code)
    assert three.get("a").headers["etag"] == before


def test_versions_of_another_project_are_not_deleted(three: Project, server: Server) -> None:
    other = server.new_project()
    other.put("a")
    version_id = versions(three)[0]["_id"]

    assert delete(other, f"a/versions/{version_id}").error["code"] == "version_not_found"
    assert delete(other, f"{three.get('a').json['id']}/versions/1.2").error["code"] == "deployment_not_found"
    delete(three, "a/versions/1.2")
    assert post(other, f"a/versions/{version_id}/restore").error["code"] == "version_not_found"
    assert ("1.2", "draft") not in statuses(three)


def test_restoring_a_deployment_does_not_restore_its_deleted_versions(three: Project) -> None:
    delete(three, "a/versions/1.2")
    delete(three, "a")

    missing = post(three, "a/versions/1.2/restore")
    post(three, "a/restore")

    assert missing.error["code"] == "deployment_deleted"
    assert statuses(three) == [("1.1", "live"), ("1.0", "published")]
    assert post(three, "a/versions/1.2/restore").status == 200


def test_a_retried_restore_with_an_idempotency_key_runs_once(three: Project) -> None:
    delete(three, "a/versions/1.2")

    first = post(three, "a/versions/1.2/restore", **{"Idempotency-Key": "k1"})
    repeated = post(three, "a/versions/1.2/restore", **{"Idempotency-Key": "k1"})

    assert (repeated.status, repeated.body, repeated.headers["x-moorage-replayed"]) == (200, first.body, "true")
    assert history(three)[0:2] == ["restored 1.2 1.2", "deleted 1.2 1.2"]


@pytest.mark.parametrize("path", ["a/versions/1.2/restore", "a/versions/1.2"])
def test_an_unknown_parameter_is_rejected(three: Project, path: str) -> None:
    method = "POST" if path.endswith("restore") else "DELETE"

    rejected = three.request(method, f"/v2/deployments/{path}?forced=true", json.dumps({}).encode())

    assert (rejected.status, rejected.error["code"]) == (400, "unknown_parameter")
