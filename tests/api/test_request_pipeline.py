"""What every answer has: a request id, an ETag where it follows from the revision, one shape of error."""

import http.client
import re
import uuid
from typing import Any

import pytest

from moorage.api.errors import STATUS, error_response, status_of
from moorage.core.errors import base as errors
from moorage.core.errors.base import MoorageError, Problem
from tests.support.errors import all_errors
from tests.support.server import Project, a_body


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_the_one_shape_and_says_what_to_do(kind: type[MoorageError]) -> None:
    fields: dict[str, Any] = {
        name: "x" for name in re.findall(r"{(\w+)", f"{kind.__doc__} {kind.hint}") if name != "param"
    }
    error = kind(param="limit", problems=(Problem("a.b", "is required"),), **fields)

    answer = error_response(error, "r1")

    assert answer.status_code == status_of(kind)
    assert bytes(answer.body).startswith(b'{"message":"')
    assert b'"code":"' + kind.code.encode() + b'"' in bytes(answer.body)
    assert b'"request_id":"r1"' in bytes(answer.body)
    assert "{" not in str(error)


def test_every_code_is_used_for_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for kind in all_errors():
        statuses.setdefault(kind.code, set()).add(status_of(kind))

    assert {code for code, found in statuses.items() if len(found) > 1} <= {"not_found"}
    assert set(STATUS) <= set(all_errors())


def test_a_request_id_is_made_and_told(project: Project) -> None:
    first, second = project.page(), project.page()

    assert uuid.UUID(first.headers["x-request-id"]) != uuid.UUID(second.headers["x-request-id"])


@pytest.mark.parametrize("path", ["/v2/deployments", "/v2/deployments/x", "/nowhere", "/health/live"])
def test_the_clients_request_id_is_echoed(project: Project, path: str) -> None:
    answer = project.request("GET", path, headers={"X-Request-Id": "req-42.A:b/c"})

    assert answer.headers["x-request-id"] == "req-42.A:b/c"


@pytest.mark.parametrize("value", ["x" * 129, "a b", 'a"b', "a\\b", "caf\xe9"])
def test_a_request_id_that_could_harm_a_log_is_replaced(project: Project, value: str) -> None:
    answer = project.request("GET", "/v2/deployments", headers={"X-Request-Id": value})

    assert answer.headers["x-request-id"] != value
    uuid.UUID(answer.headers["x-request-id"])


def test_a_page_that_did_not_change_is_304(project: Project) -> None:
    project.put("a")
    etag = project.page().headers["etag"]

    answer = project.request("GET", "/v2/deployments", headers={"If-None-Match": etag})

    assert answer.status == 304
    assert answer.body == b""
    assert answer.headers["etag"] == etag
    assert "x-request-id" in answer.headers
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("spelling", ["W/{0}", '"other", {0}', '{0} , "other"', "*"])
def test_an_etag_is_found_in_every_spelling(project: Project, spelling: str) -> None:
    project.put("a")
    for _ in range(2):  # the first answer is made, the second remembered
        etag = project.page().headers["etag"]

        answer = project.request("GET", "/v2/deployments", headers={"If-None-Match": spelling.format(etag)})

        assert answer.status == 304


def test_after_a_change_the_old_etag_gets_the_new_page(project: Project) -> None:
    project.put("a")
    etag = project.page().headers["etag"]

    project.put("a", a_body(model="b"))
    answer = project.request("GET", "/v2/deployments", headers={"If-None-Match": etag})

    assert answer.status == 200
    assert answer.headers["etag"] != etag


def test_a_change_elsewhere_leaves_the_etag(project: Project) -> None:
    project.put("a")
    etag = project.get("a").headers["etag"]

    project.put("b")

    assert project.get("a", **{"If-None-Match": etag}).status == 304


def test_the_etag_of_a_put_is_the_one_get_shows(project: Project) -> None:
    assert project.put("a").headers["etag"] == project.get("a").headers["etag"]


@pytest.mark.parametrize("path", ["/", "/v2", "/v2/deployments/", "/v2//deployments", "/v2/deployments/a/b", "/%00"])
def test_an_unknown_path_is_404(project: Project, path: str) -> None:
    answer = project.request("GET", path)

    assert answer.status == 404
    assert answer.error["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v2/deployments", {"GET", "HEAD", "POST"}),
        ("POST", "/v2/deployments/a", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
        ("PUT", "/v2/deployments/a/undo", {"POST"}),
        ("BREW", "/health/live", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_405_and_the_right_ones_are_told(
    project: Project, method: str, path: str, allowed: set[str]
) -> None:
    answer = project.request(method, path)

    assert answer.status == 405
    assert answer.error["code"] == "method_not_allowed"
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("route", ["invoke", "stream"])
def test_a_route_of_the_api_that_is_not_answered_yet_is_none(project: Project, route: str) -> None:
    answer = project.request("POST", f"/v2/deployments/{route}", b'{"key": "a"}')

    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert f"There is no route /v2/deployments/{route}." in answer.error["message"]


def test_head_is_get_without_the_body(project: Project) -> None:
    project.put("a")
    page = project.page()

    answer = project.request("HEAD", "/v2/deployments")

    assert answer.status == 200
    assert answer.body == b""
    assert answer.headers["etag"] == page.headers["etag"]
    assert answer.headers["content-length"] == str(len(page.body))


@pytest.mark.parametrize("host", ["evil.example/?", "evil.example/health/live", "a b", "127.0.0.1/docs#"])
def test_the_host_header_opens_no_route(project: Project, host: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", project.server.port, timeout=10)
    connection.putrequest("GET", "/v2/deployments", skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()

    status = connection.getresponse().status
    connection.close()

    assert status in (400, 401)


def test_internal_error_is_what_an_unexpected_failure_is_called() -> None:
    assert errors.MoorageError.code == "internal_error"
    assert status_of(errors.MoorageError) == 500
