"""The Gemini API as a protocol: bodies, responses and streams, compared with the official SDK."""

import json
import re
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.core.deployments.model_rules import generation_of
from moorage.core.resolution.config import Object
from moorage.providers import gemini as protocol
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

OPTIONS = {"project": "acme", "location": "europe-west1"}
HELLO = [{"role": "user", "parts": [{"text": "Hello"}]}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Now", "parameters": SCHEMA}}
PIXEL_DATA = {"mimeType": "image/png", "data": "iVBORw0KGgo="}

USAGE = {"promptTokenCount": 9, "toolUsePromptTokenCount": 1, "candidatesTokenCount": 8, "thoughtsTokenCount": 19,
         "cachedContentTokenCount": 4, "totalTokenCount": 37}  # fmt: skip
RESPONSE: Object = {
    "candidates": [{
        "content": {"role": "model", "parts": [
            {"text": "Hm, ", "thought": True}, {"text": "né.", "thought": True},
            {"text": "Olá, "}, {"text": "Zoë 🌍"},
            {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Zürich"}}, "thoughtSignature": "c2ln"},
            {"functionCall": {"id": "c2", "name": "now"}},
        ]},
        "finishReason": "STOP", "index": 0, "safetyRatings": [],
    }],
    "usageMetadata": USAGE, "modelVersion": "gemini-2.5-flash", "responseId": "r1",
}  # fmt: skip
EXPECTED: Object = {
    "choices": {0: {
        "content": "Olá, Zoë 🌍", "reasoning": "Hm, né.", "finish_reason": "tool_calls",
        "calls": [
            {"id": "c1", "name": "weather", "arguments": '{"city": "Zürich"}', "signature": "c2ln"},
            {"id": "c2", "name": "now", "arguments": "{}", "signature": None},
        ],
    }},
    "usage": Usage(10, 27, 4, None, 19), "id": "r1", "model": "gemini-2.5-flash",
}  # fmt: skip


def an_event(*parts: Object, **fields: Any) -> Object:
    candidate = {"content": {"role": "model", "parts": [*parts]}} | fields
    return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 9}, "modelVersion": "gemini-2.5-flash",
            "responseId": "r1"}  # fmt: skip


PARTS = RESPONSE["candidates"][0]["content"]["parts"]
EVENTS: list[Object] = [
    *(an_event(part) for part in PARTS),
    an_event({"text": ""}, finishReason="STOP") | {"usageMetadata": USAGE},
]
STREAM = a_stream(EVENTS)


def encode(messages: list[Object] | None = None, *, stream: bool = False, **fields: Any) -> ProviderRequest:
    fields = {"provider": "google-ai", "model": "gemini-2.5-flash"} | fields
    return protocol.encode(a_config(messages, **fields), OPTIONS, stream=stream)


def generation(model: str = "gemini-2.5-flash", **parameters: Any) -> Object:
    request = encode(model=model, parameters=parameters)
    assert request.omitted == {}
    found: Object = request.body.get("generationConfig", {})
    return found


def a_body(**fields: Any) -> bytes:
    return json.dumps(RESPONSE | fields, ensure_ascii=False).encode()


def test_it_is_the_protocol_of_the_table() -> None:
    assert find_protocol("gemini") is protocol


