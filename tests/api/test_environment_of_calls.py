"""The environment of get_config, calls and explain: by the query, the API key and the context."""

import json
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.support.server import Project, Response
from tests.support.team import Team, refusal, with_text

#: The routes that choose an environment by the context, and the paths of requests to them.
ROUTES = {
    "get_config, fast path": "/v2/deployments/get_config",
    "get_config": "/v2/deployments/get_config?",
    "invoke": "/v2/deployments/invoke",
    "stream": "/v2/deployments/stream",
    "chat": "/v1/chat/completions",
    "explain": "/v2/deployments/both/explain",
}

#: What callers get in production and in staging.
VERSIONS = {"production": "1.0", "staging": "1.1", "other": "1.0"}


class Calls(Team):
    """A project whose deployment `both` has another version in staging; `only` is in staging alone."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        for name in ("staging", "other", "gone"):
            self.create(name)
        self.put("both", "one")
        self.put("both", "two", "staging")
        self.put("only", "only", "staging")
        self.keys = {name: self.key(name, Scope, name) for name in ("production", "staging", "gone")}
        self.delete_under_keys("gone")

    def call(self, route: str, context: object, key: str | None = None, name: str = "both") -> Response:
        """Send a call to a route, with a context and an API key that is bound to an environment."""
        path = ROUTES[route]
        options = {"invoke_options": {"mock_response": "Hello"}}
        sent = {} if context is None else {"context": context}
        body: dict[str, Any]
        if route == "chat":
            body = {"model": name, **options, **sent}
        elif route == "explain":
            path, body = path.replace("both", name), sent
        else:
            body = {"key": name, **sent, **({} if route.startswith("get_config") else options)}
        if path.endswith("?"):  # a query, so that it is not a request for the fast path
            path += f"environment={key}" if key else "dry="
        return self.send("POST", path.removesuffix("?dry="), body, self.keys.get(key or ""))


@pytest.fixture(scope="module")
def calls(server: Any) -> Calls:
    return Calls(server.new_project())


def found(response: Response) -> tuple[str, str | None, str | None]:
    """Return the environment of a success, its warning, and the version that it has."""
    assert response.status == 200, response.body
    version = response.headers.get("x-moorage-version") or response.json["version"]
    return response.headers["x-moorage-environment"], response.headers.get("x-moorage-warning"), version


UNKNOWN, AMBIGUOUS = "unknown_environment", "ambiguous_environment"

#: The value of `context.environments`, and the environment and warning of a key that is bound to none.
UNBOUND: list[tuple[object, str, str | None]] = [
    (None, "production", None),
    ("staging", "staging", None),
    (["staging"], "staging", None),
    ("production", "production", None),
    ("nowhere", "production", UNKNOWN),
    (["nowhere"], "production", UNKNOWN),
    ("", "production", UNKNOWN),
    ("Staging", "production", UNKNOWN),
    (" staging", "production", UNKNOWN),
    ("\uff53taging", "production", UNKNOWN),
    ([], "production", None),
    (["staging", "production"], "production", AMBIGUOUS),
    (["staging", "staging"], "production", AMBIGUOUS),
    (["nowhere", "neverland"], "production", None),
    (5, "production", None),
    (True, "production", None),
]

CONTEXT_IDS = [json.dumps(row[0]) for row in UNBOUND]


@pytest.mark.parametrize(("value", "environment", "warning"), UNBOUND, ids=CONTEXT_IDS)
@pytest.mark.parametrize("route", ROUTES)
def test_the_context_chooses_the_environment_of_an_unbound_key(
    calls: Calls, route: str, value: object, environment: str, warning: str | None
) -> None:
    response = calls.call(route, {"environments": value})

    assert found(response) == (environment, warning, VERSIONS[environment])


@pytest.mark.parametrize("route", ROUTES)
def test_without_a_context_a_call_is_about_production(calls: Calls, route: str) -> None:
    assert found(calls.call(route, None)) == ("production", None, "1.0")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("value", "warning"),
    [
        (None, None), ("staging", None), (["staging"], None), ("nowhere", UNKNOWN), (["nowhere"], UNKNOWN),
        (5, None), (True, None), ([], None), (["other", "production"], AMBIGUOUS), (["a", "b"], None),
    ],
)  # fmt: skip
def test_a_bound_key_gets_its_environment_whatever_the_context_says(
    calls: Calls, route: str, value: object, warning: str | None
) -> None:
    response = calls.call(route, {"environments": value}, "staging")

    assert found(response) == ("staging", warning if "?" not in ROUTES[route] else None, "1.1")


@pytest.mark.parametrize("route", [route for route in ROUTES if "?" not in ROUTES[route]])
@pytest.mark.parametrize("value", ["production", ["production"], "other", ["other"]])
def test_a_bound_key_whose_context_names_another_environment_is_rejected(
    calls: Calls, route: str, value: object
) -> None:
    response = calls.call(route, {"environments": value}, "staging")

    assert refusal(response) == (403, "wrong_environment")
    assert "x-moorage-environment" not in response.headers


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("value", [None, "production", "gone", "nowhere", ["a", "b"]])
def test_a_key_of_a_deleted_environment_never_gets_production(calls: Calls, route: str, value: object) -> None:
    response = calls.call(route, {"environments": value}, "gone")

    assert refusal(response) == (403, "environment_deleted")


@pytest.mark.parametrize("route", ROUTES)
def test_the_header_says_that_a_deployment_follows_production(calls: Calls, route: str) -> None:
    assert found(calls.call(route, {"environments": "other"})) == ("other;follows=production", None, "1.0")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("environment", ["production", "other"])
def test_a_deployment_without_a_version_is_404_and_names_where_it_is(
    calls: Calls, route: str, environment: str
) -> None:
    response = calls.call(route, {"environments": environment}, name="only")

    assert refusal(response) == (404, "deployment_not_in_environment")
    assert response.headers["x-moorage-environment"] == environment
    assert "it is in: staging" in response.error["message"]


def test_the_parameter_comes_before_the_context(calls: Calls) -> None:
    body = {"key": "both", "context": {"environments": "staging"}}
    response = calls.send("POST", "/v2/deployments/get_config?environment=other", body)

    assert found(response) == ("other;follows=production", None, "1.0")


RULES = {
    "variants": [{"name": "tested", "prompt_config": with_text("tested")["prompt_config"]}],
    "routing": [{"variant": "tested", "when": {"environments": {"eq": "staging"}}}],
}


@pytest.mark.parametrize("route", [route for route in ROUTES if route != "get_config"])
def test_rules_see_the_attribute_exactly_as_it_was_sent(project: Project, route: str) -> None:
    calls = Calls(project)
    calls.send("PUT", "/v2/deployments/both", {**with_text("one"), **RULES})
    calls.send("PUT", "/v2/deployments/both?environment=staging", {**with_text("two"), **RULES})

    def variant(value: object, key: str | None = None) -> str:
        response = calls.call(route, {} if value is None else {"environments": value}, key)
        assert response.status == 200, response.body
        return str(response.headers.get("x-moorage-variant") or response.json["variant"])

    assert variant("staging") == variant(["staging"]) == "tested"
    assert variant(["staging", "b"]) == "default"
    assert variant(None, "staging") == "default", "the binding never fills it in"
    assert variant(None) == variant("other") == "default"
    assert variant("staging", "staging") == "tested", "the choice never removes it"


@pytest.mark.parametrize("route", [route for route in ROUTES if route != "get_config"])
def test_creating_an_environment_changes_no_response_to_rules_about_environments(project: Project, route: str) -> None:
    team = Team(project)
    team.send("PUT", "/v2/deployments/both", {**with_text("one"), **RULES})
    calls = Calls.__new__(Calls)
    calls.__dict__ |= team.__dict__ | {"keys": {}}
    before = calls.call(route, {"environments": "staging"})

    team.create("staging")

    after = calls.call(route, {"environments": "staging"})
    assert before.headers["x-moorage-environment"] == "production"
    assert after.headers["x-moorage-environment"] == "staging;follows=production"
    volatile = {"id", "created", "created_at", "finalized", "environment", "warnings", "telemetry"}
    if route == "stream":
        assert before.status == after.status == 200
        return
    assert {name: value for name, value in after.json.items() if name not in volatile} == {
        name: value for name, value in before.json.items() if name not in volatile
    }


def test_explain_says_which_environment_and_why(calls: Calls) -> None:
    def explained(query: str = "", value: object = None, key: str | None = None, name: str = "both") -> Any:
        body = {} if value is None else {"context": {"environments": value}}
        path = f"/v2/deployments/{name}/explain{query}"
        return calls.send("POST", path, body, calls.keys.get(key or "")).json["environment"]

    assert explained() == {
        "name": "production", "source": "default", "follows": False,
        "because": "neither the query, the API key nor the context names another one",
    }  # fmt: skip
    by_query = explained("?environment=other")
    assert (by_query["name"], by_query["source"], by_query["follows"]) == ("other", "parameter", True)
    assert by_query["because"] == "the query parameter environment names it"
    by_key = explained(key="staging")
    assert (by_key["name"], by_key["source"], by_key["follows"]) == ("staging", "key", False)
    assert by_key["because"] == "the API key is bound to it"
    by_context = explained(value="staging")
    assert (by_context["name"], by_context["source"]) == ("staging", "context")
    assert by_context["because"] == "context.environments names it"
    assert "'nowhere', which is no environment" in explained(value="nowhere")["because"]
    assert explained(value=["staging", "other"])["because"].endswith("context.environments names several")


def test_explain_warns_about_rules_that_test_for_the_name_of_an_environment(project: Project) -> None:
    team = Team(project)
    team.send("PUT", "/v2/deployments/both", {**with_text("one"), **RULES})
    assert "warnings" not in team.send("POST", "/v2/deployments/both/explain", {}).json

    team.create("staging")

    warnings = team.send("POST", "/v2/deployments/both/explain", {}).json["warnings"]
    assert [each["path"] for each in warnings] == ["routing[0].when.environments"]
    assert warnings[0]["message"].startswith("tests for staging")


@pytest.mark.parametrize("route", ROUTES)
def test_production_can_reject_unknown_names(project: Project, route: str) -> None:
    calls = Calls(project)
    calls.create("production", unknown_names="reject")

    for value in ("nowhere", ["nowhere"]):
        response = calls.call(route, {"environments": value})
        assert refusal(response) == (404, "environment_not_found")
        assert "production, " in response.error["message"], "it lists the names"
        assert found(calls.call(route, {"environments": value}, "staging"))[0] == "staging", "its key decides"
    assert found(calls.call(route, {"environments": ["a", "b"]}))[0] == "production"
    assert found(calls.call(route, {"environments": "staging"}))[0] == "staging"


def test_unknown_names_of_calls_are_listed_until_there_is_such_an_environment(project: Project) -> None:
    calls = Calls(project)
    for route in ROUTES:
        calls.call(route, {"environments": f"from-{route.replace(' ', '-')}"})

    def listed() -> list[str]:
        names: list[str] = calls.send("GET", "/v2/environments").json.get("unknown_names", [])
        return names

    names = listed()
    assert sorted(names) == sorted(f"from-{route.replace(' ', '-')}" for route in ROUTES)
    calls.create("from-invoke")
    assert set(listed()) == set(names) - {"from-invoke"}
    assert "unknown_names" not in calls.send("GET", "/v2/environments", token=calls.keys["staging"]).json


def test_hostile_unknown_names_are_counted_and_shown_as_text(project: Project) -> None:
    calls = Calls(project)
    hostile = [
        "",
        "a\r\nX-Injected: yes",
        "nul\u0000",
        "\ud83d",
        "\U0001d564taging",
        "x" * 100_000,
        "';--",
        "../..",
        "é",
    ]
    for value in hostile:
        response = calls.call("get_config, fast path", {"environments": value})
        assert response.status in (200, 400), (value[:20], response.body)
        assert "x-injected" not in response.headers

    shown = calls.send("GET", "/v2/environments")
    assert shown.status == 200, shown.body
    assert all(len(name) <= 200 for name in shown.json["unknown_names"])
    assert calls.call("get_config, fast path", {"environments": "after"}).status == 200
    assert "after" in calls.send("GET", "/v2/environments").json["unknown_names"]


def test_a_million_unknown_names_take_bounded_memory(project: Project) -> None:
    calls = Calls(project)
    for number in range(300):
        calls.call("get_config, fast path", {"environments": f"n{number}"})

    assert len(calls.send("GET", "/v2/environments").json["unknown_names"]) <= 200


# Pins: `KEY@staging` and `KEY@1.2`.


def chat(team: Team, model: str, query: str = "", token: str | None = None, **fields: Any) -> Response:
    """Send a chat with a mock response."""
    body = {"model": model, "invoke_options": {"mock_response": "Hello"}, **fields}
    return team.send("POST", f"/v1/chat/completions{query}", body, token)


def test_a_model_can_name_an_environment(calls: Calls) -> None:
    assert found(chat(calls, "both@staging")) == ("staging", None, "1.1")
    assert found(chat(calls, "both@production")) == ("production", None, "1.0")
    assert found(chat(calls, "both@other")) == ("other;follows=production", None, "1.0")
    assert refusal(chat(calls, "both@nowhere")) == (404, "environment_not_found")
    assert refusal(chat(calls, "both@gone")) == (404, "environment_not_found")
    assert refusal(chat(calls, "both@other", token=calls.keys["staging"])) == (403, "wrong_environment")
    assert found(chat(calls, "both@staging", token=calls.keys["staging"])) == ("staging", None, "1.1")
    assert refusal(chat(calls, "both@staging", token=calls.keys["gone"])) == (403, "environment_deleted")


def test_a_model_and_a_parameter_that_name_two_environments_are_rejected(calls: Calls) -> None:
    response = chat(calls, "both@staging", "?environment=production")

    assert response.status == 400, response.body
    assert found(chat(calls, "both@staging", "?environment=staging")) == ("staging", None, "1.1")


def test_a_pinned_version_of_a_protected_environment_must_have_been_live_there(project: Project) -> None:
    calls = Calls(project)
    calls.put("both", "three")  # 1.2 in production; 1.0 was live there, and 1.1 never

    assert found(chat(calls, "both@1.0")) == ("production", None, "1.0")
    assert found(chat(calls, "both@1.2")) == ("production", None, "1.2")
    assert refusal(chat(calls, "both@1.1")) == (403, "version_not_published")
    assert refusal(chat(calls, "both@9.9")) == (404, "version_not_found")
    assert found(chat(calls, "both@1.1", "?environment=staging")) == ("staging", None, "1.1")
    assert found(chat(calls, "both@1.2", "?environment=staging")) == ("staging", None, "1.2")
    assert found(chat(calls, "both@1.1", token=calls.keys["staging"])) == ("staging", None, "1.1")

    assert calls.promote("both").status == 200

    assert found(chat(calls, "both@1.1")) == ("production", None, "1.1")


def test_a_protected_follower_has_the_versions_of_what_it_follows_or_its_own(project: Project) -> None:
    calls = Calls(project)
    calls.create("strict", protected=True)

    assert found(chat(calls, "both@1.0", "?environment=strict"))[2] == "1.0"
    assert refusal(chat(calls, "both@1.1", "?environment=strict")) == (403, "version_not_published")
    calls.put("both", "three")  # 1.2
    assert found(chat(calls, "both@1.0", "?environment=strict"))[2] == "1.0"
    calls.put("both", "four", "strict")  # 1.3
    assert found(chat(calls, "both@1.3", "?environment=strict"))[2] == "1.3"
    assert refusal(chat(calls, "both@1.3")) == (403, "version_not_published")
    assert refusal(chat(calls, "both@1.0", "?environment=strict")) == (403, "version_not_published")
