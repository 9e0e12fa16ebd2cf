"""The settings: the state of the server, what the API key may do, and its sessions."""

import pytest

from moorage.core.access import DEFAULT_SCOPES, Scope
from tests.support.console import Browser, text_of
from tests.support.server import Project
from tests.support.team import Team

PATH = "/console/settings"


@pytest.fixture
def browser(project: Project) -> Browser:
    return Browser(project).sign_in()


def test_the_settings_have_the_state_of_the_server(browser: Browser) -> None:
    browser.project.put("a")

    page = text_of(browser.get(PATH))

    assert "State up to date" in page
    assert "Database SQLite" in page or "Database PostgreSQL" in page
    assert "Jinja templates not enabled" in page
    assert "Unreadable deployments none" in page


def test_the_scopes_of_the_key_are_in_words_and_the_missing_ones_are_named(browser: Browser) -> None:
    page = text_of(browser.get(PATH))

    assert "See deployments, versions, history and environments." in page
    assert "Create, roll and revoke API keys." not in page
    assert all(scope in page for scope in set(Scope) - DEFAULT_SCOPES)


def test_a_bound_key_names_its_environment(browser: Browser) -> None:
    team = Team(browser.project)
    team.create("staging")
    bound = Browser(browser.project).sign_in(team.key("bound", [Scope.READ], "staging"))

    assert "which is bound to the environment staging" in text_of(bound.get(PATH))


def test_all_other_sessions_of_the_api_key_can_be_ended(browser: Browser) -> None:
    project = browser.project
    others = [Browser(project).sign_in() for _ in range(2)]
    stranger = Browser(project).sign_in(project.key(Scope.READ)[1])
    assert text_of(browser.get(PATH)).count("another one") == 2

    response = browser.post(f"{PATH}/end-sessions", {})

    assert (response.status, response.headers["location"]) == (303, f"{PATH}?done=sessions_ended")
    assert "All other sessions of your API key ended." in text_of(browser.get(response.headers["location"]))
    assert [other.get(PATH).status for other in others] == [303, 303]
    assert [other.get("/console/pulse?seen=0").status for other in others] == [303, 303]
    assert stranger.get(PATH).status == 200, "another API key has sessions of its own"


def test_with_one_session_there_is_no_button(browser: Browser) -> None:
    assert "End all other sessions" not in text_of(browser.get(PATH))


def test_sessions_are_ended_by_a_form_of_the_console_alone(browser: Browser) -> None:
    other = Browser(browser.project).sign_in()

    assert browser.post(f"{PATH}/end-sessions", {}, Sec_Fetch_Site="cross-site").status == 403
    assert Browser(browser.project).post(f"{PATH}/end-sessions", {}).status == 401
    assert browser.get(f"{PATH}/end-sessions").status == 404
    assert other.get(PATH).status == 200


def test_the_keyboard_page_has_every_key_of_the_script(browser: Browser) -> None:
    page = text_of(browser.get("/console/keyboard"))

    for keys in ("?", "/", "Ctrl K", "g d", "g c", "g k", "j", "k", "e", "c", "n", "p"):
        assert f" {keys} " in page
