"""The Cohere Chat API as a protocol: bodies, responses and streams, compared with the official SDK."""

import json
from typing import Any

import httpx
import msgspec
import pytest
from cohere import ClientV2
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.core.resolution.config import Object
from moorage.providers import cohere as protocol
from moorage.providers.completion import Usage
from moorage.providers.errors import MalformedResponse, NotSupportedByProvider, ProviderFailed, UnsupportedModelType
from moorage.providers.protocol import Event, ProviderRequest
from moorage.providers.protocols import find_protocol
from tests.contract.generated import prompt_configs
from tests.providers.test_openai import DATA, PIXEL, USER, a_config, calls, result
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

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "weather", "description": "Now", "parameters": SCHEMA}
TOOL = {"type": "function", "function": FUNCTION}

USAGE = {
    "billed_units": {"input_tokens": 8, "output_tokens": 9}, "tokens": {"input_tokens": 503.0, "output_tokens": 11},
    "cached_tokens": 448,
}  # fmt: skip
RESPONSE: Object = {
    "id": "r1",
    "message": {
        "role": "assistant", "tool_plan": "I look. ",
        "content": [{"type": "thinking", "thinking": "Hm, né."}, {"type": "text", "text": "Olá, Zoë 🌍"}],
        "tool_calls": [
            {"id": "weather_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Zürich"}'}},
            {"id": "now_2", "type": "function", "function": {"name": "now", "arguments": ""}},
        ],
        "citations": [{"start": 0, "end": 1, "text": "x", "sources": []}],
    },
    "finish_reason": "TOOL_CALL", "usage": USAGE,
}  # fmt: skip


def an_event(kind: str, index: int | None = None, **message: Any) -> Object:
    return {"type": kind, "index": index, "delta": {"message": message}}


def a_call(index: int, name: str, *arguments: str) -> list[Object]:
    start = {"id": f"{name}_{index + 1}", "type": "function", "function": {"name": name, "arguments": ""}}
    return [
        an_event("tool-call-start", index, tool_calls=start),
        *(an_event("tool-call-delta", index, tool_calls={"function": {"arguments": each}}) for each in arguments),
        {"type": "tool-call-end", "index": index},
    ]


