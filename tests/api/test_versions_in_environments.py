"""Lists, versions, ETags and history of an environment, and deletions across environments."""

from collections.abc import Callable
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.support.server import Project, Response
from tests.support.team import Team, refusal, with_text


@pytest.fixture
def team(project: Project) -> Team:
    made = Team(project)
    made.create("staging")
    return made


def keys(team: Team, query: str) -> tuple[list[str], bool]:
    response = team.send("GET", f"/v2/deployments?{query}")
    assert response.status == 200, response.body
    return [each["key"] for each in response.json["data"]], response.json["has_more"]


def test_an_environment_lists_what_it_shows_newest_first(team: Team) -> None:
    for number in range(4):
        team.put(f"p{number}", "one")
        team.put(f"s{number}", "one", "staging")

    assert keys(team, "") == (["p3", "p2", "p1", "p0"], False)
    both = ["s3", "p3", "s2", "p2", "s1", "p1", "s0", "p0"]
    assert keys(team, "environment=staging") == (both, False)
    team.unpublish("s2", "staging")
    assert keys(team, "environment=staging")[0] == [key for key in both if key != "s2"]


def test_pages_of_an_environment_are_complete_in_both_directions(team: Team) -> None:
    for number in range(6):
        team.put(f"d{number}", "one", "staging" if number % 2 else "production")
    ids = {each["key"]: each["id"] for each in team.send("GET", "/v2/deployments?environment=staging").json["data"]}

    found, cursor = list[str](), ""
    while True:
        page, has_more = keys(team, f"environment=staging&limit=2{cursor}")
        found += page
        if not has_more:
            break
        cursor = f"&starting_after={ids[page[-1]]}"

    assert found == ["d5", "d4", "d3", "d2", "d1", "d0"]
    assert keys(team, f"environment=staging&limit=2&ending_before={ids['d1']}") == (["d3", "d2"], True)


def test_a_cursor_of_a_deployment_that_the_environment_does_not_show_still_pages(team: Team) -> None:
    for number in range(5):
        team.put(f"d{number}", "one", "production" if number != 2 else "staging")
    hidden = team.send("GET", "/v2/deployments/d2?environment=staging").json["id"]

    assert keys(team, f"starting_after={hidden}") == (["d1", "d0"], False)
    assert keys(team, f"ending_before={hidden}") == (["d4", "d3"], False)


def test_a_promoted_deployment_appears_at_its_place_by_creation(team: Team) -> None:
    for number in range(3):
        team.put(f"d{number}", "one", "production" if number != 1 else "staging")

    team.promote("d1")

    assert keys(team, "")[0] == ["d2", "d1", "d0"]


def test_filters_and_manifests_show_the_versions_of_the_environment(team: Team) -> None:
    team.put("a", "one")
    team.send("PUT", "/v2/deployments/a?environment=staging&file=a.yaml", with_text("two"))

    def manifest(environment: str) -> Any:
        (found,) = team.send("GET", f"/v2/manifests?environment={environment}").json["data"]
        return found["version"], found["owner"], found.get("file")

    assert manifest("production") == ("1.0", "api", None)
    assert manifest("staging") == ("1.1", "files", "a.yaml")


def test_the_key_of_a_deployment_of_one_environment_is_taken_in_all(team: Team) -> None:
    team.put("a", "one", "staging")

    response = team.send("POST", "/v2/deployments", {"key": "a", **with_text("two")})

    assert refusal(response) == (409, "key_taken")
    assert team.version("a") == "none"
    missing = team.send("GET", "/v2/deployments/a")
    assert refusal(missing) == (404, "deployment_not_in_environment")
    assert "it is in: staging" in missing.error["message"]
    assert team.put("a", "two").headers["x-moorage-result"] == "updated"
    assert (team.version("a"), team.version("a", "staging")) == ("1.1", "1.0")


