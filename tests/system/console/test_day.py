"""The day of somebody who changes a prompt: docs/guide/console.md, from the first page to the sign-out."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.browser import OTHER_HOST, open_page
from tests.console.samples import KEY, Samples, running_samples

#: So many presses of the Tab key reach every control of a page.
_MAX_TABS = 150


class Way(NamedTuple):
    """How somebody uses the browser."""

    has_scripts: bool = True
    has_mouse: bool = True
    host: str = "127.0.0.1"


WAYS = {
    "mouse": Way(),
    "keyboard": Way(has_mouse=False),
    "no-scripts": Way(has_scripts=False),
    "other-host": Way(host=OTHER_HOST),
}


@pytest.fixture
def own_samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samples]:
    """Return a server with the sample deployments, which the test changes."""
    with running_samples(tmp_path_factory.mktemp("day")) as running:
        yield running


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_prompt_is_found_changed_compared_published_and_undone(
    browser: Browser, own_samples: Samples, way: Way
) -> None:
    url = own_samples.server.url.replace("127.0.0.1", way.host)
    with open_page(browser, url, scripts=way.has_scripts) as page:
        page.goto("/")
        page.get_by_label("API key").fill(own_samples.token)
        _use(page, "Sign in", way)
        page.wait_for_url("**/console/deployments")

        page.goto("/console/deployments?search=support_answers")
        _use(page, KEY, way)
        page.wait_for_url(f"**/{KEY}")
        _use(page, "Edit", way)
        page.wait_for_url("**/edit**")
        message = page.get_by_label("Content of message 1")
        message.fill(f"{message.input_value()}\nNever invent a date.")
        _use(page, "Review and publish", way)

        page.wait_for_url("**/publish/1.4**")
        expect(page.locator("ins, .add-l").filter(has_text="Never invent a date.").first).to_be_visible()
        page.get_by_label("Why").fill("A customer got a wrong date")
        _use(page, "Publish 1.4", way)
        status = page.get_by_role("status").first
        expect(status).to_contain_text("1.4 is live in production.")
        expect(page.get_by_text("Never invent a date.").first).to_be_visible()

        _use(page, "Undo", way)
        _use(page, "Undo to 1.1", way)
        expect(status).to_contain_text("1.1 is live in production again.")
        _use(page, "History", way)
        expect(page.get_by_text("A customer got a wrong date").first).to_be_visible()

        _use(page, "Account and settings", way)
        _use(page, "Sign out", way)
        page.wait_for_url("**/console/sign-in**")
        page.goto("/console/deployments")
        expect(page.get_by_label("API key")).to_be_visible()


def _use(page: Page, name: str, way: Way) -> None:
    """Use the first visible control with a name."""
    controls = [page.get_by_role(role, name=name, exact=True) for role in ("button", "link")]
    found = controls[0].or_(controls[1]).or_(page.locator(f"summary[aria-label='{name}']")).filter(visible=True).first
    expect(found).to_be_visible()
    if way.has_mouse:
        found.click()
        return
    for _ in range(_MAX_TABS):
        if found.evaluate("element => element === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not reach {name!r}")
