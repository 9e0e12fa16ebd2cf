"""Callers of the Responses API at providers that have it, too: what only this API has works there, and no other way."""

import json
from typing import Any

import openai
import pytest

from tests.calls.responses_api import CITY, NATIVE, SEARCH, TIME, events_of, user
from tests.support.gateway import Gateway
from tests.support.vendors.openai_responses import CITATION, PICTURE
from tests.support.vendors.server import Received, Reply, Vendor


@pytest.mark.parametrize("provider", NATIVE)
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
        "model": "my-gpt", "instructions": "Answer briefly.", "max_output_tokens": 400, "store": False,
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
    assert (found.instructions, found.model) == ("Be kind.", "my-gpt-2026-01-01")


@pytest.mark.parametrize("provider", NATIVE)
def test_a_search_of_the_provider_and_its_citations_reach_the_caller_unchanged(
    gateway: Gateway, client: openai.OpenAI, provider: str
) -> None:
    key, text = gateway.deploy(provider), "Use web_search please"
    response = client.responses.create(model=key, input=text, tools=[SEARCH])
    output: Any = response.to_dict(warnings=False)["output"]
    search, message = output
    assert (search["id"], search["action"]["query"]) == ("ws_1", "Zürich")
    assert (message["id"], message["phase"]) == ("msg_01", "final_answer")
    assert message["content"][0]["annotations"] == [CITATION]

    events = events_of(client.responses.create(model=key, input=text, tools=[SEARCH], stream=True))
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
    events = events_of(client.responses.create(model=key, input=text, tools=tools, stream=True))
    partial = [event for event in events if event.type == "response.image_generation_call.partial_image"]
    assert [event.partial_image_b64 for event in partial] == [PICTURE]


@pytest.mark.parametrize("provider", NATIVE)
@pytest.mark.parametrize("is_stream", [False, True])
def test_encrypted_reasoning_is_sent_on_in_the_next_request(
    gateway: Gateway, client: openai.OpenAI, provider: str, *, is_stream: bool
) -> None:
    key, said = gateway.deploy(provider), user("Use get_weather")
    asked: Any = {
        "model": key, "tools": [CITY], "include": ["reasoning.encrypted_content"],
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
    with client.responses.stream(model=key, input=text, tools=[CITY, TIME]) as stream:
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
    events = events_of(client.responses.create(model=gateway.deploy("groq"), input="x", tools=[CITY], stream=True))
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
        ("tools", [SEARCH], "web_search"), ("tool_choice", {"type": "web_search"}, "web_search"),
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


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tools", {"type": "web_search"}), ("tools[0]", ["web_search"]), ("tool_choice", "any"), ("text", "x"),
        ("input[0]", ["x"]), ("input[0].type", [{"type": 1}]), ("reasoning", []), ("stream_options", 1),
        ("input[0].content[0]", [{"role": "user", "content": ["x"]}]),
    ],
)  # fmt: skip
def test_malformed_fields_are_rejected_before_any_call(
    gateway: Gateway, client: openai.OpenAI, field: str, value: Any
) -> None:
    body = {"model": gateway.deploy("openai"), "input": "x", field.partition("[")[0]: value}
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/responses", body=body, cast_to=object)
    assert caught.value.param == field
    assert gateway.vendors.take("openai") == []


def test_other_providers_report_the_fields_that_they_ignore(gateway: Gateway, client: openai.OpenAI) -> None:
    response = client.responses.with_raw_response.create(
        model=gateway.deploy("anthropic"), input="Hi", include=["reasoning.encrypted_content"], truncation="auto"
    )
    assert {"include", "truncation"} <= {*response.headers["X-Moorage-Dropped"].split(", ")}


def test_a_compatible_server_gets_chats(gateway: Gateway, client: openai.OpenAI) -> None:
    client.responses.create(model=gateway.deploy("openailike"), input="Hi")
    (sent,) = gateway.vendors.take("openailike")
    assert sent.path.endswith("/chat/completions")


def test_perplexity_gets_the_items_too_and_its_own_items_reach_the_caller(
    gateway: Gateway, client: openai.OpenAI
) -> None:
    items: Any = [{"role": "developer", "content": "Be kind."}, user("Hi")]
    response = client.responses.create(model=gateway.deploy("perplexity"), input=items)
    assert response.output[0].to_dict(warnings=False) == {"type": "search_results", "queries": ["q"], "results": []}
    (sent,) = gateway.vendors.take("perplexity")
    assert (sent.json["store"], sent.json["input"]) == (False, [items[0] | {"role": "system"}, items[1]])


def test_perplexity_gets_the_items_of_its_response_back_without_the_results_of_its_search(
    gateway: Gateway, client: openai.OpenAI
) -> None:
    key = gateway.deploy("perplexity")
    response = client.responses.create(model=key, input="Hi")
    items: Any = [user("Hi"), *response.output, user("And now?")]
    raw = client.responses.with_raw_response.create(model=key, input=items)
    assert raw.parse().output_text == "You said: And now?"
    assert raw.headers["x-moorage-dropped"] == "input[1]"
    _, sent = gateway.vendors.take("perplexity")
    assert [item.get("type", "message") for item in sent.json["input"]] == ["message"] * 3


def test_a_deployment_parameter_without_an_equivalent_is_rejected(gateway: Gateway, client: openai.OpenAI) -> None:
    key = gateway.deploy("openai", model_parameters={"stop": ["x"]})
    with pytest.raises(openai.BadRequestError, match=r"parameters\.stop"):
        client.responses.create(model=key, input="Hi")


@pytest.mark.parametrize("provider", [*NATIVE, "anthropic"])
def test_a_stream_that_the_limit_of_tokens_ends_is_incomplete(
    gateway: Gateway, client: openai.OpenAI, provider: str
) -> None:
    key = gateway.deploy(provider)

    *_, last = client.responses.create(model=key, input="One two three", max_output_tokens=2, stream=True)

    assert last.type == "response.incomplete"
    assert last.response.status == "incomplete"
    assert last.response.incomplete_details is not None
    assert last.response.incomplete_details.reason == "max_output_tokens"
