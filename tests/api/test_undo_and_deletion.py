"""Undo, creation, deletion and restoration where approvals are required, and what needs none."""

import pytest

from moorage.core.deployments.deployment import PutDeployment
from moorage.registry.deployments import put_deployment
from moorage.registry.write_context import WriteContext
from tests.api.test_approvals import propose, status, team
from tests.support import registry
from tests.support.server import Project
from tests.support.team import Team, refusal, with_text

__all__ = ["team"]


# The operator's commands on the database are not gated.


def test_the_operator_needs_no_approval(team: Team) -> None:
    proposal = propose(team)
    with team.project.server.open_store() as store:
        registry.put(store, team.project.id, "bot", with_text("by the operator"))
        assert team.text("bot") == "by the operator"
        assert status(team, proposal) == "stale"
        registry.undo(store, team.project.id, "bot")
        assert team.text("bot") == "one"
        registry.delete(store, team.project.id, "bot")
        assert team.text("bot") is None
        registry.restore(store, team.project.id, "bot")
    assert team.text("bot") == "one"
    assert team.send("GET", "/v2/proposals?status=open").json["data"] == []


# Undo.


def test_an_undo_of_the_first_version_of_an_environment_lets_it_follow(team: Team) -> None:
    team.create("qa")
    team.put("bot", "two", "qa")
    assert team.version("bot", "qa") == "1.1"

    response = team.undo("bot", "qa")

    assert response.headers["x-moorage-environment"] == "qa;follows=production"
    assert team.version("bot", "qa") == "1.0 follows"
    assert team.undo("bot", "qa").status == 200, "the undo is undone, as in production"
    assert team.version("bot", "qa") == "1.1"


def test_an_undo_of_a_follower_never_takes_back_a_move_of_production(team: Team) -> None:
    team.create("production", required_approvals=0)
    team.create("qa")
    team.put("bot", "two")

    assert refusal(team.undo("bot", "qa")) == (409, "nothing_to_undo")
    assert (team.version("bot"), team.version("bot", "qa")) == ("1.1", "1.1 follows")

    team.put("bot", "three", "qa")
    team.put("bot", "four")
    team.undo("bot", "qa")
    assert (team.version("bot"), team.version("bot", "qa")) == ("1.3", "1.3 follows")


def test_an_undo_in_a_new_place_without_production_leaves_nothing(team: Team) -> None:
    team.create("qa")
    team.put("cat", "one", "qa")

    assert team.undo("cat", "qa").status == 200
    assert (team.version("cat", "qa"), team.version("cat")) == ("none", "none")


def test_an_undo_needs_no_approval_if_the_state_before_was_approved(team: Team) -> None:
    team.decide("approve", propose(team), team.approver("ann"))
    assert team.version("bot") == "1.1"

    response = team.undo("bot", token=team.person)

    assert (response.status, team.version("bot")) == (200, "1.0")
    assert team.undo("bot", token=team.person).status == 200
    assert team.version("bot") == "1.1"


def test_an_undo_waits_for_approval_where_the_environment_says_so(team: Team) -> None:
    team.decide("approve", propose(team), team.approver("ann"))
    team.create("production", approve_undo=True)

    response = team.undo("bot", token=team.person)

    assert (response.status, response.json["kind"]) == (202, "undo")
    assert team.version("bot") == "1.1"
    assert team.decide("approve", response.json["id"], team.approver("bob")).json["status"] == "published"
    assert team.version("bot") == "1.0"
    assert team.history("bot")[0]["action"] == "undone"


def test_an_undo_to_a_state_that_an_emergency_set_waits_for_approval(team: Team) -> None:
    fire = team.send("PUT", "/v2/deployments/bot?emergency=true", with_text("fire"), X_Moorage_Change_Reason="fire")
    assert (fire.status, team.version("bot")) == (200, "1.1")

    assert team.undo("bot", token=team.person).status == 200, "the state before the emergency was in force"
    assert team.version("bot") == "1.0"
    again = team.undo("bot", token=team.person)
    assert (again.status, again.json["kind"]) == (202, "undo"), "an undo of the undo restores the emergency"
    assert team.version("bot") == "1.0"

    team.decide("withdraw", again.json["id"])
    team.publish("bot", "1.1")  # proposed
    proposal = team.send("GET", "/v2/proposals?status=open").json["data"][0]["id"]
    team.decide("approve", proposal, team.approver("ann"))
    assert team.version("bot") == "1.1"


def test_an_undo_makes_proposals_about_the_deployment_stale(team: Team) -> None:
    team.decide("approve", propose(team), team.approver("ann"))
    proposal = propose(team, "three")

    team.undo("bot", token=team.person)

    assert (team.version("bot"), status(team, proposal)) == ("1.0", "stale")


