"""The editor in a browser: nothing typed is lost, with and without scripts."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.console.browser import open_page, sign_in
from tests.support.server import Project, Server

_numbers = itertools.count(1)

CHAT = {"model": "openai/my-gpt", "model_type": "chat", "provider": "openai"}
VARIABLES = [{"key": "name", "value": "you"}, {"key": "question", "value": "Why?"}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("editor")) as running:
        yield running


@pytest.fixture
def project(server: Server) -> Project:
    return server.new_project()


def put(project: Project, text: str = "Hello {{name}}", key: str = "") -> str:
    """Put a deployment, by default a new one; return the path of its editor."""
    messages = [{"role": "system", "content": text}, {"role": "user", "content": "{{question}}"}]
    key = key or f"edited_{next(_numbers)}"
    response = project.put(key, {"prompt_config": CHAT | {"messages": messages}, "variables": VARIABLES})
    assert response.status in (200, 201), response.body
    return f"/console/deployments/{key}/edit"


def versions(project: Project, path: str) -> list[Any]:
    """Return the versions of the deployment of an editor, newest first."""
    found: list[Any] = project.request("GET", f"/v2/deployments/{path.split('/')[3]}/versions").json["data"]
    return found


def texts(project: Project, path: str) -> list[str]:
    """Return the first message of each version, newest first."""
    return [each["prompt_config"]["messages"][0]["content"] for each in versions(project, path)]


def first_message(page: Page) -> Any:
    return page.get_by_label("Content of message 1")


def stored(page: Page) -> None:
    """Wait until the browser stores the text."""
    expect(page.locator("#stored")).to_have_text("stored in this browser")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_draft_is_edited_and_saved_with_the_keyboard_alone_with_and_without_scripts(
    browser: Browser, project: Project, scripts: bool
) -> None:
    path = put(project)
    with open_page(browser, project.server.url, scripts=scripts) as page:
        sign_in(page, project.token)
        page.goto(path.removesuffix("/edit"))
        _tab_to(page, "Edit")
        page.keyboard.press("Enter")
        page.wait_for_url("**/edit")
        _tab_to(page, "Content of message 1")
        page.keyboard.press("Control+End")
        page.keyboard.type(". Be brief.")
        _tab_to(page, "Move message 2 up")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Content of message 1")).to_have_value("{{question}}")
        _tab_to(page, "Save draft")
        page.keyboard.press("Enter")
        page.wait_for_url("**done=draft_saved**")
        expect(page.get_by_role("status").filter(has_text="Draft 1.1 is saved.")).to_be_visible()
    draft = versions(project, path)[0]
    assert [each["content"] for each in draft["prompt_config"]["messages"]] == [
        "{{question}}",
        "Hello {{name}}. Be brief.",
    ]


def test_text_that_was_typed_before_the_server_stopped_is_offered_after_a_reload(
    browser: Browser, project: Project
) -> None:
    path, server = put(project), project.server
    with open_page(browser, server.url) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        sign_in(page, project.token)
        page.goto(path)
        first_message(page).fill("Typed {{name}}\n\nbefore")
        stored(page)
        server.kill()
        first_message(page).press_sequentially("!")
        server.start()
        page.reload()
        note = page.get_by_role("region", name="Unsaved text")
        expect(note).to_contain_text("Unsaved text of")
        note.get_by_role("button", name="Restore").click()
        expect(first_message(page)).to_have_value("Typed {{name}}\n\nbefore!")
        expect(page.get_by_text("not saved", exact=True)).to_be_visible()
        page.keyboard.press("Control+S")
        page.wait_for_url("**done=draft_saved**")
        page.goto(path)
        expect(note).to_be_hidden()
        assert page.evaluate("Object.keys(localStorage)") == []
    assert texts(project, path)[0] == "Typed {{name}}\n\nbefore!"


def test_text_that_was_typed_while_the_session_ended_is_saved_after_the_sign_in(
    browser: Browser, project: Project
) -> None:
    path = put(project)
    with open_page(browser, project.server.url) as page:
        sign_in(page, project.token)
        page.goto(path)
        first_message(page).fill("Typed {{name}}")
        page.context.clear_cookies()
        page.get_by_role("button", name="Save draft").last.click()
        expect(page.get_by_role("heading", name="Your session ended")).to_be_visible()
        page.get_by_label("API key").fill(project.token)
        page.keyboard.press("Enter")
        page.wait_for_url("**done=draft_saved**")
        expect(first_message(page)).to_have_value("Typed {{name}}")
        assert page.evaluate("Object.keys(localStorage)") == []
    assert texts(project, path)[0] == "Typed {{name}}"


def test_two_people_who_edit_one_version_both_have_their_draft(browser: Browser, project: Project) -> None:
    path = put(project)
    with open_page(browser, project.server.url) as first, open_page(browser, project.server.url) as second:
        for page in (first, second):
            sign_in(page, project.token)
            page.goto(path)
        for name, page in (("first", first), ("second", second)):
            first_message(page).fill(f"{name} {{{{name}}}}")
            page.get_by_role("button", name="Save draft").last.click()
            page.wait_for_url("**done=draft_saved**")
    assert texts(project, path) == ["second {{name}}", "first {{name}}", "Hello {{name}}"]


def test_a_rejected_form_has_the_focus_on_the_summary_whose_links_lead_to_the_fields(
    browser: Browser, project: Project
) -> None:
    path = put(project)
    with open_page(browser, project.server.url) as page:
        sign_in(page, project.token)
        page.goto(path)
        page.get_by_role("textbox", name="Model", exact=True).fill("")
        page.keyboard.press("Control+S")
        expect(page.locator("#failure")).to_be_focused()
        page.get_by_role("link", name="prompt_config.model").press("Enter")
        expect(page.get_by_role("textbox", name="Model", exact=True)).to_be_focused()


def test_an_unknown_variable_is_offered_while_it_is_typed(browser: Browser, project: Project) -> None:
    path = put(project)
    with open_page(browser, project.server.url) as page:
        sign_in(page, project.token)
        page.goto(path)
        first_message(page).fill("{{name}} {{shop.city}}")
        assert _marked(page) == {"variable": ["{{name}}", "{{question}}"], "undeclared": ["{{shop.city}}"]}
        page.get_by_role("button", name="Declare shop.city").click()
        expect(page.get_by_label("Name of variable 3")).to_have_value("shop.city")
        expect(first_message(page)).to_have_value("{{name}} {{shop.city}}")
        assert _marked(page)["undeclared"] == []
    assert len(versions(project, path)) == 1


def test_only_a_form_that_differs_warns_before_it_is_left(browser: Browser, project: Project) -> None:
    path, dialogs = put(project), list[str]()
    with open_page(browser, project.server.url) as page:

        def accept(dialog: Dialog) -> None:
            dialogs.append(dialog.type)
            dialog.accept()

        page.on("dialog", accept)
        sign_in(page, project.token)
        cases: list[tuple[str, list[str]]] = [("Hello {{name}}", []), ("Other", ["beforeunload"])]
        for text, warned in cases:
            page.goto(path)
            first_message(page).fill(f"{text}…")
            first_message(page).fill(text)
            page.get_by_role("link", name="Cancel").click()
            page.wait_for_url("**/console/deployments/*")
            assert dialogs == warned


def test_unsaved_text_is_gone_when_it_is_discarded_and_at_the_sign_out(browser: Browser, project: Project) -> None:
    path = put(project)
    with open_page(browser, project.server.url) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        sign_in(page, project.token)
        for discard in (True, False):
            page.goto(path)
            first_message(page).fill("Typed")
            stored(page)
            page.goto(path)
            note = page.get_by_role("region", name="Unsaved text")
            expect(note).to_be_visible()
            if discard:
                note.get_by_role("button", name="Discard").click()
            else:
                page.locator("summary[aria-label^=Account]").click()
                page.get_by_role("button", name="Sign out").click()
                page.wait_for_url("**/sign-in**")
            assert page.evaluate("Object.keys(localStorage)") == []


def test_unsaved_text_of_another_version_is_offered_with_its_version_and_none_after_a_week(
    browser: Browser, project: Project
) -> None:
    path = put(project)
    with open_page(browser, project.server.url) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        sign_in(page, project.token)
        page.goto(path)
        first_message(page).fill("Typed")
        stored(page)
        put(project, "Hi {{name}}", path.split("/")[3])
        page.goto(path)
        note = page.get_by_role("region", name="Unsaved text")
        expect(note).to_contain_text("It was made from 1.0.")
        note.get_by_role("button", name="Restore").click()
        page.wait_for_url("**from=1.0")
        note.get_by_role("button", name="Restore").click()
        expect(first_message(page)).to_have_value("Typed")
        page.evaluate("""() => {
          const [name] = Object.keys(localStorage);
          const entry = JSON.parse(localStorage.getItem(name));
          localStorage.setItem(name, JSON.stringify({ ...entry, at: entry.at - 8 * 86_400_000 }));
        }""")
        page.goto(path)
        expect(note).to_be_hidden()
        assert page.evaluate("Object.keys(localStorage)") == []


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until a control has the focus."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if page.evaluate(_NAME_OF_FOCUS) == name:
            return
    raise AssertionError(f"Tab does not reach {name}")


_NAME_OF_FOCUS = """(() => {
  const element = document.activeElement;
  if (element.ariaLabel) return element.ariaLabel;
  return element.firstChild?.textContent?.trim() ?? "";
})()"""


def _marked(page: Page) -> dict[str, list[str]]:
    """Return the texts that the browser marks, by the name of the mark."""
    found: dict[str, list[str]] = page.evaluate("""Object.fromEntries([...CSS.highlights].map(([name, ranges]) => [name,
        [...ranges].map((range) => range.startContainer.data.slice(range.startOffset, range.endOffset)).sort()]))""")
    return found
