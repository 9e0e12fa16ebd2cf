"""All screens in both colour schemes, on wide and narrow displays."""

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, StorageState

from tests.console.browser import VARIANTS, Scheme, Variant, open_page, sign_in
from tests.console.samples import KEY, SCREENS, Samples, Screen

#: `target-size` belongs to WCAG 2.2, but axe does not check it by default.
_AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}

#: A script that returns the elements that end outside the display, where nothing scrolls to them.
_OUTSIDE = """() => [...document.querySelectorAll("body *:not(.vh, .vh *, .menu *, .about)")].filter((each) => {
    const { left, right, width, height } = each.getBoundingClientRect()
    if (!width || !height || (left >= -1 && right <= document.documentElement.clientWidth + 1)) return false
    for (let above = each; above; above = above.parentElement) {
        const style = getComputedStyle(above)
        if (style.overflowX === "auto" || style.clipPath !== "none") return false
    }
    return true
}).map((each) => each.outerHTML.slice(0, 120))"""

every_screen = pytest.mark.parametrize("screen", SCREENS, ids=[screen.name for screen in SCREENS])
every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=str)


@every_variant
@every_screen
def test_a_screen_has_no_violation_of_the_accessibility_rules(
    browser: Browser, samples: Samples, session: StorageState, screen: Screen, variant: Variant
) -> None:
    with open_page(browser, samples.server.url, variant, state=session if screen.is_signed_in else None) as page:
        page.goto(screen.path)
        height = page.evaluate("document.documentElement.scrollHeight")  # so that no sticky bar covers a control
        page.set_viewport_size({"width": variant.width, "height": height})
        result = Axe().run(page, options=_AXE)
        assert result.violations_count == 0, result.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_documentation_of_the_api_has_no_violation_either(
    browser: Browser, samples: Samples, scheme: Scheme
) -> None:
    with open_page(browser, samples.server.url, Variant(scheme, 1360)) as page:
        page.goto("/docs")
        result = Axe().run(page, options=_AXE)
        assert result.violations_count == 0, result.generate_report()


@every_screen
def test_a_screen_has_no_error_of_the_syntax_of_html(
    browser: Browser, samples: Samples, session: StorageState, screen: Screen
) -> None:
    with open_page(browser, samples.server.url, state=session if screen.is_signed_in else None) as page:
        response = page.request.get(screen.path)
        parser = html5lib.HTMLParser()
        parser.parse(response.text())
        assert parser.errors == []


@pytest.mark.parametrize("width", [320, 1360])
@every_screen
def test_a_screen_needs_no_sideways_scrolling_and_cuts_nothing_off(
    browser: Browser, samples: Samples, session: StorageState, screen: Screen, width: int
) -> None:
    shown = Variant("light", width)
    with open_page(browser, samples.server.url, shown, state=session if screen.is_signed_in else None) as page:
        page.goto(screen.path)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(_OUTSIDE) == []


@pytest.mark.parametrize("width", [320, 390, 1360])
def test_every_entry_of_a_menu_is_in_sight(
    browser: Browser, samples: Samples, session: StorageState, width: int
) -> None:
    with open_page(browser, samples.server.url, Variant("light", width), state=session) as page:
        page.goto(f"/console/deployments/{KEY}")
        for menu in page.locator("details.menu:has(> summary:visible)").all():
            menu.locator("summary").click()
            box = menu.locator("> div").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            menu.locator("summary").click()


@pytest.mark.parametrize("path", ["/compare?from=1.0&to=1.1", "/edit?from=1.1"])
def test_no_word_is_cut_or_broken_on_phones(
    browser: Browser, samples: Samples, session: StorageState, path: str
) -> None:
    with open_page(browser, samples.server.url, Variant("light", 390), state=session) as page:
        page.goto(f"/console/deployments/{KEY}{path}")
        for label in page.locator("header .role-i").all():
            assert label.evaluate("each => each.getClientRects().length") == 1
        # The arrow of a list takes 20 pixels, and the text has a measure of its own, without a width to fit.
        cut = page.evaluate("""() => [...document.querySelectorAll("main .compare select")].filter(each => {
            const measure = document.createElement("span"), style = getComputedStyle(each)
            measure.style.font = style.font
            measure.style.position = "absolute"
            measure.style.whiteSpace = "nowrap"
            measure.textContent = each.selectedOptions[0].textContent
            document.body.append(measure)
            const sides = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight)
            return each.clientWidth < measure.getBoundingClientRect().width + sides + 16
        }).map(each => each.value)""")
        assert cut == []


@every_screen
def test_a_screen_without_scripts_shows_the_same_headings_and_no_control_that_needs_them(
    browser: Browser, samples: Samples, session: StorageState, screen: Screen
) -> None:
    headings = []
    for scripts in (True, False):
        state = session if screen.is_signed_in else None
        with open_page(browser, samples.server.url, scripts=scripts, state=state) as page:
            page.goto(screen.path)
            headings.append(page.get_by_role("heading").all_inner_texts())
            if not scripts:
                assert not [button for button in page.locator("[data-copy]").all() if button.is_visible()]
    assert headings[0] == headings[1] != []


def test_sign_in_and_sign_out_work_without_scripts(browser: Browser, samples: Samples) -> None:
    with open_page(browser, samples.server.url, scripts=False) as page:
        sign_in(page, samples.token)
        page.locator("summary[aria-label^=Account]").click()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/console/sign-in**")
        page.goto("/console/deployments")
        assert page.get_by_label("API key").is_visible()