@pytest.mark.parametrize(("provider", "model", "stream", "path"), [
    ("google-ai", "google-ai/gemini-2.5-flash", False, "/models/gemini-2.5-flash:generateContent"),
    ("google-ai", "models/gemini-2.5-flash", True, "/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
    ("google-ai", "tunedModels/mine-1", False, "/tunedModels/mine-1:generateContent"),
    ("google", "google/gemini-3-pro", False,
     "/projects/acme/locations/europe-west1/publishers/google/models/gemini-3-pro:generateContent"),
    ("google", "gemini-2.0-flash@001", True,
     "/projects/acme/locations/europe-west1/publishers/google/models/gemini-2.0-flash@001"
     ":streamGenerateContent?alt=sse"),
])  # fmt: skip
def test_the_path_has_the_model(provider: str, model: str, stream: bool, path: str) -> None:
    assert encode(provider=provider, model=model, stream=stream).path == path


@pytest.mark.parametrize("model", [
    "../../secrets", "a/b", "a?key=1", "a#b", "gemini:streamGenerateContent", "gemini%2f", "", "é", "a b", "models/",
    "a\r\nHost: b", "gemini\n",
])  # fmt: skip
def test_a_model_that_would_change_the_path_is_rejected(model: str) -> None:
    with pytest.raises(NotSupportedByProvider) as caught:
        encode(model=model)
    assert caught.value.param == "model"


@pytest.mark.parametrize("missing", ["project", "location"])
def test_vertex_requires_a_project_and_a_location(missing: str) -> None:
    options = {name: value for name, value in OPTIONS.items() if name != missing}
    with pytest.raises(NotSupportedByProvider) as caught:
        protocol.encode(a_config(provider="google", model="gemini-3-pro"), options, stream=False)
    assert caught.value.param == f"options.{missing}"


def test_options_cannot_change_the_path() -> None:
    config = a_config(provider="google", model="gemini-3-pro")
    path = protocol.encode(config, {"project": "../a?b", "location": "c/d"}, stream=False).path
    assert path == "/projects/..%2Fa%3Fb/locations/c%2Fd/publishers/google/models/gemini-3-pro:generateContent"


def test_parameters_have_the_names_of_the_api() -> None:
    request = encode(
        [{"role": "system", "content": "Be brief."}, *USER], tools=[TOOL],
        parameters={"temperature": 0.2, "maxTokens": 512.0, "topK": 40.0, "topP": 0.9, "seed": 7},
    )  # fmt: skip
    assert request == ProviderRequest("/models/gemini-2.5-flash:generateContent", {
        "contents": HELLO, "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": [{"functionDeclarations": [
            {"name": "weather", "description": "Now", "parametersJsonSchema": SCHEMA}]}],
        "generationConfig": {"temperature": 0.2, "maxOutputTokens": 512, "topK": 40, "topP": 0.9, "seed": 7},
    })  # fmt: skip


@pytest.mark.parametrize(("response_format", "expected"), [
    ({"type": "text"}, {}),
    ({"type": "json_object"}, {"responseMimeType": "application/json"}),
    ({"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
     {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}),
])  # fmt: skip
def test_a_format_is_a_media_type_and_a_schema(response_format: Object, expected: Object) -> None:
    assert generation(responseFormat=response_format) == expected


@pytest.mark.parametrize(("model", "parameters", "thinking", "omitted"), [
    ("gemini-2.5-flash", {"budgetTokens": 2048}, {"thinkingBudget": 2048, "includeThoughts": True}, []),
    ("gemini-2.5-flash", {"budgetTokens": 0}, {"thinkingBudget": 0}, []),
    ("gemini-2.5-flash", {"budgetTokens": -1}, {"thinkingBudget": -1, "includeThoughts": True}, []),
    ("gemini-2.5-flash", {"reasoningEffort": "none"}, {"thinkingBudget": 0}, []),
    ("gemini-2.5-flash", {"reasoningEffort": "low"}, {"thinkingBudget": 1024, "includeThoughts": True}, []),
    ("gemini-2.5-flash", {"reasoningEffort": "max"}, {"thinkingBudget": 24576, "includeThoughts": True}, []),
    ("gemini-2.5-flash", {"thinkingLevel": "medium"}, {"thinkingBudget": 8192, "includeThoughts": True}, []),
    ("gemini-2.5-flash", {"reasoningEffort": "low", "thinkingLevel": "high", "budgetTokens": 5},
     {"thinkingBudget": 5, "includeThoughts": True}, ["reasoningEffort", "thinkingLevel"]),
    ("gemini-2.5-pro", {"reasoningEffort": "disable"}, {"thinkingBudget": 128, "includeThoughts": True},
     ["reasoningEffort"]),
    ("gemini-3-pro-preview", {"thinkingLevel": "low"}, {"thinkingLevel": "LOW", "includeThoughts": True}, []),
    ("gemini-3-pro-preview", {"reasoningEffort": "medium"}, {"thinkingLevel": "HIGH", "includeThoughts": True}, []),
    ("gemini-3.1-pro", {"reasoningEffort": "medium"}, {"thinkingLevel": "MEDIUM", "includeThoughts": True}, []),
    ("gemini-3-pro", {"reasoningEffort": "minimal"}, {"thinkingLevel": "LOW", "includeThoughts": True}, []),
    ("gemini-3-flash", {"reasoningEffort": "minimal"}, {"thinkingLevel": "MINIMAL", "includeThoughts": True}, []),
    ("gemini-3-flash", {"reasoningEffort": "none"}, {"thinkingLevel": "MINIMAL"}, ["reasoningEffort"]),
    ("gemini-3-pro", {"budgetTokens": 0}, {"thinkingLevel": "LOW"}, ["budgetTokens"]),
    ("gemini-4-argon", {"budgetTokens": 9_000}, {"thinkingLevel": "HIGH", "includeThoughts": True}, []),
    ("gemini-3-flash", {"budgetTokens": 9_000, "thinkingLevel": "low"},
     {"thinkingLevel": "LOW", "includeThoughts": True}, ["budgetTokens"]),
    ("gemini-flash-latest", {"reasoningEffort": "xhigh"}, {"thinkingLevel": "HIGH", "includeThoughts": True}, []),
    ("gemini-2.0-flash", {"reasoningEffort": "high", "budgetTokens": 1}, None, ["reasoningEffort", "budgetTokens"]),
    ("gemma-3-27b-it", {"thinkingLevel": "high"}, None, ["thinkingLevel"]),
])  # fmt: skip
def test_thinking_is_translated_to_what_the_model_takes(
    model: str, parameters: Object, thinking: Object | None, omitted: list[str]
) -> None:
    request = encode(model=model, parameters=parameters)
    assert request.body.get("generationConfig", {}).get("thinkingConfig") == thinking
    assert {*request.omitted} == {f"parameters.{name}" for name in omitted}


@pytest.mark.parametrize(("model", "found"), [
    ("gemini-2.5-pro", (2, 5)), ("gemini-3-pro-preview", (3, 0)), ("gemini-3.1-flash", (3, 1)),
    ("gemini-1.5-flash-002", (1, 5)), ("gemini-pro-latest", (99, 0)), ("gemma-3-4b-it", None),
])  # fmt: skip
def test_the_generation_follows_from_the_name(model: str, found: tuple[int, int] | None) -> None:
    assert generation_of("gemini", model) == found


def test_what_the_api_does_not_take_is_omitted_and_listed() -> None:
    parameters = {
        "frequencyPenalty": 1, "presencePenalty": 1, "verbosity": "low", "cacheControl": {"type": "ephemeral"},
        "user": "u", "metadata": {"a": "b"}, "topK": 1.5,
    }  # fmt: skip
    tool = TOOL | {"function": TOOL["function"] | {"strict": True}}  # type: ignore[operator]  # a dict of dicts
    request = encode(parameters=parameters, tools=[tool])
    assert {*request.omitted} == {f"parameters.{name}" for name in parameters} | {"tools[0].function.strict"}
    assert {*request.body} == {"contents", "tools"}

    assert encode(model="gemini-2.0-flash", parameters={"frequencyPenalty": 1, "presencePenalty": 0.5}).body[
        "generationConfig"
    ] == {"frequencyPenalty": 1, "presencePenalty": 0.5}


@pytest.mark.parametrize(("parameters", "expected"), [
    ({"stop": "END"}, {"generationConfig": {"stopSequences": ["END"]}}),
    ({"stop": ["a", "b"], "n": 3}, {"generationConfig": {"stopSequences": ["a", "b"], "candidateCount": 3}}),
    ({"n": 1, "parallel_tool_calls": True, "logprobs": False, "top_logprobs": 0}, {}),
    ({"logprobs": True, "top_logprobs": 3}, {"generationConfig": {"responseLogprobs": True, "logprobs": 3}}),
    ({"tool_choice": "auto"}, {"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}}),
    ({"tool_choice": "none"}, {"toolConfig": {"functionCallingConfig": {"mode": "NONE"}}}),
    ({"tool_choice": "required"}, {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}),
    ({"tool_choice": {"type": "function", "function": {"name": "weather"}}},
     {"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}}}),
    ({"logprobs": 2}, {"generationConfig": {"responseLogprobs": True, "logprobs": 2}}),
    ({"safety_settings": [{"category": "c"}], "modalities": ["text"]}, {"safetySettings": [{"category": "c"}]}),
    ({"safetySettings": [{"category": "c", "threshold": "t"}]},
     {"safetySettings": [{"category": "c", "threshold": "t"}]}),
    ({"temperature": 0.5, "generationConfig": {"topK": 3}}, {"generationConfig": {"temperature": 0.5, "topK": 3}}),
])  # fmt: skip
def test_parameters_of_openai_have_the_names_of_this_api(parameters: Object, expected: Object) -> None:
    request = encode(parameters=parameters)
    assert request.body == {"contents": HELLO} | expected
    assert request.omitted == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tool_choice", "sometimes"),
        ("tool_choice", {"a": 1}),
        ("stream", True),
        ("parallel_tool_calls", False),
        ("modalities", ["image"]),
        ("n", "x"),
        ("stop", {}),
    ],
)
def test_what_has_no_equivalent_is_rejected(name: str, value: object) -> None:
    with pytest.raises(NotSupportedByProvider) as caught:
        encode(parameters={name: value})
    assert caught.value.param == f"parameters.{name}"


def test_another_model_type_is_rejected() -> None:
    with pytest.raises(UnsupportedModelType):
        encode(type="image")


def test_contents_are_of_the_user_and_the_model_in_turn() -> None:
    body = encode([
        {"role": "system", "content": "A"}, {"role": "user", "content": "1"}, {"role": "prompt", "content": "2"},
        {"role": "assistant", "content": "3"}, {"role": "correction", "content": "x"},
        {"role": "assistant", "content": None, "refusal": "No."}, {"role": "developer", "content": "B"},
        {"role": "user", "content": ""}, {"role": "user", "content": "4"},
    ]).body  # fmt: skip
    assert body["systemInstruction"] == {"parts": [{"text": "A"}, {"text": "B"}]}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "1"}, {"text": "2"}]},
        {"role": "model", "parts": [{"text": "3"}, {"text": "No."}]},
        {"role": "user", "parts": [{"text": "4"}]},
    ]


