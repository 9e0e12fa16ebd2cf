"""Create, patch, delete and restore deployments: preconditions and idempotency keys."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.raw import RawRequest
from tests.support.server import Project, Response, Server, a_body


def send(project: Project, method: str, path: str, body: object = None, **headers: str) -> Response:
    data = None if body is None else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return project.request(method, f"/v2/deployments{path}", data, names)


def actions(project: Project, key: str = "a") -> list[str]:
    return [entry["action"] for entry in send(project, "GET", f"/{key}/history").json["data"]]


def test_a_post_creates_a_deployment_and_a_second_one_is_rejected(project: Project) -> None:
    body = {"key": "a", **a_body(), "reason": "we need it"}

    created = send(project, "POST", "", body)
    repeated = send(project, "POST", "", body)

    assert created.status == 201
    assert created.json == project.get("a").json
    assert created.headers["etag"] == project.get("a").headers["etag"]
    assert created.headers["x-moorage-revision"] == project.get("a").headers["x-moorage-revision"]
    assert (repeated.status, repeated.error["code"]) == (409, "key_taken")
    assert send(project, "GET", "/a/history").json["data"][0]["reason"] == "we need it"


@pytest.mark.parametrize("key", [None, "", "a b", "snapshot", 7])
def test_a_post_needs_a_valid_key(project: Project, key: object) -> None:
    body = a_body() | ({} if key is None else {"key": key})

    response = send(project, "POST", "", body)

    assert response.status == 400
    assert response.error["code"] in ("invalid_request_body", "invalid_key")
    assert response.error["param"] == "key"


def test_a_patch_changes_the_description_without_a_new_version(project: Project) -> None:
    project.put("a")

    response = send(project, "PATCH", "/a", {"description": "New words", "reason": "clearer"})

    assert response.status == 200
    assert (response.json["description"], response.json["version"]) == ("New words", "1.0")
    assert actions(project) == ["changed", "created"]
    assert send(project, "PATCH", "/a", {"description": "New words"}).headers["x-moorage-result"] == "unchanged"
    assert actions(project) == ["changed", "created"]


def test_a_key_cannot_be_changed(project: Project) -> None:
    project.put("a")

    response = send(project, "PATCH", "/a", {"description": "x", "key": "b"})

    assert response.status == 400
    assert "cannot be changed" in response.error["problems"][0]["message"]


def test_a_deletion_returns_until_when_it_can_be_restored(project: Project) -> None:
    item = project.put("a").json

    deleted = send(project, "DELETE", "/a", X_Moorage_Change_Reason="not used").json
    after = project.get("a")

    assert (deleted["id"], deleted["key"], deleted["deleted"]) == (item["id"], "a", True)
    assert deleted["restorable_until"] > deleted["deleted_at"]
    assert (after.status, after.error["code"]) == (404, "deployment_deleted")
    assert deleted["deleted_at"] in after.error["message"]
    assert project.get(item["id"]).error["code"] == "deployment_deleted"
    assert project.page().json["data"] == []
    for method, path in (("DELETE", "/a"), ("PATCH", "/a"), ("POST", "/a/undo"), ("GET", "/a/versions")):
        body = {"description": ""} if method == "PATCH" else None
        assert send(project, method, path, body).error["code"] == "deployment_deleted"


def test_a_restored_deployment_has_its_position_and_its_versions(project: Project) -> None:
    project.fill(3)
    project.put("d2", a_body(model="b"))
    before = project.page().body
    send(project, "DELETE", "/d2")

    restored = send(project, "POST", "/d2/restore")
    after = project.page()

    assert restored.status == 200
    assert after.keys == ["d3", "d2", "d1"]
    assert json.loads(before)["data"][0] == after.json["data"][0]
    assert [version["version"] for version in send(project, "GET", "/d2/versions").json["data"]] == ["1.1", "1.0"]
    assert actions(project, "d2") == ["restored", "deleted", "published", "created"]


def test_a_cursor_to_a_deleted_deployment_stays_valid(project: Project) -> None:
    items = project.fill(5)
    send(project, "DELETE", "/d3")

    assert project.page(starting_after=items[2]["id"]).keys == ["d2", "d1"]
    assert project.page(ending_before=items[2]["id"]).keys == ["d5", "d4"]


def test_the_key_of_a_deleted_deployment_is_free_and_reusing_it_blocks_the_restore(project: Project) -> None:
    first = project.put("a").json
    send(project, "DELETE", "/a")

    second = project.put("a", a_body(model="b"))
    restore = send(project, "POST", f"/{first['id']}/restore")

    assert second.status == 201
    assert second.json["id"] != first["id"]
    assert (restore.status, restore.error["code"]) == (409, "key_taken")
    assert project.get("a").json["id"] == second.json["id"]
    assert project.get(first["id"]).error["code"] == "deployment_deleted"


def test_an_existing_and_an_unknown_deployment_cannot_be_restored(project: Project) -> None:
    project.put("a")

    assert send(project, "POST", "/a/restore").error["code"] == "not_deleted"
    assert send(project, "POST", "/b/restore").error["code"] == "deployment_not_found"


CHANGES: list[tuple[str, str, object]] = [
    ("PUT", "/a", a_body(model="mine")),
    ("PATCH", "/a", {"description": "mine"}),
    ("POST", "/a/versions", a_body(model="mine") | {"status": "published"}),
    ("POST", "/a/versions/1.0/publish", {}),
    ("POST", "/a/undo", {}),
    ("DELETE", "/a", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_a_write_with_a_stale_etag_changes_nothing(project: Project, method: str, path: str, body: object) -> None:
    project.put("a")
    etag = project.put("a", a_body(model="b")).headers["etag"]
    theirs = project.put("a", a_body(model="theirs"), **{"X-Moorage-Change-Reason": "cheaper"})
    before = project.page().body

    rejected = send(project, method, path, body, If_Match=etag)
    accepted = send(project, method, path, body, If_Match=theirs.headers["etag"])

    assert rejected.status == 412
    assert rejected.error["code"] == "precondition_failed"
    assert rejected.error["current"] == theirs.json
    assert [(entry["action"], entry["reason"]) for entry in rejected.error["history"]] == [("published", "cheaper")]
    assert json.loads(before)["data"][0] == theirs.json
    assert accepted.status in (200, 201)


def test_if_match_needs_an_existing_deployment(project: Project) -> None:
    assert send(project, "PUT", "/a", a_body(), If_Match="*").error["code"] == "deployment_not_found"
    project.put("a")
    assert send(project, "PUT", "/a", a_body(model="b"), If_Match="*").status == 200
    assert send(project, "PUT", "/a", a_body(model="c"), If_Match='"nonsense"').status == 412


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_a_weak_etag_never_matches(project: Project, method: str, path: str, body: object) -> None:
    project.put("a")
    etag = project.put("a", a_body(model="b")).headers["etag"]

    for weak in (f"W/{etag}", f'"other", W/{etag}', f"w/{etag}"):
        rejected = send(project, method, path, body, If_Match=weak)
        assert (rejected.status, rejected.error["code"]) == (412, "precondition_failed")
    assert send(project, method, path, body, If_Match=f"W/{etag}, {etag}").status in (200, 201)


def test_each_line_of_if_match_counts(project: Project) -> None:
    etag = project.put("a").headers["etag"]
    body = json.dumps({"description": "changed"}).encode()

    def patch(*etags: str) -> int:
        request = RawRequest(project.server.port)
        lines = [("If-Match", each) for each in etags]
        request.send_head(
            "PATCH", "/v2/deployments/a", [("Authorization", f"Bearer {project.token}"), *lines], len(body)
        )
        request.send(body)
        return request.response().status

    assert patch('"other"', '"another"') == 412
    assert patch('"other"', etag) == 200


def run_concurrently(count: int, work: Any) -> list[Response]:
    """Run the same work many times concurrently; return the responses."""
    responses: list[Response] = []
    threads = [threading.Thread(target=lambda number=number: responses.append(work(number))) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return responses


def edit(project: Project, round_number: int, etag: str, number: int) -> Response:
    return project.put("a", a_body(model=f"m{round_number}.{number}"), **{"If-Match": etag})


def test_exactly_one_of_many_concurrent_conditional_writes_succeeds(
    folder: Path, new_database: Callable[[Path], str]
) -> None:
    with Server(folder, "--workers", "2", database=new_database(folder)) as server:
        project = server.new_project()
        etag = project.put("a").headers["etag"]

        for round_number in range(5):
            responses = run_concurrently(12, partial(edit, project, round_number, etag))
            assert Counter(response.status for response in responses) == {200: 1, 412: 11}
            etag = next(response.headers["etag"] for response in responses if response.status == 200)

        assert project.get("a").json["version"] == "1.5"


def test_a_retry_with_an_idempotency_key_runs_once(project: Project) -> None:
    body = {"key": "a", **a_body()}

    first = send(project, "POST", "", body, Idempotency_Key="k1")
    repeated = send(project, "POST", "", body, Idempotency_Key="k1")

    assert (repeated.status, repeated.body) == (first.status, first.body) == (201, project.get("a").body)
    assert repeated.headers["x-moorage-replayed"] == "true"
    assert "x-moorage-replayed" not in first.headers
    assert repeated.headers["etag"] == first.headers["etag"]
    assert actions(project) == ["created"]


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"key": "new", **a_body(tools=[TOOL])}),
        ("/a/versions", a_body(model="b", tools=[TOOL])),
        ("/a/versions?take_ownership=true&allow_breaking=true", a_body(tools=[]) | {"status": "published"}),
        ("/a/versions/1.0/publish?take_ownership=true&allow_breaking=true", {"reason": "cheaper"}),
        ("/a/versions/1.1/publish?take_ownership=true", None),
        ("/a/versions/1.2/restore", None),
        ("/a/undo?take_ownership=true", None),
        ("/deleted/restore", {"reason": "still used"}),
    ],
)
def test_a_replay_has_the_status_the_headers_and_the_body_of_the_first_response(
    project: Project, path: str, body: object
) -> None:
    project.put("a", query="?file=a.yaml")
    project.put("a", a_body(model="b", tools=[TOOL]), "?file=a.yaml&allow_breaking=true")
    for request in (("POST", "/a/versions", a_body(model="c")), ("DELETE", "/a/versions/1.2")):
        assert send(project, *request).status in (200, 201)
    project.put("deleted")
    assert send(project, "DELETE", "/deleted").status == 200

    first = send(project, "POST", path, body, Idempotency_Key="k1")
    for request in (
        ("PUT", "/other", a_body()),
        ("PUT", "/a?take_ownership=true&allow_breaking=true", a_body(model="z")),
    ):
        assert send(project, *request).status in (200, 201)
    replayed = send(project, "POST", path, body, Idempotency_Key="k1")

    def comparable(response: Response) -> dict[str, str]:
        changing = {"date", "x-request-id", "x-moorage-revision", "x-moorage-replayed", "connection"}
        return {name.lower(): value for name, value in response.headers.items() if name.lower() not in changing}

    assert first.status in (200, 201), first.body
    assert (replayed.status, replayed.body) == (first.status, first.body)
    assert comparable(replayed) == comparable(first)
    assert replayed.headers["x-moorage-replayed"] == "true"
    assert replayed.headers["x-moorage-revision"] == project.get("a").headers["x-moorage-revision"]


def test_another_request_with_the_same_idempotency_key_is_rejected(project: Project) -> None:
    send(project, "POST", "", {"key": "a", **a_body()}, Idempotency_Key="k1")

    for path, body in (("", {"key": "b", **a_body()}), ("/a/undo", {})):
        response = send(project, "POST", path, body, Idempotency_Key="k1")
        assert (response.status, response.error["code"]) == (409, "idempotency_conflict")
    assert project.page().keys == ["a"]


def test_an_error_is_not_stored_so_a_corrected_request_can_use_the_key(project: Project) -> None:
    rejected = send(project, "POST", "", {"key": "a"}, Idempotency_Key="k1")

    corrected = send(project, "POST", "", {"key": "a", **a_body()}, Idempotency_Key="k1")

    assert (rejected.status, corrected.status) == (400, 201)


def test_an_idempotency_key_belongs_to_a_project(project: Project, server: Server) -> None:
    other = server.new_project()
    body = {"key": "a", **a_body()}

    assert send(project, "POST", "", body, Idempotency_Key="k1").status == 201
    response = send(other, "POST", "", body, Idempotency_Key="k1")

    assert response.status == 201
    assert "x-moorage-replayed" not in response.headers


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_an_invalid_idempotency_key_is_rejected(project: Project, key: str) -> None:
    response = send(project, "POST", "", {"key": "a", **a_body()}, Idempotency_Key=key)

    assert response.error["code"] == "invalid_idempotency_key"
    assert project.page().json["data"] == []


def test_fifty_concurrent_retries_run_once_and_get_the_same_response_across_a_kill(
    folder: Path, new_database: Callable[[Path], str]
) -> None:
    with Server(folder, "--workers", "2", database=new_database(folder)) as server:
        project = server.new_project()
        project.put("a")
        body = {**a_body(model="b"), "status": "published"}

        responses = run_concurrently(50, lambda _: send(project, "POST", "/a/versions", body, Idempotency_Key="once"))
        server.kill()
        server.start()
        after = send(project, "POST", "/a/versions", body, Idempotency_Key="once")

        assert {(response.status, response.body) for response in [*responses, after]} == {(201, responses[0].body)}
        assert sum("x-moorage-replayed" in response.headers for response in responses) == 49
        assert [version["version"] for version in send(project, "GET", "/a/versions").json["data"]] == ["1.1", "1.0"]
