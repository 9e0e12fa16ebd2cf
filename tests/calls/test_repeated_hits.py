"""A hit of the response cache that is repeated: the request is not read again, and its response does not show it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.core.deployments.history import OPERATOR, Subject
from tests.support.gateway import ALLOW_LOOPBACK, Gateway
from tests.support.raw import RawRequest
from tests.support.server import Project, Response, SharedServer, a_body
from tests.support.team import refusal
from tests.support.threads import until
from tests.support.vendors.server import VendorServer

PATHS = ("/v2/deployments/invoke", "/v2/deployments/stream", "/v1/chat/completions", "/v1/responses")

#: What differs from hit to hit.
_CHANGING = ("date", "x-request-id", "x-moorage-overhead-ms", "age", "content-length")


class Cached:
    """A deployment with a cache, in a project of its own."""

    def __init__(self, server: SharedServer, vendors: VendorServer) -> None:
        self.gateway, self.vendors = Gateway(server, vendors), vendors
        self.project = self.gateway.project
        self.publish("Answer briefly.")

    def publish(self, text: str, ttl: int = 3600) -> None:
        """Publish a version."""
        messages = [{"role": "system", "content": text + " {{name}}"}]
        body = a_body(provider="openai", model="openai/my-gpt", messages=messages, model_parameters={})
        self.project.put("cached", {**body, "settings": {"cache": {"enabled": True, "type": "exact", "ttl": ttl}}})
        self.vendors.take("openai")

    def send(
        self, path: str, text: str, headers: Mapping[str, str] | None = None, by: Project | None = None, **fields: Any
    ) -> Response:
        """Call the deployment."""
        said = {"messages": [{"role": "user", "content": text}]} if "responses" not in path else {"input": text}
        body = {("key" if "/v2/" in path else "model"): "cached", **said, **fields}
        return (by or self.project).request("POST", path, json.dumps(body).encode(), headers)

    def calls(self) -> int:
        """Return the number of calls of the provider since the last time."""
        return len(self.vendors.take("openai"))


@pytest.fixture(scope="module")
def running(vendors: VendorServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    with SharedServer(tmp_path_factory.mktemp("hits"), prefix=ALLOW_LOOPBACK) as server:
        yield server


@pytest.fixture
def cached(running: SharedServer, vendors: VendorServer) -> Cached:
    return Cached(running, vendors)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("is_stream", [False, True])
def test_repeated_hits_are_as_the_first_one_with_ids_of_their_own(
    cached: Cached, path: str, *, is_stream: bool
) -> None:
    fields: dict[str, Any] = {"stream": True} if is_stream else {}
    sent = [cached.send(path, "Hello", **fields) for _ in range(5)]

    assert [each.headers["x-moorage-cache"] for each in sent] == ["miss", "hit", "hit", "hit", "hit"]
    first, *others = ({k: v for k, v in each.headers.items() if k not in _CHANGING} for each in sent[1:])
    assert others == [first] * 3
    ages = [int(each.headers["age"]) for each in sent[1:]]
    assert ages == sorted(ages)
    assert len({each.headers["x-request-id"] for each in sent}) == 5
    assert len({each.body for each in sent}) == 5, "each call has an id"
    assert [len(each.body) for each in sent[2:]] == [len(sent[1].body)] * 3
    assert all(int(each.headers.get("content-length", len(each.body))) == len(each.body) for each in sent)
    assert cached.calls() == 1


def test_each_repeated_hit_is_in_the_log_and_counts_as_use(cached: Cached) -> None:
    for _ in range(4):
        cached.send("/v2/deployments/invoke", "Log this", inputs={"name": "Ada"})

    def lines() -> list[dict[str, Any]]:
        found = cached.project.server.log_lines()
        return [line for line in found if line.get("event") == "call" and line["api_key"] in cached.project.token]

    until(lambda: len(lines()) == 4)
    assert [line["cache"] for line in lines()] == ["miss", "hit", "hit", "hit"]
    assert len({line["call_id"] for line in lines()}) == 4
    assert {line["prompt_tokens"] for line in lines()} == {lines()[0]["prompt_tokens"]}
    until(lambda: bool(cached.project.request("GET", "/v2/deployments/cached/callers").json["data"]))


@pytest.mark.parametrize(
    ("header", "expected"),
    [({"Cache-Control": "no-store"}, "bypass"), ({"Cache-Control": "no-cache"}, "miss"), ({"X-Other": "a"}, "hit")],
)
def test_headers_of_a_repeated_request_count(cached: Cached, header: dict[str, str], expected: str) -> None:
    for _ in range(3):
        cached.send("/v1/chat/completions", "Headers")
    assert cached.send("/v1/chat/completions", "Headers", header).headers["x-moorage-cache"] == expected


def test_a_repeated_hit_is_in_the_trace_of_its_caller(cached: Cached) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    for _ in range(3):
        cached.send("/v2/deployments/invoke", "Trace")
    response = cached.send("/v2/deployments/invoke", "Trace", {"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    assert (response.headers["x-moorage-cache"], response.json["telemetry"]["trace_id"]) == ("hit", trace)


def test_a_new_version_and_an_old_entry_are_no_hits(cached: Cached) -> None:
    for _ in range(3):
        assert cached.send("/v1/chat/completions", "Change").headers["x-moorage-version"] == "1.0"
    cached.publish("Answer at length.", ttl=1)
    response = cached.send("/v1/chat/completions", "Change")
    assert (response.headers["x-moorage-cache"], response.headers["x-moorage-version"]) == ("miss", "1.1")
    for _ in range(2):
        cached.send("/v1/chat/completions", "Change")
    until(lambda: cached.send("/v1/chat/completions", "Change").headers["x-moorage-cache"] == "miss")


def test_an_equal_request_of_another_key_and_of_a_revoked_one(cached: Cached) -> None:
    id_, token = cached.project.key(*DEFAULT_SCOPES)
    other = Project(cached.project.server, cached.project.id, "", token)
    for _ in range(3):
        cached.send("/v1/chat/completions", "Keys")
        assert cached.send("/v1/chat/completions", "Keys", by=other).headers["x-moorage-cache"] == "hit"
    _, reader = cached.project.key(Scope.READ)
    without = Project(cached.project.server, cached.project.id, "", reader)
    assert refusal(cached.send("/v1/chat/completions", "Keys", by=without)) == (403, "insufficient_scope")
    _, admin = cached.project.key(*Scope)

    Project(cached.project.server, cached.project.id, "", admin).request("DELETE", f"/v2/api-keys/{id_}")

    assert cached.send("/v1/chat/completions", "Keys", by=other).status == 401


def test_a_key_that_is_revoked_while_the_body_arrives_gets_no_hit(cached: Cached) -> None:
    id_, token = cached.project.key(*DEFAULT_SCOPES)
    other = Project(cached.project.server, cached.project.id, "", token)
    body = json.dumps({"model": "cached", "messages": [{"role": "user", "content": "Late"}]}).encode()
    for _ in range(3):
        assert other.request("POST", "/v1/chat/completions", body).status == 200
    request = RawRequest(other.server.port)
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request.send_head("POST", "/v1/chat/completions", head, len(body))
    # The server has read the headers when it has responded to another request of the connection's worker.
    assert other.request("POST", "/v1/chat/completions", body).headers["x-moorage-cache"] == "hit"

    with other.server.open_store() as store, store.write() as tx:
        tx.revoke_api_key(id_)
        tx.record("key_revoked", OPERATOR, Subject(other.id, subject_key_id=id_))
    request.send(body)

    assert request.response().status == 401


def test_requests_that_differ_in_a_byte_are_no_repetitions(cached: Cached) -> None:
    for text in ("a", "b", "a ", "b"):
        for _ in range(2):
            cached.send("/v1/chat/completions", text)
    assert cached.calls() == 3