def test_a_prompt_of_instructions_only_is_sent_as_the_user() -> None:
    body = encode([{"role": "system", "content": "Write a poem."}]).body
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Write a poem."}]}]}


def test_tool_calls_and_results_have_the_names_of_the_functions() -> None:
    call = {"type": "function", "id": "c1", "thought_signature": "c2ln",
            "function": {"name": "weather", "arguments": '{"city": "Ghent"}'}}  # fmt: skip
    other = {"type": "function", "id": "c2", "function": {"name": "time", "arguments": ""},
             "extra_content": {"google": {"thought_signature": "b3Ro"}}}  # fmt: skip
    contents = encode([
        *USER,
        {"role": "assistant", "content": "I look.", "tool_calls": [call, other]},
        {"role": "tool", "content": '{"sky": "blue"}', "tool_call_id": "c1"},
        {"role": "tool", "content": [{"type": "text", "text": "noon"}], "tool_call_id": "c2"},
        {"role": "user", "content": "And now?"},
    ]).body["contents"]  # fmt: skip
    assert contents[1:] == [
        {"role": "model", "parts": [
            {"text": "I look."},
            {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Ghent"}}, "thoughtSignature": "c2ln"},
            {"functionCall": {"id": "c2", "name": "time", "args": {}}, "thoughtSignature": "b3Ro"},
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "c1", "name": "weather", "response": {"sky": "blue"}}},
            {"functionResponse": {"id": "c2", "name": "time", "response": {"output": "noon"}}},
        ]},
        {"role": "user", "parts": [{"text": "And now?"}]},  # the API rejects results beside other parts
    ]  # fmt: skip


