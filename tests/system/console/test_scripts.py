"""What the script of the console adds to its pages."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, StorageState, expect

from tests.console.browser import OTHER_HOST, Variant, open_page, sign_in
from tests.console.samples import KEY, Samples


@pytest.mark.parametrize("host", ["127.0.0.1", OTHER_HOST])
def test_a_copy_button_copies_and_says_so_with_and_without_the_clipboard_of_secure_pages(
    browser: Browser, samples: Samples, host: str
) -> None:
    url = samples.server.url.replace("127.0.0.1", host)
    with open_page(browser, url) as page:
        sign_in(page, samples.token)
        page.goto(f"/console/deployments/{KEY}")
        assert page.evaluate("isSecureContext") == (host == "127.0.0.1")
        button = page.locator("[data-copy]").first
        copied = page.locator(f"#{button.get_attribute('data-copy')}").text_content()
        button.click()
        expect(button).to_have_attribute("data-said", "Copied")
        expect(page.locator("#said")).to_have_text("Copied")
        page.get_by_role("searchbox").focus()
        page.keyboard.press("Control+V")
        assert page.get_by_role("searchbox").input_value() == copied


def test_the_chosen_colours_stay_after_a_reload(browser: Browser, samples: Samples, session: StorageState) -> None:
    with open_page(browser, samples.server.url, state=session) as page:
        page.goto("/console/deployments")
        light = _background(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.locator("summary[aria-label^=Account]").click()
        switch = page.locator("[data-theme-switch]")
        expect(switch).to_have_text("Colours: system")
        switch.click()
        switch.click()
        expect(switch).to_have_text("Colours: dark")
        page.reload()
        assert _background(page.evaluate("getComputedStyle(document.body).backgroundColor")) < light


def test_the_slash_key_moves_the_focus_to_the_search_until_it_is_switched_off(
    browser: Browser, samples: Samples, session: StorageState
) -> None:
    with open_page(browser, samples.server.url, state=session) as page:
        page.goto("/console/deployments")
        page.keyboard.press("/")
        search = page.get_by_role("searchbox")
        expect(search).to_be_focused()
        page.keyboard.press("/")
        assert search.input_value() == "/", "in a field, it is a character"
        page.locator("summary[aria-label^=Account]").click()
        page.locator("[data-keys-switch]").click()
        page.reload()
        page.keyboard.press("/")
        expect(search).not_to_be_focused()


def test_times_are_relative_and_their_titles_exact(browser: Browser, samples: Samples, session: StorageState) -> None:
    with open_page(browser, samples.server.url, state=session) as page:
        page.goto(f"/console/deployments/{KEY}")
        time = page.locator("time:not(.exact)").first
        iso = time.get_attribute("datetime") or ""
        page.clock.set_fixed_time(datetime.fromisoformat(iso) + timedelta(hours=2))
        page.reload()
        expect(time).to_have_text("2 hours ago")
        assert f"{iso[:19].replace('T', ' ')} UTC" in (time.get_attribute("title") or "")


def test_exact_times_are_local_or_utc_by_one_switch(browser: Browser, samples: Samples, session: StorageState) -> None:
    with open_page(browser, samples.server.url, state=session) as page:
        page.goto(f"/console/deployments/{KEY}/history")
        time = page.locator("time.exact").first
        utc = f"{(time.get_attribute('datetime') or '')[:19].replace('T', ' ')} UTC"
        switch = page.locator("[data-times-switch]")
        expect(switch).to_have_text("Times: local")
        switch.click()
        expect(time).to_have_text(utc)
        page.reload()
        expect(page.locator("[data-times-switch]")).to_have_text("Times: utc")
        expect(time).to_have_text(utc)


def test_the_current_tab_is_in_sight_on_phones(browser: Browser, samples: Samples, session: StorageState) -> None:
    with open_page(browser, samples.server.url, Variant("light", 320), state=session) as page:
        page.goto(f"/console/deployments/{KEY}/use")
        expect(page.get_by_role("link", name="Use it")).to_be_in_viewport(ratio=0.9)
        assert page.evaluate("scrollY") == 0


def _background(color: str) -> int:
    """Return the sum of the parts of a colour such as "rgb(1, 2, 3)"."""
    return sum(int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(", "))
