"""The script of the try page: answers while they are written, with the fakes of vendors."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.console.browser import VARIANTS, open_page
from tests.support.gateway import Gateway
from tests.support.vendors import faults

TEMPLATE = [{"role": "system", "content": "Say {{word}}."}]
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def page(browser: Browser, gateway: Gateway, signed_in: StorageState) -> Iterator[Page]:
    """Return the page of a deployment with one variable."""
    key = gateway.deploy("openai", messages=TEMPLATE)
    with open_page(browser, gateway.server.url, VARIANTS[0], state=signed_in) as opened:
        opened.goto(f"/console/deployments/{key}/try")
        yield opened
    gateway.vendors.take("openai")


def test_a_run_shows_the_messages_for_the_inputs_and_streams_the_answer_as_text(page: Page, gateway: Gateway) -> None:
    page.get_by_label("word").fill("aye")
    page.get_by_label("Message of the user").fill(HOSTILE)
    page.get_by_role("button", name="Run").click()

    answer = page.locator("[data-answer]")
    expect(answer.locator("[data-facts]")).to_contain_text("answered by my-gpt")
    expect(answer.locator("[data-facts]")).to_contain_text("tokens")
    expect(answer.locator(".text")).to_contain_text(HOSTILE)
    expect(page.get_by_role("article").first).to_contain_text("Say aye.")
    expect(page.locator("#said")).to_have_text("The answer is complete")
    assert "input.word=aye" in page.url
    (sent,) = gateway.vendors.take("openai")
    assert sent.json["stream"] is True
    page.reload()
    expect(page.get_by_label("word")).to_have_value("aye")
    assert not gateway.vendors.take("openai"), "a reload runs nothing"


def test_stop_closes_the_connection_to_the_provider(page: Page, gateway: Gateway) -> None:
    gateway.vendors.fail_next("openai", faults.silent)
    page.get_by_label("Message of the user").fill("Tell me a long story about the sea")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("[data-texts] .text")).not_to_be_empty()

    page.get_by_role("button", name="Stop").click()

    expect(page.locator("[data-facts]")).to_contain_text("Stopped after")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    (sent,) = gateway.vendors.take("openai")
    gateway.vendors.wait_for_hang_up(sent)


def test_ctrl_enter_runs_both_models_side_by_side(page: Page, gateway: Gateway) -> None:
    page.get_by_label("Model beside").fill("anthropic/claude-haiku-4-5")
    page.get_by_label("Message of the user").fill("Ping")
    page.keyboard.press("Control+Enter")

    facts = page.locator("[data-facts]")
    expect(facts.nth(0)).to_contain_text("answered by my-gpt")
    expect(facts.nth(1)).to_contain_text("answered by claude-haiku-4-5")
    assert len(gateway.vendors.take("anthropic")) == 1


def test_an_error_in_the_middle_stays_below_the_text_before_it(page: Page, gateway: Gateway) -> None:
    gateway.vendors.fail_next("openai", faults.error_in_stream)
    page.get_by_label("Message of the user").fill("Tell me a long story about the sea")
    page.get_by_role("button", name="Run").click()

    expect(page.locator("[data-texts] .text")).not_to_be_empty()
    expect(page.locator("[data-texts] .wrong")).to_contain_text("The model crashed.")


def test_an_answer_that_is_cut_off_is_not_taken_for_a_complete_one(page: Page, gateway: Gateway) -> None:
    gateway.vendors.fail_next("openai", faults.truncated)
    page.get_by_label("Message of the user").fill("Tell me a long story about the sea")
    page.get_by_role("button", name="Run").click()

    expect(page.locator("[data-texts] .wrong")).not_to_be_empty()
    expect(page.locator("#said")).to_have_text("The run has ended")


def test_inputs_that_cannot_be_read_are_reported_and_nothing_typed_is_lost(page: Page, gateway: Gateway) -> None:
    page.get_by_label("word").fill("aye")
    page.get_by_label("Context").fill("no attribute")
    page.get_by_role("button", name="Run").click()

    expect(page.get_by_role("alert")).to_contain_text("line 1 of the context")
    expect(page.get_by_label("word")).to_have_value("aye")
    assert not gateway.vendors.take("openai")
