"""`/v2/deployments/{keyOrID}/cases`."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from moorage.core.access import Scope
from moorage.core.deployments.cases import MAX_CASE_BYTES, MAX_CASES
from tests.support.server import Project, Response

CASE = {"inputs": {"name": "Ada"}, "context": {"plan": "free"}, "messages": [{"role": "user", "content": "Hi"}]}


def send(project: Project, method: str, name: str = "", body: object = None, token: str | None = None) -> Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    data = None if body is None else json.dumps(body).encode()
    path = f"/v2/deployments/a/cases{'/' if name else ''}{quote(name, safe='')}"
    return project.request(method, path, data, headers)


def names(project: Project) -> list[str]:
    return [case["name"] for case in send(project, "GET").json["data"]]


def test_a_case_is_stored_listed_by_name_replaced_and_deleted(project: Project) -> None:
    project.put("a")
    before = project.get("a").headers["x-moorage-revision"]

    assert send(project, "PUT", "b", CASE).json == {"name": "b", **CASE}
    assert send(project, "PUT", "Größe & ✓", {}).status == 200
    assert send(project, "GET").json["data"] == [
        {"name": "Größe & ✓", "inputs": {}, "context": {}, "messages": []}, {"name": "b", **CASE}
    ]  # fmt: skip
    assert send(project, "PUT", "b", {"inputs": {"n": 1}}).status == 200
    assert send(project, "GET").json["data"][1]["inputs"] == {"n": 1}
    assert send(project, "DELETE", "b").json == {"name": "b", "deleted": True}
    assert names(project) == ["Größe & ✓"]
    gone = send(project, "DELETE", "b")
    assert (gone.status, gone.error["code"]) == (404, "case_not_found")
    assert project.get("a").headers["x-moorage-revision"] == before, "no version depends on a case"
    assert [entry["action"] for entry in project.request("GET", "/v2/deployments/a/history").json["data"]] == [
        "created"
    ]


@pytest.mark.parametrize(
    ("name", "body", "param"),
    [
        ("x" * 101, {}, "case_name"),
        ("...", {}, "case_name"),
        ("a\nb", {}, "case_name"),
        ("a", {"inputs": []}, "inputs"),
        ("a", {"context": {"a": {}}}, "context.a"),
        ("a", {"messages": [{"role": "nobody"}]}, "messages[0].role"),
        ("a", {"unknown": 1}, "unknown"),
        ("a", {"inputs": {"text": "x" * MAX_CASE_BYTES}}, "inputs"),
    ],
)
def test_a_case_that_is_wrong_is_rejected(project: Project, name: str, body: Any, param: str) -> None:
    project.put("a")

    response = send(project, "PUT", name, body)

    assert response.status == 400
    assert response.error["param"] == param
    assert names(project) == []


def test_a_deployment_has_a_limited_number_of_cases(project: Project) -> None:
    project.put("a")
    for number in range(MAX_CASES):
        assert send(project, "PUT", f"case {number}", {}).status == 200

    refused = send(project, "PUT", "one more", {})
    assert (refused.status, refused.error["code"]) == (409, "too_many_cases")
    assert send(project, "PUT", "case 7", CASE).status == 200, "it replaces one"
    assert len(names(project)) == MAX_CASES


def test_cases_need_the_scopes_to_read_and_to_write_and_belong_to_a_project(project: Project) -> None:
    project.put("a")
    send(project, "PUT", "b", CASE)
    reader = project.key(Scope.READ)[1]
    assert send(project, "GET", token=reader).status == 200
    for method, body in (("PUT", CASE), ("DELETE", None)):
        assert send(project, method, "b", body, reader).status == 403
    stranger = project.server.new_project().key(*Scope)[1]
    for method, name, body in (("GET", "", None), ("PUT", "b", CASE), ("DELETE", "b", None)):
        assert send(project, method, name, body, stranger).status == 404
    assert names(project) == ["b"]


def test_the_cases_of_a_deleted_deployment_return_with_it(project: Project) -> None:
    project.put("a")
    send(project, "PUT", "b", CASE)
    project.request("DELETE", "/v2/deployments/a")
    assert send(project, "GET").status == send(project, "PUT", "b", CASE).status

    project.request("POST", "/v2/deployments/a/restore", b"{}")

    assert names(project) == ["b"]
