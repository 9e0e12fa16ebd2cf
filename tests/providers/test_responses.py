"""The Responses API; the types of the openai SDK are the oracle for requests, responses and events."""

import json
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers import responses
from moorage.providers.completion import Choice, Completion, ToolCall, Usage
from moorage.providers.errors import MalformedResponse, NotSupportedByProvider, ProviderFailed, UnsupportedModelType
from moorage.providers.protocol import Event
from tests.contract.full_items import PROVIDER_VALUES
from tests.contract.generated import prompt_configs
from tests.providers.test_every_configuration import check
from tests.providers.test_openai import DATA, PIXEL, a_config

PARAMS = TypeAdapter[Any](ResponseCreateParamsNonStreaming)
EVENT = TypeAdapter[Any](ResponseStreamEvent)
FUNCTION = {"name": "weather", "description": "Weather.", "parameters": {"type": "object", "properties": {}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
CITATION = {"start_index": 0, "end_index": 5, "title": "Paris", "url": "https://example.com/paris"}


def a_responses_config(messages: list[Object] | None = None, **fields: Any) -> ResolvedConfig:
    return a_config(messages, **{"provider": "perplexity", "model": "perplexity/sonar"} | fields)


def body_of(config: ResolvedConfig) -> Object:
    request = responses.encode(config, {}, stream=False)
    assert request.omitted == {}
    assert request.path == "/responses"
    return request.body


def test_a_conversation_is_instructions_and_items() -> None:
    body = body_of(a_responses_config([
        {"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"},
                                     {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
                                     {"type": "file", "file": {"file_data": DATA, "filename": "a.pdf"}},
                                     {"type": "file", "file": {"uri": "https://example.com/a.pdf"}}]},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "Sunny"},
        {"role": "developer", "content": "Now end."},
    ], tools=[{"type": "function", "function": FUNCTION}]))  # fmt: skip

    assert body == {
        "model": "perplexity/sonar", "instructions": "Be brief.\n\nBe kind.",
        "input": [
            {"type": "message", "role": "user", "content": "Hello"},
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": PIXEL, "detail": "low"},
                {"type": "input_file", "file_data": DATA, "filename": "a.pdf"},
                {"type": "input_file", "file_url": "https://example.com/a.pdf"},
            ]},
            {"type": "message", "role": "assistant", "content": "Let me see."},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Paris"}'},
            {"type": "function_call_output", "call_id": "c1", "output": "Sunny"},
            {"type": "message", "role": "system", "content": "Now end."},
        ],
        "tools": [{"type": "function", "strict": False, **FUNCTION}],
    }  # fmt: skip
    check(body, PARAMS)


def test_instructions_alone_are_the_input() -> None:
    assert body_of(a_responses_config([{"role": "system", "content": "Hi"}])) == {
        "model": "perplexity/sonar", "input": "Hi"
    }  # fmt: skip


@pytest.mark.parametrize(("parameters", "expected"), [
    ({"temperature": 0.2, "topP": 0.9, "maxTokens": 50.0}, {"temperature": 0.2, "top_p": 0.9, "max_output_tokens": 50}),
    ({"reasoningEffort": "disable"}, {"reasoning": {"effort": "none"}}),
    ({"reasoningEffort": "low", "reasoning": {"summary": "auto"}}, {"reasoning": {"effort": "low", "summary": "auto"}}),
    ({"verbosity": "low", "responseFormat": {"type": "json_object"}},
     {"text": {"format": {"type": "json_object"}, "verbosity": "low"}}),
    ({"responseFormat": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}, "strict": True}}},
     {"text": {"format": {"type": "json_schema", "name": "a", "schema": {}, "strict": True}}}),
    ({"tool_choice": "required", "parallel_tool_calls": False},
     {"tool_choice": "required", "parallel_tool_calls": False}),
    ({"tool_choice": {"type": "function", "function": {"name": "f"}}},
     {"tool_choice": {"type": "function", "name": "f"}}),
    ({"preset": "fast-search", "metadata": {"a": "b"}, "store": False},
     {"preset": "fast-search", "metadata": {"a": "b"}, "store": False}),
    ({"maxTokens": 5, "max_tokens": 7, "other": 1}, {"max_output_tokens": 7, "other": 1}),
])  # fmt: skip
def test_parameters_have_the_names_of_the_api(parameters: Object, expected: Object) -> None:
    body = body_of(a_responses_config(parameters=parameters))

    assert {name: value for name, value in body.items() if name not in ("model", "input")} == expected
    check({name: value for name, value in body.items() if name not in ("preset", "other")}, PARAMS)


