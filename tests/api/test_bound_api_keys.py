"""API keys that are bound to an environment, and keys that may approve."""

import time
from typing import Any

import pytest

from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.registry.api_keys import create_api_key
from tests.support.server import Project, Response
from tests.support.team import Team, refusal
from tests.support.threads import until


@pytest.fixture
def team(project: Project) -> Team:
    made = Team(project)
    for name in ("staging", "qa"):
        made.create(name)
    return made


def post(team: Team, token: str | None = None, **body: Any) -> Response:
    return team.send("POST", "/v2/api-keys", {"name": "made", **body}, token)


def test_a_key_is_bound_at_its_creation_and_shows_its_environment(team: Team) -> None:
    created = post(team, environment="staging").json
    unbound = post(team).json

    assert created["environment"] == "staging"
    assert "environment" not in unbound
    read = team.send("GET", f"/v2/api-keys/{created['id']}").json
    assert read["environment"] == "staging"
    listed = {each["id"]: each.get("environment") for each in team.send("GET", "/v2/api-keys").json["data"]}
    assert (listed[created["id"]], listed[unbound["id"]]) == ("staging", None)
    found = team.send("GET", "/v2/deployments", token=created["token"])
    assert found.headers["x-moorage-environment"] == "staging"


def test_the_default_scopes_are_unchanged(team: Team) -> None:
    assert frozenset(post(team).json["scopes"]) == DEFAULT_SCOPES
    assert Scope.APPROVE not in DEFAULT_SCOPES
    assert len(DEFAULT_SCOPES) == 4


@pytest.mark.parametrize("name", ["nowhere", "", "Staging", "staging ", "staging\u0000", "s" * 41, 5, ["staging"], {}])
def test_an_unknown_or_invalid_environment_is_rejected(team: Team, name: object) -> None:
    response = post(team, environment=name)

    assert response.status in (400, 404), response.body
    assert [each["name"] for each in team.send("GET", "/v2/api-keys").json["data"]].count("made") == 0


def test_a_bound_key_makes_only_keys_with_its_own_binding(team: Team) -> None:
    bound = team.key("bound", Scope, "staging")

    assert post(team, bound).json["environment"] == "staging", "without a binding in the body, too"
    assert post(team, bound, environment="staging").json["environment"] == "staging"
    for name in ("qa", "production"):
        assert refusal(post(team, bound, environment=name)) == (403, "wrong_environment")
    production = team.key("production", Scope, "production")
    assert post(team, production).json["environment"] == "production"
    assert refusal(post(team, production, environment="staging")) == (403, "wrong_environment")


def test_a_bound_key_neither_reads_nor_changes_keys_with_another_binding(team: Team) -> None:
    bound, unbound = team.key("bound", Scope, "staging"), post(team).json["id"]
    other = post(team, environment="qa").json["id"]
    own = post(team, environment="staging").json["id"]

    for key in (unbound, other):
        for method, suffix, body in (
            ("GET", "", None), ("PATCH", "", {"name": "x"}), ("POST", "/rotate", None), ("DELETE", "", None),
        ):  # fmt: skip
            response = team.send(method, f"/v2/api-keys/{key}{suffix}", body, bound)
            assert refusal(response) == (403, "wrong_environment"), (method, suffix)
        assert team.send("GET", f"/v2/api-keys/{key}").json["status"] == "active"
    assert team.send("PATCH", f"/v2/api-keys/{own}", {"name": "x"}, bound).status == 200
    assert team.send("POST", f"/v2/api-keys/{own}/rotate", None, bound).json["environment"] == "staging"
    listed = team.send("GET", "/v2/api-keys", token=bound).json
    assert {each["environment"] for each in listed["data"]} == {"staging"}
    assert {each["id"] for each in listed["data"]} == {own, bound.split("_")[1]}


def test_pages_of_keys_of_a_bound_key_are_complete(team: Team) -> None:
    bound, found = team.key("bound", Scope, "staging"), list[str]()
    for number in range(6):
        post(team, environment=("staging", "qa")[number % 2])

    cursor = ""
    while True:
        page = team.send("GET", f"/v2/api-keys?limit=1{cursor}", token=bound).json
        found += [each["id"] for each in page["data"]]
        if not page["has_more"]:
            break
        cursor = f"&starting_after={found[-1]}"

    assert len(found) == len(set(found)) == 4


def test_a_bound_key_sees_only_its_environment(team: Team) -> None:
    bound = team.key("bound", Scope, "staging")
    production = team.send("GET", "/v2/environments").json["data"][0]

    assert [each["name"] for each in team.send("GET", "/v2/environments", token=bound).json["data"]] == ["staging"]
    assert team.send("GET", "/v2/environments/staging", token=bound).status == 200
    for name in ("production", production["id"], "qa"):
        assert refusal(team.send("GET", f"/v2/environments/{name}", token=bound)) == (403, "wrong_environment")
    assert refusal(team.send("GET", "/v2/environments/nowhere", token=bound)) == (404, "environment_not_found")
    assert team.send("GET", "/v3/environments", token=bound).json["data"][0]["slug"] == "staging"