def test_a_creation_cannot_be_undone_in_production(team: Team) -> None:
    assert refusal(team.undo("bot")) == (409, "nothing_to_undo")
    team.put("cat", "one")  # proposed
    assert refusal(team.undo("cat")) == (409, "nothing_to_undo")


def test_an_undo_with_approvals_in_an_environment_lets_it_follow_again(team: Team) -> None:
    team.create("qa", required_approvals=1)
    team.decide("approve", propose(team, environment="qa"), team.approver("ann"))
    assert team.version("bot", "qa") == "1.1"

    assert team.undo("bot", "qa", team.person).status == 200
    assert team.version("bot", "qa") == "1.0 follows"


# A new deployment that waits for approval.


def test_a_new_deployment_is_nowhere_until_it_is_approved(team: Team) -> None:
    response = team.put("cat", "one", token=team.person)

    assert response.status == 202
    assert response.json["items"] == [{"key": "cat", "base_version": None, "version": "1.0", "breaking": []}]
    assert team.text("cat") is None
    assert "cat" not in team.send("GET", "/v2/deployments").body.decode()
    create = team.send("POST", "/v2/deployments", {"key": "cat", **with_text("other")})
    assert refusal(create) == (409, "key_taken")
    team.decide("approve", response.json["id"], team.approver("ann"))
    assert (team.text("cat"), team.version("cat")) == ("one", "1.0")


def test_a_rejected_new_deployment_can_be_proposed_again_and_deleted(team: Team) -> None:
    first = team.put("cat", "one", token=team.person).json["id"]
    team.decide("reject", first, team.approver("ann"))

    second = team.put("cat", "one", token=team.person)
    assert (second.status, second.json["id"] != first) == (202, True)
    team.decide("withdraw", second.json["id"])
    assert team.send("DELETE", "/v2/deployments/cat").status == 200, "no environment shows it"


# Deletions and restorations, which concern all environments.


@pytest.mark.parametrize("has_own", [False, True])
def test_an_environment_approves_a_deletion_and_a_restoration_of_what_it_shows(project: Project, has_own: bool) -> None:
    team, shown = Team(project), "two" if has_own else "one"
    team.put("bot", "one")
    team.create("strict")
    if has_own:
        team.put("bot", "two", "strict")
    team.create("strict", required_approvals=1)

    deletion = team.send("DELETE", "/v2/deployments/bot", token=team.person)
    assert (deletion.status, deletion.json["kind"], deletion.json["environment"]) == (202, "delete", "strict")
    assert (team.text("bot"), team.text("bot", "strict")) == ("one", shown)
    assert team.decide("approve", deletion.json["id"], team.approver("ann")).json["status"] == "published"
    assert (team.text("bot"), team.text("bot", "strict")) == (None, None)

    restoration = team.send("POST", "/v2/deployments/bot/restore", token=team.person)
    assert (restoration.status, restoration.json["kind"]) == (202, "restore")
    assert team.text("bot") is None
    assert team.decide("approve", restoration.json["id"], team.approver("bob")).json["status"] == "published"
    assert (team.text("bot"), team.text("bot", "strict")) == ("one", shown)


def test_the_environment_that_requires_the_most_approvals_decides_about_a_deletion(team: Team) -> None:
    team.create("strict", required_approvals=2)

    deletion = team.send("DELETE", "/v2/deployments/bot", token=team.person).json

    assert (deletion["environment"], deletion["required_approvals"]) == ("strict", 2)
    assert team.decide("approve", deletion["id"], team.approver("ann")).json["status"] == "open"
    assert team.decide("approve", deletion["id"], team.approver("bob")).json["status"] == "published"


def test_a_deletion_is_stale_when_what_the_environment_shows_moves(project: Project) -> None:
    team = Team(project)
    team.put("bot", "one")
    team.create("strict", required_approvals=1)
    deletion = team.send("DELETE", "/v2/deployments/bot", token=team.person).json["id"]

    team.put("bot", "two")

    assert status(team, deletion) == "stale"


def test_a_deletion_that_no_environment_with_approvals_shows_needs_none(project: Project) -> None:
    team = Team(project)
    team.create("strict", required_approvals=1)
    team.create("staging")
    team.put("bot", "one", "staging")

    assert team.send("DELETE", "/v2/deployments/bot", token=team.person).status == 200


def test_a_restoration_under_a_key_that_was_taken_since_is_rejected_at_its_approval(team: Team) -> None:
    team.create("production", required_approvals=0)
    identifier = team.send("GET", "/v2/deployments/bot").json["id"]
    team.send("DELETE", "/v2/deployments/bot")
    team.create("production", required_approvals=1)
    restoration = team.send("POST", f"/v2/deployments/{identifier}/restore", token=team.person).json["id"]
    team.create("production", required_approvals=0)
    team.put("bot", "another")

    response = team.decide("approve", restoration, team.approver("ann"))

    assert refusal(response) == (409, "key_taken")
    assert (status(team, restoration), team.text("bot")) == ("open", "another")
    assert team.proposal(restoration)["approvals"] == [], "nothing of the approval remains"


