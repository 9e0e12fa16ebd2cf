"""Single versions are deleted, for 30 days not for good; what is live never is, and no number is given twice."""

import json
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from moorage.diagnostics.history import verify_history
from moorage.store.opening import open_store
from tests.api.test_versions import content, history, live, post, versions
from tests.support.server import Answer, Project, Server


def delete(project: Project, path: str, **headers: str) -> Answer:
    return project.request("DELETE", f"/v2/deployments/{path}", headers=headers)


def get(project: Project, path: str) -> Answer:
    return project.request("GET", f"/v2/deployments/{path}")


def statuses(project: Project) -> list[tuple[str, str]]:
    """The versions of `a` that are listed, newest first."""
    return [(each["version"], each["status"]) for each in versions(project)]


@pytest.fixture
def three(project: Project) -> Project:
    """A project whose deployment `a` has the versions 1.0, which was live, 1.1, which is, and the draft 1.2."""
    project.put("a", content("one"))
    project.put("a", content("two"))
    post(project, "a/versions", content("three", notes="better", description="Try this"))
    assert statuses(project) == [("1.2", "draft"), ("1.1", "live"), ("1.0", "published")]
    return project


def test_a_deletion_tells_until_when_it_can_be_taken_back(three: Project) -> None:
    version = versions(three)[0]

    answer = delete(three, "a/versions/1.2")
    deleted = answer.json

    assert answer.status == 200
    assert (deleted["id"], deleted["version"], deleted["deleted"]) == (version["_id"], "1.2", True)
    assert deleted["deployment_id"] == three.get("a").json["id"]
    open_for = datetime.fromisoformat(deleted["restorable_until"]) - datetime.fromisoformat(deleted["deleted_at"])
    assert open_for == timedelta(days=30)
    assert statuses(three) == [("1.1", "live"), ("1.0", "published")]


@pytest.mark.parametrize("by", ["version", "_id"])
@pytest.mark.parametrize("number", ["1.0", "1.2"])
def test_a_restored_version_is_what_it_was(three: Project, number: str, by: str) -> None:
    before = versions(three)
    (version,) = [each for each in before if each["version"] == number]

    deleted = delete(three, f"a/versions/{version[by]}")
    left = statuses(three)
    restored = post(three, f"a/versions/{version[by]}/restore")

    assert deleted.status == 200
    assert number not in dict(left)
    assert (restored.status, restored.json) == (200, version)
    assert get(three, f"a/versions/{number}").json == version
    assert versions(three) == before


def test_a_draft_that_was_deleted_and_restored_is_a_draft_until_it_is_published(three: Project) -> None:
    delete(three, "a/versions/1.2")
    restored = post(three, "a/versions/1.2/restore").json["status"]
    published = post(three, "a/versions/1.2/publish").json["status"]

    assert (restored, published) == ("draft", "live")
    assert statuses(three) == [("1.2", "live"), ("1.1", "published"), ("1.0", "published")]


def test_a_draft_that_was_live_once_is_published_after_a_deletion(three: Project) -> None:
    post(three, "a/versions/1.2/publish")
    post(three, "a/undo")
    delete(three, "a/versions/1.2")

    assert post(three, "a/versions/1.2/restore").json["status"] == "published"


@pytest.mark.parametrize("name", ["1.1", "live", "_id"])
def test_the_live_version_is_not_deleted(three: Project, name: str) -> None:
    before = three.get("a")

    refused = delete(three, f"a/versions/{versions(three)[1]['_id'] if name == '_id' else name}")

    assert (refused.status, refused.error["code"], refused.error["param"]) == (409, "version_is_live", "version")
    assert "Publish another version first" in refused.error["message"]
    assert three.get("a").headers["etag"] == before.headers["etag"]
    assert live(three) == "1.1 two"
    assert len(history(three)) == 2


