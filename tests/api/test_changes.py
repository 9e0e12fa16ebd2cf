"""Create, describe, delete and restore over HTTP; nobody is overwritten, and nothing is done twice."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Answer, Project, Server, a_body


def send(project: Project, method: str, path: str, body: object = None, **headers: str) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return project.request(method, f"/v2/deployments{path}", data, names)


def actions(project: Project, key: str = "a") -> list[str]:
    return [entry["action"] for entry in send(project, "GET", f"/{key}/history").json["data"]]


def test_a_post_creates_and_a_second_one_is_told_the_key_is_taken(project: Project) -> None:
    body = {"key": "a", **a_body(), "reason": "we need it"}

    created = send(project, "POST", "", body)
    again = send(project, "POST", "", body)

    assert created.status == 201
    assert created.json == project.get("a").json
    assert created.headers["etag"] == project.get("a").headers["etag"]
    assert created.headers["x-moorage-revision"] == project.get("a").headers["x-moorage-revision"]
    assert (again.status, again.error["code"]) == (409, "key_taken")
    assert send(project, "GET", "/a/history").json["data"][0]["reason"] == "we need it"


@pytest.mark.parametrize("key", [None, "", "a b", "snapshot", 7])
def test_a_post_needs_a_key_that_a_deployment_may_have(project: Project, key: object) -> None:
    body = a_body() | ({} if key is None else {"key": key})

    answer = send(project, "POST", "", body)

    assert answer.status == 400
    assert answer.error["code"] in ("invalid_request_body", "invalid_key")
    assert answer.error["param"] == "key"


def test_patch_changes_the_description_and_no_version(project: Project) -> None:
    project.put("a")

    answer = send(project, "PATCH", "/a", {"description": "New words", "reason": "clearer"})

    assert answer.status == 200
    assert (answer.json["description"], answer.json["version"]) == ("New words", "1.0")
    assert actions(project) == ["changed", "created"]
    assert send(project, "PATCH", "/a", {"description": "New words"}).headers["x-moorage-result"] == "unchanged"
    assert actions(project) == ["changed", "created"]


def test_a_key_is_permanent_and_says_so(project: Project) -> None:
    project.put("a")

    answer = send(project, "PATCH", "/a", {"description": "x", "key": "b"})

    assert answer.status == 400
    assert "cannot be changed" in answer.error["problems"][0]["message"]


def test_a_deletion_tells_until_when_it_can_be_taken_back(project: Project) -> None:
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


def test_a_restored_deployment_has_its_place_and_its_versions_again(project: Project) -> None:
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


def test_a_cursor_to_a_deleted_deployment_still_pages(project: Project) -> None:
    items = project.fill(5)
    send(project, "DELETE", "/d3")

    assert project.page(starting_after=items[2]["id"]).keys == ["d2", "d1"]
    assert project.page(ending_before=items[2]["id"]).keys == ["d5", "d4"]


def test_the_key_of_a_deleted_deployment_is_free_and_then_it_cannot_come_back(project: Project) -> None:
    first = project.put("a").json
    send(project, "DELETE", "/a")

    second = project.put("a", a_body(model="b"))
    restore = send(project, "POST", f"/{first['id']}/restore")

    assert second.status == 201
    assert second.json["id"] != first["id"]
    assert (restore.status, restore.error["code"]) == (409, "key_taken")
    assert project.get("a").json["id"] == second.json["id"]
    assert project.get(first["id"]).error["code"] == "deployment_deleted"


def test_what_is_there_or_never_was_cannot_be_restored(project: Project) -> None:
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
def test_who_read_an_older_state_overwrites_nothing(project: Project, method: str, path: str, body: object) -> None:
    project.put("a")
    etag = project.put("a", a_body(model="b")).headers["etag"]
    theirs = project.put("a", a_body(model="theirs"), **{"X-Moorage-Change-Reason": "cheaper"})
    before = project.page().body

    refused = send(project, method, path, body, If_Match=etag)
    accepted = send(project, method, path, body, If_Match=theirs.headers["etag"])

    assert refused.status == 412
    assert refused.error["code"] == "precondition_failed"
    assert refused.error["current"] == theirs.json
    assert [(entry["action"], entry["reason"]) for entry in refused.error["history"]] == [("published", "cheaper")]
    assert json.loads(before)["data"][0] == theirs.json
    assert accepted.status in (200, 201)


def test_if_match_needs_something_to_match(project: Project) -> None:
    assert send(project, "PUT", "/a", a_body(), If_Match="*").error["code"] == "deployment_not_found"
    project.put("a")
    assert send(project, "PUT", "/a", a_body(model="b"), If_Match="*").status == 200
    assert send(project, "PUT", "/a", a_body(model="c"), If_Match='"nonsense"').status == 412


def together(count: int, work: Any) -> list[Answer]:
    """Do one thing many times at once."""
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda number=number: answers.append(work(number))) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def edit(project: Project, turn: int, etag: str, number: int) -> Answer:
    return project.put("a", a_body(model=f"m{turn}.{number}"), **{"If-Match": etag})


def test_of_many_editors_of_one_state_exactly_one_wins(folder: Path, new_database: Callable[[Path], str]) -> None:
    with Server(folder, "--workers", "2", database=new_database(folder)) as server:
        project = server.new_project()
        etag = project.put("a").headers["etag"]

        for turn in range(5):
            answers = together(12, partial(edit, project, turn, etag))
            assert Counter(answer.status for answer in answers) == {200: 1, 412: 11}
            etag = next(answer.headers["etag"] for answer in answers if answer.status == 200)

        assert project.get("a").json["version"] == "1.5"


def test_a_request_sent_again_with_its_key_is_done_once(project: Project) -> None:
    body = {"key": "a", **a_body()}

    first = send(project, "POST", "", body, Idempotency_Key="k1")
    again = send(project, "POST", "", body, Idempotency_Key="k1")

    assert (again.status, again.body) == (first.status, first.body) == (201, project.get("a").body)
    assert again.headers["x-moorage-replayed"] == "true"
    assert "x-moorage-replayed" not in first.headers
    assert again.headers["etag"] == first.headers["etag"]
    assert actions(project) == ["created"]


def test_another_request_under_the_same_key_is_refused(project: Project) -> None:
    send(project, "POST", "", {"key": "a", **a_body()}, Idempotency_Key="k1")

    for path, body in (("", {"key": "b", **a_body()}), ("/a/undo", {})):
        answer = send(project, "POST", path, body, Idempotency_Key="k1")
        assert (answer.status, answer.error["code"]) == (409, "idempotency_conflict")
    assert project.page().keys == ["a"]


def test_an_error_is_not_kept_so_the_request_can_be_mended(project: Project) -> None:
    refused = send(project, "POST", "", {"key": "a"}, Idempotency_Key="k1")

    mended = send(project, "POST", "", {"key": "a", **a_body()}, Idempotency_Key="k1")

    assert (refused.status, mended.status) == (400, 201)


def test_keys_of_two_projects_are_two_keys(project: Project, server: Server) -> None:
    other = server.new_project()
    body = {"key": "a", **a_body()}

    assert send(project, "POST", "", body, Idempotency_Key="k1").status == 201
    answer = send(other, "POST", "", body, Idempotency_Key="k1")

    assert answer.status == 201
    assert "x-moorage-replayed" not in answer.headers


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_an_idempotency_key_that_is_none_is_refused(project: Project, key: str) -> None:
    answer = send(project, "POST", "", {"key": "a", **a_body()}, Idempotency_Key=key)

    assert answer.error["code"] == "invalid_idempotency_key"
    assert project.page().json["data"] == []


def test_fifty_tries_at_once_have_one_effect_and_one_answer_across_a_kill(
    folder: Path, new_database: Callable[[Path], str]
) -> None:
    with Server(folder, "--workers", "2", database=new_database(folder)) as server:
        project = server.new_project()
        project.put("a")
        body = {**a_body(model="b"), "status": "published"}

        answers = together(50, lambda _: send(project, "POST", "/a/versions", body, Idempotency_Key="once"))
        server.kill()
        server.start()
        after = send(project, "POST", "/a/versions", body, Idempotency_Key="once")

        assert {(answer.status, answer.body) for answer in [*answers, after]} == {(201, answers[0].body)}
        assert sum("x-moorage-replayed" in answer.headers for answer in answers) == 49
        assert [version["version"] for version in send(project, "GET", "/a/versions").json["data"]] == ["1.1", "1.0"]