EVENTS: list[Object] = [
    {"type": "message-start", "id": "r1", "delta": {"message": {
        "role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}},
    an_event("tool-plan-delta", tool_plan="I look"),
    an_event("tool-plan-delta", tool_plan=". "),
    an_event("content-start", 0, content={"type": "thinking", "thinking": ""}),
    an_event("content-delta", 0, content={"thinking": "Hm, "}),
    an_event("content-delta", 0, content={"thinking": "né."}),
    {"type": "content-end", "index": 0},
    an_event("content-start", 1, content={"type": "text", "text": "Ol"}),
    an_event("content-delta", 1, content={"text": "á, Zoë "}),
    an_event("citation-start", 0, citations={"start": 0, "end": 1, "text": "x", "sources": []}),
    {"type": "citation-end", "index": 0},
    an_event("content-delta", 1, content={"text": "🌍"}),
    {"type": "content-end", "index": 1},
    *a_call(0, "weather", '{"city": "Zü', 'rich"}'),
    *a_call(1, "now"),
    {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": USAGE}},
]  # fmt: skip
STREAM = a_stream([*EVENTS, "[DONE]"], with_names=True)

EXPECTED: Object = {
    "choices": {0: {
        "content": "I look. Olá, Zoë 🌍", "reasoning": "Hm, né.", "finish_reason": "tool_calls",
        "calls": [
            {"id": "weather_1", "name": "weather", "arguments": '{"city": "Zürich"}', "signature": None},
            {"id": "now_2", "name": "now", "arguments": "{}", "signature": None},
        ],
    }},
    "usage": Usage(503, 11, 448), "id": "r1", "model": None,
}  # fmt: skip


def encode(messages: list[Object] | None = None, *, stream: bool = False, **fields: Any) -> ProviderRequest:
    fields = {"provider": "cohere", "model": "cohere/command-a-reasoning-08-2025"} | fields
    return protocol.encode(a_config(messages, **fields), {}, stream=stream)


def a_body(**fields: Any) -> bytes:
    return json.dumps(RESPONSE | fields, ensure_ascii=False).encode()


def test_it_is_the_protocol_of_the_table() -> None:
    assert find_protocol("cohere") is protocol


def test_parameters_have_the_names_of_the_api() -> None:
    parameters = {"temperature": 0.2, "maxTokens": 512.0, "topK": 40.0, "topP": 0.9, "seed": 7, "frequencyPenalty": 0.5,
                  "presencePenalty": 0.25}  # fmt: skip
    tool = {**TOOL, "display_name": "Weather", "id": 3}
    assert encode(parameters=parameters, tools=[tool]) == ProviderRequest("/v2/chat", {
        "model": "command-a-reasoning-08-2025", "messages": USER, "stream": False, "tools": [TOOL], "temperature": 0.2,
        "max_tokens": 512, "k": 40, "p": 0.9, "seed": 7, "frequency_penalty": 0.5, "presence_penalty": 0.25,
    })  # fmt: skip
    assert encode(stream=True).body["stream"] is True


@pytest.mark.parametrize(("response_format", "expected"), [
    ({"type": "text"}, None),
    ({"type": "json_object"}, {"type": "json_object"}),
    ({"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
     {"type": "json_object", "json_schema": SCHEMA}),
])  # fmt: skip
def test_a_format_can_have_a_schema(response_format: Object, expected: Object | None) -> None:
    assert encode(parameters={"responseFormat": response_format}).body.get("response_format") == expected


@pytest.mark.parametrize(("model", "parameters", "thinking", "omitted"), [
    ("command-a-reasoning-08-2025", {"budgetTokens": 2048}, {"type": "enabled", "token_budget": 2048}, []),
    ("command-a-reasoning-08-2025", {"budgetTokens": 0}, {"type": "disabled"}, []),
    ("command-a-reasoning-08-2025", {"reasoningEffort": "none"}, {"type": "disabled"}, []),
    ("command-a-reasoning-08-2025", {"reasoningEffort": "low"}, {"type": "enabled", "token_budget": 2048}, []),
    ("command-a-reasoning-08-2025", {"reasoningEffort": "high"}, {"type": "enabled"}, []),
    ("command-a-reasoning-08-2025", {"thinking": {"type": "enabled"}, "budgetTokens": 5}, {"type": "enabled"},
     ["budgetTokens"]),
    ("a-new-model", {"reasoningEffort": "high", "budgetTokens": 5}, {"type": "enabled", "token_budget": 5},
     ["reasoningEffort"]),
    ("command-a-03-2025", {"reasoningEffort": "high"}, None, ["reasoningEffort"]),
    ("command-a-vision-07-2025", {"budgetTokens": 5}, None, ["budgetTokens"]),
    ("command-r-plus-08-2024", {"budgetTokens": 5}, None, ["budgetTokens"]),
    ("c4ai-aya-expanse-32b", {"budgetTokens": 5}, None, ["budgetTokens"]),
])  # fmt: skip
def test_thinking_is_translated_to_what_the_model_takes(
    model: str, parameters: Object, thinking: Object | None, omitted: list[str]
) -> None:
    request = encode(model=model, parameters=parameters)
    assert request.body.get("thinking") == thinking
    assert {*request.omitted} == {f"parameters.{name}" for name in omitted}


def test_what_the_api_does_not_take_is_omitted_and_listed() -> None:
    parameters = {"verbosity": "low", "thinkingLevel": "low", "cacheControl": {"type": "ephemeral"}, "user": "u",
                  "metadata": {"a": "b"}, "topK": 1.5}  # fmt: skip
    request = encode(parameters=parameters)
    assert {*request.omitted} == {f"parameters.{name}" for name in parameters}
    assert {*request.body} == {"model", "messages", "stream"}


@pytest.mark.parametrize(("parameters", "expected"), [
    ({"stop": "END"}, {"stop_sequences": ["END"]}),
    ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
    ({"n": 1, "parallel_tool_calls": True, "logprobs": False, "top_logprobs": 0, "tool_choice": "auto"}, {}),
    ({"tool_choice": "none"}, {"tool_choice": "NONE"}),
    ({"tool_choice": "required"}, {"tool_choice": "REQUIRED"}),
    ({"safety_mode": "STRICT", "priority": 3}, {"safety_mode": "STRICT", "priority": 3}),
])  # fmt: skip
def test_parameters_of_openai_have_the_names_of_this_api(parameters: Object, expected: Object) -> None:
    request = encode(parameters=parameters)
    assert request.body == {"model": "command-a-reasoning-08-2025", "messages": USER, "stream": False} | expected
    assert request.omitted == {}


def test_a_required_function_is_the_only_one() -> None:
    other = {"type": "function", "function": FUNCTION | {"name": "time"}}
    choice = {"type": "function", "function": {"name": "weather"}}
    body = encode(tools=[other, TOOL], parameters={"tool_choice": choice}).body
    assert (body["tools"], body["tool_choice"]) == ([TOOL], "REQUIRED")


@pytest.mark.parametrize(("name", "value"), [
    ("tool_choice", "sometimes"), ("parallel_tool_calls", False),
    ("tool_choice", {"type": "function", "function": {"name": "unknown"}}), ("n", 2),
    ("logprobs", True), ("top_logprobs", 3), ("stream", True),
])  # fmt: skip
def test_what_has_no_equivalent_is_rejected(name: str, value: object) -> None:
    with pytest.raises(NotSupportedByProvider) as caught:
        encode(parameters={name: value}, tools=[TOOL])
    assert caught.value.param == f"parameters.{name}"


@pytest.mark.parametrize(("strict", "expected", "omitted"), [
    ([True, True], True, set()), ([True, False], None, {"tools[0].function.strict"}), ([False, False], None, set()),
])  # fmt: skip
def test_all_tools_are_strict_or_none(strict: list[bool], expected: bool | None, omitted: set[str]) -> None:
    request = encode(tools=[{"type": "function", "function": FUNCTION | {"strict": each}} for each in strict])
    assert request.body.get("strict_tools") is expected
    assert request.body["tools"] == [TOOL, TOOL]
    assert {*request.omitted} == omitted


def test_another_model_type_is_rejected() -> None:
    with pytest.raises(UnsupportedModelType):
        encode(type="image")


def test_messages_have_the_roles_of_the_api() -> None:
    assert encode([
        {"role": "developer", "content": "A"}, {"role": "prompt", "content": "1"},
        {"role": "correction", "content": "x"}, {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "user", "content": ""},
        {"role": "user", "content": [{"type": "text", "text": "2"}, {"type": "text", "text": "3"}]},
    ]).body["messages"] == [
        {"role": "system", "content": "A"}, {"role": "user", "content": "1"}, {"role": "assistant", "content": "No."},
        {"role": "user", "content": [{"type": "text", "text": "2"}, {"type": "text", "text": "3"}]},
    ]  # fmt: skip


def test_a_prompt_of_instructions_only_is_sent_as_the_user() -> None:
    messages = encode([{"role": "system", "content": "Write a poem."}]).body["messages"]
    assert messages == [{"role": "user", "content": "Write a poem."}]


def test_the_text_beside_tool_calls_is_the_plan() -> None:
    call = {"type": "function", "index": 0, "function": {"name": "weather", "arguments": ""}}
    messages = encode([
        *USER,
        {"role": "assistant", "tool_calls": [call], "content": [
            {"type": "reasoning", "reasoning": "Hm.", "signature": "s"}, {"type": "text", "text": "I look."}]},
        {"role": "tool", "content": [{"type": "text", "text": "sunny"}], "tool_call_id": "c1"},
        {"role": "assistant", "reasoning_content": "Aha.", "content": "It is sunny."},
    ]).body["messages"]  # fmt: skip
    assert messages[1:] == [
        {"role": "assistant", "tool_plan": "I look.", "content": [{"type": "thinking", "thinking": "Hm."}],
         "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "Aha."}, {"type": "text", "text": "It is sunny."}]},
    ]  # fmt: skip


@pytest.mark.parametrize(("part", "url"), [
    ({"type": "image_url", "image_url": {"url": PIXEL, "id": "i"}}, {"url": PIXEL}),
    ({"type": "image_url", "image_url": {"url": "https://a.test/a", "detail": "low"}},
     {"url": "https://a.test/a", "detail": "low"}),
    ({"type": "file", "file": {"file_data": PIXEL, "filename": "a.png"}}, {"url": PIXEL}),
    ({"type": "file", "file": {"uri": "https://a.test/a", "mimeType": "image/png"}}, {"url": "https://a.test/a"}),
])  # fmt: skip
def test_images_are_urls(part: Object, url: Object) -> None:
    request = encode([{"role": "user", "content": [part]}])
    assert request.body["messages"][0]["content"] == [{"type": "image_url", "image_url": url}]
    assert request.omitted == {}


@pytest.mark.parametrize(("message", "path"), [
    ({"role": "user", "content": [{"type": "file", "file": {"file_data": DATA}}]}, "messages[0].content[0]"),
    ({"role": "user", "content": [{"type": "file", "file": {"uri": "s3://a", "mimeType": "image/png"}}]},
     "messages[0].content[0]"),
    ({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}}]},
     "messages[0].content[0]"),
    ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]},
     "messages[0].content[0]"),
    ({"role": "system", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}, "messages[0].content[0]"),
    ({"role": "assistant", "content": None, "audio": {"id": "a"}}, "messages[0].audio"),
])  # fmt: skip
def test_messages_that_have_no_equivalent_are_rejected(message: Object, path: str) -> None:
    with pytest.raises(NotSupportedByProvider) as caught:
        encode([message])
    assert caught.value.param == path