def test_what_was_live_can_be_deleted_when_another_is(three: Project) -> None:
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
def test_a_deleted_version_is_not_there_and_says_when_it_went_and_how_it_comes_back(
    three: Project, method: str, path: str, by: str
) -> None:
    version_id = versions(three)[0]["_id"]
    deleted = delete(three, "a/versions/1.2").json
    before = three.get("a").headers["etag"]

    gone = three.request(method, f"/v2/deployments/{path.replace('1.2', version_id if by == '_id' else '1.2')}")

    assert (gone.status, gone.error["code"], gone.error["param"]) == (404, "version_deleted", "version")
    assert gone.error["message"] == (
        f"Version 1.2 of deployment 'a' was deleted at {deleted['deleted_at']}. It can be restored until "
        f"{deleted['restorable_until']}: POST /v2/deployments/a/versions/1.2/restore"
    )
    assert three.get("a").headers["etag"] == before
    way_back = gone.error["message"].rpartition("POST ")[2]
    assert three.request("POST", way_back).status == 200


def test_an_undo_to_a_deleted_version_is_refused_until_it_is_restored(three: Project) -> None:
    delete(three, "a/versions/1.0")

    refused = post(three, "a/undo")
    still = live(three)
    post(three, "a/versions/1.0/restore")
    undone = post(three, "a/undo")

    assert (refused.status, refused.error["code"]) == (404, "version_deleted")
    assert "POST /v2/deployments/a/versions/1.0/restore" in refused.error["message"]
    assert (still, undone.status, live(three)) == ("1.1 two", 200, "1.0 one")


def test_an_undo_takes_back_a_move_of_the_live_version_and_no_deletion(three: Project) -> None:
    delete(three, "a/versions/1.2")
    post(three, "a/versions/1.2/restore")
    delete(three, "a/versions/1.2")

    assert post(three, "a/undo").json["version"] == "1.0"
    assert dict(statuses(three)) == {"1.1": "published", "1.0": "live"}


@pytest.mark.parametrize(("bump", "number"), [("minor", "1.3"), ("major", "2.0")])
def test_the_number_of_a_deleted_version_is_not_given_again(three: Project, bump: str, number: str) -> None:
    delete(three, "a/versions/1.2")

    saved = post(three, "a/versions", content("three", version_bump=bump))

    assert saved.json["version"] == number
    assert post(three, "a/versions/1.2/restore").json["version"] == "1.2"
    assert [each["version"] for each in versions(three)] == [number, "1.2", "1.1", "1.0"]


def test_the_same_content_as_a_deleted_version_has_is_a_new_version(three: Project) -> None:
    delete(three, "a/versions/1.0")

    answer = three.put("a", content("one"))

    assert (answer.headers["x-moorage-result"], answer.json["version"]) == ("updated", "1.3")


def test_the_item_of_the_list_is_the_same_and_the_etag_another(three: Project) -> None:
    before = three.get("a")

    deleted = delete(three, "a/versions/1.2")
    after = three.get("a")
    back = post(three, "a/versions/1.2/restore")
    restored = three.get("a")

    assert before.body == after.body == restored.body
    assert len({answer.headers["etag"] for answer in (before, after, restored)}) == 3
    assert (deleted.headers["etag"], back.headers["etag"]) == (after.headers["etag"], restored.headers["etag"])
    assert deleted.headers["x-moorage-revision"] == after.headers["x-moorage-revision"]


@pytest.mark.parametrize(("method", "path"), [("DELETE", "a/versions/1.0"), ("POST", "a/versions/1.2/restore")])
def test_who_read_an_older_state_deletes_and_restores_nothing(three: Project, method: str, path: str) -> None:
    older = three.get("a").headers["etag"]
    delete(three, "a/versions/1.2", **{"X-Moorage-Change-Reason": "too long"})
    now, before = three.get("a"), statuses(three)

    refused = three.request(method, f"/v2/deployments/{path}", headers={"If-Match": older})
    left = statuses(three)
    done = three.request(method, f"/v2/deployments/{path}", headers={"If-Match": now.headers["etag"]})

    assert (refused.status, refused.error["code"]) == (412, "precondition_failed")
    assert refused.error["current"] == now.json
    (since,) = refused.error["history"]
    assert (since["action"], since["from_version"], since["reason"]) == ("deleted", "1.2", "too long")
    assert left == before
    assert done.status == 200


