"""Request ids of clients: a token that somebody sends as one is in no log, response or history."""

import pytest

from tests.support.server import Project
from tests.support.threads import until


def logged(project: Project, request_id: str) -> str:
    """Return the log once it has a request."""
    until(lambda: request_id in project.server.log.read_text(), details=lambda: f"no line for {request_id}")
    return project.server.log.read_text()


@pytest.mark.parametrize("form", ["{}", "Bearer:{}", "x-{}-y", "{}{}"])
def test_a_token_is_no_request_id(project: Project, form: str) -> None:
    _, token = project.key()  # the log is shared with other tests
    sent = form.format(token, token)[:128]

    written = project.put("a", None, "", **{"X-Request-Id": sent})
    rejected = project.request("GET", f"/v2/deployments/{token}", headers={"X-Request-Id": sent})
    unauthorized = project.request("GET", "/v2/deployments", headers={"X-Request-Id": sent, "Authorization": "x"})
    log = logged(project, unauthorized.headers["x-request-id"])

    assert (written.status, rejected.status, unauthorized.status) == (201, 404, 401)
    for response in (written, rejected, unauthorized):
        assert len(response.headers["x-request-id"]) == 36, "a new one"
    assert token not in log
    assert token[:20] not in log
    (entry,) = project.request("GET", "/v2/deployments/a/history").json["data"]
    assert entry["request_id"] == written.headers["x-request-id"]


@pytest.mark.parametrize("form", ["{}" * 5, "{}" * 100, "{} b", "{}é", '{}"', "{}\\", "", "MRG_{}", "{}\tb"])
def test_a_request_id_that_is_too_long_or_not_plain_is_replaced(project: Project, form: str) -> None:
    sent = form.replace("{}", project.id)  # the log is shared with other tests
    response = project.request("GET", "/v2/deployments", headers={"X-Request-Id": sent})
    log = logged(project, response.headers["x-request-id"])

    assert len(response.headers["x-request-id"]) == 36
    assert project.id not in log


def test_the_path_of_a_request_is_logged_without_control_characters(project: Project) -> None:
    sent = "/v2/deployments/%1b%5b2J%c2%9b31m%7f%e2%80%ae%e2%81%a6%0a%f3%a0%81%81"
    request_id = project.request("GET", sent).headers["x-request-id"]
    line = next(line for line in logged(project, request_id).splitlines() if request_id in line)

    assert "\\u001b[2J\\u009b31m\\u007f\\u202e\\u2066\\n\\udb40\\udc41" in line
