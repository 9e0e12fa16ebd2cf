"""`/v2/environments` and `/v3/environments`: names, settings, limits, deletion and the difference of two."""

import json
from functools import partial
from typing import Any

import pytest

from moorage.core.access import Scope
from moorage.core.environments import MAX_ENVIRONMENTS, RESERVED_NAMES
from tests.support.server import Project
from tests.support.team import Team, refusal, with_text
from tests.support.threads import Background


@pytest.fixture
def team(project: Project) -> Team:
    return Team(project)


def names(team: Team) -> list[str]:
    return [each["name"] for each in team.send("GET", "/v2/environments").json["data"]]


def test_a_new_project_has_production_alone_which_is_protected(team: Team) -> None:
    (production,) = team.send("GET", "/v2/environments").json["data"]

    assert (production["name"], production["protected"], production["required_approvals"]) == ("production", True, 0)
    assert production["unknown_names"] == "production"


def test_put_creates_changes_and_leaves_omitted_settings(team: Team) -> None:
    created = team.send("PUT", "/v2/environments/qa-eu", {"description": "tests", "protected": True})
    changed = team.send("PUT", "/v2/environments/qa-eu", {"required_approvals": 1})
    same = team.send("PUT", "/v2/environments/qa-eu", {"required_approvals": 1})

    assert (created.status, created.headers["x-moorage-result"]) == (201, "created")
    assert created.json["display_name"] == "Qa eu"
    assert (changed.status, changed.headers["x-moorage-result"]) == (200, "updated")
    assert (changed.json["description"], changed.json["protected"]) == ("tests", True)
    assert (same.headers["x-moorage-result"], same.headers["etag"]) == ("unchanged", changed.headers["etag"])
    assert team.send("GET", "/v2/environments/qa-eu").headers["etag"] == changed.headers["etag"]


def test_if_match_protects_settings_and_a_deletion(team: Team) -> None:
    team.create("qa")
    old = team.send("GET", "/v2/environments/qa").headers["etag"]
    new = team.send("PUT", "/v2/environments/qa", {"description": "x"}, If_Match=old).headers["etag"]

    for method, body in (("PUT", {"description": "y"}), ("DELETE", None)):
        assert refusal(team.send(method, "/v2/environments/qa", body, If_Match=old)) == (412, "precondition_failed")
    create = team.send("PUT", "/v2/environments/qa", {}, If_None_Match="*")
    assert refusal(create) == (412, "precondition_failed")
    assert refusal(team.send("PUT", "/v2/environments/new", {}, If_Match=old)) == (404, "environment_not_found")
    assert team.send("DELETE", "/v2/environments/qa", If_Match=f'"other", {new}').status == 200


INVALID = [
    "A", "Staging", "STAGING", "1a", "-a", "a-", "a_b", "a.b", "a b", "a%20b", "a%00", "%00", "%0d%0aX-Injected:1", "é",
    "stag%C3%ADng", "%F0%9F%98%80", "a" * 41, "a" * 5_000, "1.2", "01a2b3c4-0000-7000-8000-000000000000", "*", "%2e%2e",
    "stagin\u0261", *sorted(RESERVED_NAMES - {"diff"}),
]  # fmt: skip


@pytest.mark.parametrize("name", INVALID, ids=lambda name: ascii(name)[:30])
def test_an_invalid_name_is_rejected_and_never_in_a_header(team: Team, name: str) -> None:
    path = name.encode().decode("latin-1") if name.isascii() else "".join(f"%{each:02X}" for each in name.encode())
    response = team.send("PUT", f"/v2/environments/{path}", {})

    assert response.status in (400, 404), response.body
    if response.status == 400:
        assert response.error["code"] in ("invalid_environment_name", "invalid_path"), response.body
    assert "x-injected" not in response.headers
    assert names(team) == ["production"]


