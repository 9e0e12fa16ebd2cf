"""A connection without `Connection: close` is reusable, even if the response was sent before the body arrived."""

import http.client
import json
from contextlib import closing, suppress

import pytest

from tests.support.server import Project, a_body
from tests.support.threads import HANG_SECONDS

ATTEMPTS = 500


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
def test_a_connection_is_reusable_after_an_error_unless_the_response_closes_it(
    project: Project, status: int, method: str, path: str, has_token: bool
) -> None:
    headers = {"Authorization": f"Bearer {project.token}"} if has_token else {}
    body = json.dumps(a_body())
    for _ in range(ATTEMPTS):
        with closing(http.client.HTTPConnection("127.0.0.1", project.server.port, timeout=HANG_SECONDS)) as connection:
            connection.connect()
            connection.auto_open = 0  # http.client must not open a second connection

            # The server may respond and close the connection before the body is sent.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, headers)  # sends the head and the body in two packets
            response = connection.getresponse()
            response.read()
            assert response.status == status
            if not response.will_close:
                connection.request("GET", "/health/live")
                assert connection.getresponse().read() == b'{"status":"live"}'
