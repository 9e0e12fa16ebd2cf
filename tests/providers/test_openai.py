"""Configurations as requests of the OpenAI Chat Completions API."""

import re
from typing import Any

import pytest

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.errors import NotSupportedByProvider, UnsupportedModelType
from moorage.providers.openai import encode_chat

USER = [{"role": "user", "content": "Hello"}]
DATA = "data:application/pdf;base64,JVBERg=="
PIXEL = "data:image/png;base64,iVBORw0KGgo="


def a_config(messages: list[Object] | None = None, **fields: Any) -> ResolvedConfig:
    values: dict[str, Any] = {
        "id": "01", "provider": "openai", "model": "openai/my-gpt", "type": "chat", "version": "1.0",
        "messages": USER if messages is None else messages, "parameters": {},
    }  # fmt: skip
    return ResolvedConfig(**values | fields)


def chat(config: ResolvedConfig) -> Object:
    """Return the arguments, which must omit nothing."""
    arguments, omitted = encode_chat(config)
    assert omitted == {}
    return {**arguments}


def test_all_parameters_have_the_names_of_the_sdk() -> None:
    schema = {"name": "answer", "schema": {"type": "object"}, "strict": True}
    parameters = {
        "temperature": 0.2, "maxTokens": 512.0, "topP": 0.9, "frequencyPenalty": 1, "presencePenalty": -1, "seed": 7.0,
        "responseFormat": {"type": "json_schema", "json_schema": schema, "display_name": "Answer"},
        "reasoningEffort": "disable", "verbosity": "low",
    }  # fmt: skip
    tool = {"type": "function", "display_name": "Weather", "id": 3,
            "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}  # fmt: skip

    arguments = chat(a_config(parameters=parameters, tools=[tool]))

    assert arguments == {
        "model": "my-gpt", "messages": USER, "temperature": 0.2, "max_completion_tokens": 512, "top_p": 0.9,
        "frequency_penalty": 1, "presence_penalty": -1, "seed": 7, "reasoning_effort": "none", "verbosity": "low",
        "response_format": {"type": "json_schema", "json_schema": schema},
        "tools": [{"type": "function", "function": tool["function"]}],
    }  # fmt: skip
    assert type(arguments["seed"]) is type(arguments["max_completion_tokens"]) is int


@pytest.mark.parametrize(("provider", "function"), [
    ("openai", {"name": "now"}), ("mistral", {"name": "now", "parameters": {"type": "object", "properties": {}}}),
])  # fmt: skip
def test_a_tool_of_a_call_without_parameters_is_one_that_the_provider_takes(
    provider: str, function: dict[str, object]
) -> None:
    """The clients of OpenAI omit them, or send a null."""
    for given in ({"name": "now"}, {"name": "now", "parameters": None, "strict": None, "description": None}):
        arguments = chat(a_config(provider=provider, model="m", tools=[{"type": "function", "function": given}]))
        assert arguments["tools"] == [{"type": "function", "function": function}]


@pytest.mark.parametrize(("provider", "model", "native"), [
    ("openai", "openai/my-gpt", "my-gpt"),
    ("openai", "my-gpt", "my-gpt"),
    ("openai", "ft:my-gpt:acme::1", "ft:my-gpt:acme::1"),
    ("azure", "azure/my-deployment", "my-deployment"),
    ("togetherai", "togetherai/meta-llama/Llama-4", "meta-llama/Llama-4"),
    ("togetherai", "meta-llama/Llama-4", "meta-llama/Llama-4"),
    ("litellm", "openai/my-gpt", "openai/my-gpt"),
    ("anthropic", "anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"),
    ("perplexity", "perplexity/sonar", "perplexity/sonar"),
])  # fmt: skip
def test_the_model_has_no_prefix_of_its_own_provider(provider: str, model: str, native: str) -> None:
    assert chat(a_config(provider=provider, model=model))["model"] == native


@pytest.mark.parametrize(("provider", "parameters", "expected"), [
    ("togetherai", {"maxTokens": 9, "topK": 40.0}, {"max_tokens": 9, "extra_body": {"top_k": 40}}),
    ("mistral", {"seed": 7}, {"extra_body": {"random_seed": 7}}),
    ("groq", {"maxTokens": 9}, {"max_completion_tokens": 9}),
    ("google-ai", {"thinkingLevel": "low"}, {"reasoning_effort": "low"}),
    ("anthropic", {"budgetTokens": 2048, "maxTokens": 4096},
     {"max_tokens": 4096, "extra_body": {"thinking": {"type": "enabled", "budget_tokens": 2048}}}),
    ("litellm", {"budgetTokens": 0}, {"extra_body": {"thinking": {"type": "disabled"}}}),
    ("openai", {"responseFormat": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
    ("openai", {"responseFormat": {"type": "text"}}, {"response_format": {"type": "text"}}),
    ("openai", {"responseFormat": {"type": "json_schema", "json_schema": {
        "name": "a", "schema": {}, "description": None}}},
     {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}}),
    ("openai", {"responseFormat": None, "cacheControl": None}, {}),
])  # fmt: skip
def test_parameters_follow_the_dialect_of_the_provider(provider: str, parameters: Object, expected: Object) -> None:
    arguments = chat(a_config(provider=provider, model="m", parameters=parameters))

    assert {name: value for name, value in arguments.items() if name not in ("model", "messages")} == expected


@pytest.mark.parametrize(("provider", "model", "parameters", "omitted"), [
    ("openai", "my-gpt", {"topK": 40}, ["topK"]),
    ("openai", "my-gpt", {"budgetTokens": 1024}, ["budgetTokens"]),
    ("openai", "my-gpt", {"cacheControl": {"type": "ephemeral"}}, ["cacheControl"]),
    ("openai", "my-gpt", {"thinkingLevel": "low"}, ["thinkingLevel"]),
    ("openai", "my-gpt", {"numImages": 1, "style": "vivid", "responseFormat": "mp3"},
     ["numImages", "style", "responseFormat"]),
    ("openai", "my-gpt", {"seed": 1.5, "maxTokens": 9.5}, ["maxTokens", "seed"]),
    ("groq", "llama", {"verbosity": "low"}, ["verbosity"]),
    ("openai", "gpt-5-mini", {"temperature": 0.2, "topP": 1}, ["temperature", "topP"]),
    ("openai", "o3", {"presencePenalty": 1}, ["presencePenalty"]),
    ("moonshotai", "kimi-k3", {"temperature": 0.2}, ["temperature"]),
])  # fmt: skip
def test_what_the_provider_does_not_know_is_omitted_and_listed(
    provider: str, model: str, parameters: Object, omitted: list[str]
) -> None:
    arguments, found = encode_chat(a_config(provider=provider, model=model, parameters=parameters))

    assert {*arguments} == {"model", "messages"}
    assert {*found} == {f"parameters.{name}" for name in omitted}


@pytest.mark.parametrize("model", ["gpt-5-chat-latest", "gpt-4.1", "my-gpt"])
def test_a_model_that_does_not_reason_takes_a_temperature(model: str) -> None:
    assert chat(a_config(model=model, parameters={"temperature": 0.2}))["temperature"] == 0.2


def test_a_model_with_its_reasoning_disabled_takes_a_temperature() -> None:
    parameters = {"temperature": 0.2, "reasoningEffort": "none"}
    assert chat(a_config(model="gpt-5.2", parameters=parameters))["temperature"] == 0.2


def test_parameters_of_a_call_are_sent_under_their_own_names() -> None:
    parameters = {"maxTokens": 512, "max_tokens": 5, "temperature": 0.1, "stop": ["END"], "user": "u1", "top_p": 0.5}

    arguments = chat(a_config(parameters=parameters))

    assert arguments == {
        "model": "my-gpt", "messages": USER, "max_tokens": 5, "temperature": 0.1, "top_p": 0.5,
        "stop": ["END"], "extra_body": {"user": "u1"},
    }  # fmt: skip


def test_messages_have_only_the_fields_of_the_api() -> None:
    call = {"type": "function", "id": "c1", "index": 0, "function": {"name": "weather", "arguments": "{}"}}
    arguments = chat(a_config([
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "name": "ada", "content": [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": {"url": PIXEL, "id": "i1", "detail": "low"}},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            {"type": "file", "file": {"file_data": DATA, "mimeType": "application/pdf", "filename": "a.pdf"}},
        ]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "sunny", "tool_call_id": "c1"},
        {"role": "prompt", "content": "Write."},
    ]))  # fmt: skip

    assert arguments["messages"] == [
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "name": "ada", "content": [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            {"type": "file", "file": {"file_data": DATA, "filename": "a.pdf"}},
        ]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"type": "function", "id": "c1", "function": {"name": "weather", "arguments": "{}"}},
        ]},
        {"role": "tool", "content": "sunny", "tool_call_id": "c1"},
        {"role": "user", "content": "Write."},
    ]  # fmt: skip