@pytest.mark.parametrize("name", ["a", "a1", "a-b", "a" * 40, "x--y", "deployments", "promotions"])
def test_a_valid_name_works_in_every_place(team: Team, name: str) -> None:
    team.put("bot", "one")
    team.create(name)
    team.put("bot", "two", name)

    assert team.text("bot", name) == "two"
    assert team.text("bot") == "one"
    assert team.send("GET", f"/v2/deployments/bot/versions/{name}").json["version"] == "1.1"
    assert team.send("GET", f"/v2/deployments/bot/diff?from=production&to={name}").status == 200
    assert team.send("GET", f"/v2/environments/diff?from=production&to={name}").status == 200
    assert team.send("DELETE", f"/v2/environments/{name}?force=true").status == 200


def test_diff_is_a_reserved_name_because_it_is_a_route(team: Team) -> None:
    assert team.send("PUT", "/v2/environments/diff", {}).status in (400, 405)
    assert refusal(team.send("POST", "/v3/environments", {"slug": "diff"})) == (400, "invalid_environment_name")


def test_a_similar_name_is_suggested(team: Team) -> None:
    response = team.send("PUT", "/v2/environments/My_Staging%202", {})

    assert refusal(response) == (400, "invalid_environment_name")
    assert "'my-staging-2'" in response.error["message"]


def test_a_project_has_at_most_20_environments(team: Team) -> None:
    for number in range(MAX_ENVIRONMENTS - 1):
        team.create(f"e{number}")

    assert refusal(team.send("PUT", "/v2/environments/more", {})) == (409, "too_many_environments")
    assert refusal(team.send("POST", "/v3/environments", {"slug": "more"})) == (409, "too_many_environments")
    assert team.send("DELETE", "/v2/environments/e3").status == 200
    assert team.send("PUT", "/v2/environments/more", {}).status == 201
    assert len(names(team)) == MAX_ENVIRONMENTS


def test_concurrent_creations_never_exceed_the_limit(team: Team) -> None:
    for number in range(MAX_ENVIRONMENTS - 3):
        team.create(f"e{number}")

    works = [Background(partial(team.send, "PUT", f"/v2/environments/n{number}", {})) for number in range(8)]

    assert sorted(work.result().status for work in works) == [201, 201, *[409] * 6]


@pytest.mark.parametrize(
    "body",
    [
        {"required_approvals": -1}, {"required_approvals": 6}, {"required_approvals": True},
        {"required_approvals": "1"},
        {"required_approvals": 10**30}, {"protected": 1}, {"display_name": "x" * 129},
        {"description": "x" * 2_001}, {"unknown_names": "ignore"}, {"name": "other"}, {"reason": "x" * 10_001}, [], "x",
    ],
    ids=lambda body: json.dumps(body)[:40],
)  # fmt: skip
def test_an_invalid_setting_is_rejected_and_creates_nothing(team: Team, body: Any) -> None:
    assert team.send("PUT", "/v2/environments/qa", body).status == 400
    assert names(team) == ["production"]


def test_settings_may_have_any_text(team: Team) -> None:
    text = "é 😀 \u202e\u0000 \"'\\ </script>"
    response = team.send("PUT", "/v2/environments/qa", {"display_name": text, "description": text})

    if response.status == 201:  # what is accepted is returned as it was sent
        assert (response.json["display_name"], response.json["description"]) == (text, text)
    else:
        assert response.status == 400
    readable = text.replace("\u0000", "")
    stored = team.send("PUT", "/v2/environments/qa", {"display_name": readable, "description": readable}).json
    assert (stored["display_name"], stored["description"]) == (readable, readable)


def test_production_can_be_neither_deleted_nor_unprotected(team: Team) -> None:
    unprotected = team.send("PUT", "/v2/environments/production", {"protected": False})

    assert refusal(unprotected) == (409, "production_is_permanent")
    for force in ("", "?force=true"):
        deleted = team.send("DELETE", f"/v2/environments/production{force}")
        assert refusal(deleted) == (409, "production_is_permanent")
    assert team.send("DELETE", "/v3/environments/production").status == 409
    assert team.create("production", description="live")["description"] == "live"


def test_a_name_that_is_used_again_is_another_environment(team: Team) -> None:
    first = team.create("qa", protected=True)["id"]
    team.put("bot", "one", "qa")
    team.send("DELETE", "/v2/environments/qa?force=true")

    second = team.create("qa")

    assert second["id"] != first
    assert second["protected"] is False
    assert team.version("bot", "qa") == "none"
    assert refusal(team.send("GET", f"/v2/environments/{first}")) == (404, "environment_not_found")
    assert team.send("GET", f"/v2/environments/{second['id']}").json["name"] == "qa"


