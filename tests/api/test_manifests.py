"""`GET /v2/manifests`: deployments in the form of files, in pages like those of the list."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.server import Project, Response, Server, a_body

VARIABLES = [{"key": "customer", "value": "guest"}, {"key": "tone", "value": {"formal": True}}]


def manifests(project: Project, query: str = "", **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return project.request("GET", f"/v2/manifests{query}", headers=names)


def manifest(project: Project, key: str) -> dict[str, Any]:
    """Return the manifest of one deployment."""
    (found,) = [item for item in manifests(project, "?limit=50").json["data"] if item["key"] == key]
    return dict(found)


def names(newest: int, oldest: int) -> list[str]:
    """Return `d<newest>` down to `d<oldest>`."""
    return [f"d{number}" for number in range(newest, oldest - 1, -1)]


def test_an_empty_project_is_an_empty_page(project: Project) -> None:
    page = manifests(project)

    assert page.status == 200
    assert page.body == b'{"object":"list","data":[],"has_more":false}'


def test_a_manifest_has_the_fields_of_a_file_and_the_owner(project: Project) -> None:
    item = project.put("a", a_body() | {"variables": VARIABLES}, "?file=prompts/a.yaml").json

    (found,) = manifests(project).json["data"]

    fields = ("id", "key", "version", "updated", "description", "prompt_config")
    assert {name: found[name] for name in fields} == {name: item[name] for name in fields}
    assert found["variables"] == VARIABLES
    assert (found["owner"], found["file"]) == ("files", "prompts/a.yaml")
    assert list(found) == [
        "id", "key", "owner", "file", "etag", "version", "updated", "description", "variables", "prompt_config",
        "settings",
    ]  # fmt: skip


def test_a_deployment_without_a_file_has_the_file_null(project: Project) -> None:
    project.put("a")

    assert b'"owner":"api","file":null,' in manifests(project).body
    assert manifest(project, "a")["variables"] == []


def test_putting_an_unchanged_manifest_changes_nothing(project: Project) -> None:
    project.put("a", a_body(tools=[], model_parameters={"temperature": 0}) | {"variables": VARIABLES})
    found = manifest(project, "a")

    response = project.put("a", {name: found[name] for name in ("description", "variables", "prompt_config")})

    assert response.headers["x-moorage-result"] == "unchanged"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", a_body(model="b")),
        ("PATCH", "", {"description": "other words"}),
        ("POST", "/versions", a_body(model="b")["prompt_config"]),
        ("PUT", "?file=a.yaml", a_body()),
        ("DELETE", "/versions/1.0", None),
        ("POST", "/undo", {}),
    ],
    ids=["put", "patch", "draft", "new owner", "deletion of a version", "undo"],
)
def test_a_manifest_has_the_etag_of_its_deployment_after_every_change(
    project: Project, method: str, path: str, body: dict[str, Any] | None
) -> None:
    project.put("a", a_body(model="first"))
    project.put("a")
    before = manifest(project, "a")["etag"]
    data = {"prompt_config": body} if path == "/versions" else body

    response = project.request(method, f"/v2/deployments/a{path}", json.dumps(data).encode())

    assert response.status in (200, 201), response.body
    assert manifest(project, "a")["etag"] == project.get("a").headers["etag"] != before


def test_the_etag_of_a_manifest_is_accepted_as_if_match(project: Project) -> None:
    project.put("a")

    response = project.put("a", a_body(model="b"), **{"If-Match": manifest(project, "a")["etag"]})

    assert response.status == 200


def test_a_manifest_has_the_live_version_and_not_a_draft(project: Project) -> None:
    project.put("a", a_body() | {"variables": VARIABLES})
    draft = a_body(model="b") | {"variables": []}
    del draft["description"]
    project.request("POST", "/v2/deployments/a/versions", json.dumps(draft).encode())

    before = manifest(project, "a")
    project.request("POST", "/v2/deployments/a/versions/1.1/publish")
    after = manifest(project, "a")

    assert (before["version"], before["variables"], before["prompt_config"]["model"]) == (
        "1.0",
        VARIABLES,
        "openai/my-gpt",
    )
    assert (after["version"], after["variables"], after["prompt_config"]["model"]) == ("1.1", [], "b")


def test_a_page_has_the_ten_newest_first_regardless_of_changes(project: Project) -> None:
    project.fill(12)
    project.put("d1", a_body(model="b"))
    project.put("d5", a_body(), "?file=d5.yaml")

    page = manifests(project)

    assert page.keys == names(12, 3) == project.page().keys
    assert page.json["has_more"] is True


def test_paging_in_both_directions_returns_every_deployment_once_in_order(project: Project) -> None:
    project.fill(23)

    older, query = [manifests(project, "?limit=7")], ""
    while older[-1].json["has_more"]:
        query = f"?limit=7&starting_after={older[-1].json['data'][-1]['id']}"
        older.append(manifests(project, query))
    newer = [manifests(project, f"?limit=7&ending_before={older[-1].json['data'][-1]['id']}")]
    while newer[-1].json["has_more"]:
        newer.append(manifests(project, f"?limit=7&ending_before={newer[-1].json['data'][0]['id']}"))

    assert [page.keys for page in older] == [names(23, 17), names(16, 10), names(9, 3), names(2, 1)]
    assert [page.keys for page in newer] == [names(8, 2), names(15, 9), names(22, 16), names(23, 23)]


@pytest.mark.parametrize(("alias", "name"), [("after", "starting_after"), ("before", "ending_before")])
def test_the_names_after_and_before_are_aliases(project: Project, alias: str, name: str) -> None:
    cursor = project.fill(5)[2]["id"]

    page = manifests(project, f"?{alias}={cursor}")

    assert page.keys == {"after": ["d2", "d1"], "before": ["d5", "d4"]}[alias]
    assert page.body == manifests(project, f"?{name}={cursor}").body


def test_pages_end_with_the_last_deployment(project: Project) -> None:
    items = project.fill(4)

    assert manifests(project, f"?starting_after={items[0]['id']}").json == {
        "object": "list",
        "data": [],
        "has_more": False,
    }
    assert manifests(project, f"?ending_before={items[3]['id']}").json == {
        "object": "list",
        "data": [],
        "has_more": False,
    }
    exactly = manifests(project, f"?limit=2&starting_after={items[2]['id']}")
    assert (exactly.keys, exactly.json["has_more"]) == (["d2", "d1"], False)


def test_a_cursor_to_a_deleted_deployment_stays_valid(project: Project) -> None:
    items = project.fill(5)
    project.request("DELETE", "/v2/deployments/d3")

    assert manifests(project).keys == ["d5", "d4", "d2", "d1"]
    assert manifests(project, f"?starting_after={items[2]['id']}").keys == ["d2", "d1"]
    assert manifests(project, f"?ending_before={items[2]['id']}").keys == ["d5", "d4"]
    assert manifests(project, f"?ending_before={items[0]['id']}").keys == ["d5", "d4", "d2"]
    assert manifests(project, f"?starting_after={items[4]['id']}").keys == ["d4", "d2", "d1"]


def test_a_restored_deployment_has_its_position(project: Project) -> None:
    project.fill(3)
    project.request("DELETE", "/v2/deployments/d2")
    project.request("POST", "/v2/deployments/d2/restore")

    assert manifests(project).keys == ["d3", "d2", "d1"]


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
@pytest.mark.parametrize("cursor", ["a", "1.0", "3c90c3cc-0d44-4b50-8888-8dd25736052a", "%00", "x" * 5_000])
def test_an_invalid_cursor_is_rejected(project: Project, name: str, cursor: str) -> None:
    project.put("a")

    rejected = manifests(project, f"?{name}={cursor}")

    assert (rejected.status, rejected.error["code"], rejected.error["param"]) == (400, "invalid_cursor", name)


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
def test_a_cursor_of_another_project_gets_the_response_of_an_unknown_one(
    project: Project, server: Server, name: str
) -> None:
    cursor = project.put("a").json["id"]
    unknown = cursor[:-1] + ("0" if cursor[-1] != "0" else "1")
    other = server.new_project()
    other.put("b")

    foreign_response = manifests(other, f"?{name}={cursor}", X_Request_Id="same")
    unknown_response = manifests(other, f"?{name}={unknown}", X_Request_Id="same")

    assert (foreign_response.status, foreign_response.error["code"]) == (400, "invalid_cursor")
    assert foreign_response.body.replace(cursor.encode(), b"") == unknown_response.body.replace(unknown.encode(), b"")


def test_a_project_lists_only_its_own_files(project: Project, server: Server) -> None:
    other = server.new_project()
    project.put("a", a_body(), "?file=mine.yaml")
    other.put("a", a_body(model="b"), "?file=theirs.yaml")

    assert [manifest["file"] for manifest in manifests(project).json["data"]] == ["mine.yaml"]
    assert [manifest["file"] for manifest in manifests(other).json["data"]] == ["theirs.yaml"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?limit=0", "invalid_limit"),
        ("?limit=51", "invalid_limit"),
        ("?limit=1&limit=2", "repeated_parameter"),
        ("?after=x&starting_after=y", "repeated_parameter"),
        ("?starting_after=x&ending_before=y", "conflicting_cursors"),
        ("?owner=files", "unknown_parameter"),
        ("?file=a.yaml", "unknown_parameter"),
    ],
)
def test_the_parameters_are_validated_as_in_the_list(project: Project, query: str, code: str) -> None:
    rejected = manifests(project, query)

    assert (rejected.status, rejected.error["code"]) == (400, code)


def test_an_unchanged_page_is_304(project: Project) -> None:
    project.fill(2)
    first = manifests(project, "?limit=5")
    etag = first.headers["etag"]

    repeated = manifests(project, "?limit=5", If_None_Match=etag)
    project.put("d1", a_body(), "?file=d1.yaml")  # changes no item of `GET /v2/deployments`
    after = manifests(project, "?limit=5", If_None_Match=etag)

    assert (repeated.status, repeated.body, repeated.headers["etag"]) == (304, b"", etag)
    assert (after.status, after.json["data"][1]["file"]) == (200, "d1.yaml")
    assert after.headers["etag"] != etag


def test_a_cached_response_belongs_to_one_project(project: Project, server: Server) -> None:
    project.put("a")
    etag = manifests(project).headers["etag"]
    manifests(project)

    theirs = manifests(server.new_project(), If_None_Match=etag)

    assert (theirs.status, theirs.keys) == (200, [])


@contextmanager
def concurrent_readers(project: Project, query: str) -> Iterator[None]:
    """Request a page continuously in two threads."""
    stopped = threading.Event()

    def read() -> None:
        reader = Project(project.server, project.id, project.name, project.token)
        while not stopped.is_set():
            manifests(reader, query)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def test_an_acknowledged_change_is_returned_despite_concurrent_readers(project: Project) -> None:
    """The page is large, so that changes happen while the server reads it."""
    for number in range(50):
        project.put(f"d{number}", a_body(messages=[{"role": "user", "content": "x" * 40}] * 250))
    found = []

    with concurrent_readers(project, "?limit=50"):
        for number in range(25):
            for text in (f"first {number}", f"second {number}"):
                project.request("PATCH", "/v2/deployments/d0", json.dumps({"description": text}).encode())
            items = [project.get("d0").json, *(manifests(project, "?limit=50").json["data"][-1] for _ in range(3))]
            found.append([item["description"] for item in items])

    assert found == [[f"second {number}"] * 4 for number in range(25)]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_manifests_are_read_only(project: Project, method: str) -> None:
    rejected = project.request(method, "/v2/manifests", b"{}")

    assert (rejected.status, rejected.error["code"]) == (405, "method_not_allowed")
    assert set(rejected.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_the_manifest_of_one_deployment_is_that_of_the_list_with_the_etag_of_the_deployment(project: Project) -> None:
    item = project.put("a", a_body() | {"variables": VARIABLES}, "?file=prompts/a.yaml").json
    project.put("b")

    for name in ("a", item["id"]):
        found = manifests(project, f"/{name}")
        assert found.json == manifest(project, "a")
        assert found.headers["etag"] == found.json["etag"] == project.get("a").headers["etag"]
    unknown = manifests(project, "/missing")
    assert (unknown.status, unknown.error["code"]) == (404, "deployment_not_found")
    project.request("DELETE", "/v2/deployments/b")
    assert manifests(project, "/b").error["code"] == "deployment_deleted"
