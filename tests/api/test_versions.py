"""Versions: drafts, publish, undo, history and diff. Versions are immutable, and every change is recorded."""

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest
from orq_ai_sdk import Orq

from moorage.core.access import Scope
from tests.support.program import moorage
from tests.support.server import Project, Response, Server, a_body


def content(text: str, **fields: Any) -> dict[str, Any]:
    """Return a body with the single message `text`."""
    return {"prompt_config": a_body(messages=[{"role": "user", "content": text}])["prompt_config"], **fields}


def post(project: Project, path: str, body: object = None, **headers: str) -> Response:
    data = b"" if body is None else json.dumps(body).encode()
    return project.request("POST", f"/v2/deployments/{path}", data, headers)


def live(project: Project, key: str = "a") -> str:
    """Return number and text of the live version."""
    item = project.get(key).json
    return f"{item['version']} {item['prompt_config']['messages'][0]['content']}"


def history(project: Project, key: str = "a") -> list[str]:
    entries = project.request("GET", f"/v2/deployments/{key}/history?limit=50").json["data"]
    return [f"{entry['action']} {entry['from_version']} {entry['to_version']}" for entry in entries]


def test_a_draft_is_not_served(project: Project) -> None:
    project.put("a", content("one"))

    draft = post(project, "a/versions", content("two", description="Try this", notes="shorter"))

    assert draft.status == 201
    assert draft.json["status"] == "draft"
    assert (draft.json["version"], draft.json["description"], draft.json["notes"]) == ("1.1", "Try this", "shorter")
    assert live(project) == "1.0 one"


def test_publishing_a_draft_makes_it_live_and_the_old_version_published(project: Project) -> None:
    project.put("a", content("one"))
    draft = post(project, "a/versions", content("two")).json

    published = post(project, f"a/versions/{draft['_id']}/publish")

    assert published.status == 200
    assert published.json == draft | {"status": "live"}
    assert live(project) == "1.1 two"
    statuses = [(version["version"], version["status"]) for version in versions(project)]
    assert statuses == [("1.1", "live"), ("1.0", "published")]


@pytest.mark.parametrize("status", ["published", "live"])
def test_a_version_can_be_saved_as_published(project: Project, status: str) -> None:
    project.put("a", content("one"))

    saved = post(project, "a/versions", content("two", status=status, version_bump="major"))

    assert (saved.json["version"], saved.json["status"]) == ("2.0", "live")
    assert live(project) == "2.0 two"


def test_a_publish_of_an_older_version_rolls_back(project: Project) -> None:
    for text in ("one", "two", "three"):
        project.put("a", content(text))

    post(project, "a/versions/1.0/publish")

    assert live(project) == "1.0 one"
    assert history(project)[0] == "published 1.2 1.0"


def test_publishing_the_live_version_changes_and_records_nothing(project: Project) -> None:
    first = project.put("a", content("one"))

    repeated = post(project, "a/versions/1.0/publish")

    assert repeated.json["status"] == "live"
    assert repeated.headers["x-moorage-revision"] == first.headers["x-moorage-revision"]
    assert history(project) == ["created None 1.0"]


def test_an_undo_reverts_the_last_publish_and_a_second_undo_reverts_the_first(project: Project) -> None:
    project.put("a", content("one"))
    project.put("a", content("two"))
    before = project.get("a").json

    undone = post(project, "a/undo", {"reason": "customers complained"})
    after_first = live(project)
    post(project, "a/undo")

    assert undone.json["version"] == "1.0"
    assert after_first == "1.0 one"
    assert live(project) == "1.1 two"
    assert project.get("a").json["prompt_config"] == before["prompt_config"]
    assert history(project) == ["undone 1.0 1.1", "undone 1.1 1.0", "published 1.0 1.1", "created None 1.0"]


def test_a_deployment_with_one_version_has_nothing_to_undo(project: Project) -> None:
    project.put("a")

    response = post(project, "a/undo")

    assert response.status == 409
    assert response.error["code"] == "nothing_to_undo"


def test_a_put_after_an_undo_gets_an_unused_number(project: Project) -> None:
    project.put("a", content("one"))
    project.put("a", content("two"))
    post(project, "a/undo")

    assert project.put("a", content("three")).json["version"] == "1.2"


def test_the_history_has_key_action_time_and_reason(project: Project) -> None:
    project.put("a", content("one"), **{"X-Moorage-Change-Reason": "first try", "X-Request-Id": "req-1"})
    project.put("a", {"prompt_config": content("one")["prompt_config"], "description": "changed"})

    page = project.request("GET", "/v2/deployments/a/history").json

    assert page["has_more"] is False
    changed, created = page["data"]
    assert (changed["action"], changed["from_version"], changed["to_version"]) == ("changed", "1.0", "1.0")
    assert created["reason"] == "first try"
    assert created["request_id"] == "req-1"
    assert created["api_key"] == {"id": project.token.split("_")[1], "name": "test"}
    assert created["at"] == project.get("a").json["created"]
    assert len(created["hash"]) == 64


