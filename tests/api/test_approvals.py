"""Proposals and their approval, on one deployment and on several."""

from typing import Any

import pytest

from moorage.core.access import Scope
from tests.support.server import Project
from tests.support.team import Team, refusal, with_text


@pytest.fixture
def team(project: Project) -> Team:
    """Return a project with version 1.0 of `bot`, and one approval required in production."""
    made = Team(project)
    assert made.put("bot", "one").status == 201
    made.create("production", required_approvals=1)
    return made


def propose(team: Team, text: str = "two", token: str | None = None, environment: str = "production") -> str:
    """Propose a version of `bot`; return the id of the proposal."""
    response = team.put("bot", text, environment, token or team.person)
    assert response.status == 202, response.body
    proposal: str = response.json["id"]
    return proposal


def status(team: Team, proposal: str) -> str:
    """Return the status of a proposal."""
    found: str = team.proposal(proposal)["status"]
    return found


def test_an_approval_by_another_key_publishes_with_both_names_in_the_history(team: Team) -> None:
    proposal = propose(team)
    assert (team.text("bot"), team.version("bot")) == ("one", "1.0")

    response = team.decide("approve", proposal, team.approver("ann"), reason="looks good")

    assert response.json["status"] == "published"
    assert (team.text("bot"), team.version("bot")) == ("two", "1.1")
    entry = team.history("bot")[0]
    assert (entry["action"], entry["proposal_id"]) == ("published", proposal)
    assert [each["name"] for each in entry["approved_by"]] == ["ann"]
    detail = team.proposal(proposal)
    assert detail["closed"]["revision"] > 0
    assert [each["api_key"]["name"] for each in detail["approvals"]] == ["ann"]
    assert detail["approvals"][0]["reason"] == "looks good"


def test_the_version_of_an_open_proposal_is_pending_in_its_environment_and_a_draft_elsewhere(team: Team) -> None:
    team.create("qa")
    proposal = propose(team)

    def version_status(environment: str = "production") -> str:
        path = f"/v2/deployments/bot/versions/1.1?environment={environment}"
        found: str = team.send("GET", path).json["status"]
        return found

    assert (version_status(), version_status("qa")) == ("pending", "draft")
    team.decide("withdraw", proposal, team.person)
    assert version_status() == "draft"


def test_nobody_approves_their_own_proposal(team: Team) -> None:
    everything = team.key("everything")
    proposal = propose(team, token=everything)

    assert refusal(team.decide("approve", proposal, everything)) == (403, "own_proposal")
    detail = team.proposal(proposal, everything)
    assert (detail["can_approve"], detail["why_not"]) == (False, "it made the proposal")
    assert status(team, proposal) == "open"


def test_the_author_of_a_version_does_not_approve_it(team: Team) -> None:
    author = team.key("author")
    body = with_text("two")
    assert team.send("POST", "/v2/deployments/bot/versions", body, author).json["version"] == "1.1"
    proposal = team.publish("bot", "1.1", token=team.person).json["id"]

    assert refusal(team.decide("approve", proposal, author)) == (403, "own_proposal")
    assert "wrote version 1.1" in team.proposal(proposal, author)["why_not"]
    assert team.decide("approve", proposal, team.approver("ann")).json["status"] == "published"


def made_by(team: Team, maker: str, name: str) -> str:
    """Create an API key with all scopes over HTTP; return its token."""
    response = team.send("POST", "/v2/api-keys", {"name": name, "scopes": list(Scope)}, maker)
    assert response.status == 201, response.body
    token: str = response.json["token"]
    return token


