"""Configurations as requests of the Anthropic Messages API."""

import base64
import re
from typing import Any

import pytest

from moorage.core.deployments.model_rules import generation_of
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.anthropic import DEFAULT_MAX_TOKENS, encode_messages_request
from moorage.providers.errors import NotSupportedByProvider, UnsupportedModelType
from tests.providers.test_openai import DATA, PIXEL, USER, calls, result
from tests.providers.test_openai import a_config as an_openai_config

OLD_API = {"anthropic-version": "2023-06-01"}


def a_config(messages: list[Object] | None = None, **fields: Any) -> ResolvedConfig:
    return an_openai_config(messages, **{"provider": "anthropic", "model": "anthropic/claude-sonnet-4-5"} | fields)


def encode(config: ResolvedConfig) -> Object:
    """Return the arguments, which must omit nothing."""
    arguments, omitted = encode_messages_request(config)
    assert omitted == {}
    return {**arguments}


def test_parameters_have_the_names_of_the_sdk() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    response_format = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    parameters = {
        "maxTokens": 512.0, "temperature": 0.2, "topK": 40.0, "topP": 0.9, "responseFormat": response_format,
        "cacheControl": {"type": "ephemeral", "ttl": "1h"},
    }  # fmt: skip
    tool = {"type": "function", "display_name": "Weather", "id": 3,
            "function": {"name": "weather", "description": "Now", "strict": True, "parameters": schema}}  # fmt: skip

    assert encode(a_config(parameters=parameters, tools=[tool])) == {
        "model": "claude-sonnet-4-5", "max_tokens": 512, "messages": USER,
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
        "extra_body": {"temperature": 0.2, "top_k": 40, "top_p": 0.9}, "extra_headers": OLD_API,
        "tools": [{"name": "weather", "description": "Now", "strict": True, "input_schema": schema}],
    }  # fmt: skip


def test_the_required_maximum_has_a_default() -> None:
    assert encode(a_config())["max_tokens"] == DEFAULT_MAX_TOKENS == 4_096


