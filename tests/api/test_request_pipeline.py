"""Every response: request id, ETag, 304, 404, 405, and the shape of errors."""

import http.client
import re
import uuid
from typing import Any

import pytest

from moorage.api.errors import STATUS, error_response, status_of
from moorage.api.middleware import response_cache
from moorage.api.middleware.response_cache import CachedResponse, ResponseCache
from moorage.core.access import ApiKey, Scope
from moorage.core.errors import base as errors
from moorage.core.errors.base import MoorageError, Problem
from tests.support.errors import all_errors
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
    assert b'"code":"' + kind.code.encode() + b'"' in bytes(response.body)
    assert b'"request_id":"r1"' in bytes(response.body)
    assert "{" not in str(error)


def test_every_error_code_has_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for kind in all_errors():
        statuses.setdefault(kind.code, set()).add(status_of(kind))

    assert {code for code, found in statuses.items() if len(found) > 1} <= {"not_found"}
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


@pytest.mark.parametrize(("limit", "value", "expected"), [("MAX_RESPONSES", 5, 5), ("MAX_BYTES", 1_000, 10)])
def test_the_response_cache_is_bounded(monkeypatch: pytest.MonkeyPatch, limit: str, value: int, expected: int) -> None:
    monkeypatch.setattr(response_cache, limit, value)
    cache, key = ResponseCache(), ApiKey("k", "p", "test", frozenset({Scope.READ}), "", 0)
    response = CachedResponse.of([], b"x" * 100, b'"etag"', "/v2/deployments", key)
    sizes = []
    for number in range(20):
        cache.set((None, f"/v2/deployments/d{number}", b""), response)
        sizes.append(len(cache))

    assert max(sizes) == expected
    assert cache.get((None, "/v2/deployments/d19", b"")) is response


@pytest.mark.parametrize("path", ["/", "/v2", "/v2/deployments/", "/v2//deployments", "/v2/deployments/a/b", "/%00"])
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


@pytest.mark.parametrize("route", ["invoke", "stream"])
def test_an_unsupported_route_of_the_orq_api_is_404(project: Project, route: str) -> None:
    response = project.request("POST", f"/v2/deployments/{route}", b'{"key": "a"}')

    assert (response.status, response.error["code"]) == (404, "not_found")
    assert f"There is no route /v2/deployments/{route}." in response.error["message"]


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


def test_an_unexpected_error_has_the_code_internal_error() -> None:
    assert errors.MoorageError.code == "internal_error"
    assert status_of(errors.MoorageError) == 500
