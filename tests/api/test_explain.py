"""`POST /v2/deployments/{keyOrID}/explain` and `/simulate`."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.server import Project, Response, a_body

CONFIG = a_body()["prompt_config"]
VARIANTS = [{"name": name, "prompt_config": CONFIG} for name in ("benelux", "new", "small")]
ROUTING: list[dict[str, Any]] = [
    {"variant": "benelux", "when": {"country": {"in": ["NLD", "BEL"]}, "plan": {"ne": "free"}}},
    {"variant": "new", "when": {"environments": {"eq": "staging"}}},
    {"variant": "new", "split": {"by": "user_id", "percent": 20}},
    {"variant": "small", "split": {"by": "user_id", "percent": 30}},
]

IN_PRODUCTION = {
    "name": "production", "source": "default", "follows": False,
    "because": "neither the query, the API key nor the context names another one",
}  # fmt: skip


@pytest.fixture
def routed(project: Project) -> Project:
    """Return a project with the deployment `support` of docs/routing.md."""
    body = {"prompt_config": CONFIG, "variants": VARIANTS, "routing": ROUTING}
    assert project.put("support", body).status == 201
    return project


def post(project: Project, path: str, body: object) -> Response:
    return project.request("POST", f"/v2/deployments/{path}", json.dumps(body).encode())


def problems(response: Response) -> dict[str, str]:
    assert (response.status, response.error["code"]) == (400, "invalid_request_body")
    return {problem["path"]: problem["message"] for problem in response.error["problems"]}


def test_explain_returns_the_variant_the_reason_and_the_explanation_of_each_rule(routed: Project) -> None:
    response = post(routed, "support/explain", {"context": {"country": "NLD", "user_id": "u-1"}})

    assert response.status == 200
    assert response.json == {
        "variant": "small",
        "reason": "split",
        "rule": 4,
        "version": "1.0",
        "environment": IN_PRODUCTION,
        "rules": [
            {"rule": 1, "variant": "benelux", "matched": False, "explanation": "plan is missing"},
            {"rule": 2, "variant": "new", "matched": False, "explanation": "environments is missing"},
            {
                "rule": 3, "variant": "new", "matched": False, "bucket": 20.59,
                "explanation": "the bucket of user_id, 20.59, is not below 20",
            },
            {
                "rule": 4, "variant": "small", "matched": True, "bucket": 20.59,
                "explanation": "the bucket of user_id, 20.59, is from 20 up to 50",
            },
            {"rule": 0, "variant": "default", "matched": True,
             "explanation": "matches every request; rule 4 comes first"},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("context", "variant", "rule", "reason"),
    [
        ({"country": "NLD", "plan": "pro"}, "benelux", 1, "rule"),
        ({"country": "NLD", "environments": ["staging"]}, "new", 2, "rule"),
        ({"user_id": "u-4"}, "new", 3, "split"),
        ({"user_id": "u-6"}, "default", 0, "default"),
        ({}, "default", 0, "default"),
    ],
)
def test_explain_returns_the_variant_that_get_config_uses(
    routed: Project, context: dict[str, Any], variant: str, rule: int, reason: str
) -> None:
    explained = post(routed, "support/explain", {"context": context}).json

    used = post(routed, "get_config", {"key": "support", "context": context}).headers
    assert (explained["variant"], explained["rule"], explained["reason"]) == (variant, rule, reason)
    assert (used["x-moorage-variant"], used["x-moorage-reason"]) == (variant, reason)


def test_explain_without_a_body_has_an_empty_context_and_accepts_an_id(project: Project) -> None:
    item = project.put("bot").json

    response = project.request("POST", f"/v2/deployments/{item['id']}/explain")

    rule = {
        "rule": 0,
        "variant": "default",
        "matched": True,
        "explanation": "matches every request; no other rule matches",
    }
    assert response.json == {
        "variant": "default", "reason": "only", "rule": 0, "rules": [rule], "version": "1.0",
        "environment": IN_PRODUCTION,
    }  # fmt: skip


def test_explain_uses_the_live_version_and_not_a_draft(routed: Project) -> None:
    draft = {"prompt_config": CONFIG, "routing": []}
    assert post(routed, "support/versions", draft).status == 201

    before = post(routed, "support/explain", {}).json
    routed.request("POST", "/v2/deployments/support/versions/1.1/publish")
    after = post(routed, "support/explain", {}).json

    assert (before["version"], before["reason"], len(before["rules"])) == ("1.0", "default", 5)
    assert (after["version"], after["reason"], len(after["rules"])) == ("1.1", "only", 1)


def test_explain_and_simulate_change_nothing(routed: Project) -> None:
    before = routed.page().headers["x-moorage-revision"], routed.get("support").body

    post(routed, "support/explain", {"context": {"plan": "pro"}})
    post(routed, "support/simulate", {"contexts": [{}], "routing": []})

    assert (routed.page().headers["x-moorage-revision"], routed.get("support").body) == before


def test_all_problems_of_a_context_are_reported(routed: Project) -> None:
    response = post(routed, "support/explain", {"context": {"a": {}, "b": "x" * 10_001}, "inputs": {}})
    context = post(routed, "support/explain", {"context": {"a": {}, "b": "x" * 10_001}})

    assert problems(response) == {"inputs": "is an unknown field; the fields are context"}
    assert set(problems(context)) == {"context.a", "context.b"}
    assert post(routed, "nothing/explain", {}).error["code"] == "deployment_not_found"


def test_simulate_returns_the_contexts_with_another_variant(routed: Project) -> None:
    contexts = [{"user_id": f"u-{number}"} for number in (1, 4, 6)] + [{"environments": ["staging"]}]
    wider = [*ROUTING[1:3], {"variant": "small", "split": {"by": "user_id", "percent": 60}}]

    response = post(routed, "support/simulate", {"contexts": contexts, "routing": wider})

    assert response.json == {
        "version": "1.0",
        "changed": [
            {
                "context": {"user_id": "u-6"},
                "before": {"variant": "default", "reason": "default", "rule": 0},
                "after": {"variant": "small", "reason": "split", "rule": 3},
            }
        ],
        "unchanged": 3,
    }


def test_simulate_accepts_new_variants(routed: Project) -> None:
    routing = [{"variant": "newest", "when": {"plan": {"eq": "pro"}}}]
    newest = [{"name": "newest", "prompt_config": CONFIG}]

    alone = post(routed, "support/simulate", {"contexts": [{"plan": "pro"}], "routing": routing})
    both = post(routed, "support/simulate", {"contexts": [{"plan": "pro"}], "routing": routing, "variants": newest})

    assert problems(alone) == {
        "routing[0].variant": "must be one of default, benelux, new, small; got 'newest'",
    }
    assert both.json["changed"][0]["after"] == {"variant": "newest", "reason": "rule", "rule": 1}


def test_simulate_reports_all_problems_with_their_paths(routed: Project) -> None:
    routing = [
        {"variant": "new", "when": {}},
        {"variant": "gone", "split": {"by": "user_id", "percent": 20}},
    ]
    shapes = {"contexts": [1], "routing": [{"variant": 1, "when": {"a": {"like": 1}}}], "default": "x"}

    response = post(routed, "support/simulate", {"contexts": [{}, {"a": {}}], "routing": routing})

    assert set(problems(response)) == {"routing[1].variant", "routing[1]", "contexts[1].a"}
    assert {"contexts[0]", "routing[0].variant", "routing[0].when.a.like", "default"} == set(
        problems(post(routed, "support/simulate", shapes))
    )
    many = post(routed, "support/simulate", {"contexts": [{}] * 1_001, "routing": []})
    assert problems(many) == {"contexts": "must have at most 1000 items; got 1001"}
    conditions = {f"a{number}": {"nin": [1]} for number in range(100)}
    search = {"a": {"contains": "a" * 96 + "ba"}}
    many_contexts, large_contexts = [{"b": [1] * 10}] * 1_000, [{"a": "a" * 10_000}] * 80
    for contexts, when, count in ((many_contexts, conditions, 20), (large_contexts, search, 100)):
        heavy = {"contexts": contexts, "routing": [{"variant": "new", "when": when}] * count}
        assert problems(post(routed, "support/simulate", heavy)) == {
            "contexts": "must be fewer for tables with this number of conditions"
        }
    assert problems(post(routed, "support/simulate", {})) == {"contexts": "is required", "routing": "is required"}


CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "country": st.sampled_from(["NLD", "DEU"]),
        "plan": st.sampled_from(["pro", "free"]),
        "environments": st.sampled_from(["staging", ["staging"]]),
        "user_id": st.integers(0, 10_000).map(str),
    },
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contexts=st.lists(CONTEXTS, max_size=20), order=st.permutations(range(4)), count=st.integers(0, 4))
def test_simulate_predicts_the_variants_of_the_published_table(
    routed: Project, contexts: list[dict[str, Any]], order: list[int], count: int
) -> None:
    routing = [ROUTING[number] for number in order[:count]]
    routed.put("support", {"prompt_config": CONFIG, "variants": VARIANTS, "routing": ROUTING})
    before = [post(routed, "support/explain", {"context": context}).json["variant"] for context in contexts]

    simulated = post(routed, "support/simulate", {"contexts": contexts, "routing": routing}).json

    routed.put("support", {"prompt_config": CONFIG, "variants": VARIANTS, "routing": routing})
    after = [post(routed, "support/explain", {"context": context}).json["variant"] for context in contexts]
    expected = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [(change["before"]["variant"], change["after"]["variant"]) for change in simulated["changed"]] == expected
    assert simulated["unchanged"] == len(contexts) - len(expected)
