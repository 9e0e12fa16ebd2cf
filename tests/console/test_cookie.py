"""The cookie with a session: as strict as the address of the server allows."""

from http.cookies import SimpleCookie

import pytest
from starlette.requests import Request
from starlette.responses import Response

from moorage.console.session import clear_cookie, read_cookie, set_cookie

VALUE, OTHER = f"{'k' * 12}.{'a' * 42}-", f"{'k' * 12}.{'b' * 42}_"


def a_request(*headers: tuple[str, str], root_path: str = "") -> Request:
    """Return a form's request."""
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return Request({"type": "http", "headers": raw, "moorage.root_path": root_path})


def cookies_of(response: Response) -> dict[str, dict[str, object]]:
    """Return the attributes of the cookies that a response sets, by name, with their values."""
    found: dict[str, dict[str, object]] = {}
    for header in response.headers.getlist("set-cookie"):
        for name, morsel in SimpleCookie(header).items():
            found[name] = {"value": morsel.value, **{key: value for key, value in morsel.items() if value}}
    return found


@pytest.mark.parametrize(
    ("root_path", "origin", "path"),
    [
        ("", [("Origin", "http://10.0.0.7:8080")], "/console"), ("", [], "/console"),
        ("/ai/moorage", [("Origin", "http://10.0.0.7")], "/ai/moorage/console"),
    ],
)  # fmt: skip
def test_over_http_the_cookie_is_for_the_console_alone_and_hidden_from_scripts(
    root_path: str, origin: list[tuple[str, str]], path: str
) -> None:
    response = Response()

    set_cookie(response, a_request(*origin, root_path=root_path), VALUE)

    assert cookies_of(response) == {
        "moorage_session": {"value": VALUE, "path": path, "httponly": True, "samesite": "lax"}
    }


@pytest.mark.parametrize("root_path", ["", "/ai/moorage"])
def test_over_https_the_cookie_is_bound_to_the_host_and_to_https(root_path: str) -> None:
    """The prefix `__Host-` requires the path `/` and no domain."""
    response = Response()

    set_cookie(response, a_request(("Origin", "https://moorage.example"), root_path=root_path), VALUE)

    assert cookies_of(response) == {
        "__Host-moorage_session": {"value": VALUE, "path": "/", "httponly": True, "samesite": "lax", "secure": True}
    }


def test_a_header_of_a_proxy_does_not_decide_about_https() -> None:
    response = Response()

    set_cookie(response, a_request(("X-Forwarded-Proto", "https"), ("Origin", "http://moorage.example")), VALUE)

    assert list(cookies_of(response)) == ["moorage_session"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([], None),
        ([""], None),
        (["other=x"], None),
        (["moorage_session="], None),
        ([f"moorage_session={VALUE}"], VALUE),
        ([f"a=b;moorage_session={VALUE} ; c=d"], VALUE),
        ([f"a=b; __Host-moorage_session={VALUE}"], VALUE),
        (["a=b", f"moorage_session={VALUE}"], VALUE),  # HTTP/2 divides the cookies
        ([f"moorage_session={OTHER}; __Host-moorage_session={VALUE}"], VALUE),
        ([f"moorage_session={VALUE}; moorage_session={OTHER}"], VALUE),
        ([f"moorage_session=x; moorage_session={VALUE}"], VALUE),
        ([f"moorage_session={VALUE}x"], None),
        ([f'moorage_session="{VALUE}"'], None),
        ([f"Moorage_Session={VALUE}"], None),
        ([f"xmoorage_session={VALUE}"], None),
        ([f"moorage_session={'ü' * 12}.{'a' * 43}"], None),
        ([f"moorage_session={'a' * 56}"], None),
    ],
)
def test_the_cookie_that_is_read(sent: list[str], expected: str | None) -> None:
    """The secure one counts before the other one, and the one with the longest path, which comes first."""
    assert read_cookie(a_request(*[("Cookie", value) for value in sent])) == expected


@pytest.mark.parametrize("origin", ["http://moorage.example", "https://moorage.example"])
def test_the_cookie_that_is_cleared_is_the_one_that_was_set(origin: str) -> None:
    request, is_set, cleared = a_request(("Origin", origin), root_path="/ai"), Response(), Response()
    set_cookie(is_set, request, VALUE)

    clear_cookie(cleared, request)

    ((name, attributes),) = cookies_of(is_set).items()
    removed = cookies_of(cleared)[name]
    assert removed.pop("max-age") == "0"
    assert (removed.pop("value"), attributes.pop("value")) == ("", VALUE)
    removed.pop("expires")
    assert removed == attributes, "browsers remove a cookie only if name, path and Secure are those it was set with"