def test_the_status_of_a_version_is_that_of_the_environment(team: Team) -> None:
    team.put("a", "one")
    team.put("a", "two", "staging")
    team.send("POST", "/v2/deployments/a/versions", with_text("three"))

    def statuses(query: str = "") -> dict[str, tuple[str, Any]]:
        found = team.send("GET", f"/v2/deployments/a/versions{query}").json["data"]
        return {each["version"]: (each["status"], each.get("environments")) for each in found}

    assert statuses() == {"1.0": ("live", None), "1.1": ("published", ["staging"]), "1.2": ("draft", None)}
    assert statuses("?environment=staging") == {
        "1.0": ("published", None), "1.1": ("live", ["staging"]), "1.2": ("draft", None),
    }  # fmt: skip
    for version, status in statuses("?environment=staging").items():
        item = team.send("GET", f"/v2/deployments/a/versions/{version}?environment=staging").json
        assert (item["status"], item.get("environments")) == status


def test_live_and_the_names_of_environments_are_versions(team: Team) -> None:
    team.put("a", "one")
    team.put("a", "two", "staging")

    def version(name: str, query: str = "") -> str:
        return str(team.send("GET", f"/v2/deployments/a/versions/{name}{query}").json["version"])

    assert (version("live"), version("live", "?environment=staging")) == ("1.0", "1.1")
    assert (version("production"), version("staging")) == ("1.0", "1.1")
    assert version("production", "?environment=staging") == "1.0"
    difference = team.send("GET", "/v2/deployments/a/diff?from=production&to=staging").json
    assert [each["after"] for each in difference["changes"]] == ["two"]
    assert refusal(team.send("GET", "/v2/deployments/a/versions/nowhere")) == (404, "version_not_found")
    team.put("b", "one", "staging")
    assert refusal(team.send("GET", "/v2/deployments/b/versions/production")) == (404, "deployment_not_in_environment")
    assert refusal(team.send("GET", "/v2/deployments/b/versions/live")) == (404, "version_not_found")


def test_the_history_of_an_environment_has_its_own_entries(team: Team) -> None:
    team.put("a", "one")
    team.put("a", "two", "staging")
    team.put("a", "three")

    def entries(query: str = "") -> list[tuple[str, str]]:
        found = team.send("GET", f"/v2/deployments/a/history{query}").json["data"]
        return [(each["action"], each["environment"]) for each in found]

    assert entries() == [("published", "production"), ("published", "staging"), ("created", "production")]
    assert entries("?environment=staging") == [("published", "staging")]
    assert entries("?environment=production") == [("published", "production"), ("created", "production")]


# ETags.


def etag(team: Team, environment: str = "production", key: str = "a") -> str:
    return str(team.send("GET", f"/v2/deployments/{key}?environment={environment}").headers["etag"])


def test_the_etag_of_production_changes_with_production_alone(team: Team) -> None:
    team.put("a", "one")
    before = etag(team)

    team.put("a", "two", "staging")
    team.undo("a", "staging")
    team.send("PUT", "/v2/deployments/a?environment=staging&draft=true", with_text("three"))
    assert etag(team) == before

    team.put("a", "four")
    assert etag(team) != before


def test_the_etag_of_an_own_version_changes_with_it_alone(team: Team) -> None:
    team.put("a", "one")
    team.put("a", "two", "staging")
    before = etag(team, "staging")

    team.put("a", "three")
    team.send("POST", "/v2/deployments/a/versions", with_text("draft"))
    assert etag(team, "staging") == before

    team.put("a", "four", "staging")
    changed = etag(team, "staging")
    assert changed != before
    team.send("PATCH", "/v2/deployments/a", {"description": "another"})
    assert etag(team, "staging") != changed


def test_the_etag_of_a_follower_changes_with_production_and_when_it_starts_or_stops(team: Team) -> None:
    team.put("a", "one")
    seen = {etag(team, "staging")}
    writes: list[Callable[[], Response]] = [
        lambda: team.put("a", "two"),
        lambda: team.put("a", "three", "staging"),
        lambda: team.unpublish("a", "staging"),
        lambda: team.publish("a", "1.1", "staging"),
    ]
    for write in writes:
        assert write().status == 200
        assert etag(team, "staging") not in seen
        seen.add(etag(team, "staging"))


