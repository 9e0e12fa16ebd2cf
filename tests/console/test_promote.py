"""The page that promotes deployments from one environment to another."""

import re

import pytest

from moorage.core.access import Scope
from tests.console.test_publish import form_of, send, sign_in
from tests.support.console import links, text_of
from tests.support.server import Project
from tests.support.team import Team, with_text

DIFFERENCES = "/console/environments?from=staging&to=production"


@pytest.fixture
def team(project: Project) -> Team:
    """Return a team with `a` and `b` at 1.0 in production and 1.1 in staging, and `new` in staging alone."""
    team = Team(project)
    team.create("staging")
    for key in ("a", "b"):
        assert team.put(key, "one").status == 201
        assert team.put(key, "two", "staging").status == 200
    assert team.put("new", "new", "staging").status == 201
    return team


def several(*keys: str) -> str:
    return "/console/promote?from=staging&to=production" + "".join(f"&key={key}" for key in keys)


def live(team: Team) -> list[str]:
    return [team.version(key) for key in ("a", "b", "new")]


def test_one_deployment_is_promoted_with_the_difference_and_a_reason(team: Team) -> None:
    browser = sign_in(team)
    path = "/console/deployments/a/promote?from=staging&to=production"
    page = browser.get(path)

    response = send(browser, path, reason="tested")

    assert "a 1.0 → 1.1" in text_of(page)
    assert "before: one → after: two" in text_of(page)
    assert form_of(page).button == "Promote a"
    assert response.headers["location"].startswith("/console/deployments/a?")
    assert "1.1 is live in production. 1.0 is one undo away." in text_of(browser.get(response.headers["location"]))
    assert live(team) == ["1.1", "1.0", "none"]
    assert team.history("a")[0]["reason"] == "tested"


def test_the_differences_of_environments_lead_to_the_promotion_of_those_that_are_ticked(team: Team) -> None:
    page = sign_in(team).get(DIFFERENCES).body.decode()

    assert 'action="/console/promote"' in page
    assert re.findall(r'type="checkbox" name="key" value="(\w+)"', page) == ["a", "b", "new"]


def test_several_deployments_are_promoted_at_once(team: Team) -> None:
    browser = sign_in(team)
    page = browser.get(several("a", "b", "new"))
    response = browser.post(several("a", "b", "new"), {}, Content_Type="text/plain")
    assert response.status == 400

    form = form_of(page)
    assert form.button == "Promote 3 deployments"
    response = browser.post(form.action, form.pairs)

    assert response.status == 303
    assert live(team) == ["1.1", "1.1", "1.0"]
    assert "3 deployments are live in production." in text_of(browser.get(response.headers["location"]))
    assert len({team.history(key)[0]["at"] for key in ("a", "b", "new")}) == 1


def test_a_deployment_can_be_left_out(team: Team) -> None:
    assert several("b") in links(sign_in(team).get(several("a", "b")))


def test_a_state_that_changed_refuses_all_of_them_and_names_it(team: Team) -> None:
    browser = sign_in(team)
    form = form_of(browser.get(several("a", "b")))
    assert team.put("b", "three").status == 200

    refused = browser.post(form.action, [*form.pairs, ("reason", "")])
    page = text_of(refused)

    assert refused.status == 412
    assert "Somebody else was faster: nothing was promoted." in page
    assert "b : Nothing was changed: deployment 'b' has version 1.2 in production" in page
    assert live(team) == ["1.0", "1.2", "none"]
    again = form_of(refused)
    assert browser.post(again.action, again.pairs).status == 303
    assert live(team) == ["1.1", "1.1", "none"]


def test_the_reason_and_the_boxes_of_a_refused_promotion_are_kept(team: Team) -> None:
    body = {**with_text("{{name}}"), "variables": [{"key": "name"}]}
    assert team.send("PUT", "/v2/deployments/a?environment=staging&allow_breaking=true", body).status == 200
    browser = sign_in(team)
    path = "/console/deployments/a/promote?from=staging&to=production"

    page = browser.get(path)
    refused = send(browser, path, reason="tested")
    promoted = send(browser, path, allow_breaking="true")

    assert form_of(page).boxes == {"allow_breaking"}
    assert refused.status == 409
    assert form_of(refused).values["reason"] == "tested"
    assert promoted.status == 303


def test_where_approvals_are_required_it_is_proposed(team: Team) -> None:
    team.create("production", required_approvals=1)
    browser = sign_in(team)

    form = form_of(browser.get(several("a", "b")))
    response = browser.post(form.action, form.pairs)

    assert form.button == "Propose 2 deployments"
    assert response.headers["location"].endswith("?done=proposed")
    assert live(team) == ["1.0", "1.0", "none"]


def test_an_api_key_that_cannot_publish_there_has_no_boxes_and_no_button(team: Team) -> None:
    browser = sign_in(team, team.key("writer", [Scope.READ, Scope.WRITE]))

    differences, page = browser.get(DIFFERENCES), browser.get(several("a"))

    assert b'type="checkbox"' not in differences.body
    assert "To promote, your API key needs the scope deployments:publish" in text_of(differences)
    assert form_of(page).button == ""
    assert "Your API key cannot promote to production" in text_of(page)
    assert browser.post(several("a"), {"key": "a", "version": "1.1", "base": "1.0"}).status == 403
    assert live(team)[0] == "1.0"


def test_what_is_live_there_already_or_not_in_the_source_has_no_button(team: Team) -> None:
    assert team.promote("a").status == 200
    browser = sign_in(team)

    already = browser.get("/console/deployments/a/promote?from=staging&to=production")
    missing = browser.get("/console/deployments/new/promote?from=production&to=staging")

    assert "There is nothing to promote." in text_of(already)
    assert form_of(already).button == form_of(missing).button == ""
    assert "Not all of them can be promoted" in text_of(missing)


def test_a_follower_is_promoted_to_with_what_it_follows_as_the_base(team: Team) -> None:
    team.create("canary")
    path = "/console/deployments/a/promote?from=staging&to=canary"
    browser = sign_in(team)

    page, response = browser.get(path), send(browser, path)

    assert form_of(page).values["base"] == "follows"
    assert response.headers["location"].startswith("/console/deployments/a?environment=canary")
    assert team.version("a", "canary") == "1.1"


def test_without_a_deployment_the_differences_are_shown(team: Team) -> None:
    response = sign_in(team).get("/console/promote?from=staging")

    assert response.headers["location"] == "/console/environments?from=staging&to=production"
