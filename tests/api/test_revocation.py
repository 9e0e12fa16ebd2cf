"""A key that is revoked, or expires, while a request is in progress: at each point where the request waits.

The requests are generated from `OPERATIONS`, as in the authorization matrix.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from moorage.api.memory_budget import WRITE_BYTES
from moorage.api.operation import Operation
from moorage.api.tasks.bodies import TranscriptionForm
from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.registry import api_keys
from moorage.registry.write_context import WriteContext
from moorage.store.opening import open_store
from moorage.store.reader import Reader
from moorage.store.transaction import Transaction
from tests.api.test_authorization_matrix import BODIES, CLOSED, TASKS, Harness, encoded
from tests.support.connections import Pool
from tests.support.in_process import request, running
from tests.support.raw import RawRequest, RawResponse
from tests.support.registry import create_api_key, create_project, put, revoke_api_key
from tests.support.server import Project, Server, a_body
from tests.support.stores import Database
from tests.support.threads import until

WITH_BODY = [operation for operation in CLOSED if operation.body is not None]

#: Those whose body is in memory; files have a budget of the disk.
IN_MEMORY = [operation for operation in WITH_BODY if operation.body is not TranscriptionForm]
WITHOUT_WRITES = {each.name for each in CLOSED if each.is_call}
WRITES = [
    operation
    for operation in CLOSED
    if operation.method != "GET"
    and operation.name
    not in {"DeploymentGetConfig", "ReportUsage", "Explain", "Simulate", "RenderVersion", "PutCase", "DeleteCase"}
    and operation.name not in WITHOUT_WRITES
]


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]) -> Iterator[Server]:
    """A server without requests of other tests: these tests stop its writer, and count what waits."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, database=new_database(folder)) as running:
        yield running


@pytest.fixture
def harness(own_server: Server) -> Harness:
    """A project with an object for every route."""
    return Harness(Pool(), own_server.new_project())


def waiting_bytes(project: Project) -> int:
    """Return the memory that requests in progress hold."""
    text = project.request("GET", "/metrics").body.decode()
    (value,) = re.findall(r"^moorage_waiting_bytes (\S+)$", text, re.MULTILINE)
    return int(float(value))


class Pending:
    """Requests to all of these routes with one API key, which end when the test wants."""

    def __init__(self, harness: Harness, operations: list[Operation], token: str) -> None:
        self._harness = harness
        self._requests: dict[str, tuple[RawRequest, bytes]] = {}
        for operation in operations:
            body, further = (b"", dict[str, str]()) if operation.body is None else encoded(BODIES[operation.body])
            pending = RawRequest(harness.project.server.port)
            headers = {"Authorization": f"Bearer {token}", **further}
            pending.send_head(operation.method, harness.target(operation), headers, len(body))
            pending.send(body[:1])
            self._requests[operation.name] = pending, body[1:]

    def send_rest(self) -> None:
        """Send the rest of the bodies."""
        for pending, rest in self._requests.values():
            pending.send(rest)

    def responses(self) -> dict[str, RawResponse]:
        """Return the responses."""
        return {name: pending.response() for name, (pending, _) in self._requests.items()}


def names(operations: list[Operation]) -> list[str]:
    """Return the names of routes."""
    return [operation.name for operation in operations]


@contextmanager
def stopped_writer(harness: Harness) -> Iterator[Transaction]:
    """Make every write of the server wait until the end of the block, and of the transaction in it."""
    with harness.project.server.open_store() as store, store.write() as tx:
        yield tx


def wait_in(tx: Transaction, holds: Callable[[], bool]) -> None:
    """Wait inside a transaction. PostgreSQL aborts one that does nothing for five seconds."""

    def holds_now() -> bool:
        tx.find_api_key("")
        return holds()

    until(holds_now)


def codes(responses: dict[str, RawResponse]) -> dict[str, tuple[int, str | None, bool]]:
    """Return the status and the error of each response, and whether it has a revision."""
    return {
        name: (response.status, response.code, "x-moorage-revision" in response.headers)
        for name, response in responses.items()
    }


def contents(harness: Harness) -> tuple[list[bytes], list[tuple[str, str]]]:
    """Return all that the project contains; of its API keys, the ids and names."""
    *others, keys = harness.contents()
    return others, [(key["id"], key["name"]) for key in json.loads(keys)["data"]]


