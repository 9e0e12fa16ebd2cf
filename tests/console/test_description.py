"""The form of the description, and the entries that lead to the pages that change something."""

import re

import pytest

from moorage.core.access import Scope
from tests.console.test_publish import form_of, save, send, sign_in
from tests.support.console import links, text_of
from tests.support.server import Project
from tests.support.team import Team, with_text

KEY = "/console/deployments/bot"


@pytest.fixture
def team(project: Project) -> Team:
    team = Team(project)
    assert team.put("bot", "one").status == 201
    return team


def test_the_description_is_changed_with_a_reason_and_makes_no_version(team: Team) -> None:
    browser = sign_in(team)
    text = "Two lines,\nwith <b>&amp; HTML"

    response = send(browser, f"{KEY}/description", description=text, reason="clearer")
    page = browser.get(response.headers["location"])

    assert "The description of bot is changed." in text_of(page)
    assert team.send("GET", "/v2/deployments/bot").json["description"] == text
    assert form_of(browser.get(f"{KEY}/description")).values["description"] == text
    assert (team.version("bot"), team.history("bot")[0]["reason"]) == ("1.0", "clearer")


def test_aliases_are_shown_and_changed_one_on_each_line(team: Team) -> None:
    browser = sign_in(team)

    response = send(browser, f"{KEY}/description", aliases="pmpt_68b0a1c2\r\nbot.old", reason="moved from OpenAI")

    assert team.send("GET", "/v2/deployments/pmpt_68b0a1c2").json["aliases"] == ["pmpt_68b0a1c2", "bot.old"]
    page = text_of(browser.get(response.headers["location"]))
    assert re.search(r"Aliases: pmpt_68b0a1c2 ?, bot.old", page)
    assert "aliases: pmpt_68b0a1c2" in text_of(browser.get(f"{KEY}?as=yaml")).replace("- ", "")
    form = form_of(browser.get(f"{KEY}/description"))
    assert form.values["aliases"] == "pmpt_68b0a1c2\nbot.old"
    assert browser.post(form.action, form.values | {"aliases": ""}).status == 303
    assert "aliases" not in team.send("GET", "/v2/deployments/bot").json


def test_an_alias_that_is_taken_is_refused_and_kept_and_those_of_somebody_else_are_not_overwritten(team: Team) -> None:
    team.put("other", "one")
    browser = sign_in(team)
    form = form_of(browser.get(f"{KEY}/description"))

    refused = browser.post(form.action, form.values | {"aliases": "other"})
    assert (refused.status, form_of(refused).values["aliases"]) == (409, "other")

    assert team.send("PATCH", "/v2/deployments/bot", {"aliases": ["theirs"]}).status == 200
    outdated = browser.post(form.action, form.values | {"description": "mine"})
    assert outdated.status == 412
    assert "Aliases: theirs" in text_of(outdated)
    assert browser.post(form.action, form_of(outdated).values).status == 303
    assert team.send("GET", "/v2/deployments/bot").json["aliases"] == ["theirs"]


def test_a_description_that_somebody_else_changed_is_not_overwritten(team: Team) -> None:
    browser = sign_in(team)
    form = form_of(browser.get(f"{KEY}/description"))
    assert team.send("PATCH", "/v2/deployments/bot", {"description": "theirs"}).status == 200

    refused = browser.post(form.action, form.values | {"description": "mine"})

    assert refused.status == 412
    assert "The description now theirs" in text_of(refused)
    assert form_of(refused).values["description"] == "mine"
    assert browser.post(form.action, form_of(refused).values).status == 303


def test_a_deployment_of_a_file_is_described_only_with_the_box_that_names_it(team: Team) -> None:
    path = "/v2/deployments/bot?file=prompts/bot.yaml&take_ownership=true"
    assert team.send("PUT", path, with_text("one")).status == 200
    browser = sign_in(team)

    refused = send(browser, f"{KEY}/description", description="mine")

    assert (refused.status, form_of(refused).boxes) == (409, {"take_ownership"})
    assert "prompts/bot.yaml" in text_of(refused)
    assert form_of(refused).values["description"] == "mine"
    assert browser.post(f"{KEY}/description", form_of(refused).values | {"take_ownership": "true"}).status == 303


def test_a_description_that_is_too_long_is_refused_and_kept(team: Team) -> None:
    refused = send(sign_in(team), f"{KEY}/description", description="x" * 10_001)

    assert refused.status == 400
    assert 'href="#field-description"' in refused.body.decode()
    assert form_of(refused).values["description"] == "x" * 10_001


def test_an_api_key_that_cannot_write_has_no_form(team: Team) -> None:
    browser = sign_in(team, team.key("reader", [Scope.READ]))

    assert form_of(browser.get(f"{KEY}/description")).button == ""
    assert browser.post(f"{KEY}/description", {"description": "x"}).status == 403


def test_pages_lead_only_to_what_the_api_key_can_do(team: Team) -> None:
    team.create("staging")
    assert save(team, "two") == "1.1"
    admin, reader = sign_in(team), sign_in(team, team.key("reader", [Scope.READ]))
    changes = {f"{KEY}/undo", f"{KEY}/delete", f"{KEY}/description", f"{KEY}/publish/1.1"}

    assert changes <= set(links(admin.get(KEY)))
    assert f"{KEY}/promote?from=production&to=staging" in links(admin.get(KEY))
    assert f"{KEY}/promote?from=staging&to=production" in links(admin.get(f"{KEY}?environment=staging"))
    assert {f"{KEY}/publish/1.1", f"{KEY}/versions/1.1/delete"} <= set(links(admin.get(f"{KEY}/versions")))
    assert not changes & set(links(reader.get(KEY)))
    assert not [link for link in links(reader.get(f"{KEY}/versions")) if "publish" in link or "delete" in link]


def test_an_api_key_of_an_environment_leads_to_what_concerns_that_one(team: Team) -> None:
    team.create("staging")
    browser = sign_in(team, team.key("bound", environment="staging"))

    found = links(browser.get(KEY))

    assert {f"{KEY}/undo", f"{KEY}/unpublish"} <= set(found)
    assert not [link for link in found if "promote" in link or link.endswith(("/delete", "/description"))]


def test_a_deployment_that_is_live_nowhere_leads_to_its_versions(team: Team) -> None:
    team.send("PUT", "/v2/deployments/fresh?draft=true", with_text("new"))
    browser = sign_in(team)

    page = browser.get("/console/deployments/fresh")

    assert page.status == 404
    assert "/console/deployments/fresh/versions" in links(page)
    assert "/console/deployments/fresh/publish/1.0" in links(browser.get("/console/deployments/fresh/versions"))
    assert browser.get("/console/deployments/fresh/history").status == 200
    assert browser.get("/console/deployments/fresh/versions/1.0").status == 200