def test_results_are_in_the_order_of_the_calls() -> None:
    both = {"role": "assistant", "content": None, "tool_calls": [*calls("a")["tool_calls"], *calls("b")["tool_calls"]]}
    results = [result("b") | {"content": "2"}, result("a") | {"content": "1"}]
    contents = encode([*USER, both, *results, both, *results], provider="google").body["contents"]
    for content in (contents[2], contents[4]):
        responses = [part["functionResponse"]["response"]["output"] for part in content["parts"]]
        assert responses == ["1", "2"]


def test_vertex_gets_no_ids_of_calls() -> None:
    contents = encode([*USER, calls("c1"), result("c1")], provider="google").body["contents"]
    assert {*contents[1]["parts"][0]["functionCall"]} == {"name", "args"}
    assert {*contents[2]["parts"][0]["functionResponse"]} == {"name", "response"}


@pytest.mark.parametrize(("model", "expected"), [
    ("gemini-3-pro", ["skip_thought_signature_validator", None]), ("gemini-2.5-flash", [None, None]),
])  # fmt: skip
def test_the_first_call_without_a_signature_gets_the_documented_one(model: str, expected: list[str | None]) -> None:
    calling = {
        "role": "assistant",
        "content": None,
        "tool_calls": [*calls("a")["tool_calls"], *calls("b")["tool_calls"]],
    }
    parts = encode([*USER, calling], model=model).body["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == expected


@pytest.mark.parametrize("text", ["[1]", "{", "5", "", '{"a": ' * 5_000, '{"a":' + "[" * 100 + "]" * 100 + "}"])
def test_a_result_that_is_no_object_is_an_output(text: str) -> None:
    contents = encode([*USER, calls("a"), result("a") | {"content": text}]).body["contents"]
    assert contents[-1]["parts"][0]["functionResponse"]["response"] == {"output": text}


@pytest.mark.parametrize(("part", "expected"), [
    ({"type": "image_url", "image_url": {"url": PIXEL, "id": "i", "detail": "auto"}}, {"inlineData": PIXEL_DATA}),
    ({"type": "image_url", "image_url": {"url": "https://a.test/a.PNG?x=1"}},
     {"fileData": {"mimeType": "image/png", "fileUri": "https://a.test/a.PNG?x=1"}}),
    ({"type": "image_url", "image_url": {"url": "https://a.test/a"}},
     {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://a.test/a"}}),
    ({"type": "file", "file": {"file_data": DATA, "filename": "a.pdf"}},
     {"inlineData": {"mimeType": "application/pdf", "data": "JVBERg=="}}),
    ({"type": "file", "file": {"file_data": "AA==", "mimeType": "Audio/WAV"}},
     {"inlineData": {"mimeType": "audio/wav", "data": "AA=="}}),
    ({"type": "file", "file": {"uri": "gs://b/a", "mimeType": "video/mp4"}},
     {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/a"}}),
    ({"type": "file", "file": {"uri": "https://a.test/1", "filename": "a.csv"}},
     {"fileData": {"mimeType": "text/csv", "fileUri": "https://a.test/1"}}),
    ({"type": "file", "file": {"uri": "https://a.test/1"}}, {"fileData": {"fileUri": "https://a.test/1"}}),
    ({"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
     {"inlineData": {"mimeType": "audio/mp3", "data": "AA=="}}),
])  # fmt: skip
def test_images_files_and_audio_are_data_or_references(part: Object, expected: Object) -> None:
    request = encode([{"role": "user", "content": [part]}])
    assert request.body["contents"][0]["parts"] == [expected]
    assert request.omitted == {}


@pytest.mark.parametrize(("message", "path"), [
    ({"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}, "messages[0].content[0]"),
    ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]},
     "messages[0].content[0]"),
    ({"role": "system", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}, "messages[0].content[0]"),
    ({"role": "assistant", "content": None, "audio": {"id": "a"}}, "messages[0].audio"),
    ({"role": "tool", "content": "x", "tool_call_id": "unknown"}, "messages[0].tool_call_id"),
    ({"role": "assistant", "content": None, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "[1]"}}]},
     "messages[0].tool_calls[0].function.arguments"),
])  # fmt: skip
def test_messages_that_have_no_equivalent_are_rejected(message: Object, path: str) -> None:
    with pytest.raises(NotSupportedByProvider) as caught:
        encode([message])
    assert caught.value.param == path


def test_vertex_requires_the_type_of_a_file() -> None:
    with pytest.raises(NotSupportedByProvider, match="mimeType"):
        encode([{"role": "user", "content": [{"type": "file", "file": {"uri": "gs://b/a"}}]}], provider="google")


def test_parts_that_the_api_does_not_take_are_omitted_and_listed() -> None:
    request = encode([
        {"role": "user", "name": "Ada", "content": [
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}}]},
        {"role": "assistant", "reasoning_content": "hm", "content": [
            {"type": "reasoning", "reasoning": "hm", "signature": "s"}, {"type": "text", "text": "y"}]},
    ])  # fmt: skip
    assert request.body["contents"] == [
        {"role": "user", "parts": [{"text": "x"}, {"inlineData": PIXEL_DATA}]},
        {"role": "model", "parts": [{"text": "y"}]},
    ]
    assert {*request.omitted} == {
        "messages[0].name", "messages[0].content[0].cache_control", "messages[0].content[1].image_url.detail",
        "messages[1].reasoning_content", "messages[1].content[0]",
    }  # fmt: skip


