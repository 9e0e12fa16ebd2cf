"""Conversations of unusual forms, and parameters beyond the contract, at every provider."""

from typing import Any

import pytest

from tests.calls.cells import CHATS
from tests.calls.test_tools import TOOLS, WEATHER
from tests.support.gateway import ROUTES, Gateway
from tests.support.vendors.model import sample

_TEXT = "Say hello to Zürich"

#: The last message of the user in a conversation, for providers that join messages of one role, or leave them apart.
_CONVERSATIONS: dict[str, tuple[list[dict[str, Any]], tuple[str, ...]]] = {
    "two messages of the user": (
        [{"role": "user", "content": "First"}, {"role": "user", "content": "Second"}],
        ("Second", "First Second"),
    ),
    "a conversation that the model starts": (
        [{"role": "assistant", "content": "How can I help?"}, {"role": "user", "content": "Second"}], ("Second",),
    ),
    "two responses": (
        [
            {"role": "user", "content": "First"}, {"role": "assistant", "content": "A"},
            {"role": "assistant", "content": "B"}, {"role": "user", "content": "Second"},
        ],
        ("Second",),
    ),
    "the start of a response": (
        [{"role": "user", "content": "First"}, {"role": "assistant", "content": "The answer is"}], ("First",),
    ),
    "an empty response": (
        [
            {"role": "user", "content": "First"}, {"role": "assistant", "content": ""},
            {"role": "user", "content": "Second"},
        ],
        ("Second", "First Second"),
    ),
    "an empty message": ([{"role": "user", "content": ""}, {"role": "user", "content": "Second"}], ("Second",)),
    "an instruction at the end": (
        [{"role": "user", "content": "First"}, {"role": "system", "content": "Be kind."}], ("First",),
    ),
    "a name": ([{"role": "user", "name": "Ada", "content": "First"}], ("First",)),
}  # fmt: skip


@pytest.mark.parametrize("provider", CHATS)
@pytest.mark.parametrize("form", _CONVERSATIONS)
def test_a_conversation_of_any_form_is_one_that_the_provider_takes(gateway: Gateway, provider: str, form: str) -> None:
    messages, expected = _CONVERSATIONS[form]
    key = gateway.deploy(provider)
    for route in ROUTES:
        outcome = gateway.call(route, key, messages)
        if provider == "aws" and messages[0]["role"] == "assistant":  # the only form that a vendor itself rejects
            assert outcome.status == 400
            assert "A conversation must start with a user message" in str(outcome.error)
            continue
        assert (outcome.status, outcome.error) == (200, None)
        assert " ".join(outcome.text.removeprefix("You said:").split()) in expected


@pytest.mark.parametrize("provider", CHATS)
def test_a_deployment_without_a_message_of_the_caller(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider)
    for route in ROUTES:
        outcome = gateway.call(route, key, [])
        assert (outcome.status, outcome.error) == (200, None)
        assert outcome.text.startswith("You said:")


@pytest.mark.parametrize("provider", CHATS)
def test_a_stop_sequence_arrives(gateway: Gateway, provider: str) -> None:
    for stop in ("END", ["END", "STOP"]):
        key = gateway.deploy(provider, model_parameters={"stop": stop})
        for route in ROUTES:
            outcome = gateway.call(route, key, _TEXT)
            if provider == "perplexity":  # it has none
                assert outcome.status == 400
                continue
            assert (outcome.status, outcome.error) == (200, None)
            (request,) = gateway.vendors.take(provider)
            assert b"END" in request.body


@pytest.mark.parametrize("provider", CHATS)
def test_a_stored_choice_of_a_tool(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, tools=TOOLS[:1], model_parameters={"tool_choice": "required"})
    for route in ROUTES:
        outcome = gateway.call(route, key, "Hello")
        assert (outcome.status, outcome.error) == (200, None)
        assert [(name, arguments) for _, name, arguments in outcome.calls] == [("get_weather", sample(WEATHER))]


@pytest.mark.parametrize("provider", ["openai", "azure", "google", "google-ai", "togetherai", "mistral"])
def test_two_choices(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider)
    said = [{"role": "user", "content": _TEXT}]
    for route, fields in (("chat", {"n": 2}), ("invoke", {"extra_params": {"n": 2}})):
        outcome = gateway.call(route, key, said, **fields)
        assert [choice["message"]["content"] for choice in outcome.body["choices"]] == [f"You said: {_TEXT}"] * 2
        assert [choice["index"] for choice in outcome.body["choices"]] == [0, 1]
    for route, fields in (("chat-stream", {"n": 2}), ("stream", {"extra_params": {"n": 2}})):
        outcome = gateway.call(route, key, said, **fields)
        texts = {0: "", 1: ""}
        reasons = {}
        for event in outcome.events:
            for choice in event["choices"]:
                texts[choice["index"]] += (choice["delta"] if "delta" in choice else choice["message"]).get(
                    "content"
                ) or ""
                if choice.get("finish_reason"):
                    reasons[choice["index"]] = choice["finish_reason"]
        assert texts == dict.fromkeys((0, 1), f"You said: {_TEXT}")
        assert reasons == {0: "stop", 1: "stop"}


@pytest.mark.parametrize("provider", CHATS)
@pytest.mark.parametrize("parameters", [
    {"logit_bias": {"50256": -100}}, {"user": "ada"}, {"metadata": {"team": "shop"}}, {"service_tier": "flex"},
    {"logprobs": True, "top_logprobs": 2}, {"parallel_tool_calls": False}, {"n": 2},
])  # fmt: skip
def test_a_parameter_of_few_providers_is_sent_or_rejected_before_the_call(
    gateway: Gateway, provider: str, parameters: dict[str, Any]
) -> None:
    key = gateway.deploy(provider, tools=TOOLS, model_parameters=parameters)
    for route in ROUTES:
        outcome = gateway.call(route, key, _TEXT)
        if provider == "moonshotai" and "n" in parameters:  # the vendor rejects it for its current models only
            assert (outcome.status, "only 1 is allowed" in str(outcome.error)) == (400, True)
        elif outcome.status == 200:
            assert (outcome.error, outcome.text) == (None, f"You said: {_TEXT}")
        else:
            assert outcome.error is not None
            assert (outcome.status, outcome.error["code"]) == (400, "not_supported_by_provider")
            assert outcome.error["param"] in {f"parameters.{name}" for name in parameters}
            assert gateway.vendors.take(provider) == []
