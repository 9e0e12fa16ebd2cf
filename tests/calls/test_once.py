"""Calls with an Idempotency-Key: one call of the provider, and its response for all requests with the key."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from moorage import clock
from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.store.call_results import CallKey
from moorage.store.result_writes import STORED_US
from tests.support.gateway import ALLOW_LOOPBACK, Gateway
from tests.support.server import KeyedServer, Project, Response, Server
from tests.support.team import refusal
from tests.support.threads import until
from tests.support.vendors import all_vendors, faults
from tests.support.vendors.server import Fault, Received, Reply, Vendor, VendorServer

_SAID = [{"role": "user", "content": "Say hello to Zürich please"}]

#: Each route whose calls are idempotent, with its body for the key of a deployment.
ROUTES: dict[str, Callable[[str], dict[str, Any]]] = {
    "/v2/deployments/invoke": lambda key: {"key": key, "messages": _SAID},
    "/v2/deployments/stream": lambda key: {"key": key, "messages": _SAID},
    "/v1/chat/completions": lambda key: {"model": key, "messages": _SAID},
    "/v1/responses": lambda key: {"model": key, "input": "Say hello"},
}


class Caller:
    """A project on a server with two workers, whose provider is a fake of OpenAI."""

    def __init__(self, server: Server, vendors: VendorServer) -> None:
        self.gateway, self.vendors = Gateway(server, vendors), vendors
        self.key = self.gateway.deploy("openai")
        self.project = self.gateway.project

    def send(self, name: str | None, path: str = "/v2/deployments/invoke", **fields: Any) -> Response:
        """Send a request with an idempotency key."""
        headers = {} if name is None else {"Idempotency-Key": name}
        body = ROUTES[path](self.key) | fields
        return self.project.request("POST", path, json.dumps(body).encode(), headers)

    def calls(self) -> int:
        """Return the number of calls of the provider since the last time."""
        return len(self.vendors.take("openai"))


@pytest.fixture(scope="module")
def openai() -> Iterator[VendorServer]:
    with VendorServer([each for each in all_vendors() if each.id == "openai"]) as running:
        yield running


@pytest.fixture(scope="module")
def running(
    new_database: Callable[[Path], str], openai: VendorServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Caller]:
    folder = tmp_path_factory.mktemp("once")
    with KeyedServer(folder, "--workers", "2", database=new_database(folder), prefix=ALLOW_LOOPBACK) as server:
        yield Caller(server, openai)


@pytest.fixture
def caller(running: Caller) -> Caller:
    running.calls()
    return running


def held(released: threading.Event) -> Fault:
    """Respond when an event is set."""

    def fault(vendor: Vendor, request: Received) -> Reply:
        assert released.wait(60)
        return vendor.respond(request)

    return fault


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_repeated_call_gets_the_same_bytes_and_calls_no_model(caller: Caller, path: str, *, is_stream: bool) -> None:
    name = f"same-{path}-{is_stream}"
    fields = {"stream": True} if is_stream else {}
    first = caller.send(name, path, **fields)
    assert (first.status, caller.calls()) == (200, 1)

    for _ in range(4):  # of both workers
        again = caller.send(name, path, **fields)
        assert (again.status, again.body) == (200, first.body)
        assert again.headers["content-type"] == first.headers["content-type"]
        assert again.headers["x-moorage-version"] == first.headers["x-moorage-version"]
        assert again.headers["x-moorage-replayed"] == "true"
        assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert "x-moorage-replayed" not in first.headers
    assert caller.calls() == 0
    assert caller.send(f"another-{path}-{is_stream}", path, **fields).status == 200
    assert caller.calls() == 1


def test_requests_that_arrive_while_the_first_one_runs_get_its_response(caller: Caller) -> None:
    released = threading.Event()
    caller.vendors.fail_next("openai", held(released))
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(caller.send, "running")
        caller.vendors.wait_for_request("openai")
        others = [threads.submit(caller.send, "running") for _ in range(7)]
        released.set()
        bodies = {each.result().body for each in (first, *others)}
    assert len(bodies) == 1
    assert caller.calls() == 1


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_call_runs_on_when_its_client_leaves_and_the_next_request_gets_its_response(
    caller: Caller, *, is_stream: bool
) -> None:
    name = f"left-{is_stream}"
    released, path = threading.Event(), "/v1/chat/completions"
    caller.vendors.fail_next("openai", held(released))
    with caller.gateway.started("chat-stream" if is_stream else "chat", caller.key, "Hi", {"Idempotency-Key": name}):
        caller.vendors.wait_for_request("openai")

    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(caller.send, name, path, messages=[{"role": "user", "content": "Hi"}], stream=is_stream)
        released.set()
        response = second.result()

    assert (response.status, response.headers["x-moorage-replayed"]) == (200, "true")
    assert caller.calls() == 1


@pytest.mark.parametrize("fault", [faults.status(500), faults.status(429), faults.truncated])
def test_a_failed_call_stores_nothing(caller: Caller, fault: Fault) -> None:
    name = f"failed-{id(fault)}"
    caller.vendors.fail_next("openai", fault)
    assert caller.send(name).status >= 400

    assert caller.send(name).status == 200
    assert caller.calls() == 2


@pytest.mark.parametrize("fault", [faults.error_in_stream, faults.truncated])
def test_a_stream_that_breaks_stores_nothing(caller: Caller, fault: Fault) -> None:
    name = f"broken-{id(fault)}"
    caller.vendors.fail_next("openai", fault)
    header = {"Idempotency-Key": name}
    broken = caller.gateway.call("stream", caller.key, "Hi", header)
    assert broken.is_cut or broken.error

    whole = caller.gateway.call("stream", caller.key, "Hi", header)

    assert not whole.is_cut
    assert "x-moorage-replayed" not in whole.headers
    assert caller.calls() == 2


def test_a_key_belongs_to_one_request(caller: Caller) -> None:
    caller.send("one")

    for path, fields in (("/v2/deployments/invoke", {"inputs": {"a": 1}}), ("/v1/chat/completions", {})):
        assert refusal(caller.send("one", path, **fields)) == (409, "idempotency_conflict")
    assert caller.calls() == 1


def test_keys_of_calls_and_of_writes_do_not_meet_and_projects_share_none(caller: Caller) -> None:
    other = Caller(caller.gateway.server, caller.vendors)
    caller.send("shared")
    write = caller.project.request("POST", f"/v2/deployments/{caller.key}/undo", None, {"Idempotency-Key": "shared"})
    assert refusal(write) == (409, "nothing_to_undo")
    assert "x-moorage-replayed" not in other.send("shared").headers


@pytest.mark.parametrize("name", ["", "a b", "x" * 256])
def test_an_invalid_key_is_rejected(caller: Caller, name: str) -> None:
    assert refusal(caller.send(name)) == (400, "invalid_idempotency_key")
    assert caller.calls() == 0


def test_a_key_that_was_revoked_gets_no_stored_response(caller: Caller) -> None:
    id_, token = caller.project.key(*DEFAULT_SCOPES)
    other = Project(caller.project.server, caller.project.id, "", token)
    body = json.dumps(ROUTES["/v2/deployments/invoke"](caller.key)).encode()
    caller.send("revoked")
    sent = {"Idempotency-Key": "revoked"}
    assert other.request("POST", "/v2/deployments/invoke", body, sent).headers["x-moorage-replayed"] == "true"

    _, admin = caller.project.key(*Scope)
    Project(caller.project.server, caller.project.id, "", admin).request("DELETE", f"/v2/api-keys/{id_}")

    assert other.request("POST", "/v2/deployments/invoke", body, sent).status == 401


def test_a_response_of_more_than_a_mebibyte_is_not_stored_and_the_next_request_is_told_so(caller: Caller) -> None:
    def large(vendor: Vendor, request: Received) -> Reply:
        reply = vendor.respond(request)
        body = json.loads(reply.parts[0])
        body["choices"][0]["message"]["content"] = "x" * (1024 * 1024)
        return msgspec.structs.replace(reply, parts=[json.dumps(body).encode()])

    caller.vendors.fail_next("openai", large)
    assert len(caller.send("large").body) > 1024 * 1024

    again = caller.send("large")

    assert refusal(again) == (409, "response_not_stored")
    assert caller.calls() == 1


def test_a_claim_of_a_process_that_was_killed_ends_and_a_stored_response_after_24_hours(caller: Caller) -> None:
    """The times are in the database, so an older row is what remains of an earlier day."""
    with caller.project.server.open_store() as store:
        table, now_us = store.call_results, clock.now_us()
        key = CallKey(caller.project.id, "old", "0" * 64, "")
        assert table.claim(key, "killed", now_us - 31_000_000) is None
        assert table.claim(key, "next", now_us) is None, "it has not been renewed"
        assert not table.renew(key, "killed", now_us)
        table.finish(key, "killed", now_us, {}, b"too late")
        table.finish(key, "next", now_us - STORED_US, {}, b"of yesterday")
    assert "x-moorage-replayed" not in caller.send("old").headers
    assert caller.calls() == 1


def test_a_call_without_a_key_stores_nothing(caller: Caller) -> None:
    for _ in range(2):
        assert "x-moorage-replayed" not in caller.send(None).headers
    assert caller.calls() == 2


def test_a_full_quota_is_an_error_before_the_call(caller: Caller) -> None:
    api_key_id, token = caller.project.key(*DEFAULT_SCOPES)
    other = Project(caller.project.server, caller.project.id, "", token)
    with caller.project.server.open_store() as store:
        for number in range(65):
            key = CallKey(caller.project.id, f"fill{number}", "0" * 64, api_key_id)
            store.call_results.claim(key, "fill", clock.now_us())
            store.call_results.finish(key, "fill", clock.now_us(), {}, b"x" * (1024 * 1024))
    body = json.dumps(ROUTES["/v2/deployments/invoke"](caller.key)).encode()

    response = other.request("POST", "/v2/deployments/invoke", body, {"Idempotency-Key": "full"})

    assert refusal(response) == (429, "idempotency_quota_exceeded")
    assert caller.calls() == 0
    until(lambda: other.request("POST", "/v2/deployments/invoke", body).status == 200)
