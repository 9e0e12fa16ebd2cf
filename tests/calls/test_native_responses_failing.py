"""Fallbacks, retries, broken streams and the cache of calls of the Responses API."""

import json
from typing import Any

import openai
import pytest

from tests.calls.responses_api import SEARCH, events_of
from tests.support.gateway import Gateway, model_name
from tests.support.server import a_body
from tests.support.vendors import faults
from tests.support.vendors.server import Received, Reply, Vendor


def _with_fallback(gateway: Gateway, provider: str, other: str) -> str:
    model = model_name(other, gateway.vendors.vendors[other].model("chat"))
    fallback = {"provider": other, "model": model, "model_type": "chat", "model_parameters": {}}
    return gateway.deploy(provider, fallbacks=[fallback], retry_count=0)


@pytest.mark.parametrize(("provider", "other"), [("openai", "anthropic"), ("anthropic", "openai")])
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_fallback_gets_the_request_in_its_own_form(
    gateway: Gateway, client: openai.OpenAI, provider: str, other: str, *, is_stream: bool
) -> None:
    key = _with_fallback(gateway, provider, other)
    gateway.vendors.fail_next(provider, faults.status(500))
    if is_stream:
        last = events_of(client.responses.create(model=key, input="Hi", stream=True))[-1]
        assert last.response.output_text == "You said: Hi"
    else:
        assert client.responses.create(model=key, input="Hi").output_text == "You said: Hi"
    (sent,) = gateway.vendors.take(other)
    assert ("messages" in sent.json) == (other == "anthropic")


def test_a_fallback_that_cannot_run_the_tools_is_skipped(gateway: Gateway, client: openai.OpenAI) -> None:
    key = _with_fallback(gateway, "openai", "anthropic")
    gateway.vendors.fail_next("openai", faults.status(500))
    with pytest.raises(openai.InternalServerError) as caught:
        client.responses.create(model=key, input="Hi", tools=[SEARCH])
    assert caught.value.code == "provider_error"
    assert "not_supported_by_provider" in caught.value.response.headers["X-Moorage-Attempt-Log"]
    assert gateway.vendors.take("anthropic") == []


def test_a_fallback_at_another_provider_gets_no_reasoning_of_the_first(gateway: Gateway, client: openai.OpenAI) -> None:
    thought = {"type": "reasoning", "id": "rs_01", "summary": [], "encrypted_content": "gAAAA-rs_01"}
    items: Any = [thought, {"role": "user", "content": "Hi"}]
    key = _with_fallback(gateway, "openai", "azure")
    gateway.vendors.fail_next("openai", faults.status(500))
    assert client.responses.create(model=key, input=items).output_text == "You said: Hi"
    (sent,) = gateway.vendors.take("azure")
    assert "gAAAA" not in sent.body.decode()


def test_a_request_is_sent_again_after_a_failure(gateway: Gateway, client: openai.OpenAI) -> None:
    key = gateway.deploy("openai", retry_count=1)
    gateway.vendors.fail_next("openai", faults.status(503, **{"Retry-After": "0"}))
    response = client.responses.with_raw_response.create(model=key, input="Hi", tools=[SEARCH])
    assert response.headers["X-Moorage-Attempts"] == "2"
    first, second = gateway.vendors.take("openai")
    assert first.body == second.body


def _event(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json.dumps({"type": kind, **fields}).encode())


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (_event("error", code="server_error", message="It crashed.", param=None), "provider_error"),
        (
            _event("response.failed", response={"error": {"code": "rate_limit_exceeded", "message": "Too many."}}),
            "rate_limit_exceeded",
        ),
        (b'data: {"type": "response.output_text.delta", "delta": "\xff"}\n\n', "provider_error"),
        (_event("response.completed", response={"status": "completed"}), "provider_error"),
        (b"", "provider_error"),
    ],
)  # fmt: skip
def test_a_failure_within_a_stream_is_an_error_and_never_an_end(
    gateway: Gateway, client: openai.OpenAI, last: bytes, code: str
) -> None:
    def fault(vendor: Vendor, request: Received) -> Reply:
        parts = vendor.respond(request).parts
        return Reply.of_events([*parts[:4], last])

    gateway.vendors.fail_next("openai", fault)
    with pytest.raises(openai.APIError) as caught:
        [*client.responses.create(model=gateway.deploy("openai"), input="Say hello", stream=True)]
    assert caught.value.code == code