def test_the_deletion_of_an_environment_with_keys_needs_force_which_revokes_them(team: Team) -> None:
    team.create("qa")
    bound = team.key("bound to qa", [Scope.READ], "qa")

    refused = team.send("DELETE", "/v2/environments/qa")
    assert refusal(refused) == (409, "keys_bound")
    assert "bound to qa" in refused.error["message"]
    assert team.send("GET", "/v2/deployments", token=bound).status == 200

    assert team.send("DELETE", "/v2/environments/qa?force=true").status == 200
    assert refusal(team.send("GET", "/v2/deployments", token=bound)) == (401, "invalid_api_key")


def test_the_deletion_of_an_environment_that_calls_use_needs_force(team: Team) -> None:
    team.put("bot", "one")
    team.create("qa")
    assert team.text("bot", "qa") == "one"

    assert refusal(team.send("DELETE", "/v2/environments/qa")) == (409, "in_use")
    assert refusal(team.send("DELETE", "/v3/environments/qa")) == (409, "in_use")
    assert team.send("DELETE", "/v2/environments/qa?force=true").status == 200


def test_a_deletion_records_the_end_of_each_own_version(team: Team) -> None:
    team.create("qa")
    team.put("bot", "one")
    team.put("bot", "two", "qa")
    team.send("DELETE", "/v2/environments/qa", None)

    newest = team.history("bot")[0]
    assert (newest["action"], newest["environment"], newest.get("to_version")) == ("unpublished", "qa", None)


def test_fewer_approvers_than_needed_is_a_warning(team: Team) -> None:
    team.key("approver", [Scope.APPROVE])  # and the key of the administrator
    enough = team.send("PUT", "/v2/environments/qa", {"required_approvals": 1})
    few = team.send("PUT", "/v2/environments/qa", {"required_approvals": 2})

    assert "x-moorage-warnings" not in enough.headers
    assert few.headers["x-moorage-warnings"].startswith("required_approvals: 2 approvals and a proposer need 3")


def test_the_difference_has_the_deployments_that_differ(team: Team) -> None:
    for key in ("ahead", "behind", "same", "production-only"):
        team.put(key, "one")
    team.create("qa")
    team.put("ahead", "two", "qa")
    team.publish("behind", "1.0", "qa")
    team.put("behind", "two")
    team.put("qa-only", "one", "qa")

    def found(query: str) -> dict[str, Any]:
        response = team.send("GET", f"/v2/environments/diff?{query}")
        assert response.status == 200, response.body
        return {each["key"]: each for each in response.json["data"]}

    one = found("from=qa&to=production")
    assert {key: each["relation"] for key, each in one.items()} == {
        "ahead": "ahead", "behind": "behind", "qa-only": "only_in_from",
    }  # fmt: skip
    assert (one["ahead"]["from_version"], one["ahead"]["to_version"]) == ("1.1", "1.0")
    assert (one["qa-only"]["to_version"], one["qa-only"]["to_follows"]) == (None, False)
    other = found("from=production&to=qa")
    assert {key: each["relation"] for key, each in other.items()} == {
        "ahead": "behind", "behind": "ahead", "qa-only": "only_in_to",
    }  # fmt: skip
    assert found("from=qa&to=qa") == {}
    first = team.send("GET", "/v2/environments/diff?from=qa&to=production&limit=2").json
    rest = team.send(
        "GET", f"/v2/environments/diff?from=qa&to=production&limit=2&starting_after={first['data'][-1]['id']}"
    ).json
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert {each["key"] for each in first["data"] + rest["data"]} == set(one)


@pytest.mark.parametrize("query", ["from=qa", "to=qa", "from=&to=qa", "from=qa&to=nowhere", "from=qa&to=qa&x=1"])
def test_the_difference_needs_two_environments(team: Team, query: str) -> None:
    team.create("qa")

    assert team.send("GET", f"/v2/environments/diff?{query}").status in (400, 404)


