"""The usage of a project: which API key used which version, the most recent use first."""

from typing import Any

from moorage.core.access import Scope
from moorage.core.compatibility.consumers import UsageRecord
from tests.api.test_usage import report, version_ids
from tests.support.server import Project, a_body
from tests.support.team import Team


def usage(project: Project, query: str = "", token: str | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token or project.token}"}
    response = project.request("GET", f"/v2/usage{query}", headers=headers)
    assert response.status == 200, response.body
    assert response.headers["cache-control"] == "no-store"
    body: dict[str, Any] = response.json
    return body


def shown(page: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(use["key"], use["version"], use["is_live"]) for use in page["data"]]


def test_a_use_has_its_span_and_the_names_of_its_inputs(project: Project) -> None:
    deployment_id = project.put("a").json["id"]
    key_id, token = project.key(Scope.INVOKE)
    version_id = version_ids(project, "a")["1.0"]
    report(project, {"version_id": version_id, "inputs": ["customer"]}, token=token)
    report(project, {"version_id": version_id, "inputs": ["shop"]}, token=token)

    (use,) = usage(project)["data"]

    assert (use["key"], use["deployment_id"], use["version"], use["is_live"]) == ("a", deployment_id, "1.0", True)
    assert use["api_key"]["id"] == key_id
    assert use["inputs"] == ["customer", "shop"]
    assert use["first_used"] <= use["last_used"]


def test_a_use_of_a_version_that_is_not_live_is_marked(project: Project) -> None:
    project.put("a")
    report(project, {"version_id": version_ids(project, "a")["1.0"]})
    project.put("a", a_body(model="other"))
    report(project, {"version_id": version_ids(project, "a")["1.1"]})

    assert shown(usage(project)) == [("a", "1.1", True), ("a", "1.0", False)]


def test_the_usage_of_a_deployment_has_no_other_one(project: Project) -> None:
    for key in ("a", "b"):
        project.put(key)
        report(project, {"version_id": version_ids(project, key)["1.0"]})

    assert shown(usage(project)) == [("b", "1.0", True), ("a", "1.0", True)]
    assert shown(usage(project, "?deployment=a")) == [("a", "1.0", True)]
    assert project.request("GET", "/v2/usage?deployment=missing").status == 404
    project.request("DELETE", "/v2/deployments/a?force=true")
    assert shown(usage(project)) == [("b", "1.0", True)]


def test_the_pages_have_each_use_once_in_both_directions(project: Project) -> None:
    """Some uses have the same time, as those of one report."""
    ids = list[str]()
    for number in range(8):
        project.put(f"d{number}")
        ids += version_ids(project, f"d{number}").values()
    key_id, _ = project.key(Scope.INVOKE)
    with project.server.open_store() as store:
        now_us = store.now_us()
        times = [now_us - 1_000_000 * (number // 3) for number in range(8)]
        store.record_consumers(
            UsageRecord(id_, key_id, at_us, at_us, ()) for id_, at_us in zip(ids, times, strict=True)
        )
    everything = [use["id"] for use in usage(project)["data"]]
    assert len(everything) == 8

    for query in ("?", "?deployment=d0&"):
        expected = everything if query == "?" else [use["id"] for use in usage(project, "?deployment=d0")["data"]]
        older, path = list[str](), f"{query}limit=2"
        while path:
            page = usage(project, path)
            older += [use["id"] for use in page["data"]]
            path = f"{query}limit=2&starting_after={older[-1]}" if page["has_more"] else ""
        assert older == expected
    newer = usage(project, f"?limit=3&ending_before={everything[6]}")
    assert ([use["id"] for use in newer["data"]], newer["has_more"]) == (everything[3:6], True)


def test_a_cursor_that_is_none_is_rejected(project: Project) -> None:
    for parameter in ("starting_after", "ending_before"):
        response = project.request("GET", f"/v2/usage?{parameter}=x")
        assert (response.status, response.error["code"]) == (400, "invalid_cursor")
        assert response.error["param"] == parameter


def test_each_environment_has_usage_of_its_own(project: Project) -> None:
    team = Team(project)
    team.create("staging")
    team.put("a", "one")
    team.put("a", "two", "staging")
    staging = team.key("app", [Scope.INVOKE, Scope.READ], "staging")
    report(project, {"version_id": version_ids(project, "a")["1.1"]}, token=staging)
    report(project, {"version_id": version_ids(project, "a")["1.0"]})

    assert shown(usage(project)) == [("a", "1.0", True)]
    assert shown(usage(project, "?environment=staging")) == [("a", "1.1", True)]
    assert shown(usage(project, token=staging)) == [("a", "1.1", True)]
    headers = {"Authorization": f"Bearer {staging}"}
    assert project.request("GET", "/v2/usage?environment=production", headers=headers).status == 403


def test_another_project_sees_nothing(project: Project) -> None:
    project.put("a")
    report(project, {"version_id": version_ids(project, "a")["1.0"]})
    other = project.server.new_project()

    assert usage(other)["data"] == []
    assert other.request("GET", "/v2/usage?deployment=a").status == 404
