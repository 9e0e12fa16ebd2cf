"""The Converse API of Amazon Bedrock; botocore is the oracle for requests, responses and streams."""

import base64
import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from itertools import pairwise
from typing import Any

import botocore.session
import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers import bedrock
from moorage.providers.completion import Choice, Completion, ToolCall, Usage
from moorage.providers.errors import MalformedResponse, NotSupportedByProvider, ProviderFailed, UnsupportedModelType
from moorage.providers.event_stream import MAX_MESSAGE, EventStreamSplitter
from moorage.providers.protocol import Event
from tests.contract.full_items import PROVIDER_VALUES
from tests.contract.generated import prompt_configs
from tests.providers.test_openai import a_config

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PIXEL = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERg=="
TOOL = {"type": "function", "function": {
    "name": "weather", "description": "Weather.", "parameters": {"type": "object", "properties": {}},
}}  # fmt: skip
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
ARN = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/ab12cd34"


class BotocoreClient:
    """A client of botocore without a network: it records the request, and gets the response."""

    def __init__(self) -> None:
        session = botocore.session.Session()
        self._client = session.create_client(
            "bedrock-runtime", "us-east-1", aws_access_key_id="A", aws_secret_access_key="S",
            config=Config(retries={"max_attempts": 0}),
        )  # fmt: skip
        self._client.meta.events.register("before-send.bedrock-runtime", self._send)
        self.body = b""

    def _send(self, request: Any, **_: object) -> AWSResponse:
        self.request = request
        return AWSResponse(request.url, 200, {"Content-Type": self.type}, Raw(self.body))

    def call(self, path: str, body: Object, response: bytes) -> Any:
        """Send our request; botocore validates it."""
        self.body, stream = response, path.endswith("-stream")
        self.type = "application/vnd.amazon.eventstream" if stream else "application/json"
        method = self._client.converse_stream if stream else self._client.converse
        return method(modelId=botocore.compat.unquote(path.split("/")[2]), **with_bytes(body))


class Raw(BytesIO):
    """The response of urllib3."""

    def stream(self, size: int = 1024, **_: object) -> Iterator[bytes]:
        while data := self.read(size):
            yield data


@pytest.fixture(scope="module")
def botocore_client() -> BotocoreClient:
    return BotocoreClient()


def with_bytes(value: Any) -> Any:
    """Return a body with bytes in the place of base64."""
    if isinstance(value, list):
        return [with_bytes(child) for child in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64decode(child) if name in ("bytes", "redactedContent") else with_bytes(child)
        for name, child in value.items()
    }


def a_bedrock_config(messages: list[Object] | None = None, **fields: Any) -> ResolvedConfig:
    return a_config(messages, **{"provider": "aws", "model": CLAUDE} | fields)


def body_of(config: ResolvedConfig) -> Object:
    request = bedrock.encode(config, {}, stream=False)
    assert request.omitted == {}
    return request.body


MINIMAL = b'{"metrics":{"latencyMs":1},"output":{"message":{"content":[{"text":"4"}],"role":"assistant"}},' \
    b'"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}'  # fmt: skip