def test_the_history_names_the_version_on_both_sides_and_says_why(three: Project, server: Server) -> None:
    delete(three, "a/versions/1.2", **{"X-Moorage-Change-Reason": "too long"})
    post(three, "a/versions/1.2/restore", **{"X-Moorage-Change-Reason": "not that long"})
    delete(three, "a/versions/1.0")

    entries = get(three, "a/history?limit=3").json["data"]

    assert history(three)[:3] == ["deleted 1.0 1.0", "restored 1.2 1.2", "deleted 1.2 1.2"]
    assert [each["reason"] for each in entries] == ["", "not that long", "too long"]
    assert {each["api_key"]["name"] for each in entries} == {"test"}
    with closing(open_store(server.database)) as store:
        assert verify_history(store) == []


def test_a_cursor_to_a_deleted_version_still_pages(project: Project) -> None:
    for number in range(6):
        project.put("a", content(str(number)))
    ids = [each["_id"] for each in versions(project)]
    delete(project, "a/versions/1.3")
    delete(project, "a/versions/1.1")

    def page(query: str) -> tuple[list[str], bool]:
        found: dict[str, Any] = get(project, f"a/versions?{query}").json
        return [each["version"] for each in found["data"]], found["has_more"]

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
def test_what_cannot_be_done_is_told_and_changes_nothing(
    three: Project, method: str, path: str, status: int, code: str
) -> None:
    before = three.get("a").headers["etag"]

    refused = three.request(method, f"/v2/deployments/{path}")

    assert (refused.status, refused.error["code"]) == (status, code)
    assert three.get("a").headers["etag"] == before


def test_another_projects_versions_are_not_deleted(three: Project, server: Server) -> None:
    other = server.new_project()
    other.put("a")
    version_id = versions(three)[0]["_id"]

    assert delete(other, f"a/versions/{version_id}").error["code"] == "version_not_found"
    assert delete(other, f"{three.get('a').json['id']}/versions/1.2").error["code"] == "deployment_not_found"
    delete(three, "a/versions/1.2")
    assert post(other, f"a/versions/{version_id}/restore").error["code"] == "version_not_found"
    assert ("1.2", "draft") not in statuses(three)


def test_a_deployment_that_comes_back_does_not_bring_back_what_was_deleted_of_it(three: Project) -> None:
    delete(three, "a/versions/1.2")
    delete(three, "a")

    gone = post(three, "a/versions/1.2/restore")
    post(three, "a/restore")

    assert gone.error["code"] == "deployment_deleted"
    assert statuses(three) == [("1.1", "live"), ("1.0", "published")]
    assert post(three, "a/versions/1.2/restore").status == 200


def test_a_restore_that_is_sent_again_with_its_key_is_done_once(three: Project) -> None:
    delete(three, "a/versions/1.2")

    first = post(three, "a/versions/1.2/restore", **{"Idempotency-Key": "k1"})
    again = post(three, "a/versions/1.2/restore", **{"Idempotency-Key": "k1"})

    assert (again.status, again.body, again.headers["x-moorage-replayed"]) == (200, first.body, "true")
    assert history(three)[0:2] == ["restored 1.2 1.2", "deleted 1.2 1.2"]


@pytest.mark.parametrize("path", ["a/versions/1.2/restore", "a/versions/1.2"])
def test_no_parameter_is_ignored(three: Project, path: str) -> None:
    method = "POST" if path.endswith("restore") else "DELETE"

    refused = three.request(method, f"/v2/deployments/{path}?forced=true", json.dumps({}).encode())

    assert (refused.status, refused.error["code"]) == (400, "unknown_parameter")
