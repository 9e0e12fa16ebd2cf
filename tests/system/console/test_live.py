"""A page that is open says what others changed, and does not reload by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, expect

from tests.console.browser import open_page, sign_in
from tests.support.server import Project, Server, a_body


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Return a project with a deployment on a server of its own, which the tests change."""
    with Server(tmp_path) as server:
        found = server.new_project()
        assert found.put("orders").status == 201
        yield found


def test_a_banner_says_who_published_and_the_list_how_many_changed(browser: Browser, project: Project) -> None:
    with open_page(browser, project.server.url) as page:
        sign_in(page, project.token)
        page.clock.install()
        for path, text in (
            ("/console/deployments/orders/versions", "test published 1.1"),
            ("/console/deployments", "1 deployment changed"),
        ):
            page.goto(path)
            page.evaluate("window.isSamePage = true")
            assert project.put("orders", a_body(model=path)).status == 200
            page.clock.run_for(6_000)
            banner = page.locator("#pulse")
            expect(banner).to_contain_text(text)
            assert page.evaluate("isSamePage"), "no reload under somebody's hands"
            banner.get_by_role("link", name="Show").click()
            expect(banner).to_be_empty()


def test_a_hidden_page_asks_for_nothing_and_at_once_when_it_is_seen_again(browser: Browser, project: Project) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/console/pulse" in request.url:
            asked.append(request.url)

    with open_page(browser, project.server.url) as page:
        sign_in(page, project.token)
        page.clock.install()
        page.goto("/console/deployments/orders")
        page.on("request", note)
        hide = "Object.defineProperty(document, 'hidden', { value: %s, configurable: true })"
        page.evaluate(hide % "true")
        page.clock.run_for(120_000)
        assert asked == []
        page.evaluate(hide % "false")
        with page.expect_request("**/console/pulse**"):
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_after_the_end_of_the_session_the_page_asks_no_more(browser: Browser, project: Project) -> None:
    with open_page(browser, project.server.url) as page:
        sign_in(page, project.token)
        page.clock.install()
        page.goto("/console/deployments/orders")
        page.context.clear_cookies()
        with page.expect_response("**/console/sign-in**"):
            page.clock.run_for(6_000)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.clock.run_for(120_000)
        assert asked == []
