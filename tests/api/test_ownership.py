"""Ownership: files or the API manage a deployment, and the other side must take it over to change it."""

import json
from typing import Any
from urllib.parse import quote, unquote, urlencode

import pytest

from tests.api.test_versions import content
from tests.support.server import Project, Response

FILE = "prompts/a.yaml"

#: All changes over the API to a deployment `a` with version 1.0 and the live version 1.1.
CHANGES: list[tuple[str, str, object]] = [
    ("PUT", "/a", content("mine")),
    ("PUT", "/a", content("two", description="mine")),
    ("PATCH", "/a", {"description": "mine"}),
    ("DELETE", "/a", None),
    ("POST", "/a/versions/1.0/publish", {}),
    ("POST", "/a/undo", {}),
    ("POST", "/a/versions", content("mine", status="published")),
]

change = pytest.mark.parametrize(
    ("method", "path", "body"),
    CHANGES,
    ids=["put", "put a description", "patch", "delete", "publish", "undo", "save as published"],
)


def send(
    project: Project, method: str, path: str, body: object = None, /, headers: Any = None, **query: str
) -> Response:
    data = None if body is None else json.dumps(body).encode()
    url = f"/v2/deployments{path}" + (f"?{urlencode(query)}" if query else "")
    return project.request(method, url, data, headers)


def apply(project: Project, text: str, file: str = FILE, /, **query: str) -> Response:
    """Put `a` as from a file."""
    return send(project, "PUT", "/a", content(text), file=file, **query)


def owner(project: Project, key: str = "a") -> tuple[str, str | None]:
    """Return the owner of a deployment, and its last file."""
    page = project.request("GET", "/v2/manifests?limit=50").json["data"]
    (found,) = [(item["owner"], item["file"]) for item in page if item["key"] == key]
    return found


def entries(project: Project) -> list[tuple[str, str]]:
    """Return actions and reasons of the history of `a`, newest first."""
    page = send(project, "GET", "/a/history", limit="50").json
    return [(entry["action"], entry["reason"]) for entry in page["data"]]


def state(project: Project) -> tuple[str, str, Any, Any]:
    """Return the state of `a`, and the revision."""
    item, versions = project.get("a"), send(project, "GET", "/a/versions")
    return item.headers["etag"], item.headers["x-moorage-revision"], versions.json, (entries(project), owner(project))


@pytest.fixture
def file_managed(project: Project) -> Project:
    """Return a project whose deployment `a` is managed by `FILE`."""
    assert apply(project, "one").status == 201
    assert apply(project, "two").status == 200
    return project


@pytest.fixture
def taken_over(file_managed: Project) -> Project:
    """Return the same project after the API took over the deployment, with the text `mine`."""
    assert send(file_managed, "PUT", "/a", content("mine"), take_ownership="true").status == 200
    return file_managed


def test_a_file_manages_the_deployments_that_are_put_from_it(project: Project) -> None:
    created = apply(project, "one")
    project.put("b")

    assert (created.status, created.headers["x-moorage-result"]) == (201, "created")
    assert "x-moorage-owner" not in created.headers
    assert (owner(project), owner(project, "b")) == (("files", FILE), ("api", None))


def test_a_file_can_change_the_deployments_it_manages(file_managed: Project) -> None:
    response = apply(file_managed, "three")

    assert (response.status, response.json["version"]) == (200, "1.2")
    assert "x-moorage-owner" not in response.headers
    assert owner(file_managed) == ("files", FILE)


def test_a_put_of_the_same_content_from_a_file_changes_only_the_owner_and_is_recorded(project: Project) -> None:
    project.put("a", content("one"))

    taken = apply(project, "one")
    after_first = state(project)
    repeated = apply(project, "one")

    assert (taken.status, taken.json["version"]) == (200, "1.0")
    assert taken.headers["x-moorage-result"] == repeated.headers["x-moorage-result"] == "unchanged"
    assert (taken.headers["x-moorage-owner"], taken.headers["x-moorage-previous-owner"]) == ("files", "api")
    assert taken.headers["etag"] == project.get("a").headers["etag"]
    assert entries(project) == [("changed", f"managed by {FILE} from now on"), ("created", "")]
    assert "x-moorage-owner" not in repeated.headers
    assert state(project) == after_first, "the second put changes nothing"


def test_a_put_of_other_content_from_a_file_changes_the_owner(project: Project) -> None:
    project.put("a", content("one"))

    taken = apply(project, "two")

    assert (taken.headers["x-moorage-result"], taken.headers["x-moorage-owner"]) == ("updated", "files")
    assert [action for action, _ in entries(project)] == ["published", "created"]
    assert owner(project) == ("files", FILE)