def test_a_key_that_made_the_proposer_or_was_made_by_it_does_not_approve(team: Team) -> None:
    owner = team.key("owner")
    child = made_by(team, owner, "child")
    grandchild = made_by(team, child, "grandchild")
    for proposer, approver in (
        (owner, child), (child, owner), (owner, grandchild), (grandchild, owner), (child, grandchild),
    ):  # fmt: skip
        proposal = propose(team, token=proposer)
        assert refusal(team.decide("approve", proposal, approver)) == (403, "own_proposal")
        assert team.proposal(proposal, approver)["can_approve"] is False
        assert team.decide("withdraw", proposal, proposer).status == 200
    team.send("DELETE", f"/v2/api-keys/{child.split('_')[1]}")
    proposal = propose(team, token=owner)
    assert refusal(team.decide("approve", proposal, grandchild)) == (403, "own_proposal"), "also over a revoked key"


def test_a_rotated_key_stays_the_same_key(team: Team) -> None:
    owner = team.key("owner")
    proposal = propose(team, token=owner)
    rotated = team.send("POST", f"/v2/api-keys/{owner.split('_')[1]}/rotate", {}, owner).json["token"]

    assert refusal(team.decide("approve", proposal, rotated)) == (403, "own_proposal")


def test_an_approval_needs_its_scope(team: Team) -> None:
    proposal = propose(team)
    others = team.key("others", set(Scope) - {Scope.APPROVE})

    for decision in ("approve", "reject"):
        assert refusal(team.decide(decision, proposal, others)) == (403, "insufficient_scope")
    assert "deployments:approve" in team.proposal(proposal, others)["why_not"]


def test_a_second_approval_by_the_same_key_counts_once(team: Team) -> None:
    team.create("production", required_approvals=2)
    proposal, ann = propose(team), team.approver("ann")

    first, again = team.decide("approve", proposal, ann), team.decide("approve", proposal, ann)

    assert (first.status, again.status, again.json["status"]) == (200, 200, "open")
    assert len(again.json["approvals"]) == 1
    assert team.decide("approve", proposal, team.approver("bob")).json["status"] == "published"


def test_the_approval_of_a_key_that_was_revoked_since_does_not_count(team: Team) -> None:
    team.create("production", required_approvals=2)
    proposal, ann = propose(team), team.approver("ann")
    team.decide("approve", proposal, ann)
    assert team.send("DELETE", f"/v2/api-keys/{ann.split('_')[1]}").status == 200

    assert team.decide("approve", proposal, team.approver("bob")).json["status"] == "open"
    assert [each["api_key"]["name"] for each in team.proposal(proposal)["approvals"]] == ["bob"]
    assert team.decide("approve", proposal, team.approver("cem")).json["status"] == "published"
    assert [each["name"] for each in team.history("bot")[0]["approved_by"]] == ["bob", "cem"]


def test_a_lowered_number_publishes_nothing_until_the_next_approval(team: Team) -> None:
    team.create("production", required_approvals=3)
    proposal, ann = propose(team), team.approver("ann")
    team.decide("approve", proposal, ann)

    team.create("production", required_approvals=1)

    assert status(team, proposal) == "open"
    assert team.decide("approve", proposal, ann).json["status"] == "open", "it has approved it already"
    assert team.decide("approve", proposal, team.approver("bob")).json["status"] == "published"


def test_without_a_required_approval_an_open_proposal_still_needs_one(team: Team) -> None:
    proposal = propose(team)
    team.create("production", required_approvals=0)

    assert (status(team, proposal), team.text("bot")) == ("open", "one")
    assert team.decide("approve", proposal, team.approver("ann")).json["status"] == "published"


def test_a_raised_number_counts_for_open_proposals(team: Team) -> None:
    proposal = propose(team)
    team.create("production", required_approvals=2)

    assert team.decide("approve", proposal, team.approver("ann")).json["status"] == "open"
    assert team.text("bot") == "one"
    assert team.decide("approve", proposal, team.approver("bob")).json["status"] == "published"


