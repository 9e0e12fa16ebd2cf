"""`POST /v2/promotions`: the versions of one environment become live in another, all or none."""

import json
from typing import Any

import pytest

from moorage.core.access import Scope
from moorage.core.deployments.deployment import PutDeployment
from moorage.registry.deployments import put_deployment
from moorage.registry.write_context import WriteContext
from tests.support.registry import parsed
from tests.support.server import Project
from tests.support.team import Team, refusal, with_text


@pytest.fixture
def team(project: Project) -> Team:
    """Return a project with `a` to `c`, which have another version in staging, and `new`, which is only there."""
    made = Team(project)
    made.create("staging")
    for key in ("a", "b", "c"):
        made.put(key, "one")
        made.put(key, "two", "staging")
    made.put("new", "new", "staging")
    return made


def versions(team: Team, environment: str = "production") -> dict[str, str]:
    """Return the live versions."""
    return {key: team.version(key, environment) for key in ("a", "b", "c", "new")}


BEFORE = {"a": "1.0", "b": "1.0", "c": "1.0", "new": "none"}
IN_STAGING = {"a": "1.1", "b": "1.1", "c": "1.1", "new": "1.0"}


def test_all_deployments_are_promoted_at_one_revision_with_the_same_versions(team: Team) -> None:
    ids = {key: team.send("GET", f"/v2/deployments/{key}/versions/staging").json["_id"] for key in BEFORE}

    response = team.promote(*BEFORE, reason="release 5")

    assert response.status == 200, response.body
    assert response.headers["x-moorage-environment"] == "production"
    found = response.json["deployments"]
    assert [(each["key"], each["from_version"], each["version"], each["result"]) for each in found] == [
        ("a", "1.0", "1.1", "promoted"), ("b", "1.0", "1.1", "promoted"), ("c", "1.0", "1.1", "promoted"),
        ("new", None, "1.0", "promoted"),
    ]  # fmt: skip
    assert versions(team) == versions(team, "staging") == IN_STAGING, "the source keeps its own versions"
    assert {key: team.send("GET", f"/v2/deployments/{key}/versions/live").json["_id"] for key in BEFORE} == ids
    entries = [team.history(key)[0] for key in BEFORE]
    assert {(each["action"], each["reason"], each["environment"], each["from_environment"]) for each in entries} == {
        ("published", "release 5", "production", "staging")
    }
    assert {each["revision"] for each in entries if "revision" in each} <= {response.json["revision"]}
    assert response.headers["x-moorage-revision"] == str(response.json["revision"])


def test_an_undo_of_a_promotion_leaves_the_candidate_in_the_source(team: Team) -> None:
    team.promote("a")

    team.undo("a")

    assert (team.version("a"), team.version("a", "staging")) == ("1.0", "1.1")


def test_what_is_live_there_already_is_unchanged_and_has_no_entry(team: Team) -> None:
    team.promote("a")
    before = team.history("a"), team.send("GET", "/v2/deployments").headers["etag"]

    response = team.promote("a")

    assert response.json["deployments"] == [
        {"key": "a", "from_version": "1.1", "version": "1.1", "result": "unchanged", "breaking": []}
    ]
    assert (team.history("a"), team.send("GET", "/v2/deployments").headers["etag"]) == before
    mixed = team.promote("a", "b").json["deployments"]
    assert [each["result"] for each in mixed] == ["unchanged", "promoted"]


def test_a_promotion_out_of_a_follower_gives_the_version_that_it_serves(team: Team) -> None:
    team.create("qa")

    response = team.promote("a", source="qa", to="staging")

    assert response.json["deployments"][0]["version"] == "1.0"
    assert team.version("a", "staging") == "1.0", "its own version, also if it equals production's"


def test_a_promotion_between_two_environments_changes_no_production(team: Team) -> None:
    team.create("qa")
    assert team.promote("a", "new", to="qa").status == 200

    assert (team.version("a", "qa"), team.version("new", "qa")) == ("1.1", "1.0")
    assert versions(team) == BEFORE


def test_a_dry_run_changes_nothing(team: Team) -> None:
    revision = team.send("GET", "/v2/deployments").headers["x-moorage-revision"]

    response = team.promote(*BEFORE, query="?dry_run=true")

    assert [each["result"] for each in response.json["deployments"]] == ["promoted"] * 4
    assert versions(team) == BEFORE
    assert team.send("GET", "/v2/deployments").headers["x-moorage-revision"] == revision


