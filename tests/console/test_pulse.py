"""The pulse says what changed since a page was made, from memory, and keeps no session alive."""

import re

import pytest

from moorage.core.access import Scope
from tests.support.console import Browser, text_of
from tests.support.server import Project, Response, a_body
from tests.support.team import Team


@pytest.fixture
def browser(project: Project) -> Browser:
    return Browser(project).sign_in()


def pulse_of(page: Response) -> str:
    """Return the address that the script of a page requests."""
    found = re.search(r'data-pulse="([^"]+)"', page.body.decode())
    assert found is not None
    return found[1].replace("&amp;", "&")


def test_without_changes_the_pulse_is_empty(browser: Browser) -> None:
    browser.project.put("a")

    for path in ("/console/deployments", "/console/deployments/a", "/console/deployments/a/versions"):
        response = browser.get(pulse_of(browser.get(path)))
        assert (response.status, response.body) == (204, b"")
        assert response.headers["cache-control"] == "no-store"


def test_the_pulse_of_a_deployment_says_who_published_which_version_once(browser: Browser) -> None:
    browser.project.put("a")
    address = pulse_of(browser.get("/console/deployments/a/versions"))
    browser.project.put("a", a_body(model="other"))

    response = browser.get(address)

    assert response.status == 200
    assert "test published 1.1 Show" in text_of(response)
    assert 'href="/console/deployments/a"' in response.body.decode()
    assert browser.get(pulse_of(response)).status == 204


def test_the_pulse_of_a_deployment_is_not_about_another_one_or_a_draft(browser: Browser) -> None:
    browser.project.put("a")
    address = pulse_of(browser.get("/console/deployments/a"))
    browser.project.put("b")
    assert browser.project.put("a", a_body(model="other"), "?draft=true").status == 200

    assert browser.get(address).status == 204


def test_the_pulse_of_the_list_counts_the_changed_deployments(browser: Browser) -> None:
    address = pulse_of(browser.get("/console/deployments"))
    browser.project.put("a")
    browser.project.put("a", a_body(model="other"))
    assert "1 deployment changed Show" in text_of(browser.get(address))

    browser.project.fill(110)
    assert "100 or more deployments changed Show" in text_of(browser.get(address))


def test_the_pulse_is_about_the_environment_of_the_page(browser: Browser) -> None:
    team = Team(browser.project)
    team.create("staging")
    team.put("a", "one")
    production = pulse_of(browser.get("/console/deployments/a"))
    staging = pulse_of(browser.get("/console/deployments/a?environment=staging"))
    team.put("a", "two", "staging")

    assert "admin published 1.1" in text_of(browser.get(staging))
    assert browser.get(production).status == 204


def test_a_deleted_deployment_is_an_error_without_a_note(browser: Browser) -> None:
    browser.project.put("a")
    address = pulse_of(browser.get("/console/deployments/a"))
    browser.project.request("DELETE", "/v2/deployments/a")

    response = browser.get(address)

    assert response.status == 404
    assert b"pulse-note" not in response.body


@pytest.mark.parametrize("seen", ["", "x", "-1", "1" * 30, "٣"])
def test_a_revision_that_is_none_has_no_changes(seen: str, browser: Browser) -> None:
    assert browser.get(f"/console/pulse?seen={seen}").status == 204


def test_the_pulse_needs_a_session_and_the_scope_to_read(browser: Browser) -> None:
    project = browser.project
    assert Browser(project).get("/console/pulse?seen=0").status == 303
    browser.post("/console/sign-out", {})
    assert browser.get("/console/pulse?seen=0").status == 303
    caller = Browser(project).sign_in(project.key(Scope.INVOKE)[1])
    assert caller.get("/console/pulse?seen=0").status == 403
