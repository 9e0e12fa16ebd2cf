"""Chromium for tests of the console, driven by Playwright.

Playwright's event loop runs in the thread of the test, as long as the browser is open: such a test cannot call
`asyncio.run`. So the browser belongs to a package of tests, and closes before the tests of the next one.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal, NamedTuple

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, StorageState, sync_playwright

Scheme = Literal["light", "dark"]

#: The browser of Debian; Playwright downloads none.
CHROMIUM: Final = shutil.which("chromium")
NO_CHROMIUM: Final = "BROWSER TESTS DO NOT RUN: there is no chromium (apt-get install chromium)"

# The process of the test may be root, which the sandbox does not allow. The other arguments prevent requests of the
# browser itself to other hosts.
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a microphone that every page may use
    "--use-fake-ui-for-media-stream",
)

#: A name that the browser resolves to this machine. Its pages over plain HTTP are no secure context, as those of a
#: server in a local network.
OTHER_HOST: Final = "moorage.test"


class Variant(NamedTuple):
    """How a browser shows pages."""

    scheme: Scheme
    width: int

    def __str__(self) -> str:
        return f"{self.scheme}-{self.width}"


VARIANTS: Final = tuple(Variant(scheme, width) for scheme in ("light", "dark") for width in (1360, 390))


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a browser; the end of the block closes it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*_ARGUMENTS, f"--host-resolver-rules=MAP {OTHER_HOST} 127.0.0.1"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(
    browser: Browser,
    url: str,
    variant: Variant = VARIANTS[0],
    *,
    scripts: bool = True,
    state: StorageState | None = None,
) -> Iterator[Page]:
    """Return a page of a new context, whose cookies are in `state`, and whose paths are relative to `url`.

    The end of the block fails if the browser wrote a message to its console, which a violation of the content security
    policy does, or sent a request to another host.
    """
    context = browser.new_context(
        base_url=url,
        color_scheme=variant.scheme,
        viewport={"width": variant.width, "height": 900},
        java_script_enabled=scripts,
        storage_state=state,
    )
    problems: list[str] = []

    def note_message(message: ConsoleMessage) -> None:
        if not _is_expected(message):
            problems.append(f"{message.location['url']}: {message.type}: {message.text}")

    def note_request(request: Request) -> None:
        if not request.url.startswith(f"{url}/"):
            problems.append(f"request to {request.url}")

    context.on("console", note_message)
    context.on("request", note_request)
    context.on("weberror", lambda error: problems.append(f"error: {error.error}"))
    try:
        yield context.new_page()
    finally:
        context.close()
    assert not problems, problems


def _is_expected(message: ConsoleMessage) -> bool:
    """Return whether a message is about the status of an error page, a header that needs HTTPS, or a fast test.

    A field with `autofocus` gets the focus some time after the page is there. A test that types earlier prevents that,
    as a fast user does, and the browser says so.
    """
    is_about_page = message.page is not None and message.location["url"] == message.page.url
    if message.text.startswith("Autofocus processing was blocked because a document already has a focused element"):
        return True
    if message.text.startswith("The Cross-Origin-Opener-Policy header has been ignored"):
        return OTHER_HOST in message.location["url"]
    return is_about_page and message.text.startswith("Failed to load resource: the server responded with a status")


def sign_in(page: Page, token: str) -> None:
    """Sign in through the form."""
    page.goto("/console/sign-in")
    page.get_by_label("API key").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/deployments")


def new_session(browser: Browser, url: str, token: str) -> StorageState:
    """Return the cookies of a new session."""
    with open_page(browser, url) as page:
        sign_in(page, token)
        return page.context.storage_state()