def test_a_response_has_all_parts() -> None:
    assert joined([protocol.decode(a_body())]) == EXPECTED


def test_candidates_are_choices() -> None:
    candidates = [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"} for text in "ab"]
    choices = protocol.decode(a_body(candidates=candidates)).choices
    assert [(choice.index, choice.content) for choice in choices] == [(0, "a"), (1, "b")]


def test_probabilities_have_the_form_of_openai() -> None:
    found = {"chosenCandidates": [{"token": "é", "tokenId": 1, "logProbability": -0.5}],
             "topCandidates": [{"candidates": [{"token": "b", "logProbability": -1.5}]}]}  # fmt: skip
    candidate = {"content": {"parts": [{"text": "é"}]}, "finishReason": "STOP", "logprobsResult": found}
    assert protocol.decode(a_body(candidates=[candidate])).choices[0].logprobs == {"content": [{
        "token": "é", "logprob": -0.5, "bytes": [195, 169],
        "top_logprobs": [{"token": "b", "logprob": -1.5, "bytes": [98]}],
    }]}  # fmt: skip


@pytest.mark.parametrize(("reason", "expected"), [
    ("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter"),
    ("BLOCKLIST", "content_filter"), ("PROHIBITED_CONTENT", "content_filter"), ("SPII", "content_filter"),
    ("OTHER", "content_filter"), ("LANGUAGE", "content_filter"), ("IMAGE_SAFETY", "content_filter"),
    ("MODEL_ARMOR", "content_filter"), ("A_NEW_REASON", "stop"), (None, "stop"),
])  # fmt: skip
def test_a_reason_is_in_the_vocabulary_of_openai(reason: str | None, expected: str) -> None:
    candidate = {"content": {"parts": [{"text": "x"}]}, "finishReason": reason}
    assert protocol.decode(a_body(candidates=[candidate])).choices[0].finish_reason == expected
    if reason:
        found = streamed(protocol, [a_stream([{"candidates": [candidate]}])])
        assert found["choices"][0]["finish_reason"] == expected


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
def test_a_model_that_failed_is_a_failure(reason: str) -> None:
    candidate = {"finishReason": reason, "finishMessage": "Malformed function call: x("}
    with pytest.raises(ProviderFailed, match="Malformed") as caught:
        protocol.decode(a_body(candidates=[candidate]))
    assert (caught.value.status, caught.value.code) == (500, reason)


def test_a_blocked_prompt_is_a_filtered_choice() -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "No."},
               "usageMetadata": {"promptTokenCount": 5}, "modelVersion": "m", "responseId": "r"}  # fmt: skip
    expected = {"choices": {0: {"calls": [], "refusal": "No.", "finish_reason": "content_filter"}},
                "usage": Usage(5, 0), "id": "r", "model": "m"}  # fmt: skip
    assert joined([protocol.decode(json.dumps(blocked).encode())]) == expected
    assert streamed(protocol, [a_stream([blocked])]) == expected