def test_a_dry_run_where_approvals_are_required_proposes_nothing(team: Team) -> None:
    team.create("production", required_approvals=1)

    response = team.promote("a", query="?dry_run=true")

    assert (response.status, response.json["deployments"][0]["result"]) == (200, "promoted")
    assert team.send("GET", "/v2/proposals").json["data"] == []


def post(team: Team, *deployments: dict[str, Any], query: str = "", token: str | None = None, **fields: Any) -> Any:
    body = {"from": "staging", "to": "production", "deployments": list(deployments), **fields}
    return team.send("POST", f"/v2/promotions{query}", body, token)


@pytest.mark.parametrize(
    "stated", [{"version": "1.0"}, {"version": "9.9"}, {"version": ""}, {"version": "live"}, {"base": "1.1"},
               {"base": "follows"}, {"base": None}, {"base": "none"}, {"version": "1.1", "base": "0.9"}],
    ids=json.dumps,
)  # fmt: skip
def test_a_mismatch_of_any_deployment_is_412_with_its_state_and_changes_nothing(
    team: Team, stated: dict[str, Any]
) -> None:
    response = post(team, {"key": "b"}, {"key": "a", **stated}, {"key": "c"})

    assert refusal(response) == (412, "precondition_failed")
    assert [each["path"] for each in response.error["problems"]] == ["deployments[1]"]
    assert response.error["history"][0]["action"] == "published"
    assert versions(team) == BEFORE


@pytest.mark.parametrize(
    "stated", [{"version": "1.1", "base": "1.0"}, {"version": "1.1"}, {"base": "1.0"}], ids=json.dumps
)
def test_the_states_that_the_client_has_seen_can_be_stated(team: Team, stated: dict[str, Any]) -> None:
    assert post(team, {"key": "a", **stated}).status == 200
    assert post(team, {"key": "new", "version": "1.0", "base": None}).status == 200


def test_the_state_of_a_follower_is_stated_as_follows(team: Team) -> None:
    team.create("qa")

    refused = post(team, {"key": "a", "base": "1.0"}, to="qa")
    assert refusal(refused) == (412, "precondition_failed")
    assert post(team, {"key": "a", "base": "follows"}, to="qa").status == 200


def test_the_errors_of_several_deployments_are_listed_with_their_paths(team: Team) -> None:
    team.put("production-only", "x")
    team.send("DELETE", "/v2/deployments/c?force=true")

    response = post(team, {"key": "a"}, {"key": "nowhere"}, {"key": "b", "base": "9.9"}, {"key": "c"})

    assert response.status == 412
    assert [each["path"] for each in response.error["problems"]] == [f"deployments[{index}]" for index in (1, 2, 3)]
    assert team.version("a") == "1.0"


def test_a_deployment_that_the_source_does_not_have_is_404_and_says_where_it_is(team: Team) -> None:
    team.create("qa")

    response = team.promote("new", source="qa", to="production")

    assert refusal(response) == (404, "deployment_not_in_environment")
    assert "it is in: staging" in response.error["message"]


def test_an_id_and_a_key_of_one_deployment_are_the_same_deployment(team: Team) -> None:
    identifier = team.send("GET", "/v2/deployments/a").json["id"]

    assert team.promote(identifier).status == 200
    assert team.version("a") == "1.1"
    twice = team.promote("b", "b")
    assert refusal(twice) == (400, "invalid_request_body")
    assert [each["path"] for each in twice.error["problems"]] == ["deployments[0].key", "deployments[1].key"]
    identifier = team.send("GET", "/v2/deployments/b").json["id"]
    assert refusal(team.promote("b", identifier)) == (400, "invalid_request_body")
    assert team.version("b") == "1.0"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"from": "staging", "to": "production"}, {"from": "staging", "to": "production", "deployments": []},
        {"from": "staging", "to": "staging", "deployments": [{"key": "a"}]},
        {"from": "staging", "to": "production", "deployments": [{"key": ""}]},
        {"from": "staging", "to": "production", "deployments": [{"key": "a", "x": 1}]},
        {"from": "staging", "to": "production", "deployments": [{"key": "a"}], "x": 1},
        {"from": "staging", "to": "production", "deployments": [{"key": "a"}] * 1_001},
        {"from": "staging", "to": "production", "deployments": [{"key": f"k{n}"} for n in range(1_001)]},
        {"from": "", "to": "production", "deployments": [{"key": "a"}]},
        {"from": "Staging", "to": "production", "deployments": [{"key": "a"}]},
        {"from": "staging", "to": "nowhere\u0000", "deployments": [{"key": "a"}]},
        {"from": ["staging"], "to": "production", "deployments": [{"key": "a"}]},
        {"from": "staging", "to": "production", "deployments": [{"key": "a", "version": 1.1}]},
    ],
    ids=lambda body: json.dumps(body)[:70],
)  # fmt: skip
def test_an_invalid_promotion_is_rejected(team: Team, body: dict[str, Any]) -> None:
    response = team.send("POST", "/v2/promotions", body)

    assert response.status in (400, 404), response.body
    assert versions(team) == BEFORE