def test_a_deployment_moves_from_one_file_to_another(file_managed: Project) -> None:
    response = apply(file_managed, "two", "prompts/b.yaml")

    assert response.headers["x-moorage-result"] == "unchanged"
    assert (response.headers["x-moorage-owner"], response.headers["x-moorage-previous-owner"]) == ("files", quote(FILE))
    assert owner(file_managed) == ("files", "prompts/b.yaml")
    assert entries(file_managed)[0] == ("changed", "managed by prompts/b.yaml from now on")


def test_a_change_of_the_owner_has_the_reason_of_the_request(project: Project) -> None:
    project.put("a", content("one"))

    send(project, "PUT", "/a", content("one"), headers={"X-Moorage-Change-Reason": "one place for all"}, file=FILE)

    assert entries(project)[0] == ("changed", "one place for all")


@change
def test_the_api_rejects_changes_to_a_deployment_managed_by_a_file(
    file_managed: Project, method: str, path: str, body: object
) -> None:
    before = state(file_managed)

    rejected = send(file_managed, method, path, body)

    assert (rejected.status, rejected.error["code"]) == (409, "owned_by_files")
    assert rejected.error["param"] == "take_ownership"
    assert f"is managed by the file {FILE}." in rejected.error["message"]
    assert "take_ownership=true" in rejected.error["message"]
    assert state(file_managed) == before


@change
def test_take_ownership_makes_the_api_the_owner(file_managed: Project, method: str, path: str, body: object) -> None:
    before = file_managed.get("a").headers["etag"]

    accepted = send(file_managed, method, path, body, take_ownership="true")
    if method == "DELETE":
        assert send(file_managed, "POST", "/a/restore").status == 200

    assert accepted.status in (200, 201), accepted.body
    assert file_managed.get("a").headers["etag"] != before
    assert owner(file_managed) == ("api", FILE), "the file name is still stored, for `moorage drift`"
    assert send(file_managed, "PATCH", "/a", {"description": "changed"}).status == 200


@change
def test_a_deployment_without_a_file_can_be_changed_by_the_api(
    project: Project, method: str, path: str, body: object
) -> None:
    """The positive control: each of these requests changes something."""
    project.put("a", content("one"))
    before = int(project.put("a", content("two")).headers["x-moorage-revision"])

    accepted = send(project, method, path, body)

    assert accepted.status in (200, 201)
    assert int(accepted.headers["x-moorage-revision"]) == before + 1


@pytest.mark.parametrize(("method", "path", "body"), CHANGES[:3], ids=["put", "put a description", "patch"])
def test_a_change_that_takes_over_returns_the_new_owner(
    file_managed: Project, method: str, path: str, body: object
) -> None:
    accepted = send(file_managed, method, path, body, take_ownership="true")
    repeated = send(file_managed, "PATCH", "/a", {"description": "more"})

    assert accepted.headers.get("x-moorage-owner") == "api"
    assert "x-moorage-owner" not in repeated.headers


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/a", content("two")),
        ("PATCH", "/a", {"description": ""}),
        ("POST", "/a/versions/1.1/publish", {}),
        ("POST", "/a/versions/live/publish", None),
    ],
)
def test_a_request_that_changes_nothing_is_accepted(
    file_managed: Project, method: str, path: str, body: object
) -> None:
    before = state(file_managed)

    assert send(file_managed, method, path, body).status == 200
    assert state(file_managed) == before


def test_a_put_that_changes_nothing_can_take_over(file_managed: Project) -> None:
    accepted = send(file_managed, "PUT", "/a", content("two"), take_ownership="true")

    assert (accepted.headers["x-moorage-result"], accepted.headers["x-moorage-owner"]) == ("unchanged", "api")
    assert accepted.headers["x-moorage-previous-owner"] == quote(FILE)
    assert owner(file_managed) == ("api", FILE)
    assert entries(file_managed)[0] == ("changed", "managed by the API from now on")


def test_drafts_can_be_saved_regardless_of_the_owner(file_managed: Project) -> None:
    draft = send(file_managed, "POST", "/a/versions", content("three"))

    assert (draft.status, draft.json["status"]) == (201, "draft")
    assert owner(file_managed) == ("files", FILE)


def test_versions_can_be_deleted_and_restored_regardless_of_the_owner(file_managed: Project) -> None:
    deleted = send(file_managed, "DELETE", "/a/versions/1.0")
    restored = send(file_managed, "POST", "/a/versions/1.0/restore")

    assert (deleted.status, restored.status) == (200, 200)
    assert owner(file_managed) == ("files", FILE)


