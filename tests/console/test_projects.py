"""The page about the project of the session."""

from moorage.core.access import Scope
from tests.support.console import Browser, links, text_of
from tests.support.server import Project
from tests.support.team import Team


def test_the_page_counts_what_the_key_may_see(project: Project) -> None:
    team = Team(project)
    team.create("staging")
    team.put("a", "one")
    team.put("b", "two", "staging")

    page = Browser(project).sign_in(team.key("lead")).get("/console/projects")

    text = text_of(page)
    assert f"{project.name} this session" in text
    assert "Deployments in production 1 Deployments in staging 2" in text
    assert "API keys" in text
    assert "/console/deployments?environment=staging" in links(page)


def test_a_key_with_fewer_rights_sees_fewer_counts(project: Project) -> None:
    team = Team(project)
    team.create("staging")

    bound = text_of(Browser(project).sign_in(team.key("ci", [Scope.READ], "staging")).get("/console/projects"))
    caller = text_of(Browser(project).sign_in(team.key("app", [Scope.INVOKE])).get("/console/projects"))

    assert "Deployments in staging 0" in bound
    assert "Deployments in production" not in bound
    assert "lacks deployments:read , so this page counts no deployments" in caller


def test_the_page_says_how_to_make_and_to_see_another_project(project: Project) -> None:
    text = text_of(Browser(project).sign_in().get("/console/projects"))

    assert "sign in with one of its API keys" in text
    assert "moorage projects create NAME" in text
    assert all(f"--scope {scope}" in text for scope in Scope)
