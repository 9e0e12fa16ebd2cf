"""A deployment is kept in a file or through the API, and neither side changes what the other keeps unasked."""

import json
from typing import Any
from urllib.parse import quote, unquote, urlencode

import pytest

from tests.api.test_versions import content
from tests.support.server import Answer, Project

FILE = "prompts/a.yaml"

#: Everything that changes what is served or shown, over the API, where `a` has the versions 1.0 and 1.1, which is live.
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


def send(project: Project, method: str, path: str, body: object = None, /, headers: Any = None, **query: str) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    asked = f"/v2/deployments{path}" + (f"?{urlencode(query)}" if query else "")
    return project.request(method, asked, data, headers)


def apply(project: Project, text: str, file: str = FILE, /, **query: str) -> Answer:
    """Put `a` as a file says it."""
    return send(project, "PUT", "/a", content(text), file=file, **query)


def kept(project: Project, key: str = "a") -> tuple[str, str | None]:
    """Who keeps a deployment, and the file it was applied from last."""
    page = project.request("GET", "/v2/manifests?limit=50").json["data"]
    (found,) = [(each["owner"], each["file"]) for each in page if each["key"] == key]
    return found


def entries(project: Project) -> list[tuple[str, str]]:
    """What was done to `a`, newest first, and why."""
    return [(each["action"], each["reason"]) for each in send(project, "GET", "/a/history", limit="50").json["data"]]


def state(project: Project) -> tuple[str, str, Any, Any]:
    """All there is to see of `a`, and how often anything was written."""
    item, versions = project.get("a"), send(project, "GET", "/a/versions")
    return item.headers["etag"], item.headers["x-moorage-revision"], versions.json, (entries(project), kept(project))


@pytest.fixture
def in_a_file(project: Project) -> Project:
    """A project whose deployment `a` is kept in `FILE`."""
    assert apply(project, "one").status == 201
    assert apply(project, "two").status == 200
    return project


@pytest.fixture
def taken_over(in_a_file: Project) -> Project:
    """The same after the API took it over, with the text `mine`."""
    assert send(in_a_file, "PUT", "/a", content("mine"), take_ownership="true").status == 200
    return in_a_file


def test_what_is_put_from_a_file_is_kept_in_it(project: Project) -> None:
    created = apply(project, "one")
    project.put("b")

    assert (created.status, created.headers["x-moorage-result"]) == (201, "created")
    assert "x-moorage-owner" not in created.headers
    assert (kept(project), kept(project, "b")) == (("files", FILE), ("api", None))


def test_a_file_goes_on_changing_what_it_keeps(in_a_file: Project) -> None:
    answer = apply(in_a_file, "three")

    assert (answer.status, answer.json["version"]) == (200, "1.2")
    assert "x-moorage-owner" not in answer.headers
    assert kept(in_a_file) == ("files", FILE)


def test_a_file_adopts_what_has_its_content_already_and_the_history_names_it(project: Project) -> None:
    project.put("a", content("one"))

    adopted = apply(project, "one")
    after_one = state(project)
    again = apply(project, "one")

    assert (adopted.status, adopted.json["version"]) == (200, "1.0")
    assert adopted.headers["x-moorage-result"] == again.headers["x-moorage-result"] == "unchanged"
    assert (adopted.headers["x-moorage-owner"], adopted.headers["x-moorage-previous-owner"]) == ("files", "api")
    assert adopted.headers["etag"] == project.get("a").headers["etag"]
    assert entries(project) == [("changed", f"managed by {FILE} from now on"), ("created", "")]
    assert "x-moorage-owner" not in again.headers
    assert state(project) == after_one, "the second time is no news"


def test_a_file_adopts_what_it_gives_other_content(project: Project) -> None:
    project.put("a", content("one"))

    adopted = apply(project, "two")

    assert (adopted.headers["x-moorage-result"], adopted.headers["x-moorage-owner"]) == ("updated", "files")
    assert [action for action, _ in entries(project)] == ["published", "created"]
    assert kept(project) == ("files", FILE)