def test_the_role_developer_is_system_for_other_providers() -> None:
    arguments = chat(a_config([{"role": "developer", "content": "x"}], provider="groq", model="llama"))
    assert arguments["messages"] == [{"role": "system", "content": "x"}]


def test_notes_about_an_output_are_not_sent() -> None:
    notes = [{"role": role, "content": "x"} for role in ("exception", "correction", "expected_output")]
    arguments, omitted = encode_chat(a_config([*USER, *notes]))
    assert (arguments["messages"], [*omitted]) == (USER, ["messages[1]", "messages[2]", "messages[3]"])


def test_a_null_content_without_tool_calls_is_an_empty_text() -> None:
    assert chat(a_config([{"role": "user", "content": None}]))["messages"] == [{"role": "user", "content": ""}]


def ids(messages: list[Object]) -> list[str]:
    """Return the ids of the calls and the results in the arguments for these messages."""
    found: list[str] = []
    for message in chat(a_config(messages))["messages"]:
        found += [call["id"] for call in message.get("tool_calls", ())]
        found += [message["tool_call_id"]] if message["role"] == "tool" else []
    return found


def calls(*call_ids: str | None) -> Object:
    function = {"name": "weather", "arguments": "{}"}
    return {
        "role": "assistant", "content": None, "tool_calls": [
            {"type": "function", "function": function} | ({"id": call_id} if call_id else {}) for call_id in call_ids
        ],
    }  # fmt: skip