def test_the_history_has_the_hash_of_the_content_and_what_else_changed(project: Project) -> None:
    project.put("a", content("one"))
    project.put("a", content("two") | {"description": "of the second"})
    project.put("a", content("one"))
    project.put("a", content("one") | {"description": "of the third"})
    project.put("a", content("one"), query="?file=a.yaml")
    project.request("DELETE", "/v2/deployments/a?take_ownership=true")

    entries = project.request("GET", "/v2/deployments/a/history").json["data"][::-1]

    assert [(entry["action"], entry.get("changed")) for entry in entries] == [
        ("created", None),
        ("published", ["description"]),
        ("published", None),
        ("changed", ["description"]),
        ("changed", ["owner"]),
        ("deleted", ["owner"]),
    ]
    one, two, *others = [entry["content_sha256"] for entry in entries]
    assert len(one) == len(two) == 64
    assert one != two
    assert others == [one] * 4


@pytest.mark.parametrize("listed", ["versions", "history"])
def test_versions_and_history_page_in_both_directions(project: Project, listed: str) -> None:
    for number in range(7):
        project.put("a", content(str(number)))
    every = project.request("GET", f"/v2/deployments/a/{listed}").json["data"]

    def name(item: dict[str, str]) -> str:
        return item.get("_id") or item["id"]

    ids = [name(item) for item in every]

    first = project.request("GET", f"/v2/deployments/a/{listed}?limit=3").json
    older = project.request("GET", f"/v2/deployments/a/{listed}?limit=3&starting_after={ids[2]}").json
    newer = project.request("GET", f"/v2/deployments/a/{listed}?limit=3&ending_before={ids[5]}").json
    top = project.request("GET", f"/v2/deployments/a/{listed}?limit=3&ending_before={ids[1]}").json

    assert ([name(item) for item in first["data"]], first["has_more"]) == (ids[:3], True)
    assert ([name(item) for item in older["data"]], older["has_more"]) == (ids[3:6], True)
    assert ([name(item) for item in newer["data"]], newer["has_more"]) == (ids[2:5], True)
    assert ([name(item) for item in top["data"]], top["has_more"]) == (ids[:1], False)


@pytest.mark.parametrize("listed", ["versions", "history"])
@pytest.mark.parametrize("cursor", ["1.0", "nothing", "3c90c3cc-0d44-4b50-8888-8dd25736052a"])
def test_a_cursor_of_another_list_is_rejected(project: Project, listed: str, cursor: str) -> None:
    project.put("a")

    response = project.request("GET", f"/v2/deployments/a/{listed}?starting_after={cursor}")

    assert response.error["code"] == "invalid_cursor"


def versions(project: Project, key: str = "a", query: str = "limit=50") -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = project.request("GET", f"/v2/deployments/{key}/versions?{query}").json["data"]
    return data


def test_the_sdk_lists_versions_by_key_and_by_id(project: Project) -> None:
    """Case 25 of section 5 of the contract."""
    item = project.put("a", content("one") | {"variables": [{"key": "customer", "value": {"name": "Ada"}}]}).json
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    post(project, "a/versions", {"prompt_config": a_body(tools=[tool])["prompt_config"], "notes": "n"})

    with Orq(api_key=project.token, server_url=project.server.url) as orq:
        by_key = orq.deployments.list_versions(key_or_id="a", limit=10)
        by_id = orq.deployments.list_versions(key_or_id=item["id"], limit=10)

    assert by_key == by_id
    assert [(version.version, version.status) for version in by_key.data] == [("1.1", "draft"), ("1.0", "live")]
    assert [tool.function.name for tool in by_key.data[0].tools] == ["f"]
    assert by_key.data[1].variables[0].value == {"name": "Ada"}


def test_the_filter_variant_id_returns_only_its_versions(project: Project) -> None:
    project.put("a")
    (version,) = versions(project)

    assert versions(project, query=f"variant_id={version['variant_id']}") == [version]
    assert versions(project, query="variant_id=another") == []


def test_a_version_is_found_by_number_and_by_id(project: Project) -> None:
    project.put("a")
    (version,) = versions(project)

    for name in ("1.0", version["_id"]):
        assert project.request("GET", f"/v2/deployments/a/versions/{name}").json == version
    for name in ("1.1", "9999999999.0", "x", "1", "%00"):
        response = project.request("GET", f"/v2/deployments/a/versions/{name}")
        assert (response.status, response.error["code"]) == (404, "version_not_found")