def test_a_deployment_moves_from_one_file_to_another(in_a_file: Project) -> None:
    moved = apply(in_a_file, "two", "prompts/b.yaml")

    assert moved.headers["x-moorage-result"] == "unchanged"
    assert (moved.headers["x-moorage-owner"], moved.headers["x-moorage-previous-owner"]) == ("files", quote(FILE))
    assert kept(in_a_file) == ("files", "prompts/b.yaml")
    assert entries(in_a_file)[0] == ("changed", "managed by prompts/b.yaml from now on")


def test_an_adoption_says_why_if_it_was_told(project: Project) -> None:
    project.put("a", content("one"))

    send(project, "PUT", "/a", content("one"), headers={"X-Moorage-Change-Reason": "one place for all"}, file=FILE)

    assert entries(project)[0] == ("changed", "one place for all")


@change
def test_what_a_file_keeps_is_not_changed_over_the_api(
    in_a_file: Project, method: str, path: str, body: object
) -> None:
    before = state(in_a_file)

    refused = send(in_a_file, method, path, body)

    assert (refused.status, refused.error["code"]) == (409, "owned_by_files")
    assert refused.error["param"] == "take_ownership"
    assert f"is managed by the file {FILE}." in refused.error["message"]
    assert "take_ownership=true" in refused.error["message"]
    assert state(in_a_file) == before


@change
def test_who_says_so_takes_it_over_and_the_api_keeps_it_from_then_on(
    in_a_file: Project, method: str, path: str, body: object
) -> None:
    before = in_a_file.get("a").headers["etag"]

    done = send(in_a_file, method, path, body, take_ownership="true")
    if method == "DELETE":
        assert send(in_a_file, "POST", "/a/restore").status == 200

    assert done.status in (200, 201), done.body
    assert in_a_file.get("a").headers["etag"] != before
    assert kept(in_a_file) == ("api", FILE), "the file is still named: that is how drift is known"
    assert send(in_a_file, "PATCH", "/a", {"description": "mine, unasked"}).status == 200


@change
def test_nobody_owns_what_was_never_in_a_file(project: Project, method: str, path: str, body: object) -> None:
    """The positive control: each of these changes is one."""
    project.put("a", content("one"))
    before = int(project.put("a", content("two")).headers["x-moorage-revision"])

    done = send(project, method, path, body)

    assert done.status in (200, 201)
    assert int(done.headers["x-moorage-revision"]) == before + 1


@pytest.mark.parametrize(("method", "path", "body"), CHANGES[:3], ids=["put", "put a description", "patch"])
def test_a_change_that_takes_over_says_who_keeps_the_deployment_since(
    in_a_file: Project, method: str, path: str, body: object
) -> None:
    done = send(in_a_file, method, path, body, take_ownership="true")
    again = send(in_a_file, "PATCH", "/a", {"description": "more"})

    assert done.headers.get("x-moorage-owner") == "api"
    assert "x-moorage-owner" not in again.headers


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/a", content("two")),
        ("PATCH", "/a", {"description": ""}),
        ("POST", "/a/versions/1.1/publish", {}),
        ("POST", "/a/versions/live/publish", None),
    ],
)
def test_what_is_so_already_is_not_refused(in_a_file: Project, method: str, path: str, body: object) -> None:
    before = state(in_a_file)

    assert send(in_a_file, method, path, body).status == 200
    assert state(in_a_file) == before


def test_a_put_that_changes_nothing_takes_over_all_the_same(in_a_file: Project) -> None:
    done = send(in_a_file, "PUT", "/a", content("two"), take_ownership="true")

    assert (done.headers["x-moorage-result"], done.headers["x-moorage-owner"]) == ("unchanged", "api")
    assert done.headers["x-moorage-previous-owner"] == quote(FILE)
    assert kept(in_a_file) == ("api", FILE)
    assert entries(in_a_file)[0] == ("changed", "managed by the API from now on")


