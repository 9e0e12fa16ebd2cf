"""The Chat Completions API as a protocol: requests, responses and streams of its providers."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers import openai_protocol as protocol
from moorage.providers.completion import Choice, Completion, ToolCall, Usage
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.protocol import Event

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


def a_config(**fields: Any) -> ResolvedConfig:
    values: dict[str, Any] = {
        "id": "", "provider": "openai", "model": "openai/my-gpt", "type": "chat", "version": "1.0",
        "messages": [{"role": "user", "content": "Hi"}], "parameters": {},
    }  # fmt: skip
    return ResolvedConfig(**values | fields)


def a_body(message: Object, **fields: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return json.dumps({"id": "c1", "model": "m", "choices": [choice | fields.pop("choice", {})], **fields}).encode()


def the_choice(body: bytes) -> Choice:
    (choice,) = protocol.decode(body).choices
    return choice


def deltas(*chunks: Object | str) -> tuple[list[Completion], bool]:
    parser = protocol.parser()
    found = []
    for chunk in chunks:
        data = chunk if isinstance(chunk, str) else json.dumps(chunk)
        completion = parser.feed(Event(data.encode()))
        if completion is not None:
            found.append(completion)
    return found, parser.is_complete


def a_chunk(delta: Object, reason: str | None = None, index: int = 0) -> Object:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": reason}]}


@pytest.mark.parametrize(("provider", "path"), [
    ("openai", "/chat/completions"), ("deepseek", "/chat/completions"), ("huggingface", "/v1/chat/completions"),
])  # fmt: skip
def test_a_request_is_for_the_path_of_the_provider(provider: str, path: str) -> None:
    assert protocol.encode(a_config(provider=provider), {}, stream=False).path == path


def test_a_stream_asks_for_its_usage_where_the_provider_takes_that() -> None:
    assert protocol.encode(a_config(), {}, stream=False).body.keys() == {"model", "messages"}
    body = protocol.encode(a_config(), {}, stream=True).body
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    mistral = protocol.encode(a_config(provider="mistral", model="m"), {}, stream=True).body
    assert mistral["stream"] is True
    assert "stream_options" not in mistral


@pytest.mark.parametrize("options", [5, "x", ["include_usage"], None, {}, {"include_obfuscation": False}])
def test_stream_options_of_a_call_are_kept_if_they_are_any(options: Any) -> None:
    config = a_config(parameters={"stream_options": options})
    kept = options if isinstance(options, dict) else {}
    assert protocol.encode(config, {}, stream=True).body["stream_options"] == kept | {"include_usage": True}


def test_options_of_an_integration_are_headers() -> None:
    request = protocol.encode(a_config(), {"organization": "o1", "project": "p1", "other": "x"}, stream=False)
    assert request.headers == {"OpenAI-Organization": "o1", "OpenAI-Project": "p1"}


def test_parameters_of_a_call_are_fields_of_the_body() -> None:
    parameters = {"topK": 3, "temperature": 0.5, "stop": ["x"], "a_new_parameter": {"a": 1}}
    request = protocol.encode(a_config(parameters=parameters), {}, stream=False)
    assert request.body.items() >= {"temperature": 0.5, "stop": ["x"], "a_new_parameter": {"a": 1}}.items()
    assert [*request.omitted] == ["parameters.topK"]


@pytest.mark.parametrize(("message", "expected"), [
    ({"content": "Hi"}, Choice(content="Hi")),
    ({"content": None, "refusal": "No."}, Choice(refusal="No.")),
    ({"content": "4", "reasoning_content": "2 + 2"}, Choice(content="4", reasoning="2 + 2")),
    ({"content": "4", "reasoning": "2 + 2"}, Choice(content="4", reasoning="2 + 2")),
    ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "2 + 2"}]},
                  {"type": "text", "text": "4"}]}, Choice(content="4", reasoning="2 + 2")),
    ({}, Choice()),
])  # fmt: skip
def test_a_message_has_its_text_and_its_reasoning(message: Object, expected: Choice) -> None:
    expected.finish_reason, expected.tool_calls = "stop", []
    assert the_choice(a_body(message)) == expected


@pytest.mark.parametrize("arguments", ['{"city": "Rome"}', {"city": "Rome"}])
def test_a_message_has_its_tool_calls(arguments: object) -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    choice = the_choice(a_body({"content": None, "tool_calls": [call]}))
    assert [json.loads(each.arguments) for each in choice.tool_calls] == [{"city": "Rome"}]
    assert (choice.tool_calls[0].id, choice.tool_calls[0].name, choice.finish_reason) == ("t1", "weather", "tool_calls")


def test_a_tool_call_without_an_id_gets_one() -> None:
    calls = [{"function": {"name": name, "arguments": "{}"}} for name in "ab"]
    first, second = the_choice(a_body({"tool_calls": calls})).tool_calls
    assert first.id
    assert second.id
    assert first.id != second.id


@pytest.mark.parametrize(("given_reason", "reason"), [
    ("stop", "stop"), ("length", "length"), ("max_tokens", "length"), ("model_length", "length"), ("eos", "stop"),
    ("content_filter", "content_filter"), ("sensitive", "content_filter"), ("tool_calls", "tool_calls"),
    ("function_call", "tool_calls"), ("something_new", "stop"), (None, "stop"),
])  # fmt: skip
def test_reasons_are_in_one_vocabulary(given_reason: str | None, reason: str) -> None:
    assert the_choice(a_body({"content": ""}, choice={"finish_reason": given_reason})).finish_reason == reason
    if given_reason is not None:
        (completion,), is_complete = deltas(a_chunk({}, given_reason))
        assert (completion.choices[0].finish_reason, is_complete) == (reason, True)


@pytest.mark.parametrize(("usage", "expected"), [
    ({"prompt_tokens": 3, "completion_tokens": 2}, Usage(3, 2)),
    ({"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1},
      "completion_tokens_details": {"reasoning_tokens": 1}}, Usage(3, 2, 1, None, 1)),
    ({"prompt_tokens": 3, "completion_tokens": 2, "prompt_cache_hit_tokens": 1}, Usage(3, 2, 1)),
    ({"prompt_tokens": 3, "completion_tokens": 2, "cached_tokens": 1}, Usage(3, 2, 1)),
    ({"prompt_tokens": 3.0, "completion_tokens": None}, Usage(3, 0)), (None, None), ({}, None),
    ({"prompt_tokens": -3, "completion_tokens": 2}, Usage(0, 2)),
    ({"prompt_tokens": 10**300, "completion_tokens": 2, "cached_tokens": 10**20}, Usage(0, 2)),
])  # fmt: skip
def test_the_usage_is_that_of_the_provider(usage: Object | None, expected: Usage | None) -> None:
    assert protocol.decode(a_body({"content": ""}, usage=usage)).usage == expected


def test_the_usage_of_older_models_of_groq_is_in_a_field_of_its_own() -> None:
    (completion,), _ = deltas({"choices": [], "x_groq": {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}})
    assert completion.usage == Usage(1, 2)


def test_the_parts_of_a_tool_call_have_its_id_and_name_once() -> None:
    def part(index: int | None, call_id: str | None, name: str | None, arguments: str) -> Object:
        call: Object = {"function": {"name": name, "arguments": arguments}, "id": call_id, "index": index}
        return a_chunk({"tool_calls": [{key: value for key, value in call.items() if value is not None}]})

    found, _ = deltas(
        part(0, "a", "one", ""), part(0, "a", "one", "{"), part(1, "b", "two", "{}"), part(0, None, None, "}"),
        a_chunk({}, "stop"),
    )  # fmt: skip
    calls = [call for each in found for call in each.choices[0].tool_calls]
    assert calls == [
        ToolCall(0, "a", "one", ""), ToolCall(0, None, None, "{"), ToolCall(1, "b", "two", "{}"),
        ToolCall(0, None, None, "}"),
    ]  # fmt: skip
    assert found[-1].choices[0].finish_reason == "tool_calls"


def test_tool_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    def calls(*ids: str) -> Object:
        return a_chunk({"tool_calls": [{"id": each, "function": {"name": each, "arguments": "{}"}} for each in ids]})

    found, _ = deltas(calls("a", "b"), calls("c"))
    assert [(call.index, call.id) for each in found for call in each.choices[0].tool_calls] == [
        (0, "a"), (1, "b"), (2, "c"),
    ]  # fmt: skip


def test_a_stream_is_complete_when_all_choices_are() -> None:
    assert deltas(a_chunk({"content": "a"}), a_chunk({"content": "b"}, index=1), a_chunk({}, "stop"))[1] is False
    assert deltas(a_chunk({"content": "a"}), "[DONE]")[1] is True
    assert deltas(a_chunk({"content": "a"}), a_chunk({}, "length"))[1] is True
    assert deltas(a_chunk({"content": "a"}))[1] is False


@pytest.mark.parametrize("error", [
    {"message": "It broke.", "code": 529}, {"message": "It broke.", "status_code": 529, "type": "t"},
])  # fmt: skip
def test_an_error_in_a_stream_has_its_status(error: Object) -> None:
    with pytest.raises(ProviderFailed) as caught:
        deltas(a_chunk({"content": "a"}), {"error": error})
    assert (caught.value.message, caught.value.status) == ("It broke.", 529)


def test_an_error_event_without_a_form_is_an_error() -> None:
    with pytest.raises(ProviderFailed):
        protocol.parser().feed(Event(b'{"anything": 1}', "error"))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["choices", "delta", "message", "tool_calls", "index", "usage", "error", "content", "function",
                         "finish_reason", "arguments", "prompt_tokens", "id", "x"]), inner, max_size=4,
    ), max_leaves=20,
)  # fmt: skip


@given(_json, st.sampled_from(["", "error", "x"]))
def test_any_json_is_a_response_or_an_error(value: object, name: str) -> None:
    data = json.dumps(value).encode()
    for read in (protocol.decode, lambda body: protocol.parser().feed(Event(body, name))):
        with suppress(MalformedResponse, ProviderFailed):
            read(data)


@given(st.binary(max_size=40))
def test_any_bytes_are_an_error(data: bytes) -> None:
    with pytest.raises((MalformedResponse, ProviderFailed)):
        protocol.decode(data)


@pytest.mark.parametrize("index", [-1, 1_024, 2**70])
def test_an_index_out_of_range_is_rejected(index: int) -> None:
    with pytest.raises(MalformedResponse):
        deltas(a_chunk({"tool_calls": [{"index": index, "function": {"name": "a"}}]}))


def test_a_response_without_a_choice_is_malformed() -> None:
    with pytest.raises(MalformedResponse, match="no choices"):
        protocol.decode(b'{"id": "x", "model": "m", "choices": []}')