CONVERSATION: list[Object] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "What is this?"},
                                 {"type": "image_url", "image_url": {"url": PIXEL}}]},
    {"role": "user", "content": [{"type": "file", "file": {"file_data": PDF, "filename": "a b.c.pdf"}},
                                 {"type": "file", "file": {"file_data": PDF, "filename": "a b.c.pdf"}}]},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "Sunny"},
    {"role": "user", "content": "Thanks"},
    {"role": "assistant", "content": [
        {"type": "reasoning", "reasoning": "hm", "signature": "c2ln"},
        {"type": "redacted_reasoning", "data": "AAAA"}, {"type": "text", "text": "You are welcome."},
    ]},
    {"role": "user", "content": [{"type": "text", "text": "Bye", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
]  # fmt: skip

SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("config", [
    a_bedrock_config(),
    a_bedrock_config(model="aws/amazon.nova-pro-v1:0", parameters={"temperature": 0.5, "topP": 0.9, "maxTokens": 9}),
    a_bedrock_config(model=ARN),
    a_bedrock_config(CONVERSATION, tools=[TOOL], parameters={"topK": 3.0, "stop": "END", "responseFormat": SCHEMA}),
    a_bedrock_config(tools=[TOOL], parameters={"tool_choice": "required"}),
    a_bedrock_config(tools=[TOOL], parameters={"tool_choice": {"type": "function", "function": {"name": "weather"}}}),
    a_bedrock_config(parameters={"reasoningEffort": "high", "maxTokens": 100}),
    a_bedrock_config(model="us.anthropic.claude-opus-4-7-v1:0", parameters={"reasoningEffort": "high"}),
    a_bedrock_config(model="us.amazon.nova-2-lite-v1:0", parameters={"reasoningEffort": "low"}),
    a_bedrock_config(model="openai.gpt-oss-120b-1:0", parameters={"reasoningEffort": "low"}),
    a_bedrock_config(parameters={
        "service_tier": "flex", "metadata": {"a": "b"}, "performance_config": {"latency": "optimized"},
        "guardrail_config": {"guardrailIdentifier": "abc", "guardrailVersion": "1"}, "cacheControl": {"type": "e"},
        "top_k": 5, "requestMetadata": {"c": "d"}, "inferenceConfig": {"maxTokens": 7},
    }),
])  # fmt: skip
def test_botocore_sends_the_same_request(botocore_client: BotocoreClient, config: ResolvedConfig, stream: bool) -> None:
    request = bedrock.encode(config, {}, stream=stream)
    assert request.omitted == {}

    botocore_client.call(request.path, request.body, b"" if stream else MINIMAL)

    sent = botocore_client.request
    assert sent.url == "https://bedrock-runtime.us-east-1.amazonaws.com" + request.path
    assert json.loads(sent.body) == json.loads(msgspec.json.encode(request.body))


def test_the_conversation_has_alternating_roles_and_unique_names() -> None:
    body = body_of(a_bedrock_config(CONVERSATION, tools=[TOOL]))

    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    documents = [block["document"] for block in body["messages"][0]["content"] if "document" in block]
    assert [document["name"] for document in documents] == ["a-b-c-pdf", "a-b-c-pdf-2"]
    assert body["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "Sunny"}]}}, {"text": "Thanks"}
    ]  # fmt: skip
    assert body["messages"][4]["content"][-1] == {"cachePoint": {"type": "default", "ttl": "1h"}}


def test_instructions_alone_are_a_message_of_the_user() -> None:
    body = body_of(a_bedrock_config([{"role": "system", "content": "Hi"}]))

    assert body == {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


def test_an_id_of_another_provider_is_replaced_by_the_same_valid_one() -> None:
    call = {**CALL, "id": "a b" * 40}
    body = body_of(a_bedrock_config([
        {"role": "user", "content": "x"}, {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "Sunny"},
    ]))  # fmt: skip

    (use,), (result,) = body["messages"][1]["content"], body["messages"][2]["content"]
    assert use["toolUse"]["toolUseId"] == result["toolResult"]["toolUseId"]
    assert len(use["toolUse"]["toolUseId"]) == 29


def test_the_thoughts_of_older_claude_models_are_a_part_of_the_tokens() -> None:
    body = body_of(a_bedrock_config(parameters={"budgetTokens": 2048, "maxTokens": 100}))

    assert body["inferenceConfig"] == {"maxTokens": 2148}
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2048}}


def test_no_choice_of_tools_sends_no_tools() -> None:
    assert "toolConfig" not in body_of(a_bedrock_config(tools=[TOOL], parameters={"tool_choice": "none"}))


@pytest.mark.parametrize(("model", "parameters", "omitted"), [
    ("amazon.nova-pro-v1:0", {"topK": 3}, ["topK"]),
    ("us.anthropic.claude-opus-4-7-v1:0", {"temperature": 1, "topK": 3, "topP": 1}, ["temperature", "topP", "topK"]),
    (CLAUDE, {"seed": 3, "frequencyPenalty": 1, "verbosity": "low"}, ["frequencyPenalty", "seed", "verbosity"]),
    ("meta.llama3-3-70b-instruct-v1:0", {"reasoningEffort": "low", "budgetTokens": 1, "thinking": {}},
     ["budgetTokens", "thinking", "reasoningEffort"]),
    (CLAUDE, {"service_tier": "standard_only", "user": "ada"}, ["user", "service_tier"]),
    ("meta.llama3-3-70b-instruct-v1:0", {"cacheControl": {"type": "ephemeral"}}, ["cacheControl"]),
])  # fmt: skip
def test_what_a_model_does_not_take_is_listed(model: str, parameters: Object, omitted: list[str]) -> None:
    request = bedrock.encode(a_bedrock_config(model=model, parameters=parameters), {}, stream=False)

    assert [*request.omitted] == [f"parameters.{name}" for name in omitted]
    assert request.body.keys() == {"messages"}


@pytest.mark.parametrize(("messages", "fields", "path"), [
    (None, {"parameters": {"n": 2}}, "parameters.n"),
    (None, {"parameters": {"responseFormat": {"type": "json_object"}}}, "parameters.responseFormat"),
    (None, {"parameters": {"tool_choice": "required"}}, "parameters.tool_choice"),
    (None, {"parameters": {"guardrail_config": "g"}}, "parameters.guardrail_config"),
    (CONVERSATION, {"tools": [TOOL], "parameters": {"tool_choice": "none"}}, "parameters.tool_choice"),
    ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}], {},
     "messages[0].content[0]"),
    ([{"role": "user", "content": [{"type": "file", "file": {"file_data": "data:audio/mp3;base64,AA=="}}]}], {},
     "messages[0].content[0]"),
    ([{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}], {}, "messages[0].content[0]"),
])  # fmt: skip
def test_what_has_no_equivalent_is_rejected(messages: list[Object] | None, fields: Any, path: str) -> None:
    with pytest.raises(NotSupportedByProvider) as error:
        bedrock.encode(a_bedrock_config(messages, **fields), {}, stream=False)
    assert error.value.param == path