@pytest.mark.parametrize(("model", "parameters", "expected"), [
    ("claude-sonnet-4-5", {"budgetTokens": 2048, "maxTokens": 9000},
     {"max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 2048}}),
    ("claude-sonnet-4-5", {"budgetTokens": 5000, "maxTokens": 1000},
     {"max_tokens": 6000, "thinking": {"type": "enabled", "budget_tokens": 5000}}),
    ("claude-sonnet-4-5", {"reasoningEffort": "medium"},
     {"max_tokens": 4096 + 8192, "thinking": {"type": "enabled", "budget_tokens": 8192}}),
    ("claude-sonnet-4-5", {"reasoningEffort": "minimal"},
     {"max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 1024}}),
    ("claude-sonnet-4-5", {"budgetTokens": 0}, {"max_tokens": 4096, "thinking": {"type": "disabled"}}),
    ("claude-sonnet-4-5", {"reasoningEffort": "disable"}, {"max_tokens": 4096, "thinking": {"type": "disabled"}}),
    ("claude-opus-4-6", {"reasoningEffort": "minimal"},
     {"max_tokens": 4096, "thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
    ("claude-opus-4-6", {"budgetTokens": 2000, "reasoningEffort": "high"},
     {"max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 2000}}),
    ("claude-opus-4-7", {"budgetTokens": 2000},
     {"max_tokens": 4096, "thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
    ("claude-opus-5", {"budgetTokens": 30000, "reasoningEffort": "xhigh"},
     {"max_tokens": 4096, "thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}),
    ("claude-opus-5", {"budgetTokens": 30000},
     {"max_tokens": 4096, "thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
])  # fmt: skip
def test_reasoning_is_translated_to_what_the_model_takes(model: str, parameters: Object, expected: Object) -> None:
    arguments, omitted = encode_messages_request(a_config(model=model, parameters=parameters))
    assert {name: value for name, value in arguments.items() if name not in ("model", "messages")} == expected
    assert len(omitted) == ("budgetTokens" in parameters and "reasoningEffort" in parameters)


@pytest.mark.parametrize(("model", "parameters", "omitted"), [
    ("claude-sonnet-4-5", {"frequencyPenalty": 1, "presencePenalty": 1, "seed": 7, "verbosity": "low"},
     ["frequencyPenalty", "presencePenalty", "seed", "verbosity"]),
    ("claude-sonnet-4-5", {"thinkingLevel": "low", "numImages": 2}, ["thinkingLevel", "numImages"]),
    ("claude-opus-4-7", {"temperature": 0.2, "topK": 3}, ["temperature", "topK"]),
    ("claude-fable", {"topP": 0.2}, ["topP"]),
    ("claude-sonnet-4-5", {"temperature": 0.2, "budgetTokens": 1024}, ["temperature"]),
    ("claude-3-5-haiku-20241022", {"reasoningEffort": "high"}, ["reasoningEffort"]),
])  # fmt: skip
def test_what_the_api_does_not_know_is_omitted_and_listed(model: str, parameters: Object, omitted: list[str]) -> None:
    arguments, found = encode_messages_request(a_config(model=model, parameters=parameters))

    assert {*found} == {f"parameters.{name}" for name in omitted}
    assert "extra_body" not in arguments
    assert "extra_headers" not in arguments


@pytest.mark.parametrize(("model", "generation"), [
    ("claude-3-5-sonnet-20241022", (3, 5)), ("claude-3-opus-20240229", (3, 0)), ("claude-3-7-sonnet-latest", (3, 7)),
    ("claude-sonnet-4-20250514", (4, 0)), ("claude-sonnet-4-5-20250929", (4, 5)), ("claude-opus-4-1", (4, 1)),
    ("claude-opus-4.6", (4, 6)), ("claude-opus-5", (5, 0)), ("eu.anthropic.claude-haiku-4-5-20251001-v1:0", (4, 5)),
    ("claude-opus-4-7@20260401", (4, 7)), ("claude-fable", (99, 0)), ("deepseek-chat", None),
])  # fmt: skip
def test_the_generation_follows_from_the_name(model: str, generation: tuple[int, int] | None) -> None:
    assert generation_of("claude", model) == generation


def test_instructions_become_the_system_prompt() -> None:
    arguments = encode(a_config([{"role": "system", "content": "Be brief."}, *USER]))
    assert (arguments["system"], arguments["messages"]) == ("Be brief.", USER)

    arguments = encode(a_config([
        {"role": "system", "content": "A"}, *USER, {"role": "developer", "content": [{"type": "text", "text": "B"}]},
    ]))  # fmt: skip
    assert arguments["system"] == [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]
    assert arguments["messages"] == USER


def test_tool_calls_and_results_are_blocks() -> None:
    call = {
        "type": "function",
        "id": "c1",
        "index": 0,
        "function": {"name": "weather", "arguments": '{"city": "Ghent"}'},
    }
    other = {"type": "function", "id": "c2", "function": {"name": "time", "arguments": ""}}
    arguments = encode(a_config([
        *USER,
        {"role": "assistant", "content": "I look.", "tool_calls": [call, other]},
        {"role": "tool", "content": "sunny", "tool_call_id": "c1", "cache_control": {"type": "ephemeral"}},
        {"role": "tool", "content": [{"type": "text", "text": "noon"}], "tool_call_id": "c2"},
        {"role": "user", "content": "And now?"},
    ]))  # fmt: skip

    assert arguments["messages"] == [
        *USER,
        {"role": "assistant", "content": [
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Ghent"}},
            {"type": "tool_use", "id": "c2", "name": "time", "input": {}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "c1", "content": "sunny", "cache_control": {"type": "ephemeral"}},
            {"type": "tool_result", "tool_use_id": "c2", "content": "noon"},
            {"type": "text", "text": "And now?"},
        ]},
    ]  # fmt: skip


def test_calls_without_ids_get_those_of_their_results() -> None:
    messages = encode(a_config([*USER, calls(None), result("x")]))["messages"]
    assert (messages[1]["content"][0]["id"], messages[2]["content"][0]["tool_use_id"]) == ("x", "x")


def test_an_id_of_another_provider_is_replaced_by_the_same_valid_one() -> None:
    messages = encode(a_config([*USER, calls("a|b"), result("a|b")]))["messages"]
    found = messages[1]["content"][0]["id"]
    assert re.fullmatch("[a-zA-Z0-9_-]+", found)
    assert messages[2]["content"][0]["tool_use_id"] == found


TEXT = base64.b64encode("né".encode()).decode()
PDF_BLOCK = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}}
PIXEL_BLOCK = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}


@pytest.mark.parametrize(("part", "block"), [
    ({"type": "image_url", "image_url": {"url": PIXEL, "id": "i"}}, PIXEL_BLOCK),
    ({"type": "image_url", "image_url": {"url": "https://a.test/a.png", "detail": "auto"}},
     {"type": "image", "source": {"type": "url", "url": "https://a.test/a.png"}}),
    ({"type": "file", "file": {"file_data": DATA, "filename": "a.pdf"}}, PDF_BLOCK | {"title": "a.pdf"}),
    ({"type": "file", "file": {"file_data": "JVBERg==", "mimeType": "application/pdf"}}, PDF_BLOCK),
    ({"type": "file", "file": {"file_data": PIXEL, "filename": "a.png"}}, PIXEL_BLOCK),
    ({"type": "file", "file": {"uri": "https://a.test/a.pdf"}},
     {"type": "document", "source": {"type": "url", "url": "https://a.test/a.pdf"}}),
    ({"type": "file", "file": {"uri": "https://a.test/a", "mimeType": "image/webp"}},
     {"type": "image", "source": {"type": "url", "url": "https://a.test/a"}}),
    ({"type": "file", "file": {"file_data": f"data:text/csv;base64,{TEXT}"}},
     {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "né"}}),
    ({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}},
     {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}),
])  # fmt: skip
def test_images_and_files_are_blocks(part: Object, block: Object) -> None:
    (message,) = encode(a_config([{"role": "user", "content": [part]}]))["messages"]
    assert message == {"role": "user", "content": [block]}


@pytest.mark.parametrize("part", [
    {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    {"type": "file", "file": {"file_id": "file-1"}},
    {"type": "file", "file": {"file_data": "data:application/zip;base64,AA=="}},
    {"type": "file", "file": {"file_data": "data:text/plain;base64,/w=="}},
    {"type": "file", "file": {"file_data": "JVBERg=="}},
    {"type": "file", "file": {"uri": "s3://bucket/a.pdf"}},
    {"type": "file", "file": {"uri": "https://a.test/a.zip", "mimeType": "application/zip"}},
    {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,AA=="}},
    {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
])  # fmt: skip
def test_content_that_the_api_does_not_take_is_rejected(part: Object) -> None:
    with pytest.raises(NotSupportedByProvider) as caught:
        encode_messages_request(a_config([{"role": "user", "content": [part]}]))
    assert caught.value.param == "messages[0].content[0]"


@pytest.mark.parametrize(("message", "path"), [
    ({"role": "system", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}, "messages[0].content[0]"),
    ({"role": "assistant", "content": None, "audio": {"id": "a"}}, "messages[0].audio"),
    ({"role": "assistant", "content": None, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "[1]"}}]},
     "messages[0].tool_calls[0].function.arguments"),
    ({"role": "assistant", "content": None, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}]},
     "messages[0].tool_calls[0].function.arguments"),
])  # fmt: skip
def test_messages_that_have_no_equivalent_are_rejected(message: Object, path: str) -> None:
    with pytest.raises(NotSupportedByProvider) as caught:
        encode_messages_request(a_config([message]))
    assert caught.value.param == path


def test_json_without_a_schema_is_rejected_with_the_fix() -> None:
    with pytest.raises(NotSupportedByProvider, match="use json_schema"):
        encode_messages_request(a_config(parameters={"responseFormat": {"type": "json_object"}}))


def test_thoughts_are_sent_with_their_signature() -> None:
    arguments, omitted = encode_messages_request(a_config([{"role": "assistant", "name": "bot", "content": [
        {"type": "reasoning", "reasoning": "hm", "signature": "s"},
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "redacted_reasoning", "data": "d"},
        {"type": "refusal", "refusal": "No."},
        {"type": "text", "text": ""},
    ]}]))  # fmt: skip

    assert arguments["messages"] == [{"role": "assistant", "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "text", "text": "No."},
    ]}]  # fmt: skip
    assert {*omitted} == {"messages[0].name", "messages[0].content[1]"}


CALLED: list[Object] = [
    {"role": "user", "content": "Where is order 7?"},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "find", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c", "content": "sent"},
]  # fmt: skip


@pytest.mark.parametrize(("model", "parameters", "content", "thinks"), [
    ("claude-sonnet-4-5", {"reasoningEffort": "low"}, None, False),
    ("claude-sonnet-4-5", {"budgetTokens": 2000}, [{"type": "reasoning", "reasoning": "hm"}], False),
    ("claude-sonnet-4-5", {"budgetTokens": 2000}, [{"type": "reasoning", "reasoning": "hm", "signature": "s"}], True),
    ("claude-sonnet-4-5", {"budgetTokens": 2000}, [{"type": "redacted_reasoning", "data": "d"}], True),
    ("claude-opus-4-7", {"reasoningEffort": "low"}, None, True),
    ("claude-opus-4-7", {"reasoningEffort": "low", "tool_choice": "required"}, None, False),
    ("claude-sonnet-4-5", {"budgetTokens": 0}, None, False),
])  # fmt: skip
def test_a_model_thinks_only_where_the_api_takes_that(
    model: str, parameters: Object, content: list[Object] | None, thinks: bool
) -> None:
    """It requires the thoughts of the last calls, which clients of OpenAI do not send back, and a free choice."""
    messages = [CALLED[0], {**CALLED[1], "content": content}, CALLED[2]]
    arguments, omitted = encode_messages_request(a_config(messages, model=model, parameters=parameters))

    is_on = arguments.get("thinking", {"type": "disabled"})["type"] != "disabled"
    (name,) = {*parameters} - {"tool_choice"}
    assert (is_on, f"parameters.{name}" in omitted) == (thinks, not thinks and parameters[name] != 0)


def test_parameters_of_a_call_are_sent_under_their_own_names() -> None:
    parameters = {"maxTokens": 512, "max_tokens": 5, "stop_sequences": ["END"], "top_k": 3}
    arguments = encode(a_config(parameters=parameters))
    assert (arguments["max_tokens"], arguments["stop_sequences"]) == (5, ["END"])
    assert arguments["extra_body"] == {"top_k": 3}
    assert arguments["extra_headers"] == OLD_API


def test_a_model_of_another_host_takes_sampling_and_a_budget() -> None:
    parameters = {"temperature": 0.2, "reasoningEffort": "none"}
    arguments = encode(a_config(provider="deepseek", model="deepseek/deepseek-chat", parameters=parameters))
    assert (arguments["model"], arguments["extra_body"]) == ("deepseek-chat", {"temperature": 0.2})


def test_a_model_of_another_type_is_rejected() -> None:
    with pytest.raises(UnsupportedModelType):
        encode_messages_request(a_config(type="image"))
