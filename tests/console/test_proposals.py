"""The pages of proposals: what they change, who may decide, and the decision."""

import pytest

from moorage.core.access import Scope
from tests.console.test_publish import form_of, save, sign_in
from tests.support.console import Browser, links, text_of
from tests.support.server import Project, Response
from tests.support.team import Team, proposed


@pytest.fixture
def team(project: Project) -> Team:
    """Return a team with `bot` 1.0 in production, which requires an approval, and the draft 1.1."""
    team = Team(project)
    assert team.put("bot", "one").status == 201
    save(team, "two")
    team.create("production", required_approvals=1)
    return team


def propose(team: Team, version: str = "1.1", token: str | None = None) -> str:
    return proposed(team.publish("bot", version, token=token or team.person))


def decide(browser: Browser, proposal: str, decision: str, **fields: str) -> Response:
    path = f"/console/proposals/{proposal}"
    return browser.post(f"{path}/{decision}", form_of(browser.get(path)).values | fields)


def approver(team: Team, name: str = "ben") -> Browser:
    return sign_in(team, team.approver(name))


def test_the_page_shows_the_difference_the_proposer_and_the_approvals(team: Team) -> None:
    proposal = propose(team)

    page = approver(team).get(f"/console/proposals/{proposal}")

    assert "Publish bot in production" in text_of(page)
    assert "person proposed it" in text_of(page)
    assert "before: one → after: two" in text_of(page)
    assert "0 of 1" in text_of(page)
    assert form_of(page).button.startswith("Approve and publish")
    assert page.body.count(b'"button rust"') == 1


def test_the_last_approval_publishes_with_both_names_in_the_history(team: Team) -> None:
    proposal, browser = propose(team), approver(team)

    response = decide(browser, proposal, "approve", reason="looks good")
    page = text_of(browser.get(response.headers["location"]))

    assert response.status == 303
    assert "It is approved, and live in production." in page
    assert "It is published by ben." in page
    assert team.version("bot") == "1.1"
    assert [key["name"] for key in team.history("bot")[0]["approved_by"]] == ["ben"]


def test_an_approval_that_is_not_the_last_one_is_stored(team: Team) -> None:
    team.create("production", required_approvals=2)
    proposal, browser = propose(team), approver(team)
    page = browser.get(f"/console/proposals/{proposal}")

    response = decide(browser, proposal, "approve", reason="fine")
    after = browser.get(response.headers["location"])

    assert b'"button rust"' not in page.body
    assert "1 more needed after yours." in text_of(page)
    assert "Your approval is stored: 1 of 2." in text_of(after)
    assert "ben" in text_of(after)
    assert "You cannot approve it: this API key has approved it." in text_of(after)
    assert team.version("bot") == "1.0"


def test_who_proposed_it_sees_why_they_cannot_approve_and_can_withdraw(team: Team) -> None:
    proposal = propose(team)
    browser = sign_in(team, team.person)
    page = browser.get(f"/console/proposals/{proposal}")

    assert "You cannot approve it: this API key does not have the scope deployments:approve." in text_of(page)
    assert form_of(page).button == "Withdraw"
    assert decide(browser, proposal, "approve").status == 403
    assert decide(browser, proposal, "withdraw", reason="too early").status == 303
    closed = text_of(browser.get(f"/console/proposals/{proposal}"))
    assert "It is withdrawn by person." in closed
    assert "too early" in closed


def test_nobody_approves_their_own_proposal(team: Team) -> None:
    token = team.key("both", [Scope.READ, Scope.PUBLISH, Scope.APPROVE])
    proposal, browser = propose(team, token=token), sign_in(team, token)

    page = browser.get(f"/console/proposals/{proposal}")
    refused = decide(browser, proposal, "approve", reason="mine")

    assert "You cannot approve it: it made the proposal." in text_of(page)
    assert refused.status == 403
    assert form_of(refused).values["reason"] == "mine"
    assert team.version("bot") == "1.0"


def test_a_proposal_is_rejected_with_a_reason(team: Team) -> None:
    proposal, browser = propose(team), approver(team)

    response = decide(browser, proposal, "reject", reason="not now")

    assert "The proposal is rejected." in text_of(browser.get(response.headers["location"]))
    assert team.proposal(proposal)["closed"]["reason"] == "not now"


def test_a_proposal_that_is_closed_by_then_says_so_and_shows_what_was_typed(team: Team) -> None:
    proposal, browser = propose(team), approver(team)
    form = form_of(browser.get(f"/console/proposals/{proposal}"))
    path = "/v2/deployments/bot/versions/1.1/publish?emergency=true"
    assert team.send("POST", path, {"reason": "all is down"}).status == 200

    refused = browser.post(form.action, form.values | {"reason": "looks good"})

    assert refused.status == 409
    assert "It is stale" in text_of(refused)
    assert "You wrote: looks good" in text_of(refused)
    assert form_of(refused).button == ""


def test_a_deletion_and_a_promotion_are_decided_on_the_same_page(team: Team) -> None:
    team.create("staging")
    assert team.publish("bot", "1.1", "staging").status == 200
    deletion = proposed(team.send("DELETE", "/v2/deployments/bot", token=team.person))
    promotion = proposed(team.promote("bot", token=team.person))
    browser = approver(team)

    deleting = text_of(browser.get(f"/console/proposals/{deletion}"))
    promoting = text_of(browser.get(f"/console/proposals/{promotion}"))

    assert "Delete bot in production" in deleting
    assert "It is deleted in all environments." in deleting
    assert "Promote bot in production" in promoting
    assert "before: one → after: two" in promoting
    assert decide(browser, deletion, "approve").status == 303
    assert team.send("GET", "/v2/deployments/bot").status == 404


def test_a_proposal_of_what_is_gone_by_then_is_shown_without_its_difference(team: Team) -> None:
    proposal = propose(team)
    assert team.send("DELETE", "/v2/deployments/bot/versions/1.1").status == 200

    page = approver(team).get(f"/console/proposals/{proposal}")

    assert page.status == 200
    assert "It is stale" in text_of(page)
    assert "The difference cannot be shown" in text_of(page)


def test_the_list_and_the_navigation_begin_with_those_that_wait_for_the_visitor(team: Team) -> None:
    proposal, browser = propose(team), approver(team)

    page, other = browser.get("/console/proposals"), sign_in(team, team.person).get("/console/proposals")

    assert "Waiting for you 1" in text_of(page)
    assert f"/console/proposals/{proposal}" in links(page)
    assert "1 wait for you" in text_of(browser.get("/console/deployments"))
    assert "Waiting for you" not in text_of(other)
    assert f"/console/proposals/{proposal}" in links(other)
    assert decide(browser, proposal, "reject").status == 303
    assert "wait for you" not in text_of(browser.get("/console/deployments"))


def test_an_unknown_proposal_is_404(team: Team) -> None:
    assert approver(team).get("/console/proposals/missing").status == 404