def test_the_environments_of_a_bound_key_stay_its_own_in_versions_and_history(team: Team) -> None:
    team.put("bot", "in production")
    team.put("bot", "in staging", "staging")
    team.put("bot", "in qa", "qa")
    bound = team.key("bound", Scope, "staging")

    history = team.send("GET", "/v2/deployments/bot/history", token=bound).json["data"]
    assert {each["environment"] for each in history} == {"staging"}
    for other in ("qa", "production"):
        for path in (f"versions/{other}", f"diff?from=staging&to={other}"):
            response = team.send("GET", f"/v2/deployments/bot/{path}", token=bound)
            assert refusal(response) == (403, "wrong_environment"), path
        publication = team.publish("bot", other, "staging", bound)
        assert refusal(publication) == (403, "wrong_environment")
    items = team.send("GET", "/v2/deployments/bot/versions", token=bound).json["data"]
    assert {name for each in items for name in each.get("environments", [])} == {"staging"}


@pytest.mark.parametrize("scope", [Scope.APPROVE, Scope.EMERGENCY])
def test_only_an_administrator_of_environments_grants_the_scopes_around_approvals(team: Team, scope: Scope) -> None:
    held = [Scope.KEYS_ADMIN, Scope.READ, scope]
    keys_admin = team.key("keys admin", held)
    both = team.key("both", [*held, Scope.ENVIRONMENTS_ADMIN])

    assert refusal(post(team, keys_admin, scopes=[scope])) == (403, "insufficient_scope")
    assert refusal(post(team, keys_admin, scopes=[Scope.READ, scope])) == (403, "insufficient_scope")
    granted = post(team, both, scopes=[scope])
    assert granted.status == 201

    path = f"/v2/api-keys/{granted.json['id']}/rotate"
    assert refusal(team.send("POST", path, None, keys_admin)) == (403, "insufficient_scope"), "it would get the token"
    assert team.send("POST", path, None, both).status == 200
    own = team.send("POST", f"/v2/api-keys/{keys_admin.split('_')[1]}/rotate", None, keys_admin)
    assert own.status == 200, "it gets nothing that it does not have"


def test_environments_admin_alone_grants_nothing_that_it_does_not_have(team: Team) -> None:
    admin = team.key("admin", [Scope.KEYS_ADMIN, Scope.ENVIRONMENTS_ADMIN])

    for scope in (Scope.APPROVE, Scope.EMERGENCY, Scope.PUBLISH):
        assert refusal(post(team, admin, scopes=[scope])) == (403, "insufficient_scope")


def test_a_repeated_creation_is_shown_only_to_a_key_that_may_grant_it(team: Team) -> None:
    body = {"name": "made", "scopes": [Scope.APPROVE]}
    granting = team.key("granting", [Scope.KEYS_ADMIN, Scope.APPROVE, Scope.ENVIRONMENTS_ADMIN])
    keys_admin = team.key("keys admin", [Scope.KEYS_ADMIN, Scope.APPROVE])
    first = team.send("POST", "/v2/api-keys", body, granting, Idempotency_Key="k")
    assert first.status == 201

    assert refusal(team.send("POST", "/v2/api-keys", body, keys_admin, Idempotency_Key="k")) == (
        403, "insufficient_scope",
    )  # fmt: skip


def test_a_bound_key_does_not_get_the_stored_result_of_an_unbound_one(team: Team) -> None:
    body = {"name": "made"}
    first = team.send("POST", "/v2/api-keys", body, Idempotency_Key="k")
    assert first.status == 201
    bound = team.key("bound", Scope, "staging")

    again = team.send("POST", "/v2/api-keys", body, bound, Idempotency_Key="k")

    assert refusal(again) == (409, "idempotency_conflict")


def test_a_bound_key_does_not_get_the_stored_deployment_of_another_environment(team: Team) -> None:
    body = {"key": "bot", "prompt_config": {"model": "m", "model_type": "chat", "provider": "openai"}}
    first = team.send("POST", "/v2/deployments", body, Idempotency_Key="k")
    assert first.status == 201
    bound = team.key("bound", Scope, "staging")

    again = team.send("POST", "/v2/deployments", body, bound, Idempotency_Key="k")

    assert again.status == 409, again.body


def test_a_key_of_a_name_that_is_used_again_stays_rejected(team: Team) -> None:
    bound = team.key("bound", Scope, "qa")
    team.delete_under_keys("qa")
    team.create("qa")

    for method, path in (("GET", "/v2/deployments"), ("GET", "/v2/api-keys"), ("PUT", "/v2/deployments/x")):
        assert refusal(team.send(method, path, {} if method == "PUT" else None, bound)) == (403, "environment_deleted")


def test_an_expired_key_does_not_hold_its_environment(team: Team) -> None:
    expires_us = time.time_ns() // 1000 + 300_000
    with team.project.server.open_store() as store:
        with store.read() as reader:
            staging = reader.environments(team.project.id)["staging"].id
        created = store.run(create_api_key, team.project.id, "short", [Scope.READ], expires_us, environment_id=staging)
    until(lambda: team.send("GET", "/v2/deployments", token=created.token).status == 401)

    assert team.send("DELETE", "/v2/environments/staging").status == 200


def test_a_stream_of_calls_and_of_changes_is_about_the_bound_environment(team: Team) -> None:
    team.put("bot", "in staging", "staging")
    bound = team.key("bound", Scope, "staging")

    snapshot = team.send("GET", "/v2/deployments/snapshot", token=bound)
    assert snapshot.headers["x-moorage-environment"] == "staging"
    assert [each["key"] for each in snapshot.json["deployments"]] == ["bot"]
    assert [each["key"] for each in team.send("GET", "/v2/deployments/snapshot").json["deployments"]] == []
    models = team.send("GET", "/v1/models", token=bound).json["data"]
    assert [each["id"] for each in models] == ["bot"]
