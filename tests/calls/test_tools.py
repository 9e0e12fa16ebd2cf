"""Tools at every provider: calls in responses and streams, their results, and the choice of a tool."""

import json
from typing import Any

import pytest

from tests.calls.cells import CHATS
from tests.support.gateway import ROUTES, Gateway, Outcome
from tests.support.vendors.model import sample

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
_TIME: dict[str, Any] = {"type": "object", "properties": {}}
TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "Weather.", "parameters": WEATHER}},
    {"type": "function", "function": {"name": "get_time", "parameters": _TIME}},
]
_BOTH = "Use get_weather and get_time"


def called(outcome: Outcome) -> list[tuple[str, Any]]:
    """Return the names and the arguments of the calls in a response, after a check of their ids."""
    assert (outcome.status, outcome.error, outcome.is_cut) == (200, None, False)
    ids = [call_id for call_id, _, _ in outcome.calls]
    assert len({*ids}) == len(ids)
    assert all(ids)
    return [(name, arguments) for _, name, arguments in outcome.calls]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", CHATS)
def test_a_model_calls_one_tool(gateway: Gateway, provider: str, route: str) -> None:
    outcome = gateway.call(route, gateway.deploy(provider, tools=TOOLS), "Use get_weather")
    assert called(outcome) == [("get_weather", sample(WEATHER))]
    assert outcome.reason == "tool_calls"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", CHATS)
def test_a_model_calls_two_tools_and_gets_their_results(gateway: Gateway, provider: str, route: str) -> None:
    key = gateway.deploy(provider, tools=TOOLS)
    outcome = gateway.call(route, key, _BOTH)
    assert called(outcome) == [("get_weather", sample(WEATHER)), ("get_time", {})]
    calls = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for call_id, name, arguments in outcome.calls
    ]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": content}
        for call, content in zip(calls, ("sunny", "noon"), strict=True)
    ]
    asked = {"role": "user", "content": _BOTH}
    conversation: list[dict[str, Any]] = [asked, {"role": "assistant", "content": None, "tool_calls": calls}, *results]
    outcome = gateway.call(route, key, conversation)
    assert (outcome.status, outcome.error) == (200, None)
    assert outcome.text == "The tool said: sunny, noon"
    outcome = gateway.call(route, key, [*conversation, {"role": "assistant", "content": outcome.text}, asked])
    assert [name for name, _ in called(outcome)] == ["get_weather", "get_time"]


@pytest.mark.parametrize("provider", CHATS)
def test_the_caller_chooses_the_tool(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, tools=TOOLS)
    named = {"type": "function", "function": {"name": "get_time"}}
    expected: list[tuple[Any, list[str]]] = [
        ("auto", []), ("required", ["get_weather", "get_time"]), (named, ["get_time"]), ("none", []),
    ]  # fmt: skip
    for choice, names in expected:
        for route in ("chat", "chat-stream"):
            assert [name for name, _ in called(gateway.call(route, key, "Hello", tool_choice=choice))] == names
        outcome = gateway.call("invoke", key, "Hello", extra_params={"tool_choice": choice})
        assert [name for name, _ in called(outcome)] == names


@pytest.mark.parametrize("provider", CHATS)
def test_the_tools_of_the_caller_replace_those_of_the_deployment(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, tools=TOOLS[:1])
    for route in ("chat", "chat-stream"):
        assert called(gateway.call(route, key, _BOTH, tools=TOOLS[1:])) == [("get_time", {})]


@pytest.mark.parametrize("provider", CHATS)
def test_results_of_tools_can_be_sent_without_the_tools_having_been_called_here(
    gateway: Gateway, provider: str
) -> None:
    call_id = "call|of:another/provider 1 whose ids are longer"
    function = {"name": "get_time", "arguments": ""}
    conversation: list[dict[str, Any]] = [
        {"role": "user", "content": "What time is it?"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": call_id, "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": call_id, "content": "noon"},
    ]
    for route in ROUTES:
        outcome = gateway.call(route, gateway.deploy(provider, tools=TOOLS), conversation)
        assert (outcome.status, outcome.error, outcome.text) == (200, None, "The tool said: noon")


@pytest.mark.parametrize("provider", ["google", "google-ai"])
def test_the_signature_of_a_thought_is_sent_back(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, model="gemini-3-pro-preview", tools=TOOLS)
    outcome = gateway.call("chat", key, _BOTH)
    message = outcome.body["choices"][0]["message"]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "noon"} for call in message["tool_calls"]]
    asked = {"role": "user", "content": _BOTH}
    gateway.vendors.take(provider)
    outcome = gateway.call("chat", key, [asked, message, *results])
    assert (outcome.status, outcome.error, outcome.text) == (200, None, "The tool said: noon, noon")
    (request,) = gateway.vendors.take(provider)
    assert [part.get("thoughtSignature") for part in request.json["contents"][1]["parts"]] == ["CpIB/aP4==", None]


def test_the_signature_of_a_thought_of_claude_is_sent_back(gateway: Gateway) -> None:
    parameters = {"maxTokens": 4000, "budgetTokens": 2048}
    key = gateway.deploy("anthropic", tools=TOOLS, model_parameters=parameters)
    outcome = gateway.call("invoke", key, "Use get_time")
    message = outcome.body["choices"][0]["message"]
    thought = {"type": "reasoning", "reasoning": message["reasoning"], "signature": message["reasoning_signature"]}
    conversation = [
        {"role": "user", "content": "Use get_time"},
        {"role": "assistant", "content": [thought], "tool_calls": message["tool_calls"]},
        {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "noon"},
    ]
    gateway.vendors.take("anthropic")
    outcome = gateway.call("invoke", key, conversation)
    assert (outcome.status, outcome.error, outcome.text) == (200, None, "The tool said: noon")
    (request,) = gateway.vendors.take("anthropic")
    kinds = [block["type"] for block in request.json["messages"][1]["content"]]
    assert kinds == ["thinking", "tool_use"]


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-opus-4-7"])
def test_claude_does_not_think_where_that_would_be_rejected(gateway: Gateway, model: str) -> None:
    """Clients of OpenAI send no thoughts back with the results of tools."""
    key = gateway.deploy("anthropic", model=model, tools=TOOLS, model_parameters={"reasoningEffort": "low"})
    function = {"name": "get_time", "arguments": "{}"}
    conversation: list[dict[str, Any]] = [
        {"role": "user", "content": "What time is it?"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "c", "content": "noon"},
    ]
    for route in ("chat", "chat-stream"):
        assert gateway.call(route, key, conversation).text == "The tool said: noon"
        outcome = gateway.call(route, key, "Hello", tool_choice="required")
        assert [name for name, _ in called(outcome)] == ["get_weather", "get_time"]
        assert outcome.headers["X-Moorage-Dropped"] == "reasoningEffort"
