"""No request within the limits holds up others: the worst requests of each route, counted on a running server.

Lines of Python, bytes and objects are asserted, which are the same on a busy machine. The processor time, which
includes the work inside C functions, has twenty times its limit, because a busy machine needs more of it.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import urllib3

from moorage.api.operation import Operation
from moorage.api.routes import OPERATIONS
from moorage.core.access import Scope
from moorage.core.deployments.page import MAX_PAGE_BYTES
from moorage.core.resolution.config import MAX_CALL_BODY
from moorage.core.validation.strict_json import MAX_BODY
from tests.support.measured_server import MEASURED
from tests.support.server import Project, Server, a_body
from tests.support.threads import HANG_SECONDS
from tests.system.worst_cases.cases import Case, cases
from tests.system.worst_cases.data import fill

#: Python executes so many lines in 50 ms, on a machine that is not fast.
MAX_LINES = 250_000
MAX_MILLISECONDS = 20 * 50
MAX_MEMORY = 64 * 1_048_576

#: A request leaves no more objects than this for the garbage collector, whatever its size.
MAX_CYCLES = 500

#: A page, and one item more than fits.
MAX_RESPONSE = MAX_PAGE_BYTES + 3 * MAX_BODY

#: A promotion or a proposal of 1,000 deployments may hold the writer for 2 s, which is so many times 50 ms: a user
#: makes one rarely, all of it has one revision, and reads do not wait.
BATCH = 40

#: The snapshot is as large as the project: it is encoded in a thread, once for each change.
UNBOUNDED = {"Snapshot"}

#: A server on PostgreSQL has no key file for the credentials of integrations.
SECRET_KEY = ("env", f"MOORAGE_SECRET_KEY={'k' * 40}")

LIMITS = {
    "counts": {"callback": MAX_LINES, "writer": MAX_LINES, "memory": MAX_MEMORY, "cycles": MAX_CYCLES},
    "time": {"callback": MAX_MILLISECONDS, "writer": MAX_MILLISECONDS, "full collections": 0},
}


class Measured:
    """A server with an instrument, and its projects."""

    def __init__(self, server: Server, instrument: str, large: Project, many: Project) -> None:
        self.server = server
        self.limits = LIMITS[instrument]
        self.large = large
        self.many = many

    def excess(self) -> dict[str, Any]:
        """Return the maxima since the last call that exceed their limits."""
        found = self.large.request("GET", "/measured").json
        return {name: value for name, value in found.items() if value > self.limits.get(name, value)}


@pytest.fixture(scope="module", params=LIMITS)
def measured(
    request: pytest.FixtureRequest,
    new_database: Callable[[Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Measured]:
    """Return a measured server with the largest contents."""
    folder: Path = tmp_path_factory.mktemp("measured")
    # A call makes its request to the provider, and fails then: nothing listens on that port.
    hosts = ("--private-hosts", "127.0.0.1")
    server = Server(folder, *hosts, database=new_database(folder), program=(*SECRET_KEY, *MEASURED, request.param))
    large, many = fill(server)
    with server:
        provider = {"provider": "openai", "base_url": "http://127.0.0.1:1/v1", "credentials": {"api_key": "x"}}
        authorization = {"Authorization": f"Bearer {large.key(*Scope)[1]}"}
        put = large.request("PUT", "/v2/integrations/openai", json.dumps(provider).encode(), headers=authorization)
        assert put.status == 201
        # The first call of a process imports the client, and modules have cycles.
        assert large.request("POST", "/v2/deployments/invoke", b'{"key": "one-text"}').status == 502
        yield Measured(server, request.param, large, many)


def test_the_worst_requests_of_each_route_hold_up_nothing(measured: Measured) -> None:
    # The routes of orq's router have the handlers of those under /v1.
    operations = [each for each in OPERATIONS if not each.path.startswith(("/v2/router/", "/v3/router/"))]

    problems = [problem for operation in operations for problem in _problems(operation, measured)]

    assert not problems, "\n".join(problems)


def _problems(operation: Operation, measured: Measured) -> Iterator[str]:
    """Send the worst requests of a route, and yield those that do too much."""
    measured.excess()
    for case in cases(operation.name, operation.method, operation.path):
        size, status = _send(measured.large, case)
        excess: dict[str, Any] = measured.excess()
        if case.is_batch and excess.get("writer", 0) <= BATCH * measured.limits["writer"]:
            excess.pop("writer", None)
        if size > MAX_RESPONSE:
            excess["response"] = size
        if operation.name in UNBOUNDED:
            excess.pop("memory", None)
            excess.pop("response", None)
        # The provider of calls cannot be reached, which is its error.
        if excess or (status >= 500 and not (operation.is_call and status == 502)):
            yield f"{operation.name}, {case.name} ({status}): {excess}"


@pytest.mark.parametrize("route", ["get_config", "invoke"])
@pytest.mark.parametrize("where", ["messages", "inputs", "neither"])
def test_a_call_with_pictures_holds_up_nothing(where: str, route: str, measured: Measured) -> None:
    """It holds its own size several times, which has a budget of its own, and not more."""
    parts = [{"type": "text", "text": "Größe?"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    body: dict[str, Any] = {"key": "one-text", "messages": [{"role": "user", "content": parts}]}
    if where == "inputs":
        body = {"key": "picture", "inputs": {"picture": "data:,"}}
        picture = [{"type": "image_url", "image_url": {"url": "{{picture}}"}}]
        measured.large.put("picture", a_body(messages=[{"role": "user", "content": picture}]))
    text = json.dumps(body, ensure_ascii=False).encode()
    picture_text = b"1234567890" if where == "neither" else b"iVBORw0KGgo"
    text = text.replace(b"data:,", b"data:," + picture_text * ((MAX_CALL_BODY - len(text)) // len(picture_text)))
    measured.excess()

    status = measured.large.request("POST", f"/v2/deployments/{route}", text).status
    assert status == (200 if route == "get_config" else 502)
    excess = measured.excess()
    assert excess.pop("memory", 0) <= (5 if route == "get_config" else 7) * MAX_CALL_BODY
    assert not excess


@pytest.mark.parametrize("query", ["search=nothing", "provider=openai&limit=50", "updated_since=2000-01-01", ""])
@pytest.mark.parametrize("environment", ["production", "staging"])
def test_a_filter_of_many_deployments_holds_up_nothing(query: str, environment: str, measured: Measured) -> None:
    measured.excess()

    assert measured.many.request("GET", f"/v2/deployments?environment={environment}&{query}").status == 200
    assert not measured.excess()


def test_a_change_stream_from_the_start_holds_up_nothing(measured: Measured) -> None:
    measured.excess()
    for project in (measured.large, measured.many):
        with urllib3.PoolManager(retries=False, timeout=HANG_SECONDS) as pool:
            url = f"{measured.server.url}/v2/deployments/changes?since=0"
            headers = {"Authorization": f"Bearer {project.token}"}
            response = pool.request("GET", url, headers=headers, preload_content=False)
            assert len(response.read(2_000_000)) == 2_000_000
            response.close()
    assert not measured.excess()


@pytest.mark.parametrize("name", ["callback", "writer", "memory", "cycles", "full collections"])
def test_too_much_work_is_detected(name: str, measured: Measured) -> None:
    """The positive control."""
    if name not in measured.limits:
        return
    measured.excess()
    measured.large.request("GET", f"/control/{quote(name)}")
    measured.large.put("control", a_body())

    assert name in measured.excess()


def _send(project: Project, case: Case) -> tuple[int, int]:
    """Send a request; return the size of the response, and its status. The change stream is only opened."""
    if "/changes" not in case.path:
        response = project.request(case.method, case.path, case.body, case.headers)
        return len(response.body), response.status
    with urllib3.PoolManager(retries=False, timeout=HANG_SECONDS) as pool:
        headers = {"Authorization": f"Bearer {project.token}", **case.headers}
        opened = pool.request(case.method, project.server.url + case.path, headers=headers, preload_content=False)
        size = len(opened.read(10))
        opened.close()
        return size, opened.status