def test_images_and_files_of_s3_are_sent_as_their_address() -> None:
    body = body_of(a_bedrock_config([{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "s3://bucket/a.JPG"}},
        {"type": "file", "file": {"uri": "s3://bucket/a.pdf"}},
    ]}]))  # fmt: skip

    assert body["messages"][0]["content"] == [
        {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a.JPG"}}}},
        {"document": {"format": "pdf", "name": "document", "source": {"s3Location": {"uri": "s3://bucket/a.pdf"}}}},
    ]  # fmt: skip


@pytest.mark.system
@settings(max_examples=1_000, deadline=None)
@given(
    config=prompt_configs(is_newest=True),
    further=st.lists(st.sampled_from([*PROVIDER_VALUES.items()]), max_size=2),
    model=st.sampled_from([CLAUDE, "amazon.nova-pro-v1:0", "claude-opus-5", "mistral.large"]),
)
def test_each_configuration_is_translated_or_rejected(config: Object, further: list[Any], model: str) -> None:
    parameters = config["model_parameters"] | dict(further)
    resolved = a_bedrock_config(
        config["messages"], model=model, tools=config["tools"], parameters=parameters, type=config["model_type"]
    )
    try:
        request = bedrock.encode(resolved, {}, stream=False)
    except (NotSupportedByProvider, UnsupportedModelType):
        return
    msgspec.json.encode(request.body)
    roles = [message["role"] for message in request.body["messages"]]
    assert all(first != second for first, second in pairwise(roles))


# Responses

ANSWER: Object = {
    "metrics": {"latencyMs": 538}, "stopReason": "tool_use",
    "output": {"message": {"role": "assistant", "content": [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "AAAA"}},
        {"text": "Let me "}, {"text": "see."},
        {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Paris"}}},
        {"toolUse": {"toolUseId": "t2", "name": "time", "input": {}}},
    ]}},
    "usage": {"inputTokens": 5, "outputTokens": 7, "totalTokens": 32, "cacheReadInputTokens": 12,
              "cacheWriteInputTokens": 8, "serverToolUsage": {}},
}  # fmt: skip