def test_requests_with_a_late_body_succeed_while_the_key_is_valid(harness: Harness) -> None:
    """The positive control of the following tests."""
    _, token = harness.project.key(*Scope)
    pending = Pending(harness, WITH_BODY, token)
    until(lambda: waiting_bytes(harness.project) >= len(IN_MEMORY))

    pending.send_rest()

    statuses = {name: response.status for name, response in pending.responses().items()}
    tasks = {statuses.pop(operation.name) for operation in WITH_BODY if operation.body in TASKS}
    assert tasks == {400}, "the deployment is one for chats, which these routes do not call"
    decisions = {statuses.pop(f"{name}Proposal") for name in ("Approve", "Reject", "Withdraw")}
    assert {*statuses.values()} <= {200, 201, 202}
    assert decisions <= {200, 409}, "a proposal is closed once"


def test_a_key_that_is_revoked_while_the_body_arrives_is_rejected_on_every_route(harness: Harness) -> None:
    key_id, token = harness.project.key(*Scope)
    before = contents(harness)
    pending = Pending(harness, WITH_BODY, token)
    until(lambda: waiting_bytes(harness.project) >= len(IN_MEMORY))
    with harness.project.server.open_store() as store:
        revoke_api_key(store, key_id)

    pending.send_rest()

    assert codes(pending.responses()) == dict.fromkeys(names(WITH_BODY), (401, "invalid_api_key", False))
    assert contents(harness) == before
    until(lambda: waiting_bytes(harness.project) == 0)


def test_a_key_that_expires_while_the_body_arrives_is_rejected_on_every_route(harness: Harness) -> None:
    expires_us = time.time_ns() // 1000 + 2_000_000
    _, token = harness.project.key(*Scope, expires_us=expires_us)
    before = contents(harness)
    pending = Pending(harness, WITH_BODY, token)
    until(lambda: time.time_ns() // 1000 >= expires_us)

    pending.send_rest()

    assert codes(pending.responses()) == dict.fromkeys(names(WITH_BODY), (401, "expired_api_key", False))
    assert contents(harness) == before


def test_a_key_that_is_revoked_before_the_transaction_begins_changes_nothing_on_any_route(harness: Harness) -> None:
    key_id, token = harness.project.key(*Scope)
    before = contents(harness)

    with stopped_writer(harness) as tx:
        pending = Pending(harness, WRITES, token)
        pending.send_rest()
        wait_in(tx, lambda: waiting_bytes(harness.project) >= len(WRITES) * WRITE_BYTES)
        tx.revoke_api_key(key_id)

    assert codes(pending.responses()) == dict.fromkeys(names(WRITES), (401, "invalid_api_key", False))
    assert contents(harness) == before
    until(lambda: waiting_bytes(harness.project) == 0)


def test_a_key_that_expires_before_the_transaction_begins_changes_nothing_on_any_route(harness: Harness) -> None:
    expires_us = time.time_ns() // 1000 + 2_000_000
    _, token = harness.project.key(*Scope, expires_us=expires_us)
    before = contents(harness)

    with stopped_writer(harness) as tx:
        pending = Pending(harness, WRITES, token)
        pending.send_rest()
        wait_in(tx, lambda: time.time_ns() // 1000 >= expires_us)

    assert codes(pending.responses()) == dict.fromkeys(names(WRITES), (401, "expired_api_key", False))
    assert contents(harness) == before


def test_writes_that_wait_for_the_writer_succeed_while_the_key_is_valid(harness: Harness) -> None:
    """The positive control of the two tests above."""
    _, token = harness.project.key(*Scope)

    with stopped_writer(harness) as tx:
        pending = Pending(harness, WRITES, token)
        pending.send_rest()
        wait_in(tx, lambda: waiting_bytes(harness.project) >= len(WRITES) * WRITE_BYTES)

    statuses = {name: response.status for name, response in pending.responses().items()}
    assert 401 not in statuses.values()
    assert statuses["CreateApiKey"] == statuses["CreateDeployment"] == 201


@pytest.mark.parametrize("path", ["/v2/deployments/a/versions", "/v2/deployments/a/history", "/v2/manifests"])
def test_what_is_read_for_a_key_that_is_revoked_meanwhile_is_not_sent(
    database: Database, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    store = open_store(database.url)
    project = create_project(store, "p")
    put(store, project.id, "a", a_body())
    key, token = create_api_key(store, project.id, "k", DEFAULT_SCOPES)

    def page(reader: Reader, *arguments: object, **names: object) -> tuple[list[object], bool]:
        store.run(api_keys.revoke_api_key, WriteContext(project.id), key.id)
        return [], False

    for name in ("versions", "history", "manifests"):
        monkeypatch.setattr(Reader, name, page)

    async def read() -> tuple[int, Any]:
        async with running(database.url) as app:
            return await request(app, "GET", path, token)

    status, body = asyncio.run(read())
    store.close()

    assert (status, body["error"]["code"]) == (401, "invalid_api_key")