def test_reasoning_models_of_openai_get_no_temperature() -> None:
    config = a_config(model="gpt-5.1", parameters={"temperature": 1, "topP": 1})
    request = responses.encode(config, {}, stream=True)

    assert [*request.omitted] == ["parameters.temperature", "parameters.topP"]
    assert request.body["stream"] is True


def test_what_the_api_does_not_have_is_listed_or_rejected() -> None:
    config = a_responses_config(parameters={"topK": 3, "seed": 1, "logit_bias": {"1": 1}})
    assert [*responses.encode(config, {}, stream=False).omitted] == [
        "parameters.logit_bias", "parameters.topK", "parameters.seed"
    ]  # fmt: skip
    for parameters in ({"stop": "x"}, {"n": 2}, {"reasoning": 3}, {"tool_choice": 5}):
        with pytest.raises(NotSupportedByProvider):
            responses.encode(a_responses_config(parameters=parameters), {}, stream=False)
    with pytest.raises(NotSupportedByProvider):
        body_of(a_responses_config([{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]))


@pytest.mark.system
@settings(max_examples=1_000, deadline=None)
@given(config=prompt_configs(is_newest=True), further=st.lists(st.sampled_from([*PROVIDER_VALUES.items()]), max_size=2))
def test_each_configuration_is_translated_or_rejected(config: Object, further: list[Any]) -> None:
    resolved = a_responses_config(
        config["messages"], tools=config["tools"], parameters=config["model_parameters"] | dict(further),
        type=config["model_type"],
    )  # fmt: skip
    try:
        request = responses.encode(resolved, {}, stream=False)
    except (NotSupportedByProvider, UnsupportedModelType):
        return
    msgspec.json.encode(request.body)
    check({name: value for name, value in request.body.items() if name not in ("preset", "reasoning")}, PARAMS)


# Responses

ANSWER: Object = {
    "id": "resp_1", "object": "response", "created_at": 1786000003, "status": "completed", "model": "sonar",
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."},
                                                        {"type": "summary_text", "text": "So."}]},
        {"type": "search_results", "queries": ["q"], "results": [{"id": 1}], "content": 5},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": "Paris ", "annotations": [{"type": "citation", **CITATION}]},
            {"type": "output_text", "text": "[1].", "annotations": []},
        ]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": '{"city": "Paris"}'},
    ],
    "usage": {"input_tokens": 14, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
              "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 3},
              "total_tokens": 23, "cost": {"total_cost": 0.005}},
    "error": None, "incomplete_details": None, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
}  # fmt: skip


def test_a_response_has_the_texts_that_the_sdk_reads() -> None:
    completion = responses.decode(json.dumps(ANSWER).encode())

    assert completion == Completion([Choice(
        content="Paris [1].", reasoning="Hm.\n\nSo.", tool_calls=[ToolCall(0, "c1", "weather", '{"city": "Paris"}')],
        finish_reason="tool_calls", annotations=[{"type": "url_citation", "url_citation": CITATION}],
    )], Usage(14, 9, 4, 2, 3), "resp_1", "sonar")  # fmt: skip
    known = [item for item in ANSWER["output"] if item["type"] != "search_results"]
    text = json.dumps({**ANSWER, "output": known}).replace('"citation"', '"url_citation"')
    sdk = Response.model_validate_json(text)
    assert completion.choices[0].content == sdk.output_text


@pytest.mark.parametrize(("change", "reason"), [
    ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
    ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
    ({"output": []}, "stop"),
])  # fmt: skip
def test_each_status_is_a_reason(change: Object, reason: str) -> None:
    assert responses.decode(json.dumps(ANSWER | change).encode()).choices[0].finish_reason == reason


def test_a_refusal_is_apart_from_the_text() -> None:
    message = {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}

    assert responses.decode(json.dumps({**ANSWER, "output": [message]}).encode()).choices == [
        Choice(refusal="No.", tool_calls=[], finish_reason="stop")
    ]