def test_a_response_has_the_texts_that_botocore_reads(botocore_client: BotocoreClient) -> None:
    body = json.dumps(ANSWER).encode()
    parsed = botocore_client.call("/model/m/converse", {"messages": []}, body)

    completion = bedrock.decode(body)

    (choice,) = completion.choices
    assert choice == Choice(
        content="Let me see.", reasoning="Hm.", reasoning_signature="c2ln", redacted_reasoning="AAAA",
        tool_calls=[ToolCall(0, "t1", "weather", '{"city": "Paris"}'), ToolCall(1, "t2", "time", "{}")],
        finish_reason="tool_calls",
    )  # fmt: skip
    blocks = parsed["output"]["message"]["content"]
    assert choice.content == "".join(block.get("text", "") for block in blocks)
    assert [(call.id, json.loads(call.arguments)) for call in choice.tool_calls] == [
        (block["toolUse"]["toolUseId"], block["toolUse"]["input"]) for block in blocks if "toolUse" in block
    ]
    assert completion.usage == Usage(25, 7, 12, 8)


def test_the_signature_of_several_blocks_is_not_returned() -> None:
    thoughts = [
        {"reasoningContent": {"reasoningText": {"text": text, "signature": "c2ln"}}} for text in ("a", "b")
    ] + [{"reasoningContent": {"redactedContent": "AAAA"}}] * 2  # fmt: skip
    body = {**ANSWER, "output": {"message": {"content": thoughts}}}
    (choice,) = bedrock.decode(json.dumps(body).encode()).choices
    parser = bedrock.parser()
    for index in (0, 1):
        delta = {"reasoningContent": {"text": "a", "signature": "c2ln"}}
        parser.feed(Event(json.dumps({"contentBlockIndex": index, "delta": delta}).encode(), "contentBlockDelta"))
    end = parser.feed(Event(b'{"stopReason": "end_turn"}', "messageStop"))

    assert (choice.reasoning, choice.reasoning_signature, choice.redacted_reasoning) == ("ab", None, None)
    assert end == Completion([Choice(finish_reason="stop")])


@pytest.mark.parametrize(("reason", "expected"), [
    ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("content_filtered", "content_filter"),
    ("guardrail_intervened", "content_filter"), ("model_context_window_exceeded", "length"), ("new", "stop"),
])  # fmt: skip
def test_each_reason_is_one_of_the_vocabulary(reason: str, expected: str) -> None:
    completion = bedrock.decode(json.dumps({**ANSWER, "stopReason": reason}).encode())

    assert completion.choices[0].finish_reason == expected


def test_a_call_without_an_id_gets_one_that_its_result_can_name() -> None:
    use = {"toolUse": {"toolUseId": "", "name": "weather", "input": {}}}
    body = {**ANSWER, "output": {"message": {"role": "assistant", "content": [use, use]}}}
    whole = bedrock.decode(json.dumps(body).encode()).choices[0].tool_calls
    start = an_event("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"name": "weather"}}})
    (found,), _ = read_stream([start])

    ids = [call.id for call in (*whole, *found.choices[0].tool_calls)]
    assert all(ids)
    assert len({*ids}) == 3


def test_a_malformed_output_of_the_model_is_a_failure() -> None:
    with pytest.raises(ProviderFailed) as error:
        bedrock.decode(json.dumps({**ANSWER, "stopReason": "malformed_tool_use"}).encode())
    assert (error.value.status, error.value.code) == (502, "malformed_tool_use")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.sampled_from([
        "output", "message", "content", "text", "toolUse", "input", "usage", "inputTokens", "stopReason", "delta",
        "start", "contentBlockIndex", "reasoningContent", "toolUseId",
    ]), children, max_size=4), max_leaves=12,
)  # fmt: skip


