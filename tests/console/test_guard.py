"""The guard accepts forms from the console's own pages, whatever the browser and the address are."""

import re

import pytest
from starlette.requests import Request

from moorage.console.errors import ForgedForm
from moorage.console.guard import PAGE_HEADERS, check_origin
from moorage.console.pages import PAGES
from tests.support.console import Browser
from tests.support.server import Project


def is_accepted(*headers: tuple[str, str]) -> bool:
    """Return whether the guard accepts a form with these headers."""
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    try:
        check_origin(Request({"type": "http", "method": "POST", "path": "/console/sign-in", "headers": raw}))
    except ForgedForm:
        return False
    return True


HOST = ("Host", "moorage.example")


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_form_of_the_same_origin_is_accepted_whatever_a_proxy_did_to_the_host(site: str) -> None:
    sent = ("Sec-Fetch-Site", site)

    assert is_accepted(HOST, sent)
    assert is_accepted(("Host", "internal:8080"), sent, ("Origin", "https://moorage.example"))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "Same-Origin", "same-origin, cross-site", "x"])
def test_a_form_of_another_site_is_rejected_also_with_the_right_origin(site: str) -> None:
    assert not is_accepted(HOST, ("Sec-Fetch-Site", site))
    assert not is_accepted(HOST, ("Sec-Fetch-Site", site), ("Origin", "https://moorage.example"))


def test_two_headers_about_the_site_must_agree() -> None:
    assert not is_accepted(HOST, ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site"))


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("moorage.example", "http://moorage.example"),
        ("moorage.example", "https://moorage.example"),  # a proxy ends TLS
        ("MOORAGE.example", "http://moorage.example"),
        ("moorage.example:80", "http://moorage.example"),
        ("moorage.example:443", "https://moorage.example"),
        ("moorage.example:8080", "http://moorage.example:8080"),
        ("10.0.0.7:8080", "http://10.0.0.7:8080"),
        ("[fe80::1]:8080", "http://[fe80::1]:8080"),
        ("[::1]", "http://[::1]"),
    ],
)
def test_without_a_header_about_the_site_the_origin_must_be_the_host(host: str, origin: str) -> None:
    """Browsers send `Sec-Fetch-Site` neither to another machine by http, nor in old versions."""
    assert is_accepted(("Host", host), ("Origin", origin))


@pytest.mark.parametrize(
    "origin",
    [
        "null", "", "http://other.example", "http://moorage.example.other.example", "http://other-moorage.example",
        "http://sub.moorage.example", "http://example", "http://moorage.example:8080", "https://moorage.example:80",
        "file://", "file://moorage.example", "ftp://moorage.example", "moorage.example", "//moorage.example", "http://",
        "http://moorage.example:x", "http://moorage.example:99999", "http://[", "http://other.example@moorage.example.x",
        "http://other.example http://moorage.example", "chrome-extension://moorage.example",
    ],
)  # fmt: skip
def test_any_other_origin_is_rejected(origin: str) -> None:
    assert not is_accepted(HOST, ("Origin", origin))


def test_an_opaque_origin_is_rejected_also_if_the_host_looks_like_it() -> None:
    assert not is_accepted(("Host", "null"), ("Origin", "null"))


def test_a_form_without_any_of_these_headers_is_rejected() -> None:
    assert not is_accepted(HOST)
    assert not is_accepted(HOST, ("Referer", "http://moorage.example/console"))


@pytest.mark.parametrize("host", [[], [("Host", "")], [("Host", ":80")], [("Host", "moorage.example:x")]])
def test_a_request_without_a_valid_host_is_rejected(host: list[tuple[str, str]]) -> None:
    assert not is_accepted(*host, ("Origin", "http://moorage.example"))
    assert not is_accepted(*host, ("Origin", "http://"))


def test_two_origins_are_rejected() -> None:
    assert not is_accepted(HOST, ("Origin", "http://moorage.example"), ("Origin", "http://other.example"))


def test_the_error_names_the_host_that_the_server_received() -> None:
    with pytest.raises(ForgedForm, match=r"its own pages, at moorage\.example\. If a proxy is in front"):
        check_origin(Request({"type": "http", "headers": [(b"host", b"moorage.example")]}))


def test_a_page_loads_only_from_its_own_origin_runs_no_inline_code_and_is_in_no_frame() -> None:
    policy = dict(directive.split(" ", 1) for directive in PAGE_HEADERS["Content-Security-Policy"].split("; "))

    assert policy.pop("default-src") == policy.pop("frame-ancestors") == policy.pop("base-uri") == "'none'"
    assert policy.pop("trusted-types") == "'none'"
    assert policy.pop("require-trusted-types-for") == "'script'"
    assert set(policy) == {"script-src", "style-src", "img-src", "connect-src", "form-action"}
    assert set(policy.values()) == {"'self'"}, "no inline code, and no other host"


def test_a_page_is_stored_by_no_cache_and_differs_by_its_cookie() -> None:
    assert (PAGE_HEADERS["Cache-Control"], PAGE_HEADERS["Vary"]) == ("no-store", "Cookie")
    assert "ETag" not in PAGE_HEADERS


def test_forms_of_a_page_are_sent_with_their_origin() -> None:
    assert PAGE_HEADERS["Referrer-Policy"] == "same-origin", "with no-referrer, browsers send `Origin: null`"


POSTS = sorted(page.path for page in PAGES if page.method == "POST")


@pytest.mark.parametrize("path", POSTS)
def test_every_form_is_refused_from_another_origin(path: str, project: Project) -> None:
    browser = Browser(project).sign_in()
    address = re.sub(r"\{\w+\}", "a", path)

    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "", "Origin": "null"}):
        response = browser.post(address, {}, **headers)
        assert response.status == 403, path
        assert b"This form came from another address" in response.body


KEPT = sorted(page.path for page in PAGES if page.method == "POST" and page.is_signed_in and not page.has_secrets)
SECRET = sorted(page.path for page in PAGES if page.has_secrets)


@pytest.mark.parametrize("path", KEPT)
def test_every_form_is_refused_without_a_session(path: str, project: Project) -> None:
    before = project.page().headers["x-moorage-revision"]

    response = Browser(project).post(re.sub(r"\{\w+\}", "a", path), {"reason": "typed"})

    assert response.status == 401
    assert b'<input type="hidden" name="reason" value="typed">' in response.body, "the form is kept for the sign-in"
    assert project.page().headers["x-moorage-revision"] == before


@pytest.mark.parametrize("path", SECRET)
def test_a_form_with_credentials_is_not_kept_without_a_session(path: str, project: Project) -> None:
    response = Browser(project).post(re.sub(r"\{\w+\}", "a", path), {"credentials.api_key": "sk-secret"})

    assert response.status == 303
    assert response.headers["location"].startswith("/console/sign-in")
    assert b"sk-secret" not in response.body
