"""A put of content that was live before makes that version live again."""

import json
from typing import Any

from tests.support.server import Project, a_body


def numbers(project: Project, key: str) -> list[str]:
    return [each["version"] for each in project.request("GET", f"/v2/deployments/{key}/versions").json["data"]]


def post(project: Project, path: str) -> Any:
    return project.request("POST", f"/v2/deployments/{path}", b"{}").json


def test_after_an_undo_the_same_content_publishes_its_version(project: Project) -> None:
    project.put("a", a_body(model="one"))
    project.put("a", a_body(model="two"))
    post(project, "a/undo")

    again = project.put("a", a_body(model="two"))

    assert (again.json["version"], again.json["prompt_config"]["model"]) == ("1.1", "two")
    assert again.headers["x-moorage-result"] == "updated"
    assert again.headers["x-moorage-previous-version"] == "1.0"
    assert numbers(project, "a") == ["1.1", "1.0"]
    history = project.request("GET", "/v2/deployments/a/history").json["data"]
    assert [(each["action"], each["from_version"], each["to_version"]) for each in history[:2]] == [
        ("published", "1.0", "1.1"), ("undone", "1.1", "1.0")
    ]  # fmt: skip


def test_an_undo_after_that_returns_to_the_version_before(project: Project) -> None:
    project.put("a", a_body(model="one"))
    project.put("a", a_body(model="two"))
    post(project, "a/undo")
    project.put("a", a_body(model="two"))

    assert post(project, "a/undo")["version"] == "1.0"


def test_after_a_roll_back_too(project: Project) -> None:
    for model in ("one", "two", "three"):
        project.put("a", a_body(model=model))
    post(project, "a/versions/1.0/publish")

    assert project.put("a", a_body(model="three")).json["version"] == "1.2"
    assert project.put("a", a_body(model="two")).json["version"] == "1.3", "it was not the one before"


def test_notes_or_a_major_number_make_a_new_version(project: Project) -> None:
    for fields, expected in (({"notes": "again"}, "1.2"), ({"version_bump": "major"}, "2.0")):
        key = f"d{expected[0]}"
        project.put(key, a_body(model="one"))
        project.put(key, a_body(model="two"))
        post(project, f"{key}/undo")

        assert project.put(key, {**a_body(model="two"), **fields}).json["version"] == expected


def test_a_version_that_was_deleted_since_is_not_published(project: Project) -> None:
    project.put("a", a_body(model="one"))
    project.put("a", a_body(model="two"))
    post(project, "a/undo")
    project.request("DELETE", "/v2/deployments/a/versions/1.1")

    assert project.put("a", a_body(model="two")).json["version"] == "1.2"


def test_the_content_of_the_newest_draft_publishes_the_draft(project: Project) -> None:
    project.put("a", a_body(model="one"))
    draft = {**a_body(model="two"), "status": "draft", "notes": "reviewed"}
    project.request("POST", "/v2/deployments/a/versions", json.dumps(draft).encode())

    published = project.put("a", a_body(model="two"))

    assert published.json["version"] == "1.1"
    newest = project.request("GET", "/v2/deployments/a/versions/1.1").json
    assert (newest["status"], newest["notes"]) == ("live", "reviewed")