@settings(max_examples=500)
@given(st.binary(max_size=60) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_malformed(body: bytes) -> None:
    with suppress(MalformedResponse, ProviderFailed):
        assert isinstance(bedrock.decode(body), Completion)


def test_a_response_with_too_many_parts_is_malformed() -> None:
    with pytest.raises(MalformedResponse, match="more than 1024"):
        bedrock.decode(json.dumps({**ANSWER, "output": {"message": {"content": [{"text": "a"}] * 1_025}}}).encode())


# Streams


def frame(payload: bytes, **headers: str) -> bytes:
    """Return a message of an event stream."""
    encoded = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()
        for name, value in ((":" + name.replace("_", "-"), value) for name, value in headers.items())
    )
    head = struct.pack(">II", 16 + len(encoded) + len(payload), len(encoded))
    message = head + struct.pack(">I", zlib.crc32(head)) + encoded + payload
    return message + struct.pack(">I", zlib.crc32(message))


def an_event(name: str, payload: Object) -> bytes:
    return frame(json.dumps(payload).encode(), event_type=name, content_type="application/json", message_type="event")


EVENTS: list[tuple[str, Object]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "c2"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "ln"}}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "Sure ✓ "}, "p": "abc"}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "é"}}),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "weather"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"city": '}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '"Paris"}'}}}),
    ("contentBlockStop", {"contentBlockIndex": 2}),
    ("contentBlockStart", {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t2", "name": "time"}}}),
    ("contentBlockStop", {"contentBlockIndex": 3}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"metrics": {"latencyMs": 1}, "usage": {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12}}),
]  # fmt: skip
STREAM = b"".join(an_event(name, payload) for name, payload in EVENTS)


def read_stream(pieces: Iterable[bytes]) -> tuple[list[Completion], bool]:
    splitter, parser = bedrock.splitter(), bedrock.parser()
    events = [event for piece in pieces for event in splitter.feed(piece)] + [*splitter.close()]
    return [found for event in events if (found := parser.feed(event))], parser.is_complete


def test_a_stream_has_the_texts_and_calls_in_their_order() -> None:
    found, is_complete = read_stream([STREAM])
    choices = [choice for completion in found for choice in completion.choices]

    assert is_complete
    assert "".join(choice.content or "" for choice in choices) == "Sure ✓ é"
    assert "".join(choice.reasoning or "" for choice in choices) == "Hm"
    assert [choice.reasoning_signature for choice in choices if choice.reasoning_signature] == ["c2ln"]
    assert [call for choice in choices for call in choice.tool_calls] == [
        ToolCall(0, "t1", "weather"), ToolCall(0, arguments='{"city": '), ToolCall(0, arguments='"Paris"}'),
        ToolCall(1, "t2", "time"), ToolCall(1, arguments="{}"),
    ]  # fmt: skip
    assert choices[-1].finish_reason == "tool_calls"
    assert found[-1].usage == Usage(5, 7)


def test_botocore_reads_the_same_events() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(STREAM)
    expected = [(message.headers[":event-type"], message.payload) for message in buffer]

    assert [(event.name, event.data) for event in EventStreamSplitter().feed(STREAM)] == expected


def test_a_stream_that_is_split_at_each_byte_has_the_same_events() -> None:
    whole = read_stream([STREAM])

    assert read_stream([STREAM[index : index + 1] for index in range(len(STREAM))]) == whole
    for index in range(len(STREAM)):
        assert read_stream([STREAM[:index], STREAM[index:]]) == whole