@pytest.mark.parametrize(("error", "status", "code"), [
    ({"code": "rate_limit_exceeded", "message": "Slow down"}, 429, "rate_limit_exceeded"),
    ({"code": "server_error", "message": "Slow down"}, 500, "server_error"),
    ({"type": "invalid_request_error", "message": "Slow down"}, 400, "invalid_request_error"),
    ({"code": 429, "message": "Slow down"}, 429, "429"),
    ("Slow down", 500, None),
])  # fmt: skip
def test_a_failed_response_is_a_failure(error: object, status: int, code: str | None) -> None:
    body = {**ANSWER, "status": "failed", "error": error}
    parser = responses.parser()
    for event in (None, Event(json.dumps({"type": "response.failed", "response": body}).encode()),
                  Event(json.dumps({"error": error}).encode(), "error")):  # fmt: skip
        with pytest.raises(ProviderFailed) as found:
            responses.decode(json.dumps(body).encode()) if event is None else parser.feed(event)
        assert (found.value.message, found.value.status, found.value.code) == ("Slow down", status, code)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"output": [3]}', b'{"output": [], "status": "queued"}', b'{"output": 5}']
)
def test_a_body_that_is_no_response_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        responses.decode(body)


def test_a_response_with_too_many_parts_is_malformed() -> None:
    with pytest.raises(MalformedResponse, match="more than 1024"):
        responses.decode(json.dumps({**ANSWER, "output": [{"type": "x"}] * 1_025}).encode())


# Streams

HEAD = {name: value for name, value in ANSWER.items() if name not in ("usage", "status", "output")}
CALL_ITEM = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": ""}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
    {"type": "output_text", "text": "Paris ✓ é", "annotations": [{"type": "url_citation", **CITATION}]},
]}  # fmt: skip
THOUGHT = {"output_index": 0, "item_id": "r"}
TEXT: Object = {"output_index": 1, "content_index": 0, "item_id": "m", "logprobs": []}
EVENTS: list[Object] = [
    {"type": "response.created", "response": {**HEAD, "status": "in_progress", "output": []}},
    {"type": "response.in_progress", "response": {**HEAD, "status": "in_progress", "output": []}},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "r", "summary": []}},
    {"type": "response.reasoning_summary_text.delta", **THOUGHT, "summary_index": 0, "delta": "Hm."},
    {"type": "response.reasoning_summary_text.delta", **THOUGHT, "summary_index": 1, "delta": "So."},
    {"type": "response.output_item.added", "output_index": 1, "item": {**MESSAGE, "content": []}},
    {"type": "response.output_text.delta", **TEXT, "delta": "Paris ✓ "},
    {"type": "response.output_text.delta", **TEXT, "delta": "é"},
    {"type": "response.output_text.done", **TEXT, "text": "Paris ✓ é"},
    {"type": "response.output_item.done", "output_index": 1, "item": MESSAGE},
    {"type": "response.output_item.added", "output_index": 2, "item": CALL_ITEM},
    {"type": "response.function_call_arguments.delta", "output_index": 2, "item_id": "fc_1", "delta": '{"city": '},
    {"type": "response.function_call_arguments.delta", "output_index": 2, "item_id": "fc_1", "delta": '"Paris"}'},
    {"type": "response.function_call_arguments.done", "output_index": 2, "item_id": "fc_1", "name": "weather",
     "arguments": '{"city": "Paris"}'},
    {"type": "response.output_item.done", "output_index": 2, "item": {**CALL_ITEM, "arguments": '{"city": "Paris"}'}},
    {"type": "response.output_item.done", "output_index": 3, "item": {**CALL_ITEM, "call_id": "c2", "arguments": "{}"}},
    {"type": "response.completed", "response": {**HEAD, "status": "completed", "output": [], "usage": ANSWER["usage"]}},
]  # fmt: skip
STREAM = b"".join(
    f"event: {event['type']}\ndata: {json.dumps({'sequence_number': number, **event}, ensure_ascii=False)}\n\n".encode()
    for number, event in enumerate(EVENTS)
)


