"""Every response: request id, ETag, 304, 404, 405, and the shape of errors."""

import http.client
import re
import tracemalloc
import uuid
from typing import Any

import pytest

from moorage.api.errors import STATUS, error_response, public_error, status_of
from moorage.api.middleware import response_cache
from moorage.api.middleware.response_cache import CachedResponse, ResponseCache
from moorage.core.access import ApiKey, Scope
from moorage.core.errors import base as errors
from moorage.core.errors.base import MoorageError, Problem
from tests.support.errors import all_errors
from tests.support.raw import RawRequest, RawResponse
from tests.support.server import Project, a_body
from tests.support.threads import HANG_SECONDS


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_the_same_shape_and_all_its_fields(kind: type[MoorageError]) -> None:
    fields: dict[str, Any] = {
        name: "x" for name in re.findall(r"{(\w+)", f"{kind.__doc__} {kind.hint}") if name != "param"
    }
    error = kind(param="limit", problems=(Problem("a.b", "is required"),), **fields)

    response = error_response(error, "r1")

    assert response.status_code == status_of(kind)
    assert bytes(response.body).startswith(b'{"message":"')
    assert b'"code":"' + public_error(error).code.encode() + b'"' in bytes(response.body)
    assert b'"request_id":"r1"' in bytes(response.body)
    assert "{" not in str(error)


def test_every_error_code_has_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for kind in all_errors():
        statuses.setdefault(kind.code, set()).add(status_of(kind))

    # An integration is not found by its name (404), or for a call (422).
    assert {code for code, found in statuses.items() if len(found) > 1} <= {"not_found", "integration_not_found"}
    assert set(STATUS) <= set(all_errors())


def test_a_response_has_a_new_request_id(project: Project) -> None:
    first, second = project.page(), project.page()

    assert uuid.UUID(first.headers["x-request-id"]) != uuid.UUID(second.headers["x-request-id"])


@pytest.mark.parametrize("path", ["/v2/deployments", "/v2/deployments/x", "/nowhere", "/health/live"])
def test_the_request_id_of_the_client_is_echoed(project: Project, path: str) -> None:
    response = project.request("GET", path, headers={"X-Request-Id": "req-42.A:b/c"})

    assert response.headers["x-request-id"] == "req-42.A:b/c"


@pytest.mark.parametrize("value", ["x" * 129, "a b", 'a"b', "a\\b", "caf\xe9"])
def test_a_request_id_with_unsafe_characters_is_replaced(project: Project, value: str) -> None:
    response = project.request("GET", "/v2/deployments", headers={"X-Request-Id": value})

    assert response.headers["x-request-id"] != value
    uuid.UUID(response.headers["x-request-id"])


def test_an_unchanged_page_is_304(project: Project) -> None:
    project.put("a")
    etag = project.page().headers["etag"]

    response = project.request("GET", "/v2/deployments", headers={"If-None-Match": etag})

    assert response.status == 304
    assert response.body == b""
    assert response.headers["etag"] == etag
    assert "x-request-id" in response.headers
    assert "content-length" not in response.headers


@pytest.mark.parametrize("spelling", ["W/{0}", '"other", {0}', '{0} , "other"', "*"])
def test_if_none_match_is_parsed_in_every_form(project: Project, spelling: str) -> None:
    project.put("a")
    for _ in range(2):  # the first response is computed, the second is cached
        etag = project.page().headers["etag"]

        response = project.request("GET", "/v2/deployments", headers={"If-None-Match": spelling.format(etag)})

        assert response.status == 304


def test_an_etag_from_before_a_change_gets_the_new_page(project: Project) -> None:
    project.put("a")
    etag = project.page().headers["etag"]

    project.put("a", a_body(model="b"))
    response = project.request("GET", "/v2/deployments", headers={"If-None-Match": etag})

    assert response.status == 200
    assert response.headers["etag"] != etag


def test_a_change_of_another_deployment_leaves_the_etag_unchanged(project: Project) -> None:
    project.put("a")
    etag = project.get("a").headers["etag"]

    project.put("b")

    assert project.get("a", **{"If-None-Match": etag}).status == 304


def test_put_and_get_return_the_same_etag(project: Project) -> None:
    assert project.put("a").headers["etag"] == project.get("a").headers["etag"]


