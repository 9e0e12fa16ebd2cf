"""Pages of the administration that follow a form: the token of a new API key, and the plan of an import."""

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from moorage.core.access import Scope
from tests.console.browser import VARIANTS, Variant, open_page, sign_in
from tests.console.samples import Samples

_AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
_CHAT = {"model": "openai/my-gpt", "model_type": "chat", "provider": "openai"}


@pytest.fixture
def token(samples: Samples) -> str:
    """Return the token of an API key with all scopes, in a project of its own."""
    project = samples.server.new_project()
    body = {"prompt_config": _CHAT | {"messages": [{"role": "system", "content": "You answer customers."}]}}
    assert project.put("support", body).status == 201
    return project.key(*Scope)[1]


def check(page: Page) -> None:
    """Check the rules of accessibility, and that a narrow display needs no sideways scrolling."""
    result = Axe().run(page, options=_AXE)
    assert result.violations_count == 0, result.generate_report()
    width = (page.viewport_size or {"width": 0})["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("variant", [*VARIANTS, Variant("light", 320)], ids=str)
def test_the_token_of_a_new_api_key_is_copied_from_the_page_that_has_it(
    browser: Browser, samples: Samples, token: str, variant: Variant
) -> None:
    with open_page(browser, samples.server.url, variant) as page:
        sign_in(page, token)
        page.goto("/console/keys/new")
        page.get_by_label("Name").fill("nightly")
        expect(page.get_by_role("group", name="Scopes")).to_be_hidden()
        page.get_by_label("Scopes of your choice").check()
        page.get_by_label("Save drafts").check()
        page.get_by_role("button", name="Create, and show the token").click()
        expect(page.locator("#token")).to_contain_text("mrg_")
        check(page)
        page.locator("[data-copy]").click()
        expect(page.locator("#said")).to_have_text("Copied")
        page.get_by_role("link", name="I have stored it").click()
        page.wait_for_url("**/console/keys")
        expect(page.get_by_role("link", name="nightly")).to_be_visible()


@pytest.mark.parametrize("variant", [*VARIANTS, Variant("light", 320)], ids=str)
def test_an_import_shows_its_plan_and_then_what_it_did(
    browser: Browser, samples: Samples, token: str, variant: Variant, tmp_path: Path
) -> None:
    texts = {"support": "You answer customers briefly. " + "long" * 100, "returns": "Returns are free.", "no key": ""}
    configs = {key: _CHAT | {"messages": [{"role": "system", "content": text}]} for key, text in texts.items()}
    file = tmp_path / "prompts.json"
    file.write_text(json.dumps([{"key": key, "prompt_config": config} for key, config in configs.items()]))
    with open_page(browser, samples.server.url, variant, scripts=variant.scheme == "light") as page:
        sign_in(page, token)
        page.goto("/console/import")
        page.get_by_label("Files").set_input_files(file)
        page.get_by_role("button", name="Show the plan").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Plan for production")
        expect(page.get_by_role("checkbox")).to_have_count(2)
        if variant.scheme == "light":  # axe is a script
            check(page)
        page.get_by_role("button", name="Publish what is ticked").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("2 of 2 imported into production")
        if variant.scheme == "light":
            check(page)


@pytest.mark.parametrize(
    ("path", "field", "text", "notice"),
    [
        ("/console/new-environment", "name", "double", "environment_saved"),
        ("/console/deployments/support/description", "description", "Answers customers", "described"),
    ],
)
def test_a_second_click_sends_no_second_form_whose_answer_would_be_that_somebody_was_faster(
    browser: Browser, samples: Samples, token: str, path: str, field: str, text: str, notice: str
) -> None:
    with open_page(browser, samples.server.url) as page:
        sign_in(page, token)
        page.goto(path)
        page.locator(f"main [name={field}]").fill(text)
        sent = list[Route]()
        page.route(f"**{path}", lambda route: sent.append(route))  # noqa: PLW0108 -- Playwright asks for its signature
        page.set_default_timeout(5_000)
        page.locator("main form[method=post] .button.tide").focus()
        with page.expect_request(lambda request: request.method == "POST"):
            page.keyboard.press("Enter")
        page.keyboard.press("Enter")  # as a second click, it would cancel the first form
        sent[0].continue_()
        page.wait_for_url(f"**done={notice}**")
        assert len(sent) == 1
