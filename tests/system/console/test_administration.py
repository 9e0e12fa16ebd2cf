"""Pages of the administration that follow a form: the token of a new API key, and the plan of an import."""

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

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


def test_a_double_click_sends_a_form_once_so_that_it_does_not_report_its_own_effect_as_an_error(
    browser: Browser, samples: Samples, token: str
) -> None:
    with open_page(browser, samples.server.url) as page:
        sign_in(page, token)
        page.goto("/console/new-environment")
        page.get_by_label("Name", exact=True).fill("double")
        sent = list[str]()
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        page.get_by_role("button", name="Create").dblclick()
        page.wait_for_url("**done=environment_saved**")
        page.goto("/console/deployments/support/description")
        page.get_by_label("Description").fill("Answers customers")
        page.get_by_role("button", name="Save").dblclick()
        page.wait_for_url("**done=described**")
        assert len(sent) == 2