def test_a_thousand_deployments_wait_for_one_approval_also_beside_other_proposals_about_them(team: Team) -> None:
    """The time does not grow with the square of their number: it would exceed the timeouts of transactions."""
    team.create("staging")
    keys = [f"k{number}" for number in range(1_000)]
    with team.project.server.open_store() as store:
        with store.read() as reader:
            staging = reader.environments(team.project.id)["staging"]
        ctx, body = WriteContext(team.project.id, environment=staging), registry.parsed(with_text("x"), PutDeployment)
        for key in keys:
            store.run(put_deployment, ctx, key, body)
    one, other = (team.promote(*keys, token=token).json["id"] for token in (team.person, team.admin))

    response = team.decide("approve", one, team.approver("ann"))

    assert (response.status, response.json["status"]) == (200, "published")
    assert (status(team, one), status(team, other)) == ("published", "stale")
    assert team.version(keys[999]) == "1.0"


# What needs no approval, because no caller gets another version.


def test_a_draft_a_dry_run_a_description_and_an_owner_need_no_approval(team: Team) -> None:
    draft = team.send("PUT", "/v2/deployments/bot?draft=true", with_text("two"), team.person)
    new_draft = team.send("PUT", "/v2/deployments/new?draft=true", with_text("two"), team.person)
    dry_run = team.send("PUT", "/v2/deployments/bot?dry_run=true", with_text("three"), team.person)
    new_dry_run = team.send("PUT", "/v2/deployments/newer?dry_run=true", with_text("three"), team.person)
    owner = team.send("PUT", "/v2/deployments/bot?file=bot.yaml", with_text("one"), team.person)
    described = team.send("PATCH", "/v2/deployments/bot?take_ownership=true", {"description": "x"}, team.person)

    results = [each.headers["x-moorage-result"] for each in (draft, new_draft, dry_run, new_dry_run, owner, described)]
    assert results == ["drafted", "created", "updated", "created", "unchanged", "updated"]
    assert team.send("GET", "/v2/proposals").json["data"] == []
    assert (team.text("bot"), team.text("new"), team.text("newer")) == ("one", None, None)


def test_an_emergency_of_a_draft_publishes_nothing(team: Team) -> None:
    response = team.send(
        "PUT", "/v2/deployments/bot?draft=true&emergency=true", with_text("two"), X_Moorage_Change_Reason="fire"
    )

    assert (response.status, team.text("bot")) == (200, "one")


def test_a_put_with_another_description_leaves_the_description_until_it_is_patched(team: Team) -> None:
    proposal = team.send("PUT", "/v2/deployments/bot", {**with_text("two"), "description": "new"}, team.person)

    assert proposal.status == 202
    assert team.decide("approve", proposal.json["id"], team.approver("ann")).json["status"] == "published"
    assert team.send("GET", "/v2/deployments/bot").json["description"] == with_text("")["description"]


# Ways around approvals.


def test_a_version_of_another_environment_is_promoted_with_approval_only_and_not_by_its_author(
    project: Project,
) -> None:
    team = Team(project)
    team.put("bot", "one")
    team.create("open")
    team.create("strict", required_approvals=1)
    author = team.key("author")
    team.put("bot", "two", "open", author)

    promotion = team.promote("bot", source="open", to="strict", token=team.person)

    assert promotion.status == 202
    assert team.text("bot", "strict") == "one"
    assert refusal(team.decide("approve", promotion.json["id"], author)) == (403, "own_proposal")


def test_a_deployment_that_is_deleted_and_made_again_needs_approval(team: Team) -> None:
    team.create("production", required_approvals=0)
    team.send("DELETE", "/v2/deployments/bot")
    team.create("production", required_approvals=1)

    assert team.put("bot", "again", token=team.person).status == 202
    assert team.text("bot") is None


def test_an_undo_from_an_approved_version_to_that_of_an_emergency_waits(team: Team) -> None:
    team.send("PUT", "/v2/deployments/bot?emergency=true", with_text("fire"), X_Moorage_Change_Reason="fire")
    team.decide("approve", propose(team, "three"), team.approver("ann"))
    assert team.version("bot") == "1.2"

    assert team.undo("bot", token=team.person).status == 202
    assert team.version("bot") == "1.2"


def test_the_version_of_an_emergency_that_was_approved_later_is_restored_at_once(team: Team) -> None:
    team.send("PUT", "/v2/deployments/bot?emergency=true", with_text("fire"), X_Moorage_Change_Reason="fire")
    team.undo("bot")
    for proposal in (team.publish("bot", "1.1", token=team.person).json["id"], None):
        team.decide("approve", proposal or propose(team, "three"), team.approver("ann"))
    assert team.version("bot") == "1.2"

    assert team.undo("bot", token=team.person).status == 200
    assert team.version("bot") == "1.1"