def test_a_promotion_needs_publish_in_a_protected_target_and_write_in_another(team: Team) -> None:
    team.create("qa")
    writer = team.key("writer", [Scope.READ, Scope.WRITE])
    publisher = team.key("publisher", [Scope.READ, Scope.PUBLISH])

    assert refusal(team.promote("a", token=writer)) == (403, "insufficient_scope")
    assert refusal(team.promote("a", to="qa", token=publisher)) == (403, "insufficient_scope")
    assert team.promote("a", to="qa", token=writer).status == 200
    assert team.promote("a", token=publisher).status == 200


def test_a_bound_key_does_not_promote(team: Team) -> None:
    for name in ("staging", "production"):
        bound = team.key("bound", Scope, name)
        assert refusal(team.promote("a", token=bound)) == (403, "wrong_environment")


def test_an_idempotency_key_replays_the_promotion(team: Team) -> None:
    body = {"from": "staging", "to": "production", "deployments": [{"key": "a"}]}
    first = team.send("POST", "/v2/promotions", body, Idempotency_Key="k")
    team.undo("a")

    again = team.send("POST", "/v2/promotions", body, Idempotency_Key="k")

    assert (again.status, again.json) == (200, first.json)
    assert again.headers["x-moorage-replayed"] == "true"
    assert again.headers["x-moorage-environment"] == "production"
    assert team.version("a") == "1.0", "it is not promoted again"
    other = team.send("POST", "/v2/promotions", {**body, "reason": "x"}, Idempotency_Key="k")
    assert refusal(other) == (409, "idempotency_conflict")


def test_an_idempotency_key_replays_the_proposal_of_a_promotion(team: Team) -> None:
    team.create("production", required_approvals=1)
    body = {"from": "staging", "to": "production", "deployments": [{"key": "a"}, {"key": "b"}]}
    first, again = (team.send("POST", "/v2/promotions", body, team.person, Idempotency_Key="k") for _ in range(2))

    assert (first.status, again.status, again.json["id"]) == (202, 202, first.json["id"])
    assert (first.json["kind"], first.json["from"]) == ("promote", "staging")
    assert len(team.send("GET", "/v2/proposals").json["data"]) == 1
    approved = team.decide("approve", first.json["id"], team.approver("ann"))
    assert approved.json["status"] == "published"
    assert (team.version("a"), team.version("b"), team.version("c")) == ("1.1", "1.1", "1.0")
    assert team.history("a")[0]["from_environment"] == "staging"


def test_ownership_by_files_is_carried_to_the_target(team: Team) -> None:
    file = "prompts/a.yaml"
    team.send("PUT", f"/v2/deployments/a?environment=staging&take_ownership=true&file={file}", with_text("three"))
    assert team.send("PUT", "/v2/deployments/b?take_ownership=true&file=b.yaml", with_text("one")).status == 200

    team.send("PUT", "/v2/deployments/a?file=a.yaml", with_text("one"))
    team.send("PUT", "/v2/deployments/a?take_ownership=true", with_text("one"))

    of_api, of_files = team.promote("a"), team.promote("b")
    taken = team.promote("a", "b", query="?take_ownership=true")

    assert refusal(of_api) == (409, "owned_by_api")
    assert refusal(of_files) == (409, "owned_by_files")
    assert taken.status == 200, taken.body
    files = {each["key"]: each.get("file") for each in team.send("GET", "/v2/manifests").json["data"]}
    assert files["a"] == file
    assert team.send("PUT", "/v2/deployments/b", with_text("by the API")).status == 200, "the API manages it now"


BREAKING = "Hello {{name}} and {{other}}"