def test_the_response_cache_counts_the_bytes_of_its_responses_and_of_their_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(response_cache, "MAX_BYTES", 100_000)
    caller = ApiKey("k", "p", "test", frozenset({Scope.READ}), "", 0)
    tracemalloc.start()
    cache, most, query = ResponseCache(), 0, b""
    for number in range(2_000):
        body, query = b"x" * (number % 50), b"variant_id=%04d" % number + b"y" * 1_000
        headers = [(b"x-name-%d" % number, b"value %d" % number) for _ in range(5)]
        cache.set(("k", f"/v2/deployments/{number}", query), CachedResponse.of(headers, body, b"e", "/v2", caller))
        taken, _ = tracemalloc.get_traced_memory()
        assert cache.held <= 100_000
        assert taken <= cache.held + 20_000, "the empty cache, and the variables of this test"
        most = max(most, len(cache))
    tracemalloc.stop()

    assert most > 20
    assert cache.get(("k", "/v2/deployments/1999", query)) is not None


def test_a_response_that_would_replace_most_others_is_not_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_cache, "MAX_BYTES", 100_000)
    cache, caller = ResponseCache(), ApiKey("k", "p", "test", frozenset({Scope.READ}), "", 0)
    small, large = (CachedResponse.of([], b"x" * size, b"e", "/v2", caller) for size in (100, 90_000))
    cache.set(("k", "/small", b""), small)

    cache.set(("k", "/large", b""), large)

    assert cache.get(("k", "/small", b"")) is small
    assert cache.get(("k", "/large", b"")) is None


@pytest.mark.parametrize("path", ["/v2", "/v2/deployments/", "/v2//deployments", "/v2/deployments/a/b", "/%00"])
def test_an_unknown_path_is_404(project: Project, path: str) -> None:
    response = project.request("GET", path)

    assert response.status == 404
    assert response.error["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v2/deployments", {"GET", "HEAD", "POST"}),
        ("POST", "/v2/deployments/a", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
        ("PUT", "/v2/deployments/a/undo", {"POST"}),
        ("BREW", "/health/live", {"GET", "HEAD"}),
    ],
)
def test_an_unsupported_method_is_405_with_the_supported_ones(
    project: Project, method: str, path: str, allowed: set[str]
) -> None:
    response = project.request(method, path)

    assert response.status == 405
    assert response.error["code"] == "method_not_allowed"
    assert set(response.headers["allow"].split(", ")) == allowed


def test_head_is_get_without_the_body(project: Project) -> None:
    project.put("a")
    page = project.page()

    response = project.request("HEAD", "/v2/deployments")

    assert response.status == 200
    assert response.body == b""
    assert response.headers["etag"] == page.headers["etag"]
    assert response.headers["content-length"] == str(len(page.body))


@pytest.mark.parametrize("host", ["evil.example/?", "evil.example/health/live", "a b", "127.0.0.1/docs#"])
def test_the_host_header_selects_no_route(project: Project, host: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", project.server.port, timeout=HANG_SECONDS)
    connection.putrequest("GET", "/v2/deployments", skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()

    status = connection.getresponse().status
    connection.close()

    assert status in (400, 401)


def exchange(
    project: Project, lines: list[str], method: str = "GET", version: str = "1.1", body: bytes = b""
) -> RawResponse:
    """Send a request with these header lines, and Authorization."""
    raw = RawRequest(project.server.port)
    path = "/v2/deployments" if method == "GET" else "/v2/deployments/get_config"
    head = [f"{method} {path} HTTP/{version}", f"Authorization: Bearer {project.token}", *lines]
    raw.send("\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body)
    return raw.response()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "lines",
    [[], ["Host: a", "Host: b"], ["Host: a", "Host: a"], ["host: a", "HOST: a"], ["Host:"], ["Host: a b"],
     ["Host: a/b"], ["Host: a@b"], ["Host: a:b"]],
)  # fmt: skip
def test_a_request_without_one_valid_host_is_400(project: Project, lines: list[str], method: str) -> None:
    project.put("a")
    exchange(project, ["Host: moorage"])  # the response is cached

    response = exchange(project, lines, method, body=b"" if method == "GET" else b'{"key":"a"}')

    assert response.status == 400
    assert response.code in ("invalid_host", None), "or the server rejects it before Moorage"


@pytest.mark.parametrize("host", ["moorage", "moorage:8700", "moorage.example.com.", "127.0.0.1", "[::1]:8700", "a_b"])
def test_a_valid_host_is_accepted(project: Project, host: str) -> None:
    assert exchange(project, [f"Host: {host}"]).status == 200


def test_a_request_of_http_1_0_needs_no_host(project: Project) -> None:
    assert exchange(project, [], version="1.0").status == 200


@pytest.mark.parametrize("line", ["Authorization: Bearer x", "Idempotency-Key: a"])
def test_a_repeated_header_with_one_meaning_is_400(project: Project, line: str) -> None:
    response = exchange(project, ["Host: moorage", line, line])

    assert (response.status, response.code) == (400, "repeated_header")


def test_an_unexpected_error_has_the_code_internal_error() -> None:
    assert errors.MoorageError.code == "internal_error"
    assert status_of(errors.MoorageError) == 500
