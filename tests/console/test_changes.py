"""The pages with the history: of a deployment, and of all deployments of a project."""

import json
import re

import pytest

from moorage.console.words import action_words
from moorage.core.access import Scope
from moorage.core.deployments.history import ACTIONS
from tests.support.console import Browser, links, text_of
from tests.support.server import Project, a_body
from tests.support.team import Team


@pytest.fixture
def browser(project: Project) -> Browser:
    return Browser(project).sign_in()


def test_the_changes_of_all_deployments_lead_to_their_comparisons(browser: Browser) -> None:
    project = browser.project
    project.put("a")
    project.put("b")
    response = project.put("a", a_body(model="other"), **{"X-Moorage-Change-Reason": "cheaper"})

    page = browser.get("/console/changes")

    assert re.search(r"UTC a published Compare 1\.0 → 1\.1 test \S+ cheaper", text_of(page))
    assert response.headers["x-request-id"] in text_of(page)
    assert "/console/deployments/a/compare?from=1.0&to=1.1" in links(page)
    assert "/console/deployments/b/history" in links(page)


def test_all_changes_are_found_through_the_pages_once(browser: Browser) -> None:
    browser.project.fill(60)
    seen, path = list[str](), "/console/changes?action=created"
    while path:
        page = browser.get(path)
        seen += [link for link in links(page) if link.endswith("/history")]
        path = next((link for link in links(page) if "starting_after=" in link), "")
        assert not path or "action=created" in path, "the filter stays"

    assert len(seen) == len(set(seen)) == 60


def test_a_filter_selects_an_action(browser: Browser) -> None:
    browser.project.put("a")
    browser.project.put("a", a_body(model="other"))

    assert "created the deployment" not in text_of(browser.get("/console/changes?action=published"))
    assert "No change matches." in text_of(browser.get("/console/changes?action=deleted"))
    assert browser.get("/console/changes?action=publishd").status == 400


def test_the_changes_are_those_of_the_environment_or_of_all(browser: Browser) -> None:
    team = Team(browser.project)
    team.create("staging")
    team.put("a", "one")
    team.put("a", "two", "staging")

    assert "Compare 1.0 → 1.1" not in text_of(browser.get("/console/changes"))
    assert "published staging" in text_of(browser.get("/console/changes?where=all"))
    assert "created the deployment" not in text_of(browser.get("/console/changes?environment=staging&action=created"))
    assert "/console/deployments/a/history?environment=staging" in links(browser.get("/console/changes?where=all"))


def test_a_bound_key_sees_the_changes_of_its_environment_alone(browser: Browser) -> None:
    team = Team(browser.project)
    team.create("staging")
    team.put("a", "one")
    team.put("a", "two", "staging")
    bound = Browser(browser.project).sign_in(team.key("bound", [Scope.READ], "staging"))

    page = text_of(bound.get("/console/changes?where=all"))

    assert "a published 1.1" in page
    assert "created the deployment" not in page


def test_an_empty_project_says_so(browser: Browser) -> None:
    assert "Nothing was changed in production yet." in text_of(browser.get("/console/changes"))


def test_the_history_says_what_was_changed_besides_versions(browser: Browser) -> None:
    project = browser.project
    project.put("a")
    project.request("PATCH", "/v2/deployments/a", json.dumps({"description": "new"}).encode())
    project.put("a", a_body(model="other"))
    project.request("DELETE", "/v2/deployments/a/versions/1.0")

    page = text_of(browser.get("/console/deployments/a/history"))

    assert "changed the description" in page
    assert "deleted version 1.0" in page


def test_every_action_has_words() -> None:
    versions = {"from_version": "1.0", "to_version": "1.1"}
    assert all(" " in action_words({"action": action, **versions}) for action in {*ACTIONS} - {"published"})
    assert action_words({"action": "published", **versions, "from_environment": "staging"}) == "promoted from staging"
    assert action_words({"action": "changed", **versions, "changed": ["description", "owner"]}) == (
        "changed the description and the owner"
    )