def test_parts_that_the_api_does_not_take_are_omitted_and_listed() -> None:
    call = {**calls("c1")["tool_calls"][0], "thought_signature": "s", "extra_content": {"google": {}}}
    request = encode([
        {"role": "user", "name": "Ada", "content": [
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]},
        {"role": "assistant", "content": [{"type": "redacted_reasoning", "data": "d"}], "tool_calls": [call]},
        result("c1") | {"cache_control": {"type": "ephemeral"}},
    ])  # fmt: skip
    assert {*request.omitted} == {
        "messages[0].name", "messages[0].content[0].cache_control", "messages[1].content[0]",
        "messages[1].tool_calls[0].thought_signature", "messages[1].tool_calls[0].extra_content",
        "messages[2].cache_control",
    }  # fmt: skip


def test_a_response_has_all_parts() -> None:
    assert joined([protocol.decode(a_body())]) == EXPECTED


def test_the_tokens_that_are_billed_count_if_there_are_no_others() -> None:
    usage = {"billed_units": {"input_tokens": 8, "output_tokens": 9}}
    assert protocol.decode(a_body(usage=usage)).usage == Usage(8, 9)
    assert protocol.decode(a_body(usage=None)).usage is None


@pytest.mark.parametrize(("reason", "expected"), [
    ("COMPLETE", "stop"), ("STOP_SEQUENCE", "stop"), ("MAX_TOKENS", "length"), ("TOOL_CALL", "tool_calls"),
    ("ERROR_TOXIC", "content_filter"), ("A_NEW_REASON", "stop"), (None, "stop"),
])  # fmt: skip
def test_a_reason_is_in_the_vocabulary_of_openai(reason: str | None, expected: str) -> None:
    assert protocol.decode(a_body(finish_reason=reason)).choices[0].finish_reason == expected
    found = streamed(protocol, [a_stream([{"type": "message-end", "delta": {"finish_reason": reason}}])])
    assert found["choices"][0]["finish_reason"] == expected


