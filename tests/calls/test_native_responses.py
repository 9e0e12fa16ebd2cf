"""Callers of the Responses API at providers that have it, too: what only this API has works there, and no other way."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.support.gateway import Gateway, model_name
from tests.support.server import a_body
from tests.support.vendors import faults
from tests.support.vendors.openai_responses import CITATION, PICTURE
from tests.support.vendors.server import Received, Reply, Vendor

_NATIVE = ("openai", "azure")
_SEARCH: Any = {"type": "web_search", "search_context_size": "low"}
_CITY: Any = {
    "type": "function", "name": "get_weather", "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}  # fmt: skip
_TIME: Any = _CITY | {"name": "get_time"}


@pytest.fixture(scope="module")
def client(all_integrations: Gateway) -> Iterator[openai.OpenAI]:
    project = all_integrations.project
    with openai.OpenAI(base_url=f"{project.server.url}/v1", api_key=project.token, max_retries=0) as found:
        yield found


def _said(text: str) -> Any:
    return {"role": "user", "content": text}


def _events(stream: Any) -> list[Any]:
    """Return the events of a stream, whose numbers must be complete."""
    events = [*stream]
    assert [event.sequence_number for event in events] == [*range(len(events))]
    return events


@pytest.mark.parametrize("provider", _NATIVE)
def test_openai_and_azure_get_the_request_in_the_form_of_the_responses_api(
    gateway: Gateway, client: openai.OpenAI, provider: str
) -> None:
    stored: Any = [
        {"role": "system", "content": "Answer briefly."}, {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
    ]  # fmt: skip
    key = gateway.deploy(provider, messages=stored, model_parameters={"maxTokens": 400, "store": True})
    given: Any = [{"role": "user", "content": [{"type": "input_text", "text": "Where is it?"}]}]
    response = client.responses.with_raw_response.create(
        prompt={"id": key}, input=given, instructions="Be kind.", text={"verbosity": "low"}, service_tier="flex",
        truncation="auto", max_tool_calls=3, metadata={"a": "b"}, user="ada", prompt_cache_key="k",
    )  # fmt: skip
    (sent,) = gateway.vendors.take(provider)
    base = gateway.vendors.vendors[provider].base
    assert (sent.path, base) == (f"{base}/responses", "/v1" if provider == "openai" else "/openai/v1")
    assert sent.json == {
        "model": "gpt-4o", "instructions": "Answer briefly.", "max_output_tokens": 400, "store": False,
        "input": [
            {"type": "message", "role": "user", "content": "Hi"},
            {"type": "message", "role": "assistant", "content": "Hello"},
            {"type": "message", "role": "system", "content": "Be kind."}, given[0],
        ],
        "text": {"verbosity": "low"}, "service_tier": "flex", "truncation": "auto", "max_tool_calls": 3,
        "metadata": {"a": "b"}, "user": "ada", "prompt_cache_key": "k",
    }  # fmt: skip
    assert response.headers["X-Moorage-Dropped"] == "store"
    found = response.parse()
    assert (found.output_text, found.service_tier) == ("You said: Where is it?", "flex")
    assert (found.instructions, found.model) == ("Be kind.", "gpt-4o-2026-01-01")


@pytest.mark.parametrize("provider", _NATIVE)
def test_a_search_of_the_provider_and_its_citations_reach_the_caller_unchanged(
    gateway: Gateway, client: openai.OpenAI, provider: str
) -> None:
    key, text = gateway.deploy(provider), "Use web_search please"
    response = client.responses.create(model=key, input=text, tools=[_SEARCH])
    output: Any = response.to_dict(warnings=False)["output"]
    search, message = output
    assert (search["id"], search["action"]["query"]) == ("ws_1", "Zürich")
    assert (message["id"], message["phase"]) == ("msg_01", "final_answer")
    assert message["content"][0]["annotations"] == [CITATION]

    events = _events(client.responses.create(model=key, input=text, tools=[_SEARCH], stream=True))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert {"response.web_search_call.in_progress", "response.output_text.annotation.added"} < {*kinds}
    assert kinds[-1] == "response.completed"
    assert events[-1].response.to_dict()["output"] == [search, message]
    added = [event.item.type for event in events if event.type == "response.output_item.added"]
    done = [event.item.to_dict() for event in events if event.type == "response.output_item.done"]
    assert (added, done) == (["web_search_call", "message"], [search, message])


def test_pictures_and_calls_of_mcp_servers_reach_the_caller_unchanged(gateway: Gateway, client: openai.OpenAI) -> None:
    tools: Any = [
        {"type": "image_generation", "partial_images": 1}, {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "mcp", "server_label": "shop", "server_url": "https://shop.example", "authorization": "secret-token"},
    ]  # fmt: skip
    key, text = gateway.deploy("openai"), "Use image_generation and mcp"
    response = client.responses.create(model=key, input=text, tools=tools)
    picture, call, _ = response.output
    assert picture.type == "image_generation_call"
    assert picture.result == PICTURE
    assert call.type == "mcp_call"
    (sent,) = gateway.vendors.take("openai")
    assert sent.json["tools"] == tools
    assert "secret-token" not in response.to_json(warnings=False)
    events = _events(client.responses.create(model=key, input=text, tools=tools, stream=True))
    partial = [event for event in events if event.type == "response.image_generation_call.partial_image"]
    assert [event.partial_image_b64 for event in partial] == [PICTURE]


@pytest.mark.parametrize("provider", _NATIVE)
@pytest.mark.parametrize("is_stream", [False, True])
def test_encrypted_reasoning_is_sent_on_in_the_next_request(
    gateway: Gateway, client: openai.OpenAI, provider: str, *, is_stream: bool
) -> None:
    key, said = gateway.deploy(provider), _said("Use get_weather")
    asked: Any = {
        "model": key, "tools": [_CITY], "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "high", "summary": "auto"},
    }  # fmt: skip
    if is_stream:
        with client.responses.stream(input=[said], **asked) as stream:
            response: Any = stream.get_final_response()
    else:
        response = client.responses.create(input=[said], **asked)
    thought, call = response.output
    assert thought.encrypted_content == f"gAAAA-{thought.id}"
    assert thought.summary[0].text
    assert gateway.vendors.take(provider)[0].json["reasoning"] == {"effort": "high", "summary": "auto"}
    sent = [said, thought.to_dict(), call.to_dict(), {
        "type": "function_call_output", "call_id": call.call_id, "output": "sunny",
    }]  # fmt: skip
    for item in sent[2:3]:
        item.pop("parsed_arguments", None)  # the SDK adds it in streams
    assert client.responses.create(input=sent, **asked).output_text == "The tool said: sunny"
    assert gateway.vendors.take(provider)[0].json["input"][1] == thought.to_dict()


def test_reasoning_without_its_encrypted_content_is_not_sent(gateway: Gateway, client: openai.OpenAI) -> None:
    items: Any = [{"type": "reasoning", "id": "rs_1", "summary": []}, {"role": "user", "content": "Hi"}]
    client.responses.create(model=gateway.deploy("openai"), input=items)
    (sent,) = gateway.vendors.take("openai")
    assert [item.get("role") for item in sent.json["input"]] == ["user"]


def test_parallel_calls_whose_arguments_arrive_interleaved(gateway: Gateway, client: openai.OpenAI) -> None:
    key, text = gateway.deploy("openai"), "Use get_weather and get_time"
    with client.responses.stream(model=key, input=text, tools=[_CITY, _TIME]) as stream:
        calls: Any = stream.get_final_response().output
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [
        (name, {"city": "a city in Zürich"}) for name in ("get_weather", "get_time")
    ]


def test_interleaved_arguments_of_a_chat_belong_to_their_calls(gateway: Gateway, client: openai.OpenAI) -> None:
    """Given a provider with chats that mixes the parts of two calls, each item has only its own parts."""

    def part(index: int, arguments: str, **first: Any) -> dict[str, Any]:
        function = {"arguments": arguments} | ({"name": first["name"]} if first else {})
        return {"index": index, "function": function} | ({"id": first["id"], "type": "function"} if first else {})

    parts = [
        part(0, '{"a"', id="call_a", name="one"), part(1, '{"b"', id="call_b", name="two"), part(0, ": 1}"),
        part(1, ": 2}"), part(2, "{}", id="call_c", name="three"), part(3, "", id="call_d", name="four"),
    ]  # fmt: skip

    def interleaved(vendor: Vendor, request: Received) -> Reply:
        chunks = [{"choices": [{"index": 0, "delta": {"tool_calls": [each]}}]} for each in parts]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
        return Reply.of_events([b"data: %b\n\n" % json.dumps(each).encode() for each in chunks] + [b"data: [DONE]\n\n"])

    gateway.vendors.fail_next("groq", interleaved)
    events = _events(client.responses.create(model=gateway.deploy("groq"), input="x", tools=[_CITY], stream=True))
    calls = events[-1].response.output
    assert [(call.call_id, call.name, call.arguments) for call in calls] == [
        ("call_a", "one", '{"a": 1}'), ("call_b", "two", '{"b": 2}'), ("call_c", "three", "{}"),
        ("call_d", "four", "{}"),
    ]  # fmt: skip
    for index, call in enumerate(calls):
        own = [event for event in events if getattr(event, "item_id", None) == call.id]
        assert {event.output_index for event in own} == {index}
        deltas = [event for event in own if event.type == "response.function_call_arguments.delta"]
        assert "".join(event.delta for event in deltas) in (call.arguments, "")
        kinds = [event.type for event in own]
        assert kinds == ["response.function_call_arguments.delta"] * len(deltas) + [
            "response.function_call_arguments.done"
        ]
        (done,) = [e for e in events if e.type == "response.output_item.done" and e.output_index == index]
        assert done.sequence_number > own[-1].sequence_number
        assert done.item == call


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("tools", [_SEARCH], "web_search"), ("tool_choice", {"type": "web_search"}, "web_search"),
        ("input", [{"type": "mcp_approval_response", "approval_request_id": "1", "approve": True}], "mcp_approval"),
        ("input", [{"role": "user", "content": [{"type": "input_file", "file_id": "file_1"}]}], "input_file"),
    ],
)  # fmt: skip
def test_other_providers_reject_what_only_the_responses_api_has(
    gateway: Gateway, client: openai.OpenAI, field: str, value: Any, named: str
) -> None:
    body = {"model": gateway.deploy("anthropic"), "input": "x", field: value}
    with pytest.raises(openai.BadRequestError, match="API of Anthropic") as caught:
        client.post("/responses", body=body, cast_to=object)
    assert str(caught.value.param).startswith(field)
    assert named in str(caught.value)
    assert caught.value.code == "not_supported_by_provider"
    assert gateway.vendors.take("anthropic") == []


def test_other_providers_report_the_fields_that_they_ignore(gateway: Gateway, client: openai.OpenAI) -> None:
    response = client.responses.with_raw_response.create(
        model=gateway.deploy("anthropic"), input="Hi", include=["reasoning.encrypted_content"], truncation="auto"
    )
    assert {"include", "truncation"} <= {*response.headers["X-Moorage-Dropped"].split(", ")}


def test_a_compatible_server_gets_chats(gateway: Gateway, client: openai.OpenAI) -> None:
    client.responses.create(model=gateway.deploy("openailike"), input="Hi")
    (sent,) = gateway.vendors.take("openailike")
    assert sent.path.endswith("/chat/completions")


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
        last = _events(client.responses.create(model=key, input="Hi", stream=True))[-1]
        assert last.response.output_text == "You said: Hi"
    else:
        assert client.responses.create(model=key, input="Hi").output_text == "You said: Hi"
    (sent,) = gateway.vendors.take(other)
    assert ("messages" in sent.json) == (other == "anthropic")


def test_a_fallback_that_cannot_run_the_tools_is_skipped(gateway: Gateway, client: openai.OpenAI) -> None:
    key = _with_fallback(gateway, "openai", "anthropic")
    gateway.vendors.fail_next("openai", faults.status(500))
    with pytest.raises(openai.InternalServerError) as caught:
        client.responses.create(model=key, input="Hi", tools=[_SEARCH])
    assert caught.value.code == "provider_error"
    assert "not_supported_by_provider" in caught.value.response.headers["X-Moorage-Attempt-Log"]
    assert gateway.vendors.take("anthropic") == []


def test_a_fallback_at_another_provider_gets_no_reasoning_of_the_first(gateway: Gateway, client: openai.OpenAI) -> None:
    thought = {"type": "reasoning", "id": "rs_01", "summary": [], "encrypted_content": "gAAAA-rs_01"}
    key, items = _with_fallback(gateway, "openai", "azure"), [thought, {"role": "user", "content": "Hi"}]
    gateway.vendors.fail_next("openai", faults.status(500))
    assert client.responses.create(model=key, input=items).output_text == "You said: Hi"  # type: ignore[arg-type]
    (sent,) = gateway.vendors.take("azure")
    assert "gAAAA" not in sent.body.decode()


def test_a_request_is_sent_again_after_a_failure(gateway: Gateway, client: openai.OpenAI) -> None:
    key = gateway.deploy("openai", retry_count=1)
    gateway.vendors.fail_next("openai", faults.status(503, **{"Retry-After": "0"}))
    response = client.responses.with_raw_response.create(model=key, input="Hi", tools=[_SEARCH])
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
    events = _events(client.responses.create(model=gateway.deploy("openai"), input="Hi", stream=True))
    assert events[-1].response.output_text == "You said: Hi"


def test_the_usage_of_a_response_is_counted(gateway: Gateway, client: openai.OpenAI) -> None:
    response = client.responses.create(model=gateway.deploy("openai"), input="Hi", tools=[_SEARCH])
    streamed = _events(client.responses.create(model=gateway.deploy("openai"), input="Hi", stream=True))[-1].response
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
        last = _events(parsed)[-1].response if is_stream else parsed
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
    for more in ({}, {"include": ["reasoning.encrypted_content"]}, {"tools": [_SEARCH]}, {"truncation": "auto"}):
        given: Any = more
        response = client.responses.with_raw_response.create(model=key, input="Hi", **given)
        assert response.headers["X-Moorage-Cache"] == "miss", more


def test_a_response_with_a_call_of_a_hosted_tool_is_not_cached(gateway: Gateway, client: openai.OpenAI) -> None:
    key = _cached(gateway, "Tools")
    for is_stream in (False, True, False):
        response = client.responses.with_raw_response.create(
            model=key, input="Use web_search", tools=[_SEARCH], stream=is_stream
        )
        response.parse() if not is_stream else _events(response.parse())
        assert response.headers["X-Moorage-Cache"] == "miss"


def _cached(gateway: Gateway, instruction: str) -> str:
    messages = [{"role": "system", "content": instruction}]
    body = a_body(provider="openai", model="openai/gpt-4o", model_type="chat", messages=messages, model_parameters={})
    return gateway.put(body | {"settings": {"cache": {"enabled": True, "type": "exact", "ttl": 3_600}}})


def test_a_deployment_parameter_without_an_equivalent_is_rejected(gateway: Gateway, client: openai.OpenAI) -> None:
    key = gateway.deploy("openai", model_parameters={"stop": ["x"]})
    with pytest.raises(openai.BadRequestError, match=r"parameters\.stop"):
        client.responses.create(model=key, input="Hi")


_PHOTO: Any = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}
_SEEN: Any = "I see image/png of 8 bytes."


@pytest.mark.parametrize("provider", ["openai", "azure", "anthropic", "google-ai"])
def test_an_image_as_the_value_of_a_variable_is_a_part_where_the_text_has_the_variable(
    gateway: Gateway, client: openai.OpenAI, provider: str
) -> None:
    messages: Any = [
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": "Describe {{photo}} for {{name}}, and again: {{photo}}"},
    ]  # fmt: skip
    key = gateway.deploy(provider, kind="vision", messages=messages)
    response = client.responses.create(prompt={"id": key, "variables": {"photo": _PHOTO, "name": "Ada"}})
    assert response.output_text == f"You said: Describe   for Ada, and again:  {_SEEN} {_SEEN}"
    if provider == "openai":
        (sent,) = gateway.vendors.take("openai")
        image = _PHOTO | {"detail": "auto"}
        assert sent.json["input"][0]["content"] == [
            {"type": "input_text", "text": "Describe "}, image,
            {"type": "input_text", "text": " for Ada, and again: "}, image,
        ]  # fmt: skip


@pytest.mark.parametrize("engine", ["text", "mustache"])
def test_each_engine_has_images_and_files_in_parts_of_messages(
    gateway: Gateway, client: openai.OpenAI, engine: str
) -> None:
    content: Any = [
        {"type": "text", "text": "Compare {{first}} and"}, {"type": "image_url", "image_url": {"url": "{{second}}"}},
    ]  # fmt: skip
    messages = [{"role": "user", "content": content}]
    body = a_body(provider="openai", model="openai/gpt-4o", model_type="vision", messages=messages, model_parameters={})
    key = gateway.put(body | {"settings": {"engine": engine}})
    variables: Any = {
        "first": {"type": "input_file", "file_id": "file_7"},
        "second": {"type": "input_image", "file_id": "file_8", "detail": "high"},
    }  # fmt: skip
    response = client.responses.create(prompt={"id": key, "variables": variables}, input="now")
    (sent,) = gateway.vendors.take("openai")
    assert sent.json["input"][0]["content"] == [
        {"type": "input_text", "text": "Compare "}, variables["first"], {"type": "input_text", "text": " and"},
        variables["second"],
    ]  # fmt: skip
    assert response.output_text == "You said: now I see file_7. I see file_8."


@pytest.mark.parametrize(
    ("provider", "messages", "value", "expected"),
    [
        ("anthropic", "See {{x}}", {"type": "input_image", "file_id": "f"}, "API of Anthropic"),
        ("openai", "See {{x}}", {"type": "input_audio", "data": ""}, "input_audio"),
        ("openai", ("system", "See {{x}}"), _PHOTO, "role 'system'"),
        ("openai", "{{x}}" * 1_001, _PHOTO, "1000 parts"),
        ("openai", [{"type": "image_url", "image_url": {"url": "https://x/{{x}}"}}], _PHOTO, "part of an address"),
    ],
)
def test_an_image_that_cannot_be_sent_is_rejected_with_the_name_of_its_variable(
    gateway: Gateway, client: openai.OpenAI, provider: str, messages: Any, value: Any, expected: str
) -> None:
    role, content = messages if isinstance(messages, tuple) else ("user", messages)
    key = gateway.deploy(provider, kind="vision", messages=[{"role": role, "content": content}])
    with pytest.raises(openai.BadRequestError, match=expected):
        client.responses.create(prompt={"id": key, "variables": {"x": value}}, input="Hi")
    assert gateway.vendors.take(provider) == []


@pytest.mark.parametrize("version", [1, "1", "1.0", "live"])
def test_the_version_of_a_prompt_is_a_number_or_a_text(gateway: Gateway, client: openai.OpenAI, version: Any) -> None:
    prompt: Any = {"id": gateway.deploy("openai"), "version": version}
    response = client.responses.with_raw_response.create(prompt=prompt, input="Hi")
    assert response.headers["X-Moorage-Version"] == "1.0"


@pytest.mark.parametrize("version", [True, 1.5, "", -1, [1]])
def test_another_version_of_a_prompt_is_rejected(gateway: Gateway, client: openai.OpenAI, version: Any) -> None:
    prompt: Any = {"id": gateway.deploy("openai"), "version": version}
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(prompt=prompt, input="Hi")
    assert caught.value.param == "prompt.version"
