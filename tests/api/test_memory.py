"""What waits is counted in bytes: bodies that arrive, and writes that wait for the writer."""

import asyncio
import gc
import json
import re
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from moorage.api.memory_budget import MAX_BYTES, WRITE_BYTES, Lease, MemoryBudget, parsed_bytes
from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.core.deployments.deployment import PutDeployment
from moorage.core.errors.base import ApiKeyQueueFull, WriteQueueFull
from moorage.core.validation import strict_json
from moorage.core.validation.body import read_body
from moorage.store.opening import open_store
from tests.support.in_process import request, running
from tests.support.raw import RawRequest
from tests.support.registry import create_api_key, create_project
from tests.support.server import Project, Server, a_body
from tests.support.threads import until

pytestmark = pytest.mark.system

MB = 1_000_000


def put_body(size: int = 0, **changes: Any) -> bytes:
    """Return a body for put with a message of that size."""
    messages = {"messages": [{"role": "user", "content": "x" * size}]} if size else {}
    return json.dumps(a_body(**messages, **changes), separators=(",", ":"), ensure_ascii=False).encode()


def many(count: int, item: Any) -> list[Any]:
    return [item] * count


#: Bodies that take much memory for their size.
BODIES = {
    "one long text": put_body(500_000),
    "a text with one character of four bytes": put_body(messages=[{"role": "user", "content": "x" * 300_000 + "👋"}]),
    "the same with an escape": put_body(500_000).replace(b"xxxxxxxxxxxx", b"\\ud83d\\ude00", 1),
    "empty messages": put_body(messages=many(9_000, {"role": "user", "content": ""})),
    "empty parts": put_body(messages=many(9_000, {"role": "user", "content": [{"type": "text", "text": ""}]})),
    "tools": put_body(tools=many(5_000, {"type": "function", "function": {"name": "f"}})),
    "empty objects": put_body(
        tools=[{"type": "function", "function": {"name": "f", "parameters": {
            "type": "object", "properties": {f"k{n}": {} for n in range(9_000)}}}}]
    ),
    "empty lists": put_body(
        tools=[{"type": "function", "function": {"name": "f", "parameters": {
            "type": "object", "properties": {"a": {"enum": many(20_000, [])}}}}}]
    ),
    "objects of one value": put_body(
        tools=[{"type": "function", "function": {"name": "f", "parameters": {
            "type": "object", "properties": {"a": {"enum": many(20_000, {"a": 1})}}}}}]
    ),
    "numbers": put_body(
        tools=[{"type": "function", "function": {"name": "f", "parameters": {
            "type": "object", "properties": {"a": {"enum": [n + 0.5 for n in range(20_000)]}}}}}]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_parsed_body_takes_at_most_the_memory_that_is_counted_for_it(name: str) -> None:
    body = BODIES[name]
    read_body(strict_json.parse(body), PutDeployment)  # fills caches

    gc.collect()
    tracemalloc.start()
    parsed, _ = read_body(strict_json.parse(body), PutDeployment)
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert parsed.prompt_config.model
    assert taken <= parsed_bytes(body)


def takes(lease: Lease, size: int) -> bool:
    """Take so many bytes, if the API key of the lease can."""
    try:
        lease.take(size)
    except ApiKeyQueueFull:
        return False
    return True


def test_an_api_key_gets_half_of_the_memory_and_each_further_one_half_of_the_rest_of_it() -> None:
    budget = MemoryBudget(1_200)
    leases = {name: Lease(budget, name) for name in ("a", "b", "c")}

    taken = {name: sum(takes(lease, 10) for _ in range(100)) for name, lease in leases.items()}

    assert taken == {"a": 60, "b": 30, "c": 15}
    assert budget.held == 1_050
    with pytest.raises(WriteQueueFull):
        Lease(budget, "d").take(200)
    leases["a"].release()
    assert budget.held == 450
    Lease(budget, "d").take(200)


def test_the_memory_of_a_write_is_held_until_its_last_owner_releases_it() -> None:
    budget = MemoryBudget(1_000)
    lease = Lease(budget, "a")
    lease.take(100)
    lease.share()  # a write in the queue

    lease.release()
    assert budget.held == 100
    lease.release()
    assert budget.held == 0


@pytest.mark.parametrize("body", [put_body(), put_body(20_000)], ids=["small", "20 KB"])
def test_a_waiting_write_takes_at_most_the_memory_that_is_counted_for_it(folder: Path, body: bytes) -> None:
    url = f"sqlite:///{folder}/moorage.db"
    store = open_store(url)
    _, token = create_api_key(store, create_project(store, "p").id, "k", DEFAULT_SCOPES)
    count = 100

    async def measure() -> tuple[int, list[int]]:
        async with running(url) as app:
            await request(app, "PUT", "/v2/deployments/a", token, body)
            with store.write():
                gc.collect()
                tracemalloc.start()
                before, _ = tracemalloc.get_traced_memory()
                writes = [
                    asyncio.ensure_future(request(app, "PUT", f"/v2/deployments/a{number}", token, bytes(body)))
                    for number in range(count)
                ]
                for _ in range(20):
                    await asyncio.sleep(0)  # lets each request reach the queue
                gc.collect()
                taken = tracemalloc.get_traced_memory()[0] - before
                tracemalloc.stop()
            return taken, [status for status, _ in await asyncio.gather(*writes)]

    taken, statuses = asyncio.run(measure())
    store.close()

    assert statuses == [201] * count
    assert taken / count <= len(body) + parsed_bytes(body) + WRITE_BYTES


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]) -> Iterator[Server]:
    """A server without requests of other tests: these tests stop its writer, and count what waits."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, database=new_database(folder)) as running:
        yield running


def waiting_bytes(project: Project) -> int:
    text = project.request("GET", "/metrics").body.decode()
    (value,) = re.findall(r"^moorage_waiting_bytes (\S+)$", text, re.MULTILINE)
    return int(float(value))


def test_writes_that_wait_for_the_writer_hold_at_most_half_of_the_memory_for_one_key(own_server: Server) -> None:
    project, other = own_server.new_project(), own_server.new_project()
    body = put_body(MB)
    of_each = len(body) + parsed_bytes(body) + WRITE_BYTES
    puts: list[RawRequest] = []

    with own_server.open_store() as store, store.write() as tx:

        def is_at(size: int) -> bool:
            """Return whether so many bytes wait. PostgreSQL aborts a transaction that does nothing for five seconds."""
            return tx.find_api_key("") is None and waiting_bytes(project) == size

        def is_settled(put: RawRequest, size: int) -> bool:
            """Return whether a request waits for the writer, or was rejected."""
            return put.has_response() or is_at(size)

        held = 0
        for number in range(150):
            put = RawRequest(own_server.port)
            headers = {"Authorization": f"Bearer {project.token}", "Expect": "100-continue"}
            put.send_head("PUT", f"/v2/deployments/d{number}", headers, len(body))
            if put.is_continued():
                put.send(body)
                until(partial(is_settled, put, held + of_each))
                held = waiting_bytes(project)
            puts.append(put)
        small = RawRequest(own_server.port)
        small.send_head("PUT", "/v2/deployments/a", {"Authorization": f"Bearer {other.token}"}, len(put_body()))
        small.send(put_body())
        until(lambda: is_at(held + len(put_body()) + parsed_bytes(put_body()) + WRITE_BYTES))

    responses = [put.response() for put in puts]
    waited = [response for response in responses if response.status == 201]
    rejected = [response for response in responses if response.status != 201]
    assert MAX_BYTES // 4 < held == len(waited) * of_each <= MAX_BYTES // 2
    assert {(response.status, response.code) for response in rejected} == {(429, "api_key_queue_full")}
    assert {response.headers["retry-after"] for response in rejected} == {"1"}
    assert small.response().status == 201, "there is room for another API key"
    until(lambda: waiting_bytes(project) == 0)


def test_bodies_that_arrive_slowly_are_counted_as_they_arrive(own_server: Server) -> None:
    project = own_server.new_project()
    slow = RawRequest(own_server.port)
    slow.send_head("PUT", "/v2/deployments/a", {"Authorization": f"Bearer {project.token}"}, 500_000)
    assert waiting_bytes(project) == 0

    slow.send(b"{" * 100_000)
    until(lambda: waiting_bytes(project) == 100_000)
    slow.close()

    until(lambda: waiting_bytes(project) == 0)


def test_the_memory_of_rejected_requests_is_given_back(own_server: Server) -> None:
    project = own_server.new_project()
    _, reader = project.key(Scope.READ)
    key = {"Authorization": f"Bearer {reader}"}

    assert project.put("a", b"{").status == 400
    assert project.put("a", b"x" * 2 * MB).status == 413
    assert project.request("POST", "/v2/deployments/get_config", b"[1]" * 9_000).status == 400
    assert project.request("POST", "/v2/deployments/none/explain", b"{}", key).status == 404
    assert project.request("PUT", "/v2/deployments/a", put_body(), key).status == 403

    until(lambda: waiting_bytes(project) == 0)
