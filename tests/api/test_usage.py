"""Clients report what they resolve themselves, and callers are listed."""

import json
import re
from typing import Any

import pytest

from moorage.core.access import Scope
from moorage.core.compatibility.consumers import MAX_NAME, MAX_NAMES, MAX_REPORTED
from tests.api.test_consumers import delete, get_config
from tests.support.server import Project, Response, Server, a_body


def report(project: Project, *versions: dict[str, Any], token: str = "") -> Response:
    """Report usage as a client does."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = json.dumps({"versions": versions}).encode()
    return project.request("POST", "/v2/deployments/usage", body, headers)


def version_ids(project: Project, key: str) -> dict[str, str]:
    """Return the ids of the versions of a deployment by their numbers."""
    page = project.request("GET", f"/v2/deployments/{key}/versions").json
    return {version["version"]: version["_id"] for version in page["data"]}


def callers(project: Project, key: str) -> list[dict[str, Any]]:
    page = project.request("GET", f"/v2/deployments/{key}/callers").json
    assert (page["object"], page["has_more"]) == ("list", False)
    data: list[dict[str, Any]] = page["data"]
    return data


@pytest.fixture
def app(project: Project) -> tuple[str, str]:
    """Return the id and the token of the API key of an application."""
    return project.key(Scope.INVOKE)


def test_reported_usage_protects_a_deployment_and_its_versions(project: Project, app: tuple[str, str]) -> None:
    project.put("a")
    project.put("a", a_body(model="second"))
    ids = version_ids(project, "a")

    recorded = report(project, {"version_id": ids["1.0"], "inputs": ["customer"]}, token=app[1])

    assert (recorded.status, recorded.json) == (200, {"recorded": 1})
    for path in ("a", "a/versions/1.0"):
        (consumer,) = delete(project, path).error["used_by"]
        assert (consumer["api_key"]["id"], consumer["version"]) == (app[0], "1.0")


def test_reported_inputs_make_a_change_breaking_for_their_caller(project: Project, app: tuple[str, str]) -> None:
    messages = [{"role": "system", "content": "Greet {{customer}}."}]
    project.put("a", a_body(messages=messages))
    report(project, {"version_id": version_ids(project, "a")["1.0"], "inputs": ["customer"]}, token=app[1])

    rejected = project.put("a", a_body(messages=[{"role": "system", "content": "Greet {{client}}."}]))

    (caller,) = rejected.error["callers"]
    assert (caller["api_key"]["id"], caller["inputs_missing"], caller["inputs_unused"]) == (
        app[0], ["client"], ["customer"],
    )  # fmt: skip


def test_callers_have_their_versions_inputs_and_last_use(project: Project, app: tuple[str, str]) -> None:
    project.put("a")
    assert callers(project, "a") == []
    get_config(project, "a", app[1], customer="Ada")
    project.put("a", a_body(model="second"))
    get_config(project, "a", order=1)
    report(project, {"version_id": version_ids(project, "a")["1.1"], "inputs": ["plan"]}, token=app[1])

    newest, other = callers(project, "a")

    assert newest["api_key"] == {"id": app[0], "name": "more"}
    assert (newest["versions"], newest["inputs"]) == (["1.1", "1.0"], ["customer", "plan"])
    assert (other["api_key"]["name"], other["versions"], other["inputs"]) == ("test", ["1.1"], ["order"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", newest["last_used"])
    assert newest["last_used"] >= other["last_used"]


def test_versions_of_other_projects_and_deleted_ones_are_ignored(project: Project, server: Server) -> None:
    project.put("a")
    project.put("gone")
    gone = version_ids(project, "gone")["1.0"]
    assert delete(project, "gone").status == 200
    other = server.new_project()
    other.put("theirs")
    theirs = version_ids(other, "theirs")["1.0"]

    recorded = report(project, {"version_id": theirs}, {"version_id": gone}, {"version_id": "unknown"})

    assert (recorded.status, recorded.json) == (200, {"recorded": 0})
    assert callers(other, "theirs") == []
    assert delete(other, "theirs").status == 200


@pytest.mark.parametrize(("versions", "path"), [
    ([{"version_id": "v", "inputs": ["x"] * (MAX_NAMES + 1)}], "versions[0].inputs"),
    ([{"version_id": "v", "inputs": ["x" * (MAX_NAME + 1)]}], "versions[0].inputs[0]"),
    ([{"version_id": "v" * 65}], "versions[0].version_id"),
    ([{"inputs": ["x"]}], "versions[0].version_id"),
    ([{"version_id": "v"}] * (MAX_REPORTED + 1), "versions"),
])  # fmt: skip
def test_a_report_is_bounded(project: Project, versions: list[dict[str, Any]], path: str) -> None:
    rejected = report(project, *versions)

    assert (rejected.status, rejected.error["code"], rejected.error["param"]) == (400, "invalid_request_body", path)


def test_a_deployment_can_have_the_key_usage(project: Project) -> None:
    assert project.put("usage").status == 201
    assert project.get("usage").status == 200
    assert callers(project, "usage") == []


def test_callers_of_an_unknown_or_deleted_deployment_are_an_error(project: Project) -> None:
    project.put("a")
    delete(project, "a")
    for key, code in (("a", "deployment_deleted"), ("none", "deployment_not_found")):
        assert project.request("GET", f"/v2/deployments/{key}/callers").error["code"] == code


def last_used(admin: str, project: Project, key_id: str) -> str | None:
    """Return the field of a key, which is the same in the list and alone."""
    headers = {"Authorization": f"Bearer {admin}"}
    alone = project.request("GET", f"/v2/api-keys/{key_id}", headers=headers).json
    listed = {key["id"]: key for key in project.request("GET", "/v2/api-keys", headers=headers).json["data"]}
    assert listed[key_id] == alone
    value: str | None = alone.get("last_used")
    return value


def test_an_api_key_has_the_time_of_its_last_use(project: Project, app: tuple[str, str]) -> None:
    _, admin = project.key(Scope.KEYS_ADMIN)
    writer_id, writer = project.key(Scope.WRITE, Scope.PUBLISH, Scope.READ)
    written = Project(project.server, project.id, project.name, writer).put("a")
    assert last_used(admin, project, app[0]) is None

    get_config(project, "a", app[1])
    callers(project, "a")  # stores the records

    (caller,) = callers(project, "a")
    assert last_used(admin, project, app[0]) == caller["last_used"]
    assert last_used(admin, project, writer_id) == written.json["updated"]
