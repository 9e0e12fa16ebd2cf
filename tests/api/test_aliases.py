"""Aliases: other names of a deployment, unique in its project, that work everywhere a key does."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from moorage.client import Moorage
from moorage.client.errors import DeploymentNotFound
from moorage.core.access import Scope
from tests.support.server import Project, Response, a_body
from tests.support.team import refusal
from tests.support.threads import until

PROMPT = "pmpt_68b0a1c2"


def send(
    project: Project, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> Response:
    return project.request(method, path, None if body is None else json.dumps(body).encode(), headers)


def patch(project: Project, key: str, aliases: list[str], **headers: str) -> Response:
    return send(project, "PATCH", f"/v2/deployments/{key}", {"aliases": aliases}, headers)


def model(project: Project, name: str) -> str:
    response = send(project, "POST", "/v2/deployments/get_config", {"key": name})
    return str(response.json["model"] if response.status == 200 else response.error["code"])


@pytest.fixture
def faq(project: Project) -> Project:
    project.put("faq", {**a_body(model="of faq"), "aliases": [PROMPT]})
    return project


#: Every operation on a deployment, and its body.
OPERATIONS: dict[str, tuple[str, str, Any]] = {
    "get": ("GET", "/v2/deployments/{name}", None),
    "get_config": ("POST", "/v2/deployments/get_config", {"key": "{name}"}),
    "versions": ("GET", "/v2/deployments/{name}/versions", None),
    "version": ("GET", "/v2/deployments/{name}/versions/live", None),
    "history": ("GET", "/v2/deployments/{name}/history", None),
    "diff": ("GET", "/v2/deployments/{name}/diff?from=1.0&to=1.1", None),
    "draft": ("POST", "/v2/deployments/{name}/versions", a_body(model="draft")),
    "put": ("PUT", "/v2/deployments/{name}", a_body(model="of put")),
    "patch": ("PATCH", "/v2/deployments/{name}", {"description": "new"}),
    "publish": ("POST", "/v2/deployments/{name}/versions/1.0/publish", None),
    "undo": ("POST", "/v2/deployments/{name}/undo", None),
    "delete": ("DELETE", "/v2/deployments/{name}?force=true", None),
    "restore": ("POST", "/v2/deployments/{name}/restore", None),
}  # fmt: skip


def test_every_operation_finds_a_deployment_by_its_alias(faq: Project) -> None:
    faq.put("faq", a_body(model="second"))

    for name, (method, path, body) in OPERATIONS.items():
        sent = {"key": PROMPT} if name == "get_config" else body
        response = send(faq, method, path.format(name=PROMPT), sent)
        assert response.status < 300, f"{name}: {response.body!r}"

    assert faq.page().keys == ["faq"], "no operation created a deployment"


def test_responses_have_the_aliases_and_only_those_of_deployments_that_have_some(faq: Project) -> None:
    faq.put("other")

    item = faq.get(PROMPT).json

    assert (item["key"], item["aliases"]) == ("faq", [PROMPT])
    assert "aliases" not in faq.get("other").json
    assert [each.get("aliases") for each in faq.page().json["data"]] == [None, [PROMPT]]


def test_a_search_finds_aliases_also_after_a_restart(faq: Project) -> None:
    faq.put("other")
    for _ in range(2):
        assert faq.page(search="PMPT_68").keys == ["faq"]
        faq.server.stop()
        faq.server.start()


def test_a_put_without_aliases_keeps_them_and_one_with_them_replaces_them(faq: Project) -> None:
    faq.put("faq", a_body(model="second"))
    assert (model(faq, PROMPT), model(faq, "faq")) == ("second", "second")

    response = faq.put("faq", {**a_body(model="second"), "aliases": ["replies", "answers"]})

    assert response.headers["x-moorage-result"] == "updated"
    assert (response.json["version"], response.json["aliases"]) == ("1.1", ["replies", "answers"])
    names = (PROMPT, "replies", "answers", "faq")
    assert [model(faq, name) for name in names] == ["deployment_not_found", "second", "second", "second"]


def test_a_change_of_aliases_changes_the_etag_and_is_in_the_history(faq: Project) -> None:
    etag = faq.get("faq").headers["etag"]

    assert patch(faq, "faq", ["a"], **{"If-Match": etag}).json["aliases"] == ["a"]
    assert refusal(patch(faq, "faq", ["b"], **{"If-Match": etag})) == (412, "precondition_failed")
    entry = send(faq, "GET", "/v2/deployments/faq/history").json["data"][0]
    assert (entry["action"], entry["changed"]) == ("changed", ["aliases"])
    unchanged = patch(faq, "faq", ["a"])
    assert unchanged.headers["x-moorage-result"] == "unchanged"


def test_a_name_leads_to_one_deployment(faq: Project) -> None:
    faq.put("other")

    created = send(faq, "POST", "/v2/deployments", {"key": PROMPT, **a_body()})
    assert refusal(created) == (409, "alias_taken")
    assert created.error["message"].startswith(f"'{PROMPT}' is an alias of the deployment 'faq'.")
    for name, kind in ((PROMPT, "an alias"), ("faq", "the key")):
        response = patch(faq, "other", ["free", name])
        assert refusal(response) == (409, "alias_taken")
        assert response.error["message"].startswith(f"'{name}' is {kind} of the deployment 'faq'.")
        assert response.error["param"] == "aliases[1]"
    assert model(faq, "free") == "deployment_not_found", "nothing is half-done"


def test_projects_do_not_share_aliases(faq: Project) -> None:
    other = faq.server.new_project()
    other.put("faq", {**a_body(model="of the other"), "aliases": [PROMPT]})

    assert (model(faq, PROMPT), model(other, PROMPT)) == ("of faq", "of the other")


@pytest.mark.parametrize(
    ("aliases", "path", "message"),
    [
        (["a b"], "aliases[0]", "use 1 to 128 characters from a-z, A-Z, 0-9, '_', '-' and '.', for example 'a_b'"),
        (["deployments"] * 2, "aliases[1]", "'deployments' is there twice; remove it"),
        (["faq"], "aliases[0]", "'faq' is the key of the deployment; remove it"),
        ([".."], "aliases[0]", "use at least one character that is not a dot"),
        (["0190a1b2-0000-7000-8000-000000000000"], "aliases[0]", "it has the form of an id; choose another key"),
        ([f"a{n}" for n in range(21)], "aliases", "must have at most 20 items, and has 21"),
        ("pmpt", "aliases", "must be an array, not a string"),
    ],
)
def test_an_invalid_alias_is_rejected_with_its_path(faq: Project, aliases: Any, path: str, message: str) -> None:
    for response in (patch(faq, "faq", aliases), faq.put("faq", {**a_body(), "aliases": aliases})):
        assert refusal(response) == (400, "invalid_request_body")
        assert response.error["problems"][0]["path"] == path
        assert message in response.error["problems"][0]["message"] or path == "aliases"
    assert faq.get("faq").json["aliases"] == [PROMPT]


def test_a_patch_needs_a_description_or_aliases(faq: Project) -> None:
    response = send(faq, "PATCH", "/v2/deployments/faq", {"reason": "none"})

    assert refusal(response) == (400, "invalid_request_body")
    assert "neither description nor aliases" in response.error["message"]


def test_other_aliases_need_the_scope_to_publish(faq: Project) -> None:
    """Callers use them: without one, their calls fail."""
    _, token = faq.key(Scope.READ, Scope.WRITE)
    writer = Project(faq.server, faq.id, "writer", token)

    assert refusal(patch(writer, "faq", [])) == (403, "insufficient_scope")
    assert model(faq, PROMPT) == "of faq"
    assert send(writer, "PATCH", "/v2/deployments/faq", {"description": "new"}).status == 200


def test_a_deleted_deployment_frees_its_aliases_and_has_them_again_when_it_is_restored(faq: Project) -> None:
    id_ = send(faq, "DELETE", f"/v2/deployments/{PROMPT}").json["id"]
    assert (model(faq, PROMPT), refusal(faq.get(PROMPT))) == ("deployment_deleted", (404, "deployment_deleted"))

    faq.put("other", {**a_body(model="of other"), "aliases": [PROMPT]})
    assert model(faq, PROMPT) == "of other"
    restored = send(faq, "POST", f"/v2/deployments/{id_}/restore")
    assert refusal(restored) == (409, "alias_taken")
    patch(faq, "other", [])
    assert send(faq, "POST", f"/v2/deployments/{PROMPT}/restore").json["aliases"] == [PROMPT]
    assert model(faq, PROMPT) == "of faq"


def test_aliases_are_served_in_every_environment_and_after_a_restart(faq: Project) -> None:
    _, token = faq.key(*Scope)
    admin = Project(faq.server, faq.id, "admin", token)
    assert send(admin, "PUT", "/v2/environments/staging", {}).status == 201
    admin.put("faq", a_body(model="of staging"), "?environment=staging")
    admin.put("only", {**a_body(model="only there"), "aliases": ["alone"]}, "?environment=staging")

    def in_staging(name: str) -> str:
        body = {"key": name, "context": {"environments": "staging"}}
        return str(send(admin, "POST", "/v2/deployments/get_config", body).json["model"])

    for _ in range(2):
        assert (in_staging(PROMPT), in_staging("alone"), model(admin, PROMPT)) == ("of staging", "only there", "of faq")
        assert model(admin, "alone") == "deployment_not_in_environment"
        faq.server.stop()
        faq.server.start()


def test_in_another_environment_a_put_keeps_the_aliases_and_says_so(faq: Project) -> None:
    _, token = faq.key(*Scope)
    admin = Project(faq.server, faq.id, "admin", token)
    send(admin, "PUT", "/v2/environments/staging", {})

    response = admin.put("faq", {**a_body(model="new"), "aliases": ["x"]}, "?environment=staging")

    assert "aliases" in response.headers["x-moorage-warnings"]
    assert admin.get("faq").json["aliases"] == [PROMPT]


def test_a_retried_creation_has_the_aliases_of_the_first_one(project: Project) -> None:
    body, header = {"key": "faq", **a_body(), "aliases": [PROMPT]}, {"Idempotency-Key": "once"}
    first = send(project, "POST", "/v2/deployments", body, header)
    patch(project, "faq", ["later"])

    again = send(project, "POST", "/v2/deployments", body, header)

    assert (again.status, again.json) == (first.status, first.json)


def test_a_client_finds_a_deployment_by_its_alias_and_follows_changes(faq: Project) -> None:
    with Moorage(faq.server.url, faq.token, cache=None, lockfile=None) as client:
        assert b'"of faq"' in client.get_config(PROMPT).json
        patch(faq, "faq", ["later"])
        until(lambda: _has(client, "later") and not _has(client, PROMPT))


def _has(client: Moorage, name: str) -> bool:
    try:
        client.get_config(name)
    except DeploymentNotFound:
        return False
    return True