def test_a_response_without_candidates_is_malformed() -> None:
    with pytest.raises(MalformedResponse):
        protocol.decode(a_body(candidates=[]))


def test_a_stream_has_the_same_parts_as_a_response() -> None:
    assert streamed(protocol, [STREAM]) == EXPECTED


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_stream_is_the_same_byte_by_byte(line_end: str) -> None:
    data = a_stream(EVENTS, line_end=line_end)
    assert streamed(protocol, [data[place : place + 1] for place in range(len(data))]) == EXPECTED


@given(cuts=CUTS, line_end=st.sampled_from(["\n", "\r\n"]))
def test_a_stream_is_the_same_in_any_pieces(cuts: list[int], line_end: str) -> None:
    assert streamed(protocol, pieces_of(a_stream(EVENTS, line_end=line_end), cuts)) == EXPECTED


def test_a_stream_is_complete_when_all_candidates_have_a_reason() -> None:
    parser, last = protocol.parser(), None
    for event, is_complete in (
        (an_event({"text": "a"}), False),
        (an_event({"text": "b"}, index=1), False),
        (an_event(finishReason="STOP"), False),
        (an_event({"text": ""}), False),
        (an_event(index=1, finishReason="MAX_TOKENS"), True),
        ({"usageMetadata": USAGE}, True),
    ):
        last = parser.feed(Event(json.dumps(event).encode()))
        assert parser.is_complete is is_complete
    assert last
    assert last.usage == EXPECTED["usage"]