def test_if_match_is_about_the_environment_of_the_write(team: Team) -> None:
    team.put("a", "one")
    in_production, in_staging = etag(team), etag(team, "staging")
    team.put("a", "two")

    for method, path, body in (
        ("PUT", "/v2/deployments/a?environment=staging", with_text("x")),
        ("POST", "/v2/deployments/a/versions/1.0/publish?environment=staging", None),
    ):
        stale = team.send(method, path, body, If_Match=in_staging)
        assert refusal(stale) == (412, "precondition_failed"), "production moved under the follower"
        assert team.send(method, path, body, If_Match=in_production).status == 412
    current = etag(team, "staging")
    assert team.send("PUT", "/v2/deployments/a?environment=staging", with_text("x"), If_Match=current).status == 200
    again = team.send("PUT", "/v2/deployments/a?environment=staging", with_text("y"), If_Match=current)
    assert refusal(again) == (412, "precondition_failed")
    assert again.error["current"]["version"] == "1.2", "the state of the environment"


def test_the_snapshot_of_an_environment_changes_with_what_it_shows(team: Team) -> None:
    team.create("qa")
    team.put("a", "one")

    def tag(environment: str) -> str:
        response = team.send("GET", f"/v2/deployments/snapshot?environment={environment}")
        assert response.json.get("environment", "production") == environment
        return str(response.headers["etag"])

    before = {name: tag(name) for name in ("production", "staging", "qa")}
    team.put("a", "two", "qa")
    after = {name: tag(name) for name in before}
    assert [name for name in before if before[name] != after[name]] == ["qa"]
    team.put("a", "three")
    last = {name: tag(name) for name in before}
    assert [name for name in before if last[name] != after[name]] == ["production", "staging"]


# Moves and deletions.


def test_a_put_makes_an_own_version_also_if_it_equals_that_of_production(team: Team) -> None:
    team.put("a", "one")

    response = team.put("a", "one", "staging")

    assert (response.status, response.json["version"]) == (200, "1.0")
    assert team.version("a", "staging") == "1.0"
    team.put("a", "two")
    assert team.version("a", "staging") == "1.0"


def test_unpublish_follows_again_and_production_cannot(team: Team) -> None:
    team.put("a", "one")
    team.put("a", "two", "staging")

    first, again = team.unpublish("a", "staging"), team.unpublish("a", "staging")

    assert (first.json["version"], first.headers["x-moorage-environment"]) == ("1.0", "staging;follows=production")
    assert (again.status, team.version("a", "staging")) == (200, "1.0 follows")
    assert [each["action"] for each in team.history("a")].count("unpublished") == 1
    assert refusal(team.unpublish("a", "production")) == (409, "production_cannot_follow")


def test_unpublish_of_a_deployment_of_one_environment_leaves_it_nowhere(team: Team) -> None:
    team.put("a", "one", "staging")

    assert team.unpublish("a", "staging").status == 200
    assert (team.version("a", "staging"), team.version("a")) == ("none", "none")
    assert team.send("GET", "/v2/deployments/a/versions").json["data"][0]["version"] == "1.0"
    assert refusal(team.unpublish("a", "staging")) == (404, "deployment_not_in_environment")


def test_a_version_that_is_live_anywhere_is_not_deleted(team: Team) -> None:
    team.put("a", "one")
    team.put("a", "two", "staging")

    in_staging = team.send("DELETE", "/v2/deployments/a/versions/1.1?force=true")
    in_production = team.send("DELETE", "/v2/deployments/a/versions/1.0?force=true")

    assert refusal(in_staging) == (409, "version_is_live")
    assert "in staging" in in_staging.error["message"]
    assert refusal(in_production) == (409, "version_is_live")
    team.unpublish("a", "staging")
    assert team.send("DELETE", "/v2/deployments/a/versions/1.1?force=true").status == 200


def test_a_version_that_callers_of_any_environment_use_is_deleted_with_force_only(team: Team) -> None:
    team.put("a", "one")
    team.put("a", "two", "staging")
    assert team.text("a", "staging") == "two"
    team.unpublish("a", "staging")

    assert refusal(team.send("DELETE", "/v2/deployments/a/versions/1.1")) == (409, "in_use")
    assert team.send("DELETE", "/v2/deployments/a/versions/1.1?force=true").status == 200


