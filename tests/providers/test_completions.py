"""The older Completions API; the types of the openai SDK are the oracle for requests and responses."""

import json
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import msgspec
import openai.types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers import completions
from moorage.providers.completion import Choice, Completion, Usage
from moorage.providers.errors import MalformedResponse, NotSupportedByProvider, ProviderFailed, UnsupportedModelType
from moorage.providers.protocol import Event
from moorage.providers.table import PROVIDERS
from tests.contract.full_items import PROVIDER_VALUES
from tests.contract.generated import prompt_configs
from tests.providers.test_every_configuration import check
from tests.providers.test_openai import PIXEL, a_config

PARAMS = TypeAdapter[Any](CompletionCreateParamsNonStreaming)
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


def a_completion(messages: list[Object] | None = None, **fields: Any) -> ResolvedConfig:
    return a_config(messages, **{"model": "gpt-3.5-turbo-instruct", "type": "completion"} | fields)


def body_of(config: ResolvedConfig) -> Object:
    request = completions.encode(config, {}, stream=False)
    assert request.omitted == {}
    return request.body


def test_the_prompt_is_the_texts_of_the_messages_joined_by_empty_lines() -> None:
    body = body_of(a_completion([
        {"role": "system", "content": "Translate."}, {"role": "prompt", "content": "Hello"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": ""},
    ]))  # fmt: skip

    assert body == {"model": "gpt-3.5-turbo-instruct", "prompt": "Translate.\n\nHello\n\na\n\nb"}
    check(body, PARAMS)


@pytest.mark.parametrize(("provider", "path"), [
    ("openai", "/completions"), ("azure", "/completions"), ("togetherai", "/completions"), ("litellm", "/completions"),
    ("openailike", "/completions"), ("cerebras", "/completions"), ("mistral", "/fim/completions"),
    ("deepseek", "/beta/completions"), ("nvidia", "/completions"),
])  # fmt: skip
def test_each_provider_has_its_path(provider: str, path: str) -> None:
    assert PROVIDERS[provider].protocols["completion"] == "completions"
    assert completions.encode(a_completion(provider=provider), {}, stream=False).path == path


def test_the_paths_are_those_of_all_providers_with_the_protocol() -> None:
    assert {row.id for row in PROVIDERS.values() if "completions" in row.protocols.values()} == {
        "openai", "azure", "togetherai", "litellm", "openailike", "cerebras", "mistral", "deepseek",
        "nvidia",
    }  # fmt: skip


def test_a_stream_asks_for_its_usage_where_it_can() -> None:
    for provider, expected in (("openai", {"include_usage": True}), ("mistral", None)):
        body = completions.encode(a_completion(provider=provider), {}, stream=True).body
        assert (body["stream"], body.get("stream_options")) == (True, expected)


def test_options_are_headers() -> None:
    request = completions.encode(a_completion(), {"organization": "o", "timeout_total_s": "5"}, stream=False)

    assert request.headers == {"OpenAI-Organization": "o"}


@pytest.mark.parametrize(("provider", "parameters", "expected"), [
    ("openai", {"temperature": 0.2, "topP": 0.9, "maxTokens": 9.0, "seed": 7, "frequencyPenalty": 1, "stop": "x"},
     {"temperature": 0.2, "top_p": 0.9, "max_tokens": 9, "seed": 7, "frequency_penalty": 1, "stop": "x"}),
    ("openai", {"suffix": "}", "echo": True, "best_of": 3, "n": 2, "logit_bias": {"1": 2}, "user": "ada"},
     {"suffix": "}", "echo": True, "best_of": 3, "n": 2, "logit_bias": {"1": 2}, "user": "ada"}),
    ("openai", {"logprobs": True}, {"logprobs": 1}),
    ("openai", {"logprobs": True, "top_logprobs": 4}, {"logprobs": 4}),
    ("openai", {"logprobs": 3}, {"logprobs": 3}),
    ("openai", {"logprobs": False, "top_logprobs": 4}, {}),
    ("openai", {"tool_choice": "auto", "parallel_tool_calls": True, "responseFormat": {"type": "text"}}, {}),
    ("openai", {"maxTokens": 5, "max_completion_tokens": 7}, {"max_tokens": 7}),
    ("openai", {"maxTokens": 5, "max_tokens": 8, "grammar_root": "x"}, {"max_tokens": 8, "grammar_root": "x"}),
    ("togetherai", {"topK": 4, "repetition_penalty": 1.1}, {"top_k": 4, "repetition_penalty": 1.1}),
    ("mistral", {"suffix": "}", "seed": 7, "min_tokens": 3, "maxTokens": 5},
     {"suffix": "}", "random_seed": 7, "min_tokens": 3, "max_tokens": 5}),
])  # fmt: skip
def test_parameters_have_the_names_of_the_api(provider: str, parameters: Object, expected: Object) -> None:
    body = body_of(a_completion(provider=provider, parameters=parameters))

    assert {name: value for name, value in body.items() if name not in ("model", "prompt")} == expected


@pytest.mark.parametrize(("provider", "parameters"), [
    ("openai", {"topK": 3, "reasoningEffort": "low", "cacheControl": {"type": "ephemeral"}, "metadata": {"a": "b"}}),
    ("mistral", {"frequencyPenalty": 1, "presencePenalty": 1, "topK": 2, "logit_bias": {"1": 2}, "user": "a"}),
    ("deepseek", {"seed": 1}), ("cerebras", {"presencePenalty": 1}),
])  # fmt: skip
def test_what_a_provider_does_not_have_is_listed(provider: str, parameters: Object) -> None:
    request = completions.encode(a_completion(provider=provider, parameters=parameters), {}, stream=False)

    assert {*request.omitted} == {f"parameters.{name}" for name in parameters}
    assert request.body.keys() == {"model", "prompt"}


@pytest.mark.parametrize(("messages", "fields", "path"), [
    ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}], {}, "messages[0].content[0]"),
    ([{"role": "assistant", "content": None, "tool_calls": [CALL]}], {}, "messages[0]"),
    ([{"role": "tool", "content": "x", "tool_call_id": "c1"}], {}, "messages[0]"),
    (None, {"tools": [TOOL]}, "tools"),
    (None, {"parameters": {"tool_choice": "required"}}, "parameters.tool_choice"),
    (None, {"parameters": {"responseFormat": {"type": "json_object"}}}, "parameters.responseFormat"),
    (None, {"provider": "mistral", "parameters": {"n": 2}}, "parameters.n"),
    (None, {"provider": "cerebras", "parameters": {"suffix": "x"}}, "parameters.suffix"),
])  # fmt: skip
def test_what_has_no_equivalent_is_rejected(messages: list[Object] | None, fields: Any, path: str) -> None:
    with pytest.raises(NotSupportedByProvider) as error:
        completions.encode(a_completion(messages, **fields), {}, stream=False)
    assert error.value.param == path