def result(call_id: str | None) -> Object:
    return {"role": "tool", "content": "sunny", "tool_call_id": call_id}


def test_calls_and_results_without_ids_get_the_same_ones() -> None:
    first, second, *results = ids([calls(None, None), result(None), result(None)])
    assert results == [first, second]
    assert first != second

    assert ids([calls("a", "b"), result("b"), result(None)]) == ["a", "b", "b", "a"]
    assert ids([calls(None), result("x")]) == ["x", "x"]
    assert len({*ids([calls(None, None), calls(None)])}) == 3


def test_a_result_without_a_call_is_rejected() -> None:
    with pytest.raises(NotSupportedByProvider, match=r"^messages\[0\]\.tool_call_id has no equivalent"):
        encode_chat(a_config([result(None)]))


@pytest.mark.parametrize(("part", "path"), [
    ({"role": "user", "content": [{"type": "file", "file": {"uri": "https://a.test/a"}}]}, "messages[0].content[0]"),
    ({"role": "system", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}, "messages[0].content[0]"),
    ({"role": "assistant", "content": [{"type": "file", "file": {"file_data": DATA}}]}, "messages[0].content[0]"),
    (calls("c") | {"role": "user"}, "messages[0].tool_calls"),
    (calls("c") | {"role": "system"}, "messages[0].tool_calls"),
])  # fmt: skip
def test_content_that_the_api_does_not_take_is_rejected(part: Object, path: str) -> None:
    with pytest.raises(NotSupportedByProvider) as caught:
        encode_chat(a_config([part]))
    assert caught.value.param == path


