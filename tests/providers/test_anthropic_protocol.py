"""The Anthropic Messages API as a protocol: bodies, responses and streams, compared with the official SDK."""

import json
from typing import Any

import msgspec
import pytest
from anthropic import Anthropic
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.core.resolution.config import Object
from moorage.providers import anthropic_protocol as protocol
from moorage.providers.anthropic import encode_messages_request
from moorage.providers.completion import Usage
from moorage.providers.errors import MalformedResponse, NotSupportedByProvider, ProviderFailed, UnsupportedModelType
from moorage.providers.protocol import Event, ProviderRequest
from moorage.providers.protocols import find_protocol
from tests.contract.generated import prompt_configs
from tests.providers.test_anthropic import a_config
from tests.providers.test_openai import PIXEL, USER, calls, result
from tests.providers.wire import (
    CUTS,
    EXTRAS,
    HOSTILE,
    a_stream,
    damaged,
    feed_all,
    joined,
    pieces_of,
    recording,
    streamed,
    survives,
    without_nulls,
)
from tests.support.json_values import VALUES

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}

USAGE = {"input_tokens": 10, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 20,
         "output_tokens_details": {"thinking_tokens": 6}}  # fmt: skip
MESSAGE: Object = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
    "content": [
        {"type": "thinking", "thinking": "Hm, né.", "signature": "s1g=="},
        {"type": "redacted_thinking", "data": "r3d=="},
        {"type": "text", "text": "Olá, "},
        {"type": "text", "text": "Zoë 🌍", "citations": [{"type": "char_location", "cited_text": "x"}]},
        {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Zürich", "days": [1, 2]}},
        {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
    ],
    "stop_reason": "tool_use", "stop_sequence": None, "usage": USAGE | {"service_tier": "standard"},
}  # fmt: skip
EVENTS: list[Object] = [
    {"type": "message_start", "message": MESSAGE | {
        "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1, "output_tokens_details": None}}},
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm, "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "né."}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s1g=="}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "redacted_thinking", "data": "r3d=="}},
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "Olá, "}},
    {"type": "content_block_delta", "index": 2, "delta": {
        "type": "citations_delta", "citation": {"type": "char_location", "cited_text": "x"}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "Zoë 🌍"}},
    {"type": "content_block_stop", "index": 2},
    {"type": "content_block_start", "index": 3, "content_block": {
        "type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}}},
    {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": '{"query": 1}'}},
    {"type": "content_block_stop", "index": 3},
    {"type": "content_block_start", "index": 4, "content_block": {
        "type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}},
    {"type": "content_block_delta", "index": 4, "delta": {"type": "input_json_delta", "partial_json": ""}},
    {"type": "content_block_delta", "index": 4, "delta": {"type": "input_json_delta", "partial_json": '{"city": "Zü'}},
    {"type": "content_block_delta", "index": 4, "delta": {
        "type": "input_json_delta", "partial_json": 'rich", "days": [1, 2]}'}},
    {"type": "content_block_stop", "index": 4},
    {"type": "content_block_start", "index": 5, "content_block": {
        "type": "tool_use", "id": "toolu_2", "name": "now", "input": {}}},
    {"type": "content_block_stop", "index": 5},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None},
     "usage": {"output_tokens": 20, "output_tokens_details": {"thinking_tokens": 6}}},
    {"type": "message_stop"},
]  # fmt: skip
STREAM = a_stream(EVENTS, with_names=True)

EXPECTED: Object = {
    "choices": {0: {
        "content": "Olá, Zoë 🌍", "reasoning": "Hm, né.", "reasoning_signature": "s1g==",
        "redacted_reasoning": "r3d==", "finish_reason": "tool_calls",
        "calls": [
            {"id": "toolu_1", "name": "weather", "arguments": '{"city": "Zürich", "days": [1, 2]}', "signature": None},
            {"id": "toolu_2", "name": "now", "arguments": "{}", "signature": None},
        ],
    }},
    "usage": Usage(17, 20, 4, 3, 6), "id": "msg_1", "model": "claude-sonnet-4-5-20250929",
}  # fmt: skip


def encode(*, stream: bool = False, **fields: Any) -> ProviderRequest:
    return protocol.encode(a_config(fields.pop("messages", None), **fields), {}, stream=stream)


def a_body(**fields: Any) -> bytes:
    return json.dumps(MESSAGE | fields, ensure_ascii=False).encode()


def test_it_is_the_protocol_of_the_table() -> None:
    assert find_protocol("anthropic") is protocol


def test_a_request_has_the_body_the_path_and_the_version() -> None:
    request = encode(messages=[{"role": "system", "content": "Be brief."}, *USER], parameters={"maxTokens": 9})
    assert request == ProviderRequest(
        "/messages", {"model": "claude-sonnet-4-5", "max_tokens": 9, "system": "Be brief.", "messages": USER},
        {"anthropic-version": "2026-10-21"}, {},
    )  # fmt: skip
    assert encode(stream=True).body["stream"] is True


@pytest.mark.parametrize("parameters", [{"temperature": 0.2}, {"topK": 3}, {"top_p": 0.5}])
def test_sampling_parameters_need_the_older_version(parameters: Object) -> None:
    request = encode(parameters=parameters)
    assert request.headers == {"anthropic-version": "2023-06-01"}
    assert {"temperature", "top_k", "top_p"} & {*request.body}
    request = encode(model="claude-opus-5", parameters={"temperature": 0.2})
    assert request.headers == {"anthropic-version": "2026-10-21"}
    assert {*request.omitted} == {"parameters.temperature"}


def test_a_prompt_of_instructions_only_is_sent_as_the_user() -> None:
    body = encode(messages=[{"role": "system", "content": "Write a poem."}]).body
    assert body["messages"] == [{"role": "user", "content": "Write a poem."}]
    assert "system" not in body


@pytest.mark.parametrize(("parameters", "expected"), [
    ({"stop": "END"}, {"stop_sequences": ["END"]}),
    ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
    ({"tool_choice": "auto"}, {"tool_choice": {"type": "auto"}}),
    ({"tool_choice": "none"}, {"tool_choice": {"type": "none"}}),
    ({"tool_choice": "required"}, {"tool_choice": {"type": "any"}}),
    ({"tool_choice": {"type": "function", "function": {"name": "weather"}}},
     {"tool_choice": {"type": "tool", "name": "weather"}}),
    ({"tool_choice": {"type": "tool", "name": "weather"}}, {"tool_choice": {"type": "tool", "name": "weather"}}),
    ({"parallel_tool_calls": False}, {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
    ({"tool_choice": "required", "parallel_tool_calls": False},
     {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}}),
    ({"parallel_tool_calls": True, "n": 1, "logprobs": False, "top_logprobs": 0}, {}),
    ({"user": "u1"}, {"metadata": {"user_id": "u1"}}),
    ({"service_tier": "auto", "new_parameter": {"a": 1}}, {"service_tier": "auto", "new_parameter": {"a": 1}}),
])  # fmt: skip
def test_parameters_of_openai_have_the_names_of_this_api(parameters: Object, expected: Object) -> None:
    request = encode(parameters=parameters, tools=[TOOL])
    known = ("model", "max_tokens", "messages", "tools")
    assert {name: value for name, value in request.body.items() if name not in known} == expected
    assert request.omitted == {}


@pytest.mark.parametrize(("parameters", "expected", "omitted"), [
    ({"tool_choice": "none", "parallel_tool_calls": False}, {"tool_choice": {"type": "none"}}, "parallel_tool_calls"),
    ({"user": "u1", "metadata": {"user_id": "u2"}}, {"metadata": {"user_id": "u2"}}, "user"),
])  # fmt: skip
def test_a_parameter_that_another_one_replaces_is_listed(parameters: Object, expected: Object, omitted: str) -> None:
    request = encode(parameters=parameters, tools=[TOOL])
    assert request.body.items() >= expected.items()
    assert {*request.omitted} == {f"parameters.{omitted}"}


def test_other_metadata_are_omitted() -> None:
    request = encode(parameters={"metadata": {"team": "a"}})
    assert "metadata" not in request.body
    assert {*request.omitted} == {"parameters.metadata"}


@pytest.mark.parametrize(("name", "value"), [("n", 2), ("logprobs", True), ("top_logprobs", 3), ("stream", True)])
def test_parameters_that_change_the_response_are_rejected(name: str, value: object) -> None:
    with pytest.raises(NotSupportedByProvider) as caught:
        encode(parameters={name: value})
    assert caught.value.param == f"parameters.{name}"


def test_another_model_type_is_rejected() -> None:
    with pytest.raises(UnsupportedModelType):
        encode(type="image")


def test_a_response_has_all_parts() -> None:
    assert joined([protocol.decode(a_body())]) == EXPECTED


@pytest.mark.parametrize(("reason", "expected"), [
    ("end_turn", "stop"), ("stop_sequence", "stop"), ("pause_turn", "stop"), ("max_tokens", "length"),
    ("model_context_window_exceeded", "length"), ("tool_use", "tool_calls"), ("refusal", "content_filter"),
    ("a_new_reason", "stop"), (None, "stop"),
])  # fmt: skip
def test_a_reason_is_in_the_vocabulary_of_openai(reason: str | None, expected: str) -> None:
    assert protocol.decode(a_body(stop_reason=reason)).choices[0].finish_reason == expected
    if reason:
        events: list[Object] = [{"type": "message_delta", "delta": {"stop_reason": reason}}, {"type": "message_stop"}]
        assert streamed(protocol, [a_stream(events)])["choices"][0]["finish_reason"] == expected


def test_the_explanation_of_a_refusal_is_returned() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    choice = protocol.decode(a_body(content=[], stop_reason="refusal", stop_details=details)).choices[0]
    assert (choice.content, choice.refusal, choice.finish_reason) == (None, "No.", "content_filter")


def test_several_thoughts_have_no_signature() -> None:
    block = {"type": "thinking", "thinking": "a", "signature": "s"}
    choice = protocol.decode(a_body(content=[block, block])).choices[0]
    assert (choice.reasoning, choice.reasoning_signature) == ("aa", None)

    start: Object = {"type": "content_block_start", "index": 0, "content_block": block}
    events: list[Object] = [
        start,
        start,
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ]
    found = streamed(protocol, [a_stream(events)])["choices"][0]
    assert (found["reasoning"], found.get("reasoning_signature")) == ("aa", None)


def test_a_stream_has_the_same_parts_as_a_response() -> None:
    assert streamed(protocol, [STREAM]) == EXPECTED


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_stream_is_the_same_byte_by_byte(line_end: str) -> None:
    data = a_stream(EVENTS, with_names=True, line_end=line_end)
    assert streamed(protocol, [data[place : place + 1] for place in range(len(data))]) == EXPECTED


@given(cuts=CUTS, line_end=st.sampled_from(["\n", "\r\n"]))
def test_a_stream_is_the_same_in_any_pieces(cuts: list[int], line_end: str) -> None:
    data = a_stream(EVENTS, with_names=True, line_end=line_end)
    assert streamed(protocol, pieces_of(data, cuts)) == EXPECTED


def test_a_stream_that_was_cut_off_is_not_complete() -> None:
    splitter, parser = protocol.splitter(), protocol.parser()
    for event in splitter.feed(a_stream(EVENTS[:-1])):
        parser.feed(event)
    assert not parser.is_complete


@pytest.mark.parametrize(("kind", "status"), [
    ("invalid_request_error", 400), ("authentication_error", 401), ("permission_error", 403), ("not_found_error", 404),
    ("request_too_large", 413), ("rate_limit_error", 429), ("api_error", 500), ("timeout_error", 504),
    ("overloaded_error", 529), ("a_new_error", 500),
])  # fmt: skip
def test_an_error_in_a_stream_has_its_status(kind: str, status: int) -> None:
    error = {"type": "error", "error": {"type": kind, "message": "Overloaded"}, "request_id": "r"}
    for feed in (protocol.parser().feed, lambda event: protocol.decode(event.data)):
        with pytest.raises(ProviderFailed) as caught:
            feed(Event(json.dumps(error).encode(), "error"))
        assert (caught.value.message, caught.value.status, caught.value.code) == ("Overloaded", status, kind)


def test_the_texts_of_an_error_are_cut_off() -> None:
    error = {"type": "error", "error": {"type": "x" * 1_000_000, "message": "y" * 1_000_000}}
    with pytest.raises(ProviderFailed) as caught:
        protocol.decode(json.dumps(error).encode())
    assert (len(caught.value.message), len(caught.value.code or "")) == (1_000, 100)


def test_a_stream_cannot_grow_without_bound() -> None:
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "a", "name": "f"}}
    with pytest.raises(MalformedResponse):
        feed_all(protocol, [start] * 2_000)

    start = {"type": "content_block_start", "content_block": {"type": "thinking"}}
    delta = {"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "s" * 2**20}}
    with pytest.raises(MalformedResponse):
        feed_all(protocol, [start, *[delta] * 40])


@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_body_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        protocol.decode(body)
    with pytest.raises(MalformedResponse):
        protocol.parser().feed(Event(body))


@pytest.mark.parametrize("block", [
    {"type": "tool_use", "id": "a", "name": "f", "input": "x"}, {"type": "tool_use", "id": 5}, {"type": 5}, 5, None,
    {"type": "text", "text": 5}, {"type": "thinking", "signature": {}},
])  # fmt: skip
def test_a_block_of_a_wrong_type_is_malformed(block: object) -> None:
    with pytest.raises(MalformedResponse):
        protocol.decode(a_body(content=[block]))


@given(events=damaged([MESSAGE, *EVENTS]))
def test_a_damaged_response_raises_nothing_else(events: list[bytes]) -> None:
    survives(protocol, events)


@given(value=VALUES)
def test_any_json_raises_nothing_else(value: object) -> None:
    survives(protocol, [json.dumps(value).encode()])


@pytest.mark.parametrize("number", [-1, 10**30, 1e300])
def test_an_impossible_number_of_tokens_is_not_reported(number: float) -> None:
    usage = protocol.decode(a_body(usage={"input_tokens": number, "cache_read_input_tokens": number})).usage
    assert usage == Usage(0, 0, None, None, None)


CASES: list[Object] = [
    {"parameters": {"maxTokens": 50}},
    {"parameters": {"maxTokens": 50, "temperature": 0.5, "topP": 0.9, "topK": 3, "stop": ["END"]}},
    {"parameters": {"budgetTokens": 2_000, "maxTokens": 9_000}},
    {"model": "claude-opus-5", "parameters": {"reasoningEffort": "high", "user": "u"}},
    {"tools": [TOOL], "parameters": {"tool_choice": "required", "parallel_tool_calls": False},
     "messages": [{"role": "system", "content": "Be brief."}, *USER, calls("toolu_1"), result("toolu_1")]},
    {"messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]}]},
    {"parameters": {"responseFormat": {"type": "json_schema", "json_schema": {
        "name": "a", "schema": {"type": "object", "properties": {}, "additionalProperties": False}}}}},
]  # fmt: skip


@pytest.mark.parametrize("fields", CASES)
@pytest.mark.parametrize("stream", [False, True])
def test_the_sdk_sends_the_same_and_reads_the_same(fields: Object, stream: bool) -> None:
    fields = Object(model="claude-sonnet-4-5-own") | fields  # the SDK warns of the end of a known model
    config = a_config(**fields)
    arguments: Any = encode_messages_request(config)[0]
    request = protocol.encode(config, {}, stream=stream)
    reply, kind = (STREAM, "text/event-stream") if stream else (a_body(), "application/json")
    with recording(reply, kind) as recorder, Anthropic(base_url=recorder.url, api_key="k", max_retries=0) as client:
        if stream:
            with client.messages.stream(**arguments) as found:
                message = found.get_final_message()
        else:
            message = client.messages.create(**arguments)

    assert recorder.path == f"/v1{request.path}"
    assert without_nulls(recorder.body) == without_nulls(request.body)
    assert recorder.headers["anthropic-version"] == request.headers["anthropic-version"]
    ours = streamed(protocol, [reply])["choices"][0] if stream else joined([protocol.decode(reply)])["choices"][0]
    blocks = message.content
    assert ours["content"] == "".join(block.text for block in blocks if block.type == "text")
    assert ours["reasoning"] == "".join(block.thinking for block in blocks if block.type == "thinking")
    assert [(call["id"], call["name"], json.loads(call["arguments"])) for call in ours["calls"]] == [
        (block.id, block.name, block.input) for block in blocks if block.type == "tool_use"
    ]
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", EXPECTED["usage"].completion_tokens)


@pytest.mark.system
@settings(max_examples=1_000)
@given(config=prompt_configs(is_newest=True), extras=EXTRAS, stream=st.booleans())
def test_any_configuration_is_encoded_or_rejected(config: Object, extras: Object, stream: bool) -> None:
    try:
        request = encode(
            stream=stream, messages=config["messages"], model=config["model"], tools=config["tools"],
            parameters=config["model_parameters"] | extras,
        )  # fmt: skip
    except NotSupportedByProvider as error:
        assert error.param  # noqa: PT017 -- most configurations are not rejected
        return
    msgspec.json.encode(request.body)
    assert request.path == "/messages"