@pytest.mark.parametrize(("reason", "status"), [("ERROR", 500), ("TIMEOUT", 504)])
def test_a_model_that_failed_is_a_failure(reason: str, status: int) -> None:
    end = {"type": "message-end", "delta": {"finish_reason": reason, "error": "No capacity."}}
    with pytest.raises(ProviderFailed, match="No capacity") as caught:
        protocol.parser().feed(Event(json.dumps(end).encode(), "message-end"))
    assert (caught.value.status, caught.value.code) == (status, reason)
    with pytest.raises(ProviderFailed, match=reason) as caught:
        protocol.decode(a_body(finish_reason=reason))
    assert caught.value.status == status


def test_the_form_of_errors_is_a_failure() -> None:
    with pytest.raises(ProviderFailed, match="invalid request"):
        protocol.decode(b'{"id": "r1", "message": "invalid request: no model"}')


def test_a_stream_has_the_same_parts_as_a_response() -> None:
    assert streamed(protocol, [STREAM]) == EXPECTED


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_stream_is_the_same_byte_by_byte(line_end: str) -> None:
    data = a_stream([*EVENTS, "[DONE]"], with_names=True, line_end=line_end)
    assert streamed(protocol, [data[place : place + 1] for place in range(len(data))]) == EXPECTED


@given(cuts=CUTS, line_end=st.sampled_from(["\n", "\r\n"]))
def test_a_stream_is_the_same_in_any_pieces(cuts: list[int], line_end: str) -> None:
    data = a_stream([*EVENTS, "[DONE]"], with_names=True, line_end=line_end)
    assert streamed(protocol, pieces_of(data, cuts)) == EXPECTED


def test_a_stream_that_was_cut_off_is_not_complete() -> None:
    splitter, parser = protocol.splitter(), protocol.parser()
    for event in splitter.feed(a_stream(EVENTS[:-1])):
        parser.feed(event)
    assert not parser.is_complete


def test_a_stream_cannot_grow_without_bound() -> None:
    with pytest.raises(MalformedResponse):
        feed_all(protocol, [a_call(0, "f")[0]] * 2_000)


def test_arguments_without_a_call_are_malformed() -> None:
    with pytest.raises(MalformedResponse):
        feed_all(protocol, [a_call(0, "f", "{")[1]])


@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_body_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        protocol.decode(body)
    if body != b"[DONE]":
        with pytest.raises(MalformedResponse):
            protocol.parser().feed(Event(body))