@pytest.mark.parametrize(
    "query", ["variant_id=a&variant_id=b", "variant_id=&variant_id=", "limit=1&variant_id=a&variant_id=a"]
)
def test_a_repeated_filter_is_rejected(project: Project, query: str) -> None:
    project.put("a")

    response = project.request("GET", f"/v2/deployments/a/versions?{query}")

    assert (response.status, response.error["code"]) == (400, "repeated_parameter")
    assert response.error["param"] == "variant_id"


def test_a_diff_tells_caches_that_it_is_private_and_has_two_forms(project: Project) -> None:
    project.put("a")
    project.put("a", a_body(model="b"))

    for accept in ("text/plain", "application/json"):
        response = project.request("GET", "/v2/deployments/a/diff?from=1.0&to=live", headers={"Accept": accept})
        assert response.headers["cache-control"] == "private, no-cache"
        assert response.headers["vary"] == "Accept"


def test_a_diff_has_the_accepted_content_type(project: Project) -> None:
    project.put("a", content("one"))
    project.put("a", content("two"))

    for _ in range(2):
        as_json = project.request("GET", "/v2/deployments/a/diff?from=1.0&to=live")
        to_text = project.request("GET", "/v2/deployments/a/diff?from=1.0&to=live", headers={"Accept": "text/plain"})

        path = "prompt_config.messages[0].content"
        assert as_json.json == {
            "from": "1.0",
            "to": "1.1",
            "changes": [{"path": path, "before": "one", "after": "two"}],
        }
        assert to_text.headers["content-type"].startswith("text/plain")
        assert f'-{path}: "one"\n+{path}: "two"\n' in to_text.body.decode()
    assert project.request("GET", "/v2/deployments/a/diff").error["code"] == "missing_parameter"
    assert project.request("GET", "/v2/deployments/a/diff?to=7.7").error["code"] == "version_not_found"


def test_versions_of_another_project_are_not_found(project: Project, server: Server) -> None:
    item = project.put("a").json
    other = server.new_project()
    other.put("a")
    (version,) = versions(project)

    assert other.request("GET", f"/v2/deployments/{item['id']}/versions").status == 404
    assert other.request("GET", f"/v2/deployments/a/versions/{version['_id']}").status == 404
    assert post(other, f"a/versions/{version['_id']}/publish").status == 404
    assert post(other, f"{item['id']}/undo").status == 404


def test_a_key_without_the_scope_publish_saves_only_drafts(project: Project) -> None:
    project.put("a", content("one"))
    _, token = project.key(Scope.READ, Scope.WRITE)
    writer = Project(project.server, project.id, project.name, token)

    draft = post(writer, "a/versions", content("two"))
    rejected = post(writer, "a/versions", content("three", status="published"))
    publish = post(writer, "a/versions/1.1/publish")

    assert draft.status == 201
    assert (rejected.status, rejected.error["code"]) == (403, "insufficient_scope")
    assert publish.status == 403
    assert live(project) == "1.0 one"
    assert len(versions(project)) == 2


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("a/versions", {"prompt_config": {"model": "m"}}, "invalid_request_body"),
        ("a/versions", content("x", status="pending"), "invalid_request_body"),
        ("a/versions/1.0/publish", {"reasons": "x"}, "invalid_request_body"),
        ("a/undo", [], "invalid_request_body"),
        ("b/versions", content("x"), "deployment_not_found"),
        ("b/undo", None, "deployment_not_found"),
        ("a/versions/7.7/publish", None, "version_not_found"),
    ],
)
def test_an_impossible_request_is_rejected_and_changes_nothing(
    project: Project, path: str, body: object, code: str
) -> None:
    project.put("a", content("one"))

    response = post(project, path, body)

    assert response.error["code"] == code
    assert history(project) == ["created None 1.0"]
    assert len(versions(project)) == 1


def test_db_check_detects_a_tampered_entry(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        for text in ("one", "two", "three"):
            project.put("a", content(text))
        database = ("--database", server.database)

        untouched = moorage("db", "check", *database, folder=folder)
        with closing(apsw.Connection(str(folder / "moorage.db"))) as connection:
            connection.execute("UPDATE history SET reason = 'another' WHERE rev = (SELECT min(rev) FROM history)")
        tampered = moorage("db", "check", *database, folder=folder)

    assert (untouched.returncode, "ok     hash chain of the history (7 entries)" in untouched.stdout) == (0, True)
    assert tampered.returncode == 1
    assert re.search(r"^FAILED hash chain of the history \(\d entries\)$", tampered.stdout, re.MULTILINE)