def test_a_call_without_an_id_gets_one() -> None:
    part = {"functionCall": {"name": "f", "args": {}}}
    first, second = protocol.decode(json.dumps(an_event(part, part)).encode()).choices[0].tool_calls
    assert first.id
    assert second.id
    assert first.id != second.id


@pytest.mark.parametrize(("code", "status"), [(503, 503), (429, 429), (None, 500), (7, 500), (200, 500)])
def test_an_error_has_its_status(code: int | None, status: int) -> None:
    error = json.dumps({"error": {"code": code, "message": "Overloaded", "status": "UNAVAILABLE"}}).encode()
    for feed in (protocol.parser().feed, lambda event: protocol.decode(event.data)):
        with pytest.raises(ProviderFailed) as caught:
            feed(Event(error))
        assert (caught.value.message, caught.value.status, caught.value.code) == ("Overloaded", status, "UNAVAILABLE")


def test_a_stream_cannot_grow_without_bound() -> None:
    with pytest.raises(MalformedResponse):
        feed_all(protocol, [an_event({"functionCall": {"name": "f"}})] * 2_000)
    with pytest.raises(MalformedResponse):
        feed_all(protocol, [an_event({"text": ""}, index=index) for index in range(2_000)])


@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_body_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        protocol.decode(body)


@pytest.mark.parametrize("part", [
    {"functionCall": {"name": "f", "args": "x"}}, {"functionCall": {"name": 5}}, {"functionCall": 5}, 5, None,
    {"text": 5}, {"text": "x", "thought": "yes"}, {"functionCall": {"name": "f"}, "thoughtSignature": {}},
])  # fmt: skip
def test_a_part_of_a_wrong_type_is_malformed(part: Any) -> None:
    with pytest.raises(MalformedResponse):
        protocol.decode(json.dumps(an_event(part)).encode())


@given(events=damaged([RESPONSE, *EVENTS]))
def test_a_damaged_response_raises_nothing_else(events: list[bytes]) -> None:
    survives(protocol, events)


@given(value=VALUES)
def test_any_json_raises_nothing_else(value: object) -> None:
    survives(protocol, [json.dumps(value).encode()])


CASES: list[Object] = [
    {"parameters": {"maxTokens": 50, "temperature": 0.5, "topP": 0.9, "topK": 3, "seed": 1, "stop": ["END"], "n": 2}},
    {"parameters": {"budgetTokens": 2_000, "logprobs": True, "top_logprobs": 2}},
    {"model": "gemini-3-flash", "parameters": {"thinkingLevel": "low"}},
    {"model": "gemini-2.0-flash", "parameters": {"frequencyPenalty": 0.5, "presencePenalty": 0.25}},
    {"parameters": {"responseFormat": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}}},
    {"tools": [TOOL], "parameters": {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
     "messages": [{"role": "system", "content": "Be brief."}, *USER, calls("c1"), result("c1")]},
    {"messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}},
        {"type": "file", "file": {"uri": "gs://b/a.pdf"}}]}]},
]  # fmt: skip