def test_a_breaking_change_needs_allow_breaking_and_is_in_the_history(team: Team) -> None:
    assert team.send("PUT", "/v2/deployments/a?allow_breaking=true", with_text("Hello {{name}}")).status == 200
    path = "/v2/deployments/a?environment=staging&allow_breaking=true"
    assert team.send("PUT", path, with_text(BREAKING)).status == 200

    refused = team.promote("a", "b")
    allowed = team.promote("a", "b", allow_breaking=True)

    assert refusal(refused) == (409, "breaking_change")
    assert [each["path"] for each in refused.error["problems"]] == ["deployments[0]"]
    assert allowed.json["deployments"][0]["breaking"] != []
    assert team.history("a")[0]["breaking"] == allowed.json["deployments"][0]["breaking"]


def test_a_breaking_change_of_production_names_the_callers_of_its_followers_and_no_others(team: Team) -> None:
    team.create("follows")
    team.create("own")
    team.put("d", "Hello {{name}}")
    for environment in ("own", "staging"):
        path = f"/v2/deployments/d?environment={environment}&allow_breaking=true"
        assert team.send("PUT", path, with_text(BREAKING)).status == 200

    def call(name: str, environment: str) -> None:
        token = team.key(name, [Scope.INVOKE], environment)
        body = {"key": "d", "inputs": {"name": "Ada", "other": "Bo"} if environment == "own" else {"name": "Ada"}}
        assert team.send("POST", "/v2/deployments/get_config", body, token).status == 200

    for name, environment in (("direct", "production"), ("follower", "follows"), ("independent", "own")):
        call(name, environment)

    response = team.promote("d")

    assert refusal(response) == (409, "breaking_change")
    callers = {each["api_key"]["name"] for each in response.error["callers"]}
    assert callers == {"direct", "follower"}
    in_staging = team.promote("d", source="production", to="own")
    assert {each["api_key"]["name"] for each in in_staging.error.get("callers", [])} <= {"independent"}


def test_a_thousand_deployments_are_promoted_in_one_request(team: Team) -> None:
    """They are put in the database, because 2,000 requests would take long."""
    keys = [f"k{number}" for number in range(1_000)]
    with team.project.server.open_store() as store:
        with store.read() as reader:
            staging = reader.environments(team.project.id)["staging"]
        ctx = WriteContext(team.project.id, environment=staging)
        body = parsed(with_text("staged"), PutDeployment)
        for key in keys:
            store.run(put_deployment, ctx, key, body)

    too_many = team.promote(*keys, "a")
    response = team.promote(*keys)

    assert refusal(too_many) == (400, "invalid_request_body")
    assert response.status == 200, response.body[:500]
    assert {each["result"] for each in response.json["deployments"]} == {"promoted"}
    assert [team.version(key) for key in (keys[0], keys[-1])] == ["1.0", "1.0"]


def test_a_branch_is_tested_in_staging_promoted_and_merged_under_one_number(project: Project) -> None:
    team = Team(project)
    team.create("staging")
    main, branch = with_text("main"), with_text("branch")
    team.send("PUT", "/v2/deployments/bot?file=bot.yaml", main)
    in_staging = team.send("PUT", "/v2/deployments/bot?environment=staging&file=bot.yaml", branch)
    assert (in_staging.json["version"], in_staging.headers["x-moorage-result"]) == ("1.1", "updated")

    assert team.promote("bot").json["deployments"][0]["version"] == "1.1"
    merged = team.send("PUT", "/v2/deployments/bot?file=bot.yaml", branch)

    assert (merged.json["version"], merged.headers["x-moorage-result"]) == ("1.1", "unchanged")
    assert [each["version"] for each in team.send("GET", "/v2/deployments/bot/versions").json["data"]] == ["1.1", "1.0"]


def test_a_put_from_main_publishes_the_version_of_staging_that_was_not_promoted(project: Project) -> None:
    team = Team(project)
    team.create("staging")
    team.put("bot", "main")
    team.put("bot", "branch", "staging")
    team.put("bot", "later", "staging")
    team.publish("bot", "1.1", "staging")

    merged = team.put("bot", "branch")

    assert (merged.json["version"], merged.headers["x-moorage-result"]) == ("1.1", "updated")
    assert len(team.send("GET", "/v2/deployments/bot/versions").json["data"]) == 3


def test_production_alone_makes_a_new_number_for_older_content(project: Project) -> None:
    """As before there were environments."""
    team = Team(project)
    found = [team.put("bot", text).json["version"] for text in ("a", "b", "c", "a")]

    assert found == ["1.0", "1.1", "1.2", "1.3"]
