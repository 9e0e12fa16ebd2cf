"""The keys of the console, and the switch that turns them off (WCAG 2.1.4)."""

import pytest
from playwright.sync_api import Browser, StorageState, expect

from tests.console.browser import open_page
from tests.console.samples import KEY, Samples


@pytest.mark.parametrize(
    ("keys", "path"), [("?", "/console/keyboard"), ("g c", "/console/changes"), ("g d", "/console/deployments")]
)
def test_keys_lead_to_pages(browser: Browser, samples: Samples, session: StorageState, keys: str, path: str) -> None:
    with open_page(browser, samples.server.url, state=session) as page:
        page.goto("/console/proposals")
        for key in keys.split():
            page.keyboard.press(key)
        page.wait_for_url(f"**{path}")


def test_rows_and_changes_are_reached_one_after_the_other(
    browser: Browser, samples: Samples, session: StorageState
) -> None:
    with open_page(browser, samples.server.url, state=session) as page:
        page.goto("/console/deployments")
        keys = page.locator("a.key")
        for key in "jjk":
            page.keyboard.press(key)
        expect(keys.first).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/deployments/*")
        page.goto(f"/console/deployments/{KEY}/compare?from=1.0&to=1.2")
        page.keyboard.press("n")
        page.keyboard.press("n")
        expect(page.locator(".part").nth(1)).to_be_focused()
        page.keyboard.press("p")
        expect(page.locator(".part").first).to_be_focused()


def test_c_compares_the_deployment(browser: Browser, samples: Samples, session: StorageState) -> None:
    with open_page(browser, samples.server.url, state=session) as page:
        page.goto(f"/console/deployments/{KEY}/history")
        page.keyboard.press("c")
        page.wait_for_url(f"**/console/deployments/{KEY}/compare")


def test_ctrl_k_goes_to_the_search_also_from_a_field(browser: Browser, samples: Samples, session: StorageState) -> None:
    with open_page(browser, samples.server.url, state=session) as page:
        page.goto(f"/console/deployments/{KEY}/routing")
        page.get_by_label("Attributes").focus()
        page.keyboard.press("Control+k")
        expect(page.get_by_role("searchbox")).to_be_focused()


def test_single_keys_do_nothing_while_somebody_writes_or_when_they_are_off(
    browser: Browser, samples: Samples, session: StorageState
) -> None:
    with open_page(browser, samples.server.url, state=session) as page:
        page.goto(f"/console/deployments/{KEY}/routing")
        field = page.get_by_label("Attributes")
        field.focus()
        page.keyboard.type("?g c/")
        assert field.input_value() == "?g c/"
        page.goto("/console/keyboard")
        switch = page.get_by_role("main").locator("[data-keys-switch]")
        switch.click()
        expect(switch).to_have_text("Shortcuts: off")
        page.reload()
        page.keyboard.press("g")
        page.keyboard.press("d")
        page.keyboard.press("/")
        expect(page.get_by_role("searchbox")).not_to_be_focused()
        assert page.url.endswith("/console/keyboard")
        page.keyboard.press("Control+k")
        expect(page.get_by_role("searchbox")).to_be_focused()