def test_drafts_are_saved_whoever_keeps_the_deployment(in_a_file: Project) -> None:
    draft = send(in_a_file, "POST", "/a/versions", content("three"))

    assert (draft.status, draft.json["status"]) == (201, "draft")
    assert kept(in_a_file) == ("files", FILE)


def test_single_versions_are_deleted_and_restored_whoever_keeps_the_deployment(in_a_file: Project) -> None:
    deleted = send(in_a_file, "DELETE", "/a/versions/1.0")
    restored = send(in_a_file, "POST", "/a/versions/1.0/restore")

    assert (deleted.status, restored.status) == (200, 200)
    assert kept(in_a_file) == ("files", FILE)


def test_a_deployment_comes_back_to_the_side_that_kept_it(in_a_file: Project) -> None:
    send(in_a_file, "PATCH", "/a", {"description": "mine"}, take_ownership="true")
    apply(in_a_file, "three", take_ownership="true")
    assert send(in_a_file, "DELETE", "/a").error["code"] == "owned_by_files"
    send(in_a_file, "DELETE", "/a", take_ownership="true")

    assert send(in_a_file, "POST", "/a/restore").status == 200
    assert kept(in_a_file) == ("api", FILE)


def test_what_the_api_took_over_a_file_does_not_undo_unasked(taken_over: Project) -> None:
    before = state(taken_over)

    refused = apply(taken_over, "three", "prompts/new.yaml")

    assert (refused.status, refused.error["code"]) == (409, "owned_by_api")
    assert refused.error["param"] == "take_ownership"
    assert f"was taken over from the file {FILE} " in refused.error["message"]
    assert "to manage it by prompts/new.yaml" in refused.error["message"]
    assert state(taken_over) == before


def test_a_file_that_says_the_same_by_now_adopts_quietly(taken_over: Project) -> None:
    answer = apply(taken_over, "mine")

    assert (answer.headers["x-moorage-result"], answer.headers["x-moorage-owner"]) == ("unchanged", "files")
    assert kept(taken_over) == ("files", FILE)


def test_a_file_takes_it_back_if_it_says_so(taken_over: Project) -> None:
    answer = apply(taken_over, "three", take_ownership="true")

    assert (answer.headers["x-moorage-result"], answer.headers["x-moorage-owner"]) == ("updated", "files")
    assert answer.headers["x-moorage-previous-owner"] == "api"
    assert kept(taken_over) == ("files", FILE)
    assert send(taken_over, "PATCH", "/a", {"description": "mine"}).error["code"] == "owned_by_files"


def test_a_description_in_the_file_is_a_change_like_any_other(taken_over: Project) -> None:
    body = content("mine", description="from the file")

    refused = send(taken_over, "PUT", "/a", body, file=FILE)
    taken = send(taken_over, "PUT", "/a", body, file=FILE, take_ownership="true")

    assert refused.error["code"] == "owned_by_api"
    assert (taken.json["description"], taken.headers["x-moorage-owner"]) == ("from the file", "files")


@pytest.mark.parametrize("file", ["", "a\nb", "\x00", "a\x7f", "a\tb", "\u202egnp.yaml", "x" * 1_001])
def test_a_file_that_cannot_be_shown_is_refused(project: Project, file: str) -> None:
    refused = apply(project, "one", file)

    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "invalid_request", "file")
    assert project.page().keys == []