def test_the_deployments_of_an_environment_are_not_the_callers_of_another(team: Team) -> None:
    team.put("bot", "one")
    team.create("qa")
    team.text("bot", "qa")

    def callers(environment: str) -> int:
        response = team.send("GET", f"/v2/deployments/bot/callers?environment={environment}")
        return len(response.json["data"])

    assert (callers("qa"), callers("production")) == (1, 0)


def test_a_large_body_and_a_malformed_one_are_rejected(team: Team) -> None:
    large = team.send("PUT", "/v2/environments/qa", b'{"description": "' + b"x" * 20_000_000 + b'"}')
    assert large.status == 413
    for body in (b"", b"{", b"[" * 100_000, b'{"description": "\xff"}', b'{"protected": true, "protected": false}'):
        assert team.send("PUT", "/v2/environments/qa", body).status == 400
    assert names(team) == ["production"]


def test_with_text_is_what_callers_get(team: Team) -> None:
    """The positive control of tests that compare texts."""
    team.send("PUT", "/v2/deployments/bot", with_text("one"))
    assert team.text("bot") == "one"


#: Values of `?environment=` that name none, as they stand in a URL.
HOSTILE = [
    "", "%00", "staging%00", "staging%0d%0aX-Injected:1", "%F0%9F%98%80", "%FF", "a" * 4_000, "Staging", "staging%20",
    "*", "..", "live", "all", "none", "latest", "diff", "null", "staging,production", "%2e%2e%2fstaging",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: value[:20] or "empty")
def test_a_hostile_parameter_is_rejected_everywhere_and_moves_nothing(team: Team, value: str) -> None:
    team.put("bot", "one")
    team.create("staging")
    team.put("bot", "two", "staging")

    for method, path, body in (
        ("GET", "/v2/deployments", None), ("GET", "/v2/deployments/bot", None), ("GET", "/v1/models", None),
        ("GET", "/v2/deployments/snapshot", None), ("GET", "/v2/manifests", None),
        ("PUT", "/v2/deployments/bot", with_text("x")), ("POST", "/v2/deployments/bot/undo", None),
        ("POST", "/v2/deployments/get_config", {"key": "bot"}),
    ):  # fmt: skip
        response = team.send(method, f"{path}?environment={value}", body)
        assert response.status in (400, 404), (path, response.body)
        assert "x-injected" not in response.headers
        assert "x-moorage-environment" not in response.headers, "none was chosen"
    assert team.send("GET", f"/v2/environments/diff?from={value}&to=staging").status in (400, 404)
    assert team.send("GET", f"/v3/environments?search={value}").status in (200, 400)
    assert (team.text("bot"), team.text("bot", "staging")) == ("one", "two")


def test_an_id_is_no_name_of_an_environment_except_in_its_own_route(team: Team) -> None:
    identifier = team.create("staging")["id"]
    team.put("bot", "one")

    assert team.send("GET", f"/v2/environments/{identifier}").status == 200
    assert refusal(team.send("GET", f"/v2/deployments?environment={identifier}")) == (404, "environment_not_found")
    assert refusal(team.promote("bot", source="production", to=identifier)) == (404, "environment_not_found")
    created = team.send("POST", "/v2/api-keys", {"name": "k", "environment": identifier})
    assert refusal(created) == (404, "environment_not_found")
    call = team.send("POST", "/v2/deployments/get_config", {"key": "bot", "context": {"environments": identifier}})
    assert (call.headers["x-moorage-environment"], call.headers["x-moorage-warning"]) == (
        "production", "unknown_environment",
    )  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/v2/deployments", "/v2/deployments/bot", "/v2/deployments/bot/versions", "/v2/deployments/snapshot"]
)
def test_cached_and_unmodified_responses_name_the_environment(team: Team, path: str) -> None:
    team.put("bot", "one")
    team.create("staging")
    first = team.send("GET", f"{path}?environment=staging")

    cached = team.send("GET", f"{path}?environment=staging")
    unmodified = team.send("GET", f"{path}?environment=staging", If_None_Match=first.headers["etag"])

    header = first.headers["x-moorage-environment"]
    assert header.startswith("staging")
    assert (cached.headers["x-moorage-environment"], unmodified.headers["x-moorage-environment"]) == (header, header)
    assert unmodified.status == 304
