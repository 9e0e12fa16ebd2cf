"""A form that is sent after the session has ended: the page for the API key has it, and sends it again."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

from moorage.console.kept_form import MAX_KEPT
from moorage.core.access import Scope
from tests.console.forms import BOUNDARY, form_of, multipart
from tests.console.test_editor import CONTENT, EDIT, put, versions
from tests.support.console import Browser, text_of
from tests.support.registry import revoke_api_key
from tests.support.server import Project, Response, Server
from tests.support.threads import until

ADDRESS = f"{EDIT}?from=1.0"
ENCODINGS = ("multipart", "urlencoded")


def send(browser: Browser, fields: dict[str, str], encoding: str = "multipart", **headers: str) -> Response:
    """Send a form in an encoding."""
    if encoding == "multipart":
        body, kind = multipart(fields), f"multipart/form-data; boundary={BOUNDARY}"
        return browser.post_body(ADDRESS, body, kind, **headers)
    return browser.post_body(ADDRESS, urlencode(fields).encode(), "application/x-www-form-urlencoded", **headers)


@pytest.fixture
def browser(project: Project) -> Browser:
    return Browser(project).sign_in()


@pytest.fixture
def typed(browser: Browser) -> dict[str, str]:
    """Return the form of the editor with a text, to be sent without a session."""
    put(browser.project)
    return form_of(browser.get(EDIT)) | {CONTENT: '\n<b>"typed"</b> {{name}}\n', "do": "save"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_form_without_a_session_is_kept_and_runs_after_the_sign_in(
    encoding: str, browser: Browser, typed: dict[str, str]
) -> None:
    browser.cookie = ""

    asked = send(browser, typed, encoding)
    kept = form_of(asked, ADDRESS)
    saved = send(browser, kept | {"session_token": browser.project.token}, encoding)

    assert asked.status == 401
    assert "Your session ended" in text_of(asked)
    assert kept.items() >= typed.items()
    assert saved.status == 303
    assert saved.headers["location"].startswith(f"{EDIT}?done=draft_saved&version=1.1")
    assert versions(browser.project)[0]["prompt_config"]["messages"][0]["content"] == typed[CONTENT]
    assert browser.get(saved.headers["location"]).status == 200, "the cookie of the new session is set"


def test_a_session_that_was_signed_out_elsewhere_keeps_the_form(browser: Browser, typed: dict[str, str]) -> None:
    cookie = browser.cookie
    browser.post("/console/sign-out", {})
    browser.cookie = cookie

    assert form_of(send(browser, typed), ADDRESS)[CONTENT] == typed[CONTENT]


def test_a_form_that_is_refused_after_the_sign_in_comes_back_full(browser: Browser, typed: dict[str, str]) -> None:
    browser.cookie = ""
    token = browser.project.token

    refused = send(browser, typed | {"prompt_config.model": "", "session_token": token})

    assert refused.status == 400
    assert form_of(refused)[CONTENT] == typed[CONTENT]
    assert token not in refused.body.decode()
    assert browser.get(EDIT).status == 200


@pytest.mark.parametrize("token", ["", "mrg_nonsense"])
def test_a_token_that_is_not_valid_keeps_the_form(token: str, browser: Browser, typed: dict[str, str]) -> None:
    browser.cookie = ""

    again = send(browser, typed | {"session_token": token})

    assert again.status == 401
    assert "API key" in text_of(again)
    assert form_of(again, ADDRESS)[CONTENT] == typed[CONTENT]
    assert "set-cookie" not in again.headers
    assert len(versions(browser.project)) == 1


def test_the_key_of_another_project_does_not_send_the_form(browser: Browser, typed: dict[str, str]) -> None:
    cookie = browser.cookie
    browser.post("/console/sign-out", {})
    browser.cookie = cookie
    other = browser.project.server.new_project()
    kept = form_of(send(browser, typed), ADDRESS)

    refused = send(browser, kept | {"session_token": other.token})

    assert refused.status == 403
    assert "This API key belongs to another project" in text_of(refused)
    assert form_of(refused, ADDRESS)[CONTENT] == typed[CONTENT]


def test_a_revoked_key_ends_the_session_and_another_one_sends_the_form(browser: Browser, typed: dict[str, str]) -> None:
    id_, token = browser.project.key(Scope.READ, Scope.WRITE)
    somebody = Browser(browser.project).sign_in(token)
    cookie = somebody.cookie
    with browser.project.server.open_store() as store:
        revoke_api_key(store, id_)
    until(lambda: somebody.get("/console/deployments").status == 303)
    somebody.cookie = cookie

    kept = form_of(send(somebody, typed), ADDRESS)
    saved = send(somebody, kept | {"session_token": browser.project.token})

    assert saved.status == 303


def test_a_form_that_is_too_large_leads_to_the_sign_in(browser: Browser, typed: dict[str, str]) -> None:
    browser.cookie = ""

    response = send(browser, typed | {CONTENT: "x" * MAX_KEPT})

    assert response.status == 303
    assert response.headers["location"].startswith("/console/sign-in")


def test_a_form_with_a_file_leads_to_the_sign_in(browser: Browser) -> None:
    browser.cookie = ""
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx\r\n--{BOUNDARY}--\r\n'

    response = browser.post_body(ADDRESS, part.encode(), f"multipart/form-data; boundary={BOUNDARY}")

    assert response.status == 303


def test_a_form_of_another_origin_is_never_kept(browser: Browser, typed: dict[str, str]) -> None:
    browser.cookie = ""

    response = send(browser, typed | {"session_token": browser.project.token}, Sec_Fetch_Site="cross-site")

    assert response.status == 403
    assert typed["prompt_config.model"] not in response.body.decode()
    assert "set-cookie" not in response.headers


def test_an_address_that_sends_many_wrong_tokens_must_wait_but_its_form_is_kept(tmp_path: Path) -> None:
    with Server(tmp_path, "--failures-per-address", "2") as server:
        browser = Browser(server.new_project()).sign_in()
        put(browser.project)
        fields = form_of(browser.get(EDIT)) | {"session_token": "mrg_wrong", CONTENT: "kept"}
        browser.cookie = ""

        *_, last = [send(browser, fields) for _ in range(4)]

        assert last.status == 429
        assert form_of(last, ADDRESS)[CONTENT] == "kept"
        assert "retry-after" in last.headers