@pytest.mark.parametrize(
    "file", ["x" * 1_000, "my prompts/größe & more.yaml", "日本/é+%2F?.yaml#a", "C:\\prompts\\a.yaml", "{key}", '"']
)
def test_the_name_of_a_file_comes_back_as_it_was_sent(project: Project, file: str) -> None:
    project.put("a", content("one"))

    apply(project, "one", file)

    assert kept(project) == ("files", file)
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
def test_a_parameter_that_would_be_ignored_is_refused(
    in_a_file: Project, method: str, path: str, query: str, code: str
) -> None:
    before = state(in_a_file)
    body = {"description": "mine"} if method == "PATCH" else content("mine")

    refused = in_a_file.request(method, f"/v2/deployments{path}?{query}", json.dumps(body).encode())

    assert (refused.status, refused.error["code"]) == (400, code)
    assert state(in_a_file) == before


def test_a_dry_run_tells_who_keeps_the_deployment_too(in_a_file: Project) -> None:
    over_the_api = send(in_a_file, "PUT", "/a", content("mine"), dry_run="true")
    send(in_a_file, "PUT", "/a", content("mine"), take_ownership="true")
    before = state(in_a_file)
    from_the_file = apply(in_a_file, "three", dry_run="true")
    asked = apply(in_a_file, "three", dry_run="true", take_ownership="true")

    assert (over_the_api.status, over_the_api.error["code"]) == (409, "owned_by_files")
    assert (from_the_file.status, from_the_file.error["code"]) == (409, "owned_by_api")
    assert (asked.status, asked.headers["x-moorage-result"], asked.headers["x-moorage-owner"]) == (
        200,
        "updated",
        "files",
    )
    assert state(in_a_file) == before


def test_a_dry_run_of_an_adoption_changes_nothing(project: Project) -> None:
    project.put("a", content("one"))
    before = state(project)

    answer = apply(project, "one", dry_run="true")

    assert (answer.headers["x-moorage-result"], answer.headers["x-moorage-owner"]) == ("unchanged", "files")
    assert state(project) == before
    assert kept(project) == ("api", None)


@pytest.mark.parametrize(
    ("path", "body"),
    [("/a/undo", {}), ("/a/versions/1.0/publish", {}), ("/a/versions", content("mine", status="published"))],
)
def test_to_ask_with_and_without_taking_over_are_two_requests(in_a_file: Project, path: str, body: object) -> None:
    once = {"Idempotency-Key": "k1"}

    refused = send(in_a_file, "POST", path, body, headers=once)
    done = send(in_a_file, "POST", path, body, headers=once, take_ownership="true")
    after = state(in_a_file)
    again = send(in_a_file, "POST", path, body, headers=once, take_ownership="true")
    other = send(in_a_file, "POST", path, body, headers=once)

    assert refused.error["code"] == "owned_by_files"
    assert (again.status, again.body, again.headers["x-moorage-replayed"]) == (done.status, done.body, "true")
    assert "x-moorage-replayed" not in done.headers
    assert (other.status, other.error["code"]) == (409, "idempotency_conflict")
    assert state(in_a_file) == after


def test_who_read_an_older_state_is_told_of_that_first(in_a_file: Project) -> None:
    older = in_a_file.get("a").headers["etag"]
    apply(in_a_file, "three")

    refused = send(
        in_a_file, "PATCH", "/a", {"description": "mine"}, headers={"If-Match": older}, take_ownership="true"
    )

    assert (refused.status, refused.error["code"]) == (412, "precondition_failed")
    assert kept(in_a_file) == ("files", FILE)


def test_an_adoption_makes_an_older_etag_old(project: Project) -> None:
    older = project.put("a", content("one")).headers["etag"]
    adopted = apply(project, "one").headers["etag"]

    assert adopted != older
    assert send(project, "PUT", "/a", content("two"), headers={"If-Match": older}, file=FILE).status == 412
    assert send(project, "PUT", "/a", content("two"), headers={"If-Match": adopted}, file=FILE).status == 200


def test_a_new_deployment_of_a_key_that_a_file_kept_is_nobodys(in_a_file: Project) -> None:
    send(in_a_file, "DELETE", "/a", take_ownership="true")

    assert send(in_a_file, "PUT", "/a", content("mine")).status == 201
    assert kept(in_a_file) == ("api", None)