def test_a_proposal_becomes_stale_for_good_when_its_deployment_moves(team: Team) -> None:
    proposal = propose(team)
    team.create("production", required_approvals=0)
    team.put("bot", "other")
    assert status(team, proposal) == "stale"

    team.publish("bot", "1.0")
    team.create("production", required_approvals=1)

    detail = team.proposal(proposal)
    assert (detail["status"], detail["closed"]["reason"]) == ("stale", "deployment 'bot': it changed since")
    response = team.decide("approve", proposal, team.approver("ann"))
    assert refusal(response) == (409, "proposal_closed")
    assert "is stale" in response.error["message"]
    assert team.text("bot") == "one"


def test_the_published_proposal_makes_the_others_about_it_stale(team: Team) -> None:
    one, two = propose(team, "two"), propose(team, "three", team.key("other"))

    team.decide("approve", one, team.approver("ann"))

    assert (status(team, one), status(team, two)) == ("published", "stale")


def test_a_proposal_of_a_follower_becomes_stale_when_production_moves_and_another_does_not(team: Team) -> None:
    team.create("production", required_approvals=0)
    team.create("follows", required_approvals=1)
    team.create("own")
    team.put("bot", "own", "own")
    team.create("own", required_approvals=1)
    follower, independent = propose(team, "two", environment="follows"), propose(team, "three", environment="own")

    team.put("bot", "moved")

    assert (status(team, follower), status(team, independent)) == ("stale", "open")
    assert "production, which it follows" in team.proposal(follower)["closed"]["reason"]


def test_a_proposal_becomes_stale_with_its_version_deployment_or_environment(team: Team) -> None:
    team.create("qa", required_approvals=1)
    version = propose(team)
    assert team.send("DELETE", "/v2/deployments/bot/versions/1.1").status == 200
    assert (status(team, version), team.proposal(version)["closed"]["reason"]) == ("stale", "version 1.1 was deleted")

    environment = propose(team, "three", environment="qa")
    assert team.send("DELETE", "/v2/environments/qa").status == 200
    assert status(team, environment) == "stale"
    assert "'qa' was deleted" in team.proposal(environment)["closed"]["reason"]

    deployment = propose(team, "four")
    team.create("production", required_approvals=0)
    assert team.send("DELETE", "/v2/deployments/bot").status == 200
    assert status(team, deployment) == "stale"
    for proposal in (version, environment, deployment):
        assert refusal(team.decide("approve", proposal, team.approver("ann"))) == (409, "proposal_closed")


def test_reject_ends_a_proposal_also_with_approvals(team: Team) -> None:
    team.create("production", required_approvals=2)
    proposal = propose(team)
    team.decide("approve", proposal, team.approver("ann"))

    rejected = team.decide("reject", proposal, team.approver("bob"), reason="no")

    assert (rejected.json["status"], rejected.json["closed"]["reason"]) == ("rejected", "no")
    assert team.text("bot") == "one"


def test_the_proposer_and_an_administrator_withdraw_a_proposal_and_nobody_else(team: Team) -> None:
    one = propose(team)
    other = team.key("other", [Scope.READ, Scope.WRITE, Scope.PUBLISH, Scope.APPROVE])
    assert refusal(team.decide("withdraw", one, other)) == (403, "insufficient_scope")
    assert team.decide("withdraw", one, team.person).json["status"] == "withdrawn"

    two = propose(team, "three")
    admin = team.key("administrator", [Scope.READ, Scope.ENVIRONMENTS_ADMIN])
    assert team.decide("withdraw", two, admin).json["status"] == "withdrawn"


@pytest.mark.parametrize("decision", ["approve", "reject", "withdraw"])
def test_a_closed_proposal_is_final(team: Team, decision: str) -> None:
    proposal = propose(team)
    team.decide("withdraw", proposal, team.person)

    for again in ("approve", "reject", "withdraw"):
        response = team.decide(again, proposal, team.admin)
        assert refusal(response) == (409, "proposal_closed")
        assert "is withdrawn" in response.error["message"]
    assert propose(team) != proposal, "the same change is proposed again"
    assert decision