def test_another_model_type_is_rejected() -> None:
    with pytest.raises(UnsupportedModelType, match="it takes: completion"):
        completions.encode(a_completion(type="chat"), {}, stream=False)


@pytest.mark.system
@settings(max_examples=1_000, deadline=None)
@given(config=prompt_configs(is_newest=True), further=st.lists(st.sampled_from([*PROVIDER_VALUES.items()]), max_size=2))
def test_each_configuration_is_translated_or_rejected(config: Object, further: list[Any]) -> None:
    resolved = a_completion(
        config["messages"], parameters=config["model_parameters"] | dict(further), provider=config["provider"],
        model=config["model"],
    )  # fmt: skip
    try:
        request = completions.encode(resolved, {}, stream=False)
    except NotSupportedByProvider:
        return
    msgspec.json.encode(request.body)
    # The type of the SDK has only whole numbers for a bias; the API takes others.
    check({name: value for name, value in request.body.items() if name != "logit_bias"}, PARAMS)


# Responses

ANSWER: Object = {
    "id": "cmpl-1", "object": "text_completion", "created": 1786000003, "model": "gpt-3.5-turbo-instruct",
    "system_fingerprint": "fp", "choices": [
        {"text": "Paris", "index": 0, "finish_reason": "stop", "logprobs": {"tokens": ["Paris"]}},
        {"text": " Paris, ", "index": 1, "finish_reason": "length", "logprobs": None},
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12,
              "prompt_tokens_details": {"cached_tokens": 2}},
}  # fmt: skip


def test_a_response_has_the_texts_that_the_sdk_reads() -> None:
    body = json.dumps(ANSWER)
    completion = completions.decode(body.encode())

    sdk = openai.types.Completion.model_validate_json(body)
    assert completion == Completion([
        Choice(0, "Paris", finish_reason="stop", logprobs={"tokens": ["Paris"]}),
        Choice(1, " Paris, ", finish_reason="length"),
    ], Usage(5, 7, 2), "cmpl-1", "gpt-3.5-turbo-instruct", "fp")  # fmt: skip
    assert [(each.index, each.content, each.finish_reason) for each in completion.choices] == [
        (each.index, each.text, each.finish_reason) for each in sdk.choices
    ]


def test_a_response_of_mistral_has_the_form_of_a_chat() -> None:
    choices = [{"index": 0, "message": {"role": "assistant", "content": "x + 1"}, "finish_reason": "model_length"}]

    assert completions.decode(json.dumps({"choices": choices}).encode()).choices == [
        Choice(0, "x + 1", finish_reason="length")
    ]