@pytest.mark.parametrize("message", [
    5, [], {"content": 5}, {"content": [5]}, {"content": [{"type": "text", "text": 5}]}, {"tool_calls": {}},
    {"tool_calls": [{"id": 5}]}, {"tool_calls": [{"function": {"arguments": {}}}]}, {"tool_plan": []},
])  # fmt: skip
def test_a_message_of_a_wrong_type_is_malformed(message: object) -> None:
    with pytest.raises(MalformedResponse):
        protocol.decode(a_body(message=message))


@given(events=damaged([RESPONSE, *EVENTS]))
def test_a_damaged_response_raises_nothing_else(events: list[bytes]) -> None:
    survives(protocol, events)


@given(value=VALUES)
def test_any_json_raises_nothing_else(value: object) -> None:
    survives(protocol, [json.dumps(value).encode()])


CASES: list[Object] = [
    {"parameters": {"maxTokens": 50, "temperature": 0.5, "topP": 0.9, "topK": 3, "seed": 1, "stop": ["END"]}},
    {"parameters": {"budgetTokens": 2_000, "frequencyPenalty": 0.5}},
    {"parameters": {"responseFormat": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}}},
    {"tools": [TOOL], "parameters": {"tool_choice": "required"},
     "messages": [{"role": "system", "content": "Be brief."}, *USER, calls("c1"), result("c1")]},
    {"messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]}]},
]  # fmt: skip


@pytest.mark.parametrize("fields", CASES)
def test_the_sdk_sends_the_same_and_reads_the_same(fields: Object) -> None:
    request = encode(**fields)
    arguments: Any = {name: value for name, value in request.body.items() if name != "stream"}
    with recording(a_body()) as recorder, httpx.Client() as http:
        response = ClientV2("k", base_url=recorder.url, httpx_client=http).chat(**arguments)

    assert recorder.path == request.path
    assert without_nulls(recorder.body) == without_nulls(request.body)
    message: Any = response.message
    ours = joined([protocol.decode(a_body())])["choices"][0]
    assert ours["content"] == message.tool_plan + message.content[1].text
    assert ours["reasoning"] == message.content[0].thinking
    assert [(call["id"], call["name"], call["arguments"]) for call in ours["calls"]] == [
        (call.id, call.function.name, call.function.arguments or "{}") for call in message.tool_calls
    ]
    assert response.finish_reason == "TOOL_CALL"


@pytest.mark.parametrize("fields", CASES)
def test_the_sdk_streams_the_same(fields: Object) -> None:
    request = encode(stream=True, **fields)
    arguments: Any = {name: value for name, value in request.body.items() if name != "stream"}
    with recording(STREAM, "text/event-stream") as recorder, httpx.Client() as http:
        found: Any = [*ClientV2("k", base_url=recorder.url, httpx_client=http).chat_stream(**arguments)]

    assert without_nulls(recorder.body) == without_nulls(request.body)
    ours = streamed(protocol, [STREAM])["choices"][0]
    contents = [event.delta.message.content for event in found if event.type in ("content-start", "content-delta")]
    plan = "".join(event.delta.message.tool_plan for event in found if event.type == "tool-plan-delta")
    assert ours["content"] == plan + "".join(content.text or "" for content in contents)
    assert ours["reasoning"] == "".join(content.thinking or "" for content in contents)
    starts = [event.delta.message.tool_calls for event in found if event.type == "tool-call-start"]
    assert [(call["id"], call["name"]) for call in ours["calls"]] == [
        (start.id, start.function.name) for start in starts
    ]
    (end,) = [event.delta for event in found if event.type == "message-end"]
    assert (end.finish_reason, end.usage.tokens.output_tokens) == ("TOOL_CALL", EXPECTED["usage"].completion_tokens)


@pytest.mark.system
@settings(max_examples=1_000)
@given(config=prompt_configs(is_newest=True), extras=EXTRAS, stream=st.booleans(),
       model=st.sampled_from(["command-r-08-2024", "command-a-reasoning-08-2025"]))  # fmt: skip
def test_any_configuration_is_encoded_or_rejected(config: Object, extras: Object, stream: bool, model: str) -> None:
    try:
        request = encode(
            config["messages"], stream=stream, model=model, tools=config["tools"],
            parameters=config["model_parameters"] | extras,
        )  # fmt: skip
    except NotSupportedByProvider as error:
        assert error.param  # noqa: PT017 -- most configurations are not rejected
        return
    msgspec.json.encode(request.body)
    assert all(message.get("content") != [] for message in request.body["messages"])