def test_the_same_open_proposal_is_returned_and_writes_nothing(team: Team) -> None:
    first = team.put("bot", "two", token=team.person)
    again = team.put("bot", "two", token=team.person)
    publish = team.publish("bot", "1.1", token=team.person)
    other = team.publish("bot", "1.1", token=team.key("other"))

    assert first.json["id"] == again.json["id"] == publish.json["id"] != other.json["id"]
    revisions = [response.headers["x-moorage-revision"] for response in (first, again, publish)]
    assert len(set(revisions)) == 1
    assert len(team.send("GET", "/v2/deployments/bot/versions").json["data"]) == 2
    assert [entry["action"] for entry in team.history("bot")].count("proposed") == 2


def test_a_repeated_request_with_an_idempotency_key_returns_the_proposal(team: Team) -> None:
    body = {**with_text("two"), "status": "published"}
    first, again = (
        team.send("POST", "/v2/deployments/bot/versions", body, team.person, Idempotency_Key="k") for _ in range(2)
    )

    assert (first.status, again.status) == (202, 202)
    assert first.json["id"] == again.json["id"]
    assert again.headers["x-moorage-replayed"] == "true"
    assert len(team.send("GET", "/v2/deployments/bot/versions").json["data"]) == 2


def test_a_breaking_change_is_proposed_only_if_it_is_allowed(team: Team) -> None:
    team.create("production", required_approvals=0)
    team.put("bot", "Hello {{name}}")
    team.create("production", required_approvals=1)
    body = with_text("Hello {{name}} and {{other}}")

    refused = team.send("PUT", "/v2/deployments/bot", body, team.person)
    allowed = team.send("PUT", "/v2/deployments/bot?allow_breaking=true", body, team.person)

    assert refusal(refused) == (409, "breaking_change")
    assert allowed.status == 202
    assert allowed.json["items"][0]["breaking"] != []
    assert team.decide("approve", allowed.json["id"], team.approver("ann")).json["status"] == "published"
    assert team.history("bot")[0]["breaking"] != []


def test_a_bound_key_decides_about_proposals_of_its_environment_only(team: Team) -> None:
    team.create("qa", required_approvals=1)
    in_production, in_qa = propose(team), propose(team, environment="qa")
    bound = team.key("bound", [Scope.READ, Scope.APPROVE], "qa")

    for decision in ("approve", "reject", "withdraw"):
        assert refusal(team.decide(decision, in_production, bound)) == (403, "wrong_environment")
    assert refusal(team.send("GET", f"/v2/proposals/{in_production}", token=bound)) == (403, "wrong_environment")
    listed = team.send("GET", "/v2/proposals", token=bound).json["data"]
    assert [each["id"] for each in listed] == [in_qa]
    assert team.decide("approve", in_qa, bound).json["status"] == "published"


def test_proposals_are_listed_newest_first_with_filters_and_pages(team: Team) -> None:
    team.create("qa", required_approvals=1)
    ids = [propose(team, "two"), propose(team, "three", team.admin), propose(team, "four", environment="qa")]
    team.decide("withdraw", ids[0])

    def listed(query: str = "", token: str | None = None) -> list[str]:
        response = team.send("GET", f"/v2/proposals?{query}", token=token)
        assert response.status == 200, response.body
        return [each["id"] for each in response.json["data"]]

    assert listed() == ids[::-1]
    assert listed("status=open") == [ids[2], ids[1]]
    assert listed("status=withdrawn") == [ids[0]]
    assert listed("environment=qa") == [ids[2]]
    assert listed("mine=true", team.person) == [ids[2], ids[0]]
    assert listed("limit=1") == [ids[2]]
    assert listed(f"limit=1&starting_after={ids[2]}") == [ids[1]]
    assert listed(f"ending_before={ids[0]}") == [ids[2], ids[1]]
    assert team.send("GET", "/v2/proposals?status=pending").status == 400
    assert team.send("GET", "/v2/proposals?mine=perhaps").status == 400


