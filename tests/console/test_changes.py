"""The pages with the history: of a deployment, and of all deployments of a project."""

import json
import re

import pytest

from moorage.console.words import action_words, move_words
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


def test_the_last_change_of_a_live_version_is_a_sentence() -> None:
    versions = {"from_version": "1.1", "to_version": "1.0"}
    assert move_words({"action": "published", **versions}) == "published 1.0"
    assert move_words({"action": "created", **versions}) == "created 1.0"
    assert move_words({"action": "published", **versions, "from_environment": "staging"}) == "promoted 1.0 from staging"
    assert move_words({"action": "undone", **versions}) == "undid a change: 1.0 is live again"
    assert move_words({"action": "unpublished", **versions}) == "let it follow production again"
    assert move_words({"action": "published", "from_version": None, "to_version": None}, "1.3") == "published 1.3"


def test_what_changes_no_live_version_is_not_told_of_one() -> None:
    versions = {"from_version": "1.1", "to_version": "1.2"}
    assert move_words({"action": "rejected", **versions}, "1.1") == "rejected a proposal"
    assert move_words({"action": "changed", **versions, "changed": ["description"]}, "1.1") == "changed the description"


def test_the_page_says_that_the_last_change_was_an_undo(browser: Browser) -> None:
    project = browser.project
    project.put("a")
    project.put("a", a_body(model="other"))
    assert project.request("POST", "/v2/deployments/a/undo").status == 200

    assert "undid a change: 1.0 is live again" in text_of(browser.get("/console/deployments/a"))
    assert "undid a change: 1.0 is live again" in text_of(browser.get("/console/deployments/a/undo"))
