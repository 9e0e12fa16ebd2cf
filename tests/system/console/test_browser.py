"""The browser of the tests fails on what the other tests would not notice."""

import pytest
from playwright.sync_api import Browser

from tests.console.browser import open_page
from tests.console.samples import Samples


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("console.info('here')", "info: here"),
        ("setTimeout(() => { throw new Error('here') })", "error: here"),
        ("document.body.setAttribute('style', 'color: red')", "Content Security Policy"),
        ("document.body.innerHTML = '<p>'", "TrustedHTML"),
        ("document.body.append(Object.assign(new Image(), { src: 'http://192.0.2.1/x' }))", "http://192.0.2.1/x"),
    ],
)
def test_a_message_or_an_error_or_a_request_to_another_host_fails_the_test(
    browser: Browser, samples: Samples, script: str, problem: str
) -> None:
    with pytest.raises(AssertionError, match=problem):
        _run(script, browser, samples)


def _run(script: str, browser: Browser, samples: Samples) -> None:
    with open_page(browser, samples.server.url) as page:
        page.goto("/console/sign-in")
        page.evaluate(f"() => {{ try {{ {script} }} catch (error) {{}} }}")
        page.evaluate("new Promise((done) => setTimeout(done))")  # after the tasks of the script