@pytest.mark.parametrize("name", ["x", "%00", "..%2f", "%F0%9F%98%80", "a" * 5_000, "' OR 1=1 --".replace(" ", "%20")])
def test_an_unknown_proposal_is_404(team: Team, name: str) -> None:
    for method, suffix in (("GET", ""), ("POST", "/approve"), ("POST", "/reject"), ("POST", "/withdraw")):
        response = team.send(method, f"/v2/proposals/{name}{suffix}")
        assert response.status in (400, 404), response.body


def test_a_proposal_of_another_project_is_404(team: Team) -> None:
    proposal, other = propose(team), Team(team.project.server.new_project())

    for method, suffix in (("GET", ""), ("POST", "/approve"), ("POST", "/reject"), ("POST", "/withdraw")):
        response = other.send(method, f"/v2/proposals/{proposal}{suffix}")
        assert refusal(response) == (404, "proposal_not_found")


# Proposals of stored versions: `POST /v2/proposals`.


def test_several_versions_are_proposed_together_and_published_at_one_revision(team: Team) -> None:
    team.create("production", required_approvals=0)
    team.put("cat", "one")
    for key in ("bot", "cat"):
        assert team.send("PUT", f"/v2/deployments/{key}?draft=true", with_text("two")).status == 200
    team.create("production", required_approvals=1)
    items = [{"key": key, "version": "1.1", "base": "1.0"} for key in ("bot", "cat")]

    response = team.send("POST", "/v2/proposals", {"environment": "production", "deployments": items}, team.person)

    assert response.status == 202, response.body
    assert [(each["key"], each["base_version"], each["version"]) for each in response.json["items"]] == [
        ("bot", "1.0", "1.1"), ("cat", "1.0", "1.1"),
    ]  # fmt: skip
    assert (team.text("bot"), team.text("cat")) == ("one", "one")
    approved = team.decide("approve", response.json["id"], team.approver("ann"))
    assert approved.json["status"] == "published"
    assert (team.text("bot"), team.text("cat")) == ("two", "two")


def test_the_move_of_one_deployment_makes_the_proposal_about_several_stale(team: Team) -> None:
    items = [{"key": "bot", "version": "1.1"}, {"key": "cat", "version": "1.1"}]
    team.create("production", required_approvals=0)
    team.put("cat", "one")
    for key in ("bot", "cat"):
        team.send("PUT", f"/v2/deployments/{key}?draft=true", with_text("two"))
    team.create("production", required_approvals=1)
    proposal = team.send("POST", "/v2/proposals", {"environment": "production", "deployments": items}).json["id"]
    team.create("production", required_approvals=0)

    team.put("cat", "three")

    assert status(team, proposal) == "stale"
    assert team.text("bot") == "one"


def test_a_proposal_without_need_or_effect_is_rejected(team: Team) -> None:
    team.create("qa")
    live = [{"key": "bot", "version": "1.0"}]

    def post(environment: str, deployments: Any) -> tuple[int, str]:
        return refusal(team.send("POST", "/v2/proposals", {"environment": environment, "deployments": deployments}))

    assert post("production", live) == (409, "nothing_to_propose")
    assert post("qa", live) == (409, "nothing_to_propose")
    assert post("nowhere", live) == (404, "environment_not_found")
    assert post("production", [{"key": "bot", "version": None}]) == (409, "production_cannot_follow")
    assert post("production", [{"key": "bot", "version": "9.9"}]) == (404, "version_not_found")
    assert post("production", [{"key": "bot", "version": "1.0", "base": "9.9"}]) == (412, "precondition_failed")
    assert post("production", live * 2) == (400, "invalid_request_body")
    assert post("production", []) == (400, "invalid_request_body")
    assert post("production", [{"key": "bot", "version": "\u0000"}])[0] in (400, 404)
    assert team.send("GET", "/v2/proposals").json["data"] == []