def in_camel_case(value: Any) -> Any:
    """Return a body of the SDK, which has some names in the other form that the API takes."""
    if isinstance(value, dict):
        return {re.sub("_(.)", lambda found: found[1].upper(), key): in_camel_case(each) for key, each in value.items()}
    return [in_camel_case(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("fields", CASES)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", ["google", "google-ai"])
def test_the_sdk_sends_the_same_and_reads_the_same(provider: str, fields: Object, stream: bool) -> None:
    request = encode(provider=provider, stream=stream, **fields)
    model = request.path.partition(":")[0].rpartition("/")[2]
    body = {**request.body}
    contents = [types.Content.model_validate(content) for content in body.pop("contents")]
    config = types.GenerateContentConfig.model_validate(body.pop("generationConfig", {}) | body)
    config.automatic_function_calling = types.AutomaticFunctionCallingConfig(disable=True)
    account: Object = {"api_key": "k"} if provider == "google-ai" else {
        "vertexai": True, "credentials": Credentials("t"), **OPTIONS,  # type: ignore[no-untyped-call]  # it has no types
    }  # fmt: skip
    reply, kind = (STREAM, "text/event-stream") if stream else (a_body(), "application/json")
    with recording(reply, kind) as recorder:
        http_options = types.HttpOptions(base_url=recorder.url, api_version="v1")
        with genai.Client(http_options=http_options, **account) as client:
            if stream:
                found = [*client.models.generate_content_stream(model=model, contents=contents, config=config)]
            else:
                found = [client.models.generate_content(model=model, contents=contents, config=config)]

    assert recorder.path == f"/v1{request.path}"
    sent = {name: value for name, value in without_nulls(in_camel_case(recorder.body)).items() if value != {}}
    if instruction := sent.get("systemInstruction"):
        instruction.pop("role", None)
    assert sent == without_nulls(request.body)
    ours = (streamed(protocol, [reply]) if stream else joined([protocol.decode(reply)]))["choices"][0]
    parts = [part for response in found for part in response.candidates[0].content.parts]  # type: ignore[index, union-attr]  # all parts are present
    assert ours["content"] == "".join(part.text for part in parts if part.text and not part.thought)
    assert ours["reasoning"] == "".join(part.text for part in parts if part.text and part.thought)
    assert [(call["id"], call["name"], json.loads(call["arguments"])) for call in ours["calls"]] == [
        (part.function_call.id, part.function_call.name, part.function_call.args or {})
        for part in parts if part.function_call
    ]  # fmt: skip
    usage = found[-1].usage_metadata
    assert usage
    assert usage.candidates_token_count + usage.thoughts_token_count == EXPECTED["usage"].completion_tokens  # type: ignore[operator]  # both are present


@pytest.mark.system
@settings(max_examples=1_000)
@given(config=prompt_configs(is_newest=True), extras=EXTRAS, stream=st.booleans(), provider=st.sampled_from(
    ["google", "google-ai"]), model=st.sampled_from(["gemini-2.0-flash", "gemini-2.5-pro", "gemini-3-flash", "own"])
)  # fmt: skip
def test_any_configuration_is_encoded_or_rejected(
    config: Object, extras: Object, stream: bool, provider: str, model: str
) -> None:
    try:
        request = encode(
            config["messages"], stream=stream, provider=provider, model=model, tools=config["tools"],
            parameters=config["model_parameters"] | extras,
        )  # fmt: skip
    except NotSupportedByProvider as error:
        assert error.param  # noqa: PT017 -- most configurations are not rejected
        return
    msgspec.json.encode(request.body)
    contents = request.body["contents"]
    assert all(content["parts"] for content in contents)
    kinds = [(content["role"], "functionResponse" in content["parts"][0]) for content in contents]
    assert all(first != second for first, second in pairwise(kinds))
    assert all(("functionResponse" in part) is kind for content, (_, kind) in zip(contents, kinds, strict=True)
               for part in content["parts"])  # fmt: skip
