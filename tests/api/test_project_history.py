"""The history of a project: all entries of its deployments, newest first, a page at a time."""

import json
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.support.server import Project, a_body
from tests.support.team import Team


def history(project: Project, query: str = "", token: str | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token or project.token}"}
    response = project.request("GET", f"/v2/history{query}", headers=headers)
    assert response.status == 200, response.body
    body: dict[str, Any] = response.json
    return body


def shown(page: dict[str, Any]) -> list[tuple[str, str]]:
    return [(entry["key"], entry["action"]) for entry in page["data"]]


def test_the_history_of_a_project_has_the_entries_of_all_its_deployments(project: Project) -> None:
    project.put("a")
    project.put("b")
    project.put("a", a_body(model="other"), **{"X-Moorage-Change-Reason": "cheaper"})
    draft = json.dumps({"prompt_config": a_body()["prompt_config"]}).encode()
    assert project.request("POST", "/v2/deployments/a/versions", draft).status == 201
    assert project.request("DELETE", "/v2/deployments/b").status == 200

    page = history(project)

    assert shown(page) == [("b", "deleted"), ("a", "published"), ("b", "created"), ("a", "created")]
    assert page["data"][1]["reason"] == "cheaper"
    assert page["data"][1]["deployment_id"] == project.get("a").json["id"]
    assert (page["data"][1]["from_version"], page["data"][1]["to_version"]) == ("1.0", "1.1")


def test_an_entry_is_that_of_its_deployment(project: Project) -> None:
    deployment_id = project.put("a").json["id"]

    (entry,) = history(project)["data"]

    of_deployment = project.request("GET", "/v2/deployments/a/history").json["data"][0]
    assert entry == of_deployment | {"key": "a", "deployment_id": deployment_id}


def test_the_pages_have_each_entry_once_in_both_directions(project: Project) -> None:
    for number in range(7):
        project.put(f"d{number % 3}", a_body(model=f"m{number}"))
    everything = [entry["id"] for entry in history(project)["data"]]
    assert len(everything) == 7

    older, query = list[str](), "?limit=3"
    while query:
        page = history(project, query)
        older += [entry["id"] for entry in page["data"]]
        query = f"?limit=3&starting_after={older[-1]}" if page["has_more"] else ""
    newer = [entry["id"] for entry in history(project, f"?limit=3&ending_before={everything[5]}")["data"]]

    assert older == everything
    assert newer == everything[2:5]


def test_an_action_selects_its_entries(project: Project) -> None:
    project.put("a")
    project.put("a", a_body(model="other"))
    project.request("POST", "/v2/deployments/a/undo")

    assert shown(history(project, "?action=undone")) == [("a", "undone")]
    assert shown(history(project, "?action=published")) == [("a", "published")]
    assert shown(history(project, "?action=")) == [("a", "undone"), ("a", "published"), ("a", "created")]
    response = project.request("GET", "/v2/history?action=publishd")
    assert (response.status, response.error["code"]) == (400, "invalid_filter")
    assert "Did you mean 'published'?" in response.error["message"]


def test_an_environment_selects_the_entries_that_concern_it(project: Project) -> None:
    team = Team(project)
    team.create("staging")
    project.put("a")
    assert project.put("a", a_body(model="other"), "?environment=staging").status in (200, 201)
    project.request("PATCH", "/v2/deployments/a", b'{"description": "for all"}')

    assert shown(history(project)) == [("a", "changed"), ("a", "published"), ("a", "created")]
    assert shown(history(project, "?environment=staging")) == [("a", "changed"), ("a", "published")]
    assert shown(history(project, "?environment=production")) == [("a", "changed"), ("a", "created")]
    assert project.request("GET", "/v2/history?environment=stagign").status == 404


def test_a_bound_api_key_sees_the_entries_of_its_environment_alone(project: Project) -> None:
    team = Team(project)
    team.create("staging")
    project.put("a")
    project.put("a", a_body(model="other"), "?environment=staging")
    bound = team.key("bound", [Scope.READ], "staging")

    assert shown(history(project, token=bound)) == [("a", "published")]
    headers = {"Authorization": f"Bearer {bound}"}
    response = project.request("GET", "/v2/history?environment=production", headers=headers)
    assert (response.status, response.error["code"]) == (403, "wrong_environment")


def test_another_project_sees_nothing_and_its_cursors_are_not_valid(project: Project) -> None:
    project.put("a")
    other = project.server.new_project()
    entry = history(project)["data"][0]["id"]

    assert history(other)["data"] == []
    response = other.request("GET", f"/v2/history?starting_after={entry}")
    assert (response.status, response.error["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("scope", [Scope.INVOKE, Scope.KEYS_ADMIN])
def test_an_api_key_needs_the_scope_to_read(scope: Scope, project: Project) -> None:
    headers = {"Authorization": f"Bearer {project.key(scope)[1]}"}

    assert project.request("GET", "/v2/history", headers=headers).status == 403