def test_a_restored_deployment_has_its_last_owner(file_managed: Project) -> None:
    send(file_managed, "PATCH", "/a", {"description": "mine"}, take_ownership="true")
    apply(file_managed, "three", take_ownership="true")
    assert send(file_managed, "DELETE", "/a").error["code"] == "owned_by_files"
    send(file_managed, "DELETE", "/a", take_ownership="true")

    assert send(file_managed, "POST", "/a/restore").status == 200
    assert owner(file_managed) == ("api", FILE)


def test_a_file_cannot_change_a_deployment_that_the_api_took_over(taken_over: Project) -> None:
    before = state(taken_over)

    rejected = apply(taken_over, "three", "prompts/new.yaml")

    assert (rejected.status, rejected.error["code"]) == (409, "owned_by_api")
    assert rejected.error["param"] == "take_ownership"
    assert f"was taken over from the file {FILE} " in rejected.error["message"]
    assert "to manage it by prompts/new.yaml" in rejected.error["message"]
    assert state(taken_over) == before


def test_a_file_with_the_current_content_takes_over_without_the_parameter(taken_over: Project) -> None:
    response = apply(taken_over, "mine")

    assert (response.headers["x-moorage-result"], response.headers["x-moorage-owner"]) == ("unchanged", "files")
    assert owner(taken_over) == ("files", FILE)


def test_a_file_takes_over_with_the_parameter(taken_over: Project) -> None:
    response = apply(taken_over, "three", take_ownership="true")

    assert (response.headers["x-moorage-result"], response.headers["x-moorage-owner"]) == ("updated", "files")
    assert response.headers["x-moorage-previous-owner"] == "api"
    assert owner(taken_over) == ("files", FILE)
    assert send(taken_over, "PATCH", "/a", {"description": "mine"}).error["code"] == "owned_by_files"


def test_a_changed_description_needs_the_parameter(taken_over: Project) -> None:
    body = content("mine", description="from the file")

    rejected = send(taken_over, "PUT", "/a", body, file=FILE)
    taken = send(taken_over, "PUT", "/a", body, file=FILE, take_ownership="true")

    assert rejected.error["code"] == "owned_by_api"
    assert (taken.json["description"], taken.headers["x-moorage-owner"]) == ("from the file", "files")


@pytest.mark.parametrize("file", ["", "a\nb", "\x00", "a\x7f", "a\tb", "\u202egnp.yaml", "x" * 1_001])
def test_an_unprintable_file_name_is_rejected(project: Project, file: str) -> None:
    rejected = apply(project, "one", file)

    assert (rejected.status, rejected.error["code"], rejected.error["param"]) == (400, "invalid_request", "file")
    assert project.page().keys == []


@pytest.mark.parametrize(
    "file", ["x" * 1_000, "my prompts/größe & more.yaml", "日本/é+%2F?.yaml#a", "C:\\prompts\\a.yaml", "{key}", '"']
)
def test_the_file_name_is_returned_unchanged(project: Project, file: str) -> None:
    project.put("a", content("one"))

    apply(project, "one", file)

    assert owner(project) == ("files", file)
    assert entries(project)[0] == ("changed", f"managed by {file} from now on")
    assert f"the file {file}." in send(project, "DELETE", "/a").error["message"]
    taken = send(project, "PUT", "/a", content("mine"), take_ownership="true")
    assert unquote(taken.headers["x-moorage-previous-owner"]) == file


@pytest.mark.parametrize(
    ("method", "path", "query", "code"),
    [
        ("PUT", "/a", "file=x&file=y", "repeated_parameter"),
        ("PUT", "/a", "file=x&take_ownership=true&take_ownership=true", "repeated_parameter"),
        ("PUT", "/a", "take_ownership=yes", "invalid_flag"),
        ("PUT", "/a", "take_ownership=", "invalid_flag"),
        ("PUT", "/a", "files=x", "unknown_parameter"),
        ("PUT", "/a", "owner=files", "unknown_parameter"),
        ("PATCH", "/a", "file=x", "unknown_parameter"),
        ("PATCH", "/a", "take_ownership=1", "invalid_flag"),
        ("DELETE", "/a", "file=x", "unknown_parameter"),
        ("DELETE", "/a", "take_ownership=TRUE", "invalid_flag"),
        ("DELETE", "/a", "take_ownership=true&take_ownership=false", "repeated_parameter"),
        ("POST", "", "file=x", "unknown_parameter"),
        ("POST", "/a/undo", "file=x", "unknown_parameter"),
        ("POST", "/a/versions", "file=x", "unknown_parameter"),
        ("POST", "/a/versions/1.0/publish", "file=x", "unknown_parameter"),
        ("POST", "/a/restore", "take_ownership=true", "unknown_parameter"),
        ("DELETE", "/a/versions/1.0", "take_ownership=true", "unknown_parameter"),
        ("POST", "/a/versions/1.0/restore", "take_ownership=true", "unknown_parameter"),
    ],
)
def test_an_unsupported_or_invalid_parameter_is_rejected(
    file_managed: Project, method: str, path: str, query: str, code: str
) -> None:
    before = state(file_managed)
    body = {"description": "mine"} if method == "PATCH" else content("mine")

    rejected = file_managed.request(method, f"/v2/deployments{path}?{query}", json.dumps(body).encode())

    assert (rejected.status, rejected.error["code"]) == (400, code)
    assert state(file_managed) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/a"), ("PATCH", "/a"), ("POST", "/a/versions"), ("POST", "/a/versions/1.0/publish"), ("POST", "/a/undo")],
)
def test_an_invalid_flag_is_reported_before_an_invalid_body(file_managed: Project, method: str, path: str) -> None:
    for body in (b"{", b"x" * 1_048_577):
        rejected = file_managed.request(method, f"/v2/deployments{path}?take_ownership=yes", body)

        assert (rejected.status, rejected.error["code"]) == (400, "invalid_flag")