@pytest.mark.parametrize(("body", "message", "status", "code"), [
    ({"error": {"message": "No", "code": "c"}}, "No", 500, "c"), ({"error": "No"}, "No", 500, None),
    ({"error": {"message": "No", "code": "rate_limit_exceeded"}}, "No", 429, "rate_limit_exceeded"),
    ({"error": {"message": "No", "code": 429}}, "No", 429, "429"), ({"message": "No", "code": "x"}, "No", 500, "x"),
    ({"choices": [{"text": "", "finish_reason": "insufficient_system_resource"}]}, "the model stopped with an error",
     503, "insufficient_system_resource"),
])  # fmt: skip
def test_an_error_in_a_success_is_a_failure(body: Object, message: str, status: int, code: str | None) -> None:
    data = json.dumps(body).encode()
    for act in (completions.decode, lambda data: completions.parser().feed(Event(data))):
        with pytest.raises(ProviderFailed) as error:
            act(data)
        assert (error.value.message, error.value.status, error.value.code) == (message, status, code)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"choices": 3}', b'{"choices": []}', b'{"choices": [{"text": 5}]}', b"\xff"]
)
def test_a_body_that_is_no_response_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        completions.decode(body)


def test_a_response_with_too_many_parts_is_malformed() -> None:
    with pytest.raises(MalformedResponse, match="more than 1024"):
        completions.decode(json.dumps({"choices": [{"text": "a"}] * 1_025}).encode())


# Streams

CHUNKS: list[Object] = [
    {**ANSWER, "choices": [{"text": "Par", "index": 0, "finish_reason": None}], "usage": None},
    {**ANSWER, "choices": [{"text": "is é", "index": 0, "finish_reason": None}], "usage": None},
    {**ANSWER, "choices": [{"text": "", "index": 0, "finish_reason": "stop"}], "usage": None},
    {**ANSWER, "choices": []},
]  # fmt: skip
STREAM = b"".join(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode() for chunk in CHUNKS) + (
    b"data: [DONE]\n\n"
)


def read_stream(pieces: Iterable[bytes]) -> tuple[list[Completion], bool]:
    splitter, parser = completions.splitter(), completions.parser()
    events = [event for piece in pieces for event in splitter.feed(piece)] + [*splitter.close()]
    return [found for event in events if (found := parser.feed(event))], parser.is_complete


def test_a_stream_has_the_texts_in_their_order() -> None:
    found, is_complete = read_stream([STREAM])
    choices = [choice for completion in found for choice in completion.choices]

    assert is_complete
    assert "".join(choice.content or "" for choice in choices) == "Paris é"
    assert [choice.finish_reason for choice in choices] == [None, None, "stop"]
    assert found[-1] == Completion([], Usage(5, 7, 2), "cmpl-1", "gpt-3.5-turbo-instruct", "fp")


def test_a_stream_of_mistral_has_the_form_of_a_chat() -> None:
    parser = completions.parser()
    choice = {"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}
    chunk = {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}

    found = parser.feed(Event(json.dumps(chunk).encode()))

    assert found == Completion([Choice(0, "x", finish_reason="stop")], Usage(1, 2))
    assert parser.is_complete


def test_a_stream_is_complete_when_all_choices_are() -> None:
    parser, complete = completions.parser(), []
    for index, reason in ((0, None), (1, None), (0, "stop"), (1, "stop")):
        choice = {"text": "", "index": index, "finish_reason": reason}
        parser.feed(Event(json.dumps({"choices": [choice]}).encode()))
        complete.append(parser.is_complete)

    assert complete == [False, False, False, True]


def test_a_stream_that_was_cut_off_is_not_complete() -> None:
    first, second, *_ = STREAM.split(b"\n\n")

    assert read_stream([first + b"\n\n" + second])[1] is False


def test_a_stream_that_is_split_at_each_byte_has_the_same_events() -> None:
    assert read_stream([STREAM[index : index + 1] for index in range(len(STREAM))]) == read_stream([STREAM])


@settings(max_examples=200)
@given(st.lists(st.integers(0, len(STREAM)), max_size=6).map(sorted), st.booleans())
def test_a_stream_that_is_split_anywhere_has_the_same_events(places: list[int], has_cr: bool) -> None:
    stream = STREAM.replace(b"\n", b"\r\n") if has_cr else STREAM
    ends = [0, *places, len(stream)]

    assert read_stream([stream[start:end] for start, end in pairwise(ends)]) == read_stream([STREAM])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.sampled_from([
        "choices", "text", "index", "finish_reason", "delta", "content", "usage", "prompt_tokens", "error", "message",
        "code", "logprobs",
    ]), children, max_size=5), max_leaves=14,
)  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.binary(max_size=60) | JSON_VALUES.map(lambda value: json.dumps(value).encode()), max_size=4))
def test_any_body_and_event_is_read_or_malformed(bodies: list[bytes]) -> None:
    parser = completions.parser()
    for body in bodies:
        with suppress(MalformedResponse, ProviderFailed):
            parser.feed(Event(body))
        with suppress(MalformedResponse, ProviderFailed):
            assert isinstance(completions.decode(body), Completion)