def test_a_stream_that_was_cut_off_is_not_complete() -> None:
    end = STREAM.index(b"messageStop") - 20

    assert read_stream([STREAM[:end]])[1] is False
    assert read_stream([])[1] is False


@pytest.mark.parametrize(("name", "status"), [
    ("throttlingException", 429), ("ThrottlingException", 429), ("modelStreamErrorException", 502),
    ("internalServerException", 500), ("serviceUnavailableException", 503), ("validationException", 400),
    ("modelTimeoutException", 504), ("somethingNew", 500),
])  # fmt: skip
def test_an_exception_in_a_stream_is_a_failure_with_its_status(name: str, status: int) -> None:
    message = frame(b'{"message":"Too many"}', exception_type=name, message_type="exception")

    with pytest.raises(ProviderFailed) as error:
        read_stream([an_event(*EVENTS[0]) + message])
    assert (error.value.status, error.value.message, error.value.code) == (status, "Too many", name)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"message":3}'])
def test_an_exception_without_a_message_is_a_failure(payload: bytes) -> None:
    with pytest.raises(ProviderFailed, match="no message"):
        read_stream([frame(payload, exception_type="x", message_type="exception")])


def test_an_error_of_the_stream_itself_is_a_failure() -> None:
    message = frame(b"", message_type="error", error_code="Broken", error_message="It broke")

    with pytest.raises(ProviderFailed, match="It broke") as error:
        read_stream([message])
    assert error.value.code == "Broken"


def test_a_wrong_byte_is_found_everywhere() -> None:
    message = an_event("contentBlockDelta", EVENTS[5][1])
    for index in range(len(message)):
        wrong = bytearray(message)
        wrong[index] ^= 0x40
        with pytest.raises(MalformedResponse):
            read_stream([bytes(wrong) + STREAM])


def test_malformed_bytes_count_after_the_messages_before_them() -> None:
    splitter, message = EventStreamSplitter(), an_event("contentBlockDelta", EVENTS[4][1])

    (event,) = splitter.feed(message + b"garbage that is no message")
    assert event.name == "contentBlockDelta"
    with pytest.raises(MalformedResponse):
        splitter.close()
    with pytest.raises(MalformedResponse):
        splitter.feed(b"")


def test_a_message_that_is_too_large_is_rejected_by_its_sizes() -> None:
    for size, n_headers in ((MAX_MESSAGE + 1, 0), (2**32 - 1, 0), (16, 1), (15, 0), (200_000, 131_073)):
        head = struct.pack(">II", size, n_headers)
        with pytest.raises(MalformedResponse, match="bytes of headers"):
            EventStreamSplitter().feed(head + struct.pack(">I", zlib.crc32(head)))


@pytest.mark.parametrize(
    "headers", [b"\x05", b"\x01a\x0b", b"\x01a\x07\xff\xff", b"\x01a\x07\x00\x01\xff", b"\x01a\x00" * 65]
)
def test_wrong_headers_are_rejected(headers: bytes) -> None:
    head = struct.pack(">II", 16 + len(headers), len(headers))
    message = head + struct.pack(">I", zlib.crc32(head)) + headers
    with pytest.raises(MalformedResponse, match="headers"):
        EventStreamSplitter().feed(message + struct.pack(">I", zlib.crc32(message)))


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=80), max_size=4))
def test_any_bytes_are_read_or_malformed(pieces: list[bytes]) -> None:
    with suppress(MalformedResponse, ProviderFailed):
        read_stream(pieces)


@settings(max_examples=500)
@given(st.lists(st.tuples(st.sampled_from([name for name, _ in EVENTS]), JSON_VALUES), max_size=4))
def test_any_event_is_read_or_malformed(events: list[tuple[str, Any]]) -> None:
    parser = bedrock.parser()
    with suppress(MalformedResponse, ProviderFailed):
        for name, payload in events:
            parser.feed(Event(json.dumps(payload).encode(), name))
