"""A connection that was not said to end can be used again, also after an answer that did not wait for the body."""

import http.client
import json
from contextlib import closing, suppress

import pytest

from tests.support.server import Project, a_body

TRIES = 500


@pytest.mark.parametrize(
    ("status", "method", "path", "has_token"),
    [
        (401, "POST", "/v2/deployments", False),
        (403, "POST", "/v2/api-keys", True),
        (404, "POST", "/v2/nowhere", True),
        (405, "PUT", "/v2/deployments", True),
        (400, "PUT", "/v2/deployments/a?unknown=1", True),
        (400, "PUT", "/v2/deployments/snapshot", True),
    ],
)
def test_after_a_refusal_the_next_request_is_answered_unless_the_answer_said_close(
    project: Project, status: int, method: str, path: str, has_token: bool
) -> None:
    headers = {"Authorization": f"Bearer {project.token}"} if has_token else {}
    body = json.dumps(a_body())
    for _ in range(TRIES):
        with closing(http.client.HTTPConnection("127.0.0.1", project.server.port, timeout=30)) as connection:
            connection.connect()
            connection.auto_open = 0  # no second connection instead of this one

            with suppress(BrokenPipeError, ConnectionResetError):  # answered and ended before the body was sent
                connection.request(method, path, body, headers)  # the head, and then the body: two packets
            refused = connection.getresponse()
            refused.read()
            assert refused.status == status
            if not refused.will_close:
                connection.request("GET", "/health/live")
                assert connection.getresponse().read() == b'{"status":"live"}'