def test_a_dry_run_checks_the_owner(file_managed: Project) -> None:
    over_the_api = send(file_managed, "PUT", "/a", content("mine"), dry_run="true")
    send(file_managed, "PUT", "/a", content("mine"), take_ownership="true")
    before = state(file_managed)
    from_the_file = apply(file_managed, "three", dry_run="true")
    taking_over = apply(file_managed, "three", dry_run="true", take_ownership="true")

    assert (over_the_api.status, over_the_api.error["code"]) == (409, "owned_by_files")
    assert (from_the_file.status, from_the_file.error["code"]) == (409, "owned_by_api")
    assert (taking_over.status, taking_over.headers["x-moorage-result"], taking_over.headers["x-moorage-owner"]) == (
        200,
        "updated",
        "files",
    )
    assert state(file_managed) == before


def test_a_dry_run_does_not_change_the_owner(project: Project) -> None:
    project.put("a", content("one"))
    before = state(project)

    response = apply(project, "one", dry_run="true")

    assert (response.headers["x-moorage-result"], response.headers["x-moorage-owner"]) == ("unchanged", "files")
    assert state(project) == before
    assert owner(project) == ("api", None)


@pytest.mark.parametrize(
    ("path", "body"),
    [("/a/undo", {}), ("/a/versions/1.0/publish", {}), ("/a/versions", content("mine", status="published"))],
)
def test_the_parameter_is_part_of_an_idempotent_request(file_managed: Project, path: str, body: object) -> None:
    idempotency = {"Idempotency-Key": "k1"}

    rejected = send(file_managed, "POST", path, body, headers=idempotency)
    accepted = send(file_managed, "POST", path, body, headers=idempotency, take_ownership="true")
    after = state(file_managed)
    repeated = send(file_managed, "POST", path, body, headers=idempotency, take_ownership="true")
    other = send(file_managed, "POST", path, body, headers=idempotency)

    assert rejected.error["code"] == "owned_by_files"
    assert (repeated.status, repeated.body, repeated.headers["x-moorage-replayed"]) == (
        accepted.status,
        accepted.body,
        "true",
    )
    assert "x-moorage-replayed" not in accepted.headers
    assert (other.status, other.error["code"]) == (409, "idempotency_conflict")
    assert state(file_managed) == after


def test_a_stale_etag_is_reported_before_the_owner(file_managed: Project) -> None:
    older = file_managed.get("a").headers["etag"]
    apply(file_managed, "three")

    rejected = send(
        file_managed, "PATCH", "/a", {"description": "mine"}, headers={"If-Match": older}, take_ownership="true"
    )

    assert (rejected.status, rejected.error["code"]) == (412, "precondition_failed")
    assert owner(file_managed) == ("files", FILE)


def test_a_change_of_the_owner_changes_the_etag(project: Project) -> None:
    older = project.put("a", content("one")).headers["etag"]
    current = apply(project, "one").headers["etag"]

    assert current != older
    assert send(project, "PUT", "/a", content("two"), headers={"If-Match": older}, file=FILE).status == 412
    assert send(project, "PUT", "/a", content("two"), headers={"If-Match": current}, file=FILE).status == 200


def test_a_new_deployment_with_the_key_of_a_deleted_one_is_managed_by_the_api(file_managed: Project) -> None:
    send(file_managed, "DELETE", "/a", take_ownership="true")

    assert send(file_managed, "PUT", "/a", content("mine")).status == 201
    assert owner(file_managed) == ("api", None)