def read_stream(pieces: Iterable[bytes]) -> tuple[list[Completion], bool]:
    splitter, parser = responses.splitter(), responses.parser()
    events = [event for piece in pieces for event in splitter.feed(piece)] + [*splitter.close()]
    return [found for event in events if (found := parser.feed(event))], parser.is_complete


def test_the_events_are_those_of_the_sdk() -> None:
    for number, event in enumerate(EVENTS):
        EVENT.validate_python({"sequence_number": number, **event})


def test_a_stream_has_the_texts_and_calls_in_their_order() -> None:
    found, is_complete = read_stream([STREAM])
    choices = [choice for completion in found for choice in completion.choices]

    assert is_complete
    assert (found[0].id, found[0].model) == ("resp_1", "sonar")
    assert "".join(choice.content or "" for choice in choices) == "Paris ✓ é"
    assert "".join(choice.reasoning or "" for choice in choices) == "Hm.\n\nSo."
    assert [each for choice in choices for each in choice.annotations or ()] == [
        {"type": "url_citation", "url_citation": CITATION}
    ]
    assert [call for choice in choices for call in choice.tool_calls] == [
        ToolCall(0, "c1", "weather"), ToolCall(0, arguments='{"city": '), ToolCall(0, arguments='"Paris"}'),
        ToolCall(1, "c2", "weather", "{}"),
    ]  # fmt: skip
    assert choices[-1].finish_reason == "tool_calls"
    assert found[-1].usage == Usage(14, 9, 4, 2, 3)


def test_a_stream_that_is_split_at_each_byte_has_the_same_events() -> None:
    whole = read_stream([STREAM])

    assert read_stream([STREAM[index : index + 1] for index in range(len(STREAM))]) == whole


@settings(max_examples=200)
@given(st.lists(st.integers(0, len(STREAM)), max_size=6).map(sorted), st.booleans())
def test_a_stream_that_is_split_anywhere_has_the_same_events(places: list[int], has_cr: bool) -> None:
    stream = STREAM.replace(b"\n", b"\r\n") if has_cr else STREAM
    ends = [0, *places, len(stream)]

    assert read_stream([stream[start:end] for start, end in pairwise(ends)]) == read_stream([STREAM])


def test_texts_and_arguments_that_come_only_at_the_end_are_read() -> None:
    parser = responses.parser()
    found = [parser.feed(Event(json.dumps(EVENTS[number]).encode())) for number in (8, 10, 14)]

    assert [each.choices[0] for each in found if each] == [
        Choice(content="Paris ✓ é"), Choice(tool_calls=[ToolCall(0, "c1", "weather")]),
        Choice(tool_calls=[ToolCall(0, arguments='{"city": "Paris"}')]),
    ]  # fmt: skip


def test_a_stream_that_was_cut_off_is_not_complete() -> None:
    assert read_stream([STREAM[: STREAM.index(b"event: response.completed")]])[1] is False


def test_an_incomplete_response_ends_a_stream() -> None:
    parser = responses.parser()
    response = {**HEAD, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    found = parser.feed(Event(json.dumps({"type": "response.incomplete", "response": response}).encode()))

    assert parser.is_complete
    assert found is not None
    assert found.choices[0].finish_reason == "length"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    | st.sampled_from(["message", "function_call", "reasoning", "failed"]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.sampled_from([
        "type", "output", "content", "text", "item", "delta", "output_index", "summary", "usage", "input_tokens",
        "response", "error", "annotations", "annotation", "status", "arguments", "call_id", "code", "message",
    ]), children, max_size=5), max_leaves=14,
)  # fmt: skip


@settings(max_examples=500)
@given(st.binary(max_size=60) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_malformed(body: bytes) -> None:
    with suppress(MalformedResponse, ProviderFailed):
        assert isinstance(responses.decode(body), Completion)


@settings(max_examples=500)
@given(st.lists(st.tuples(st.sampled_from([event["type"] for event in EVENTS] + ["error"]), JSON_VALUES), max_size=4))
def test_any_event_is_read_or_malformed(events: list[tuple[str, Any]]) -> None:
    parser = responses.parser()
    with suppress(MalformedResponse, ProviderFailed):
        for name, payload in events:
            parser.feed(Event(json.dumps(payload).encode(), name))
