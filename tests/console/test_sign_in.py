"""Sign-in and sign-out over HTTP, as a browser sends their forms."""

import time
from collections.abc import Mapping
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from moorage.console.guard import PAGE_HEADERS
from moorage.console.sign_in import MAX_BODY, START, own_path
from moorage.core.access import Scope
from tests.support.connections import Pool
from tests.support.registry import revoke_api_key
from tests.support.server import Project, Response, Server
from tests.support.stores import run_sql
from tests.support.threads import until

LIST = "/console/deployments"


class Browser:
    """A browser on a server: it sends forms with their origin, and follows no redirect."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}
        self._pool = Pool()

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str | None) -> Response:
        """Send a request with the cookies; a header that is None is left out."""
        sent = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = Response(self._pool.request(method, self.server.url + path, body=body, headers=sent, redirect=False))
        for header in response.headers.getlist("set-cookie"):
            for name, morsel in SimpleCookie(header).items():
                self.cookies.pop(name, None)
                if morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
        return response

    def get(self, path: str) -> Response:
        """Get a page."""
        return self.request("GET", path)

    def post(self, path: str, fields: Mapping[str, str] | bytes = b"", **headers: str | None) -> Response:
        """Send a form, from a page of the server unless the headers say otherwise."""
        body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        usual = {"Content_Type": "application/x-www-form-urlencoded", "Origin": self.server.url}
        return self.request("POST", path, body, **{**usual, **headers})

    def sign_in(self, token: str, then: str = "", **headers: str | None) -> Response:
        """Send the form of the sign-in."""
        return self.post("/console/sign-in", {"token": token, "then": then}, **headers)

    def is_signed_in(self) -> bool:
        """Return whether the list of deployments is shown."""
        return self.get(LIST).status == 200

    def other(self, cookies: Mapping[str, str]) -> "Browser":
        """Return another browser with some cookies."""
        browser = Browser(self.server)
        browser.cookies.update(cookies)
        return browser


@pytest.fixture
def project(sqlite_server: Server) -> Project:
    return sqlite_server.new_project()


@pytest.fixture
def browser(project: Project) -> Browser:
    return Browser(project.server)


def text_of(response: Response) -> str:
    """Return the text of a page."""
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return response.body.decode()


# Sign-in


def test_the_sign_in_page_has_a_form_and_needs_no_session(browser: Browser) -> None:
    page = browser.get("/console/sign-in")

    assert page.status == 200
    assert 'name="token"' in text_of(page)
    assert browser.cookies == {}


def test_a_token_starts_a_session_and_leads_to_the_list(browser: Browser, project: Project) -> None:
    before = browser.is_signed_in()

    response = browser.sign_in(project.token)

    assert (response.status, response.headers["location"]) == (303, LIST)
    assert response.body == b""
    assert list(browser.cookies) == ["moorage_session"]
    assert (before, browser.is_signed_in()) == (False, True)


@pytest.mark.parametrize(("before", "after"), [(" ", "\n"), ("\r\n\t", ""), ("", "\u3000\u00a0")])
def test_blanks_around_a_pasted_token_are_cut(browser: Browser, project: Project, before: str, after: str) -> None:
    browser.sign_in(f"{before}{project.token}{after}")

    assert browser.is_signed_in()


def test_after_the_sign_in_the_page_is_shown_that_was_requested(browser: Browser, project: Project) -> None:
    wanted = '/console/deployments/refunds/compare?from=1.0&to=1.1&context={"a":1}'

    form = browser.get(f"/console/sign-in?then={quote(wanted)}")
    response = browser.sign_in(project.token, wanted)

    assert "compare?from=1.0&amp;to=1.1" in text_of(form)
    assert response.headers["location"] == quote(wanted, safe="/?&=:")


@pytest.mark.parametrize("token", ["", "x", "mrg_" + "a" * 62, "\0", "ü", "Bearer x"])
def test_another_text_is_rejected_and_not_repeated_and_the_form_knows_its_way(browser: Browser, token: str) -> None:
    response = browser.sign_in(token, "/console/environments")

    assert response.status == 401
    page = text_of(response)
    assert "API key" in page
    assert 'role="alert"' in page
    assert 'value="/console/environments"' in page
    assert not token or f'"{token}"' not in page
    assert browser.cookies == {}
    assert "set-cookie" not in response.headers


def test_a_revoked_api_key_is_rejected(browser: Browser, project: Project) -> None:
    key_id, token = project.key(Scope.READ)
    with project.server.open_store() as store:
        revoke_api_key(store, key_id)

    response = browser.sign_in(token)

    assert response.status == 401
    assert "not valid on this server" in text_of(response)


def test_an_expired_api_key_is_rejected_with_the_reason(browser: Browser, project: Project) -> None:
    _, token = project.key(Scope.READ, expires_us=time.time_ns() // 1_000 + 2_000_000)

    until(lambda: browser.sign_in(token).status == 401)

    page = text_of(browser.sign_in(token))
    assert "The API key expired at" in page
    assert "Ask for another one." in page


def test_a_token_in_the_url_starts_no_session(browser: Browser, project: Project) -> None:
    """A URL is in the history of the browser, and in logs."""
    response = browser.get(f"/console/sign-in?token={project.token}")

    assert browser.cookies == {}
    assert project.token not in text_of(response)


def test_the_log_has_the_api_key_and_neither_the_token_nor_the_cookie(browser: Browser, project: Project) -> None:
    key_id, token = project.key(Scope.READ)
    browser.sign_in(f"{token}x")
    browser.sign_in(token)
    (cookie,) = browser.cookies.values()

    def lines() -> list[dict[str, object]]:
        found = [line for line in project.server.log_lines() if line.get("path") == "/console/sign-in"]
        return [line for line in found if line.get("api_key") == key_id]

    until(lambda: bool(lines()))
    log = project.server.log.read_text()
    assert [line["status"] for line in lines()] == [303]
    assert token not in log
    assert cookie not in log


# Where a sign-in leads


@pytest.mark.parametrize(
    "then",
    [
        "/console", "/console/", LIST, "/console/deployments/refunds_v2/versions/1.0", "/console?x=y",
        "/console/deployments?search=a%20b&context=%7B%7D", '/console/deployments/x/routing?context={"a":[1]}',
        "/console/deployments?search=http://a.example/", "/console/deployments?search=../x",
    ],
)  # fmt: skip
def test_a_sign_in_can_lead_to_a_page_of_the_console(then: str) -> None:
    assert own_path(then) == then


@pytest.mark.parametrize(
    "then",
    [
        "", "/", "console", "/consolex", "/v2/deployments", "https://evil.example", "https://evil.example/console",
        "//evil.example", "//evil.example/console", "///evil.example", "/\\evil.example", "\\\\evil.example/console",
        "/console\\..\\..\\evil", "/console//evil.example", "/console/..//evil.example", "/console/../v2/deployments",
        "/console/%2e%2e/v2", "/console/.", "/console/..?a", "http:/console", "javascript:alert(1)//console",
        " /console", "/console ", "/console\n", "/console/\r\nSet-Cookie: a=b", "/console\t", "/console\0",
        "/console/ü", "/console?ü", "/console#//evil.example", "/console?a#b", "/console@evil.example",
        "/console:80", "/console/sign-in", "/console/sign-out", "/console/sign-in?then=/console", "/CONSOLE",
        "/console/" + "a" * 4_000,
    ],
)  # fmt: skip
def test_a_sign_in_leads_nowhere_else(then: str) -> None:
    """Whoever sends somebody a link to the sign-in chooses this text."""
    assert own_path(then) == START


def test_a_hostile_target_of_the_form_is_replaced_by_the_list(browser: Browser, project: Project) -> None:
    form = browser.get("/console/sign-in?then=//evil.example")
    response = browser.sign_in(project.token, "//evil.example")

    assert "evil.example" not in text_of(form)
    assert response.headers["location"] == LIST


# Forged and malformed forms


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": None},
        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
    ],
)  # fmt: skip
def test_a_form_of_another_site_signs_nobody_in_or_out(
    browser: Browser, project: Project, headers: dict[str, str | None]
) -> None:
    forged = browser.post("/console/sign-in", {"token": project.token}, **headers)
    after_sign_in = dict(browser.cookies)
    browser.sign_in(project.token)
    forged_end = browser.post("/console/sign-out", {}, **headers)

    assert (forged.status, forged_end.status) == (403, 403)
    assert after_sign_in == {}
    assert browser.is_signed_in()


def test_a_browser_that_names_the_site_is_accepted_behind_a_proxy_that_replaces_the_host(
    browser: Browser, project: Project
) -> None:
    browser.sign_in(project.token, Origin="https://moorage.example", Sec_Fetch_Site="same-origin")

    assert list(browser.cookies) == ["__Host-moorage_session"]
    assert browser.is_signed_in()


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"token=" + b"x" * MAX_BODY, {}, 413),
        (b"token=x", {"Content_Encoding": "gzip"}, 415),
        (b"", {}, 401),
        (b"&&==%%%zz&token", {}, 401),
        (b"token=%ff%fe\xff\xfe", {}, 401),
        (b"a=1&" * 1_000, {}, 401),
        (b'{"token": "x"}', {"Content_Type": "application/json"}, 401),
        (b"token=" + b"x" * (MAX_BODY - 6), {}, 401),
    ],
)
def test_a_malformed_form_gets_a_page_and_no_session(
    browser: Browser, body: bytes, headers: dict[str, str], status: int
) -> None:
    response = browser.post("/console/sign-in", body, **headers)

    assert response.status == status
    assert "<html" in text_of(response)
    assert browser.cookies == {}


def test_the_first_token_of_a_form_counts(browser: Browser, project: Project) -> None:
    browser.post("/console/sign-in", f"token={project.token}&token=x".encode())

    assert browser.is_signed_in()


# The session


def test_each_page_is_stored_by_no_cache_and_has_the_headers_of_pages(browser: Browser, project: Project) -> None:
    responses = [
        browser.get("/console/sign-in"), browser.sign_in("x"), browser.get(LIST), browser.sign_in(project.token),
        browser.get(LIST), browser.post("/console/sign-out"),
    ]  # fmt: skip

    for response in responses:
        assert {name: response.headers.get(name) for name in PAGE_HEADERS} == PAGE_HEADERS
        assert "etag" not in response.headers


def test_a_page_is_not_shown_to_somebody_without_the_cookie_after_somebody_with_it(
    browser: Browser, project: Project
) -> None:
    """The server stores responses to repeated reads in memory, for those with the same headers."""
    project.put("only_for_me")
    browser.sign_in(project.token)

    shown = [browser.get(LIST) for _ in range(3)]
    refused = [browser.other({}).get(LIST) for _ in range(3)]

    assert all(b"only_for_me" in page.body for page in shown)
    assert all(page.status != 200 and b"only_for_me" not in page.body for page in refused)


def test_the_api_does_not_accept_the_cookie(browser: Browser, project: Project) -> None:
    browser.sign_in(project.token)

    assert browser.get("/v2/deployments").status == 401
    as_token = browser.request("GET", "/v2/deployments", Authorization=f"Bearer {browser.cookies['moorage_session']}")
    assert as_token.status == 401


def test_a_browser_has_the_pages_of_its_own_project(sqlite_server: Server) -> None:
    projects = [sqlite_server.new_project() for _ in range(2)]
    browsers = []
    for number, project in enumerate(projects):
        project.put(f"of_project_{number}")
        browsers.append(Browser(sqlite_server))
        browsers[-1].sign_in(project.token)

    pages = [text_of(browser.get(LIST)) for browser in browsers]

    assert [["of_project_0" in page, "of_project_1" in page] for page in pages] == [[True, False], [False, True]]


def test_a_revoked_api_key_ends_its_session_with_the_next_page(browser: Browser, project: Project) -> None:
    key_id, token = project.key(Scope.READ)
    browser.sign_in(token)
    before = browser.is_signed_in()

    with project.server.open_store() as store:
        revoke_api_key(store, key_id)

    assert (before, browser.is_signed_in()) == (True, False)


# Sign-out


def test_a_sign_out_ends_the_session_also_for_a_copy_of_the_cookie(browser: Browser, project: Project) -> None:
    browser.sign_in(project.token)
    copy, elsewhere = browser.other(browser.cookies), browser.other({})
    elsewhere.sign_in(project.token)
    before = copy.is_signed_in()

    response = browser.post("/console/sign-out")

    assert (response.status, response.headers["location"]) == (303, "/console/sign-in")
    assert browser.cookies == {}
    assert (before, copy.is_signed_in(), elsewhere.is_signed_in()) == (True, False, True)


def test_a_sign_out_without_a_session_leads_to_the_sign_in(browser: Browser) -> None:
    assert browser.post("/console/sign-out").headers["location"] == "/console/sign-in"


def test_a_link_or_an_image_signs_nobody_out(browser: Browser, project: Project) -> None:
    browser.sign_in(project.token)

    response = browser.get("/console/sign-out")

    assert response.status in (404, 405)
    assert browser.is_signed_in()


# Servers of their own


def test_a_session_is_known_to_every_worker_and_ends_in_every_worker_at_once(folder: Path) -> None:
    with Server(folder, "--workers", "2") as server:
        first = Browser(server)
        first.sign_in(server.new_project().token)
        copies = [first.other(first.cookies) for _ in range(20)]  # each has its own connection

        before = [copy.is_signed_in() for copy in copies]
        first.post("/console/sign-out")
        after = [copy.is_signed_in() for copy in [*copies, *(copies[0].other(copies[0].cookies) for _ in range(20))]]

    assert all(before)
    assert not any(after)


def test_a_session_outlives_a_restart_of_the_server(folder: Path) -> None:
    with Server(folder) as server:
        browser = Browser(server)
        browser.sign_in(server.new_project().token)
        server.stop()
        server.start()

        assert browser.is_signed_in()


def test_below_a_root_path_the_cookie_and_the_redirects_are_below_it_too(folder: Path) -> None:
    with Server(folder, "--root-path", "/ai/moorage") as server:
        browser = Browser(server)
        response = browser.post("/ai/moorage/console/sign-in", {"token": server.new_project().token})
        hostile = browser.post("/ai/moorage/console/sign-in", {"token": "x", "then": "/ai/moorage/docs"})
        page = browser.get("/ai/moorage/console/deployments")
        end = browser.post("/ai/moorage/console/sign-out")

    cookie = SimpleCookie(response.headers["set-cookie"])
    assert cookie["moorage_session"]["path"] == "/ai/moorage/console"
    assert response.headers["location"] == "/ai/moorage/console/deployments"
    assert f'value="{START}"' in text_of(hostile)
    assert page.status == 200
    assert end.headers["location"] == "/ai/moorage/console/sign-in"


def test_an_address_that_sends_many_wrong_tokens_is_refused_and_a_valid_token_is_not(folder: Path) -> None:
    with Server(folder, "--failures-per-address", "3") as server:
        browser, token = Browser(server), server.new_project().token
        statuses = [browser.sign_in("x").status for _ in range(5)]

        assert statuses == [401, 401, 401, 429, 429]
        assert browser.sign_in(token).status == 303


def test_without_the_database_a_page_is_shown_and_a_sign_out_says_what_it_could_not_do(folder: Path) -> None:
    with Server(folder) as server:
        browser, project = Browser(server), server.new_project()
        browser.sign_in(project.token)
        copy, stranger = browser.other(browser.cookies), browser.other({})

        run_sql(server.database, "ALTER TABLE session RENAME TO moved_session")
        is_shown = browser.is_signed_in()
        sign_in = stranger.sign_in(project.token)
        sign_out = browser.post("/console/sign-out")
        run_sql(server.database, "ALTER TABLE moved_session RENAME TO session")

        assert is_shown
        assert (sign_in.status, stranger.cookies) == (503, {})
        assert sign_out.status == 503
        assert "This browser is signed out, but" in text_of(sign_out)
        assert browser.cookies == {}
        assert copy.is_signed_in(), "as the page says"