def test_events_without_numbers_or_with_several_lines_reach_the_caller_with_numbers(
    gateway: Gateway, client: openai.OpenAI
) -> None:
    def fault(vendor: Vendor, request: Received) -> Reply:
        events = []
        for part in vendor.respond(request).parts:
            value = json.loads(part.partition(b"data: ")[2])
            del value["sequence_number"]
            lines = json.dumps(value, indent=1).split("\n")
            events.append("".join(f"data: {line}\n" for line in lines).encode() + b"\n")
        return Reply.of_events([*events, b'data: {"type": "keep\\nalive"}\n\n'])

    gateway.vendors.fail_next("openai", fault)
    events = events_of(client.responses.create(model=gateway.deploy("openai"), input="Hi", stream=True))
    assert events[-1].response.output_text == "You said: Hi"


def test_the_usage_of_a_response_is_counted(gateway: Gateway, client: openai.OpenAI) -> None:
    response = client.responses.create(model=gateway.deploy("openai"), input="Hi", tools=[SEARCH])
    streamed = events_of(client.responses.create(model=gateway.deploy("openai"), input="Hi", stream=True))[-1].response
    assert response.usage == streamed.usage
    assert response.usage
    assert response.usage.input_tokens == 3
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


@pytest.mark.parametrize("is_first_stream", [False, True])
def test_the_cache_has_the_items_as_the_provider_sent_them(
    gateway: Gateway, client: openai.OpenAI, *, is_first_stream: bool
) -> None:
    key = _cached(gateway, f"Cached {is_first_stream}")
    asked: Any = {"model": key, "input": "Hi", "reasoning": {"effort": "high"}}
    raw = client.responses.with_raw_response
    found = list[Any]()
    for is_stream in (is_first_stream, False, True):
        response = raw.create(**asked, stream=is_stream)
        parsed: Any = response.parse()
        last = events_of(parsed)[-1].response if is_stream else parsed
        found.append((response.headers["X-Moorage-Cache"], last.to_dict()["output"], last.usage, last.output_text))
    assert [state for state, *_ in found] == ["miss", "hit", "hit"]
    assert found[0][1:] == found[1][1:] == found[2][1:]
    assert [item["id"] for item in found[0][1]] == ["rs_01", "msg_01"]
    with client.responses.stream(**asked) as stream:
        assert stream.get_final_response().output_text == "You said: Hi"
    assert len(gateway.vendors.take("openai")) == 1


def test_the_cache_separates_requests_that_differ_in_what_only_this_api_has(
    gateway: Gateway, client: openai.OpenAI
) -> None:
    key = _cached(gateway, "Differ")
    for more in ({}, {"include": ["reasoning.encrypted_content"]}, {"tools": [SEARCH]}, {"truncation": "auto"}):
        given: Any = more
        response = client.responses.with_raw_response.create(model=key, input="Hi", **given)
        assert response.headers["X-Moorage-Cache"] == "miss", more


def test_a_response_with_a_call_of_a_hosted_tool_is_not_cached(gateway: Gateway, client: openai.OpenAI) -> None:
    key = _cached(gateway, "Tools")
    for is_stream in (False, True, False):
        response = client.responses.with_raw_response.create(
            model=key, input="Use web_search", tools=[SEARCH], stream=is_stream
        )
        response.parse() if not is_stream else events_of(response.parse())
        assert response.headers["X-Moorage-Cache"] == "miss"


def _cached(gateway: Gateway, instruction: str) -> str:
    messages = [{"role": "system", "content": instruction}]
    body = a_body(provider="openai", model="openai/my-gpt", model_type="chat", messages=messages, model_parameters={})
    return gateway.put(body | {"settings": {"cache": {"enabled": True, "type": "exact", "ttl": 3_600}}})
