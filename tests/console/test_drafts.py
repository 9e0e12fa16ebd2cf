"""The deployments that are live nowhere, in the list of deployments and on their own page."""

import pytest

from tests.support.console import Browser, links, text_of
from tests.support.server import Project
from tests.support.team import Team, with_text

LIST, DRAFTS = "/console/deployments", "/console/drafts"


@pytest.fixture
def team(project: Project) -> Team:
    return Team(project)


def draft(team: Team, key: str) -> None:
    response = team.send("PUT", f"/v2/deployments/{key}?draft=true", with_text("one"))
    assert response.status == 201, response.body


def test_a_project_with_nothing_live_shows_its_drafts_each_with_the_way_to_it(team: Team) -> None:
    draft(team, "bot")
    browser = Browser(team.project).sign_in(team.admin)

    page = browser.get(LIST)

    (link,) = [each for each in links(page) if each.startswith(f"{LIST}/bot/versions/")]
    assert DRAFTS in links(page)
    assert browser.get(link).status == 200
    assert link in links(browser.get(DRAFTS))


def test_the_first_page_without_filters_shows_drafts_below_what_is_live(team: Team) -> None:
    assert team.put("shop", "one").status == 201
    draft(team, "bot")
    browser = Browser(team.project).sign_in(team.admin)

    live, _, drafts = text_of(browser.get(LIST)).partition("Drafts")

    assert "shop" in live
    assert "bot" in drafts
    assert "bot" not in text_of(browser.get(f"{LIST}?search=shop"))


def test_without_drafts_the_list_has_no_section_for_them(team: Team) -> None:
    assert team.put("shop", "one").status == 201
    browser = Browser(team.project).sign_in(team.admin)

    assert "Drafts" not in text_of(browser.get(LIST))
    assert "Every deployment is live in an environment." in text_of(browser.get(DRAFTS))


def test_an_api_key_of_one_environment_sees_the_list_without_drafts(team: Team) -> None:
    draft(team, "bot")
    team.create("staging")
    browser = Browser(team.project).sign_in(team.key("bound", environment="staging"))

    page = browser.get(LIST)

    assert page.status == 200
    assert "bot" not in text_of(page)