@pytest.mark.parametrize(("file", "expected"), [
    ({"uri": "https://a.test/a.png", "mimeType": "image/png"},
     {"type": "image_url", "image_url": {"url": "https://a.test/a.png"}}),
    ({"file_data": PIXEL}, {"type": "image_url", "image_url": {"url": PIXEL}}),
    ({"uri": DATA, "filename": "a.pdf"}, {"type": "file", "file": {"file_data": DATA, "filename": "a.pdf"}}),
    ({"file_data": "JVBERg==", "mimeType": "application/pdf"}, {"type": "file", "file": {"file_data": DATA}}),
    ({"file_id": "file-1"}, {"type": "file", "file": {"file_id": "file-1"}}),
])  # fmt: skip
def test_files_are_data_uris_or_images(file: Object, expected: Object) -> None:
    arguments = chat(a_config([{"role": "user", "content": [{"type": "file", "file": file}]}]))
    assert arguments["messages"][0]["content"] == [expected]


@pytest.mark.parametrize(("provider", "is_sent"), [("openai", True), ("deepseek", False), ("moonshotai", False)])
def test_a_seed_is_sent_to_providers_that_do_not_ignore_it(provider: str, is_sent: bool) -> None:
    arguments, omitted = encode_chat(a_config(provider=provider, parameters={"seed": 7}))
    assert (arguments.get("seed") == 7, "parameters.seed" in omitted) == (is_sent, not is_sent)


def test_hints_of_other_providers_in_messages_are_listed() -> None:
    cached = {"type": "ephemeral"}
    _, omitted = encode_chat(a_config([
        {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": cached}]},
        {"role": "assistant", "reasoning_content": "hm", "content": [
            {"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "x"},
        ], "tool_calls": [{"id": "c", "type": "function", "thought_signature": "s", "extra_content": {"google": {}},
                           "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "x", "cache_control": cached},
    ]))  # fmt: skip

    assert {*omitted} == {
        "messages[0].content[0].cache_control", "messages[1].reasoning_content", "messages[1].content[0]",
        "messages[1].tool_calls[0].thought_signature", "messages[1].tool_calls[0].extra_content",
        "messages[2].cache_control",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "pattern"),
    [
        ("openai", ".{1,40}"),
        ("azure", ".{1,40}"),
        ("mistral", "[a-zA-Z0-9]{9}"),
        ("groq", "x{50}"),
        ("litellm", "x{50}"),
    ],
)
def test_an_id_of_another_provider_is_replaced_if_the_provider_rejects_it(provider: str, pattern: str) -> None:
    call_id = "x" * 50
    call = {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    sent = chat(a_config([
        {"role": "user", "content": "x"}, {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": "y"},
    ], provider=provider))["messages"]  # fmt: skip

    assert re.fullmatch(pattern, sent[1]["tool_calls"][0]["id"])
    assert sent[2]["tool_call_id"] == sent[1]["tool_calls"][0]["id"]


@pytest.mark.parametrize("role", ["system", "developer", "user", "tool"])
@pytest.mark.parametrize("value", [5, "x", ["x"], {"x": 1}, [[]]])
def test_fields_of_another_role_are_not_read(role: str, value: object) -> None:
    names = ("refusal", "audio", "reasoning_content", "cache_control")
    message = {"role": role, "content": [], **dict.fromkeys(names[: 3 if role == "tool" else 4], value)}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    arguments = chat(a_config([{"role": "assistant", "content": "", "tool_calls": [call]}, {
        **message, **({"tool_call_id": "c"} if role == "tool" else {}),
    }], provider="openai"))  # fmt: skip
    assert not {*names} & {*arguments["messages"][1]}

    with pytest.raises(NotSupportedByProvider, match=r"messages\[0\]\.tool_calls"):
        encode_chat(a_config([{"role": role, "content": "x", "tool_calls": value, "tool_call_id": "c"}]))


def test_google_gets_the_signature_of_a_thought() -> None:
    call = {"id": "c", "type": "function", "thought_signature": "s", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    (sent,) = chat(a_config([message], provider="google-ai", model="gemini"))["messages"]
    assert sent["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s"}}


@pytest.mark.parametrize("kind", ["image", "embedding", "tts", "rerank", "completion"])
def test_a_model_of_another_type_is_rejected(kind: str) -> None:
    with pytest.raises(UnsupportedModelType, match=f"model type {kind!r}"):
        encode_chat(a_config(type=kind))


def test_a_stream_is_an_argument_of_the_method() -> None:
    with pytest.raises(NotSupportedByProvider, match=r"parameters\.stream"):
        encode_chat(a_config(parameters={"stream": True}))