def test_a_deleted_and_restored_deployment_has_its_versions_in_all_environments(team: Team) -> None:
    team.put("a", "one")
    team.put("a", "two", "staging")
    team.put("only", "x", "staging")
    for key in ("a", "only"):
        identifier = team.send("GET", f"/v2/deployments/{key}?environment=staging").json["id"]
        assert team.send("DELETE", f"/v2/deployments/{key}?force=true").status == 200
        assert (team.version(key), team.version(key, "staging")) == ("none", "none")
        restored = team.send("POST", f"/v2/deployments/{identifier}/restore", Idempotency_Key=key)
        again = team.send("POST", f"/v2/deployments/{identifier}/restore", Idempotency_Key=key)
        assert (restored.status, again.status) == (200, 200), restored.body
        assert again.json == restored.json

    assert (team.version("a"), team.version("a", "staging")) == ("1.0", "1.1")
    assert (team.version("only"), team.version("only", "staging")) == ("none", "1.0")


def test_the_description_is_shared_and_a_put_in_an_environment_leaves_it(team: Team) -> None:
    team.send("PUT", "/v2/deployments/a", {**with_text("one"), "description": "main"})

    response = team.send("PUT", "/v2/deployments/a?environment=staging", {**with_text("two"), "description": "branch"})

    assert response.json["description"] == "main"
    assert "description" in response.headers["x-moorage-warnings"]
    for environment in ("production", "staging"):
        item = team.send("GET", f"/v2/deployments/a?environment={environment}").json
        assert item["description"] == "main"
    created = team.send("PUT", "/v2/deployments/b?environment=staging", {**with_text("x"), "description": "new"})
    assert created.json["description"] == "new"


def test_a_bound_key_cannot_change_what_all_environments_share(team: Team) -> None:
    team.put("a", "one")
    team.put("a", "two", "staging")
    bound = team.key("bound", Scope, "staging")
    production = team.key("production", Scope, "production")

    for token in (bound, production):
        for method, path, body in (
            ("PATCH", "/v2/deployments/a", {"description": "x"}),
            ("DELETE", "/v2/deployments/a", None),
            ("POST", "/v2/deployments/a/restore", None),
            ("DELETE", "/v2/deployments/a/versions/1.0", None),
            ("PUT", "/v2/integrations/x", {"provider": "openailike", "base_url": "https://x.example"}),
            ("PUT", "/v2/environments/staging", {"protected": False}),
            ("DELETE", "/v2/environments/staging", None),
        ):
            assert refusal(team.send(method, path, body, token)) == (403, "wrong_environment"), path


def test_usage_is_counted_in_the_environment_of_the_report(team: Team) -> None:
    team.put("a", "one")
    version = team.send("GET", "/v2/deployments/a/versions/1.0").json["_id"]
    body = {"versions": [{"version_id": version, "inputs": []}]}

    assert team.send("POST", "/v2/deployments/usage?environment=staging", body).status == 200

    def callers(environment: str) -> int:
        return len(team.send("GET", f"/v2/deployments/a/callers?environment={environment}").json["data"])

    assert (callers("staging"), callers("production")) == (1, 0)


@pytest.mark.parametrize("key", ["staging", "production", "live", "environments", "promotions", "proposals", "diff"])
def test_a_deployment_may_be_named_like_an_environment(team: Team, key: str) -> None:
    created = team.put(key, "one")

    if created.status == 201:
        assert team.version(key) == "1.0"
        assert team.put(key, "two", "staging").status == 200
        assert (team.version(key), team.version(key, "staging")) == ("1.0", "1.1")
    else:
        assert refusal(created) == (400, "invalid_key")


def test_a_draft_for_a_follower_that_changes_nothing_writes_nothing(team: Team) -> None:
    team.create("staging")
    team.put("a", "one")
    path = "/v2/deployments/a?environment=staging&draft=true&file=a.yaml"

    sent = [team.send("PUT", path, with_text("one")) for _ in range(2)]

    assert [response.status for response in sent] == [200, 200]
    history = team.send("GET", "/v2/deployments/a/history").json["data"]
    assert [entry["action"] for entry in history] == ["created"]
