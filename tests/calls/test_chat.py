"""Every provider: a response, a stream, what a model thinks, and the parameters that arrive."""

from typing import Any

import pytest

from tests.calls.cells import CHATS, OTHERS
from tests.support.gateway import ROUTES, STREAMS, Gateway, model_name
from tests.support.server import a_body
from tests.support.vendors import faults
from tests.support.vendors.model import THOUGHT

_TEXT = "Say hello to Zürich 🎉 please"

#: A model of each provider that thinks, where it is not the usual one.
_THINKING = {
    "openai": "gpt-5", "azure": "gpt-5", "groq": "openai/gpt-oss-120b", "cohere": "command-a-reasoning-08-2025",
    "mistral": "magistral-medium-latest", "cerebras": "gpt-oss-120b", "google": "gemini-2.5-flash",
    "google-ai": "gemini-3-pro-preview",
}  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", CHATS)
def test_a_model_responds(gateway: Gateway, provider: str, route: str) -> None:
    key = gateway.deploy(provider)
    outcome = gateway.call(route, key, _TEXT)
    assert (outcome.status, outcome.error, outcome.is_cut) == (200, None, False)
    assert outcome.text == f"You said: {_TEXT}"
    assert (outcome.reason, outcome.calls, outcome.thought) == ("stop", [], "")
    usage = outcome.usage
    assert usage is not None
    extra = 500 if provider == "cohere" else 0  # it counts the tokens of its own prompt, too
    assert usage["prompt_tokens"] - extra == len(f"Answer briefly. {_TEXT}".split())
    assert usage["completion_tokens"] - extra == len(outcome.text.split())
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    names = ("Deployment", "Version", "Variant", "Provider", "Model", "Attempts")
    model = gateway.vendors.vendors[provider].model("chat")
    expected = [key, "1.0", "default", provider, model, "1"]
    assert [outcome.headers.get(f"X-Moorage-{name}") for name in names] == expected
    assert float(outcome.headers["X-Moorage-Overhead-Ms"]) >= 0
    (request,) = gateway.vendors.take(provider)
    assert request.headers["content-type"] == "application/json"
    if route in STREAMS:
        assert len(outcome.events) > len(_TEXT.split()), "the events of the model are passed on one by one"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", CHATS)
def test_a_conversation_arrives_whole(gateway: Gateway, provider: str, route: str) -> None:
    key = gateway.deploy(provider, messages=[
        {"role": "system", "content": "Answer briefly."}, {"role": "user", "content": "Who are you?"},
        {"role": "assistant", "content": "A bot."}, {"role": "exception", "content": "It was rude."},
        {"role": "prompt", "content": "Be kind."}, {"role": "correction", "content": "A kind bot."},
    ])  # fmt: skip
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": "First"}, {"type": "text", "text": "second"}]},
        {"role": "user", "content": "Third"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "developer", "content": "Hurry."},
        {"role": "user", "content": "Last"},
    ]
    outcome = gateway.call(route, key, messages)
    assert (outcome.status, outcome.error) == (200, None)
    assert outcome.text == "You said: Last"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", CHATS)
def test_a_model_that_thinks_says_what_it_thought(gateway: Gateway, provider: str, route: str) -> None:
    parameters = {"maxTokens": 4000, "reasoningEffort": "medium"}
    if provider in ("anthropic", "aws"):
        parameters = {"maxTokens": 4000, "budgetTokens": 2048}
    elif provider == "mistral":
        parameters["reasoningEffort"] = "high"
    key = gateway.deploy(provider, model=_THINKING.get(provider), model_parameters=parameters)
    outcome = gateway.call(route, key, _TEXT)
    assert (outcome.status, outcome.error) == (200, None)
    assert outcome.text == f"You said: {_TEXT}"
    assert outcome.thought == ("" if provider in ("openai", "azure") else THOUGHT)
    usage = outcome.usage
    assert usage is not None
    if provider not in ("anthropic", "aws", "cohere"):  # these do not say how many tokens are thoughts
        assert usage["completion_tokens_details"]["reasoning_tokens"] == len(THOUGHT.split())


@pytest.mark.parametrize("provider", CHATS)
def test_a_response_that_is_too_long_is_cut_by_the_model(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, model_parameters={"maxTokens": 3})
    for route in ROUTES:
        outcome = gateway.call(route, key, _TEXT)
        assert (outcome.text, outcome.reason) == ("You said: Say", "length")


@pytest.mark.parametrize("provider", CHATS)
def test_every_parameter_arrives_or_is_reported_as_dropped(gateway: Gateway, provider: str) -> None:
    sent = {"temperature": 0.25, "topP": 0.75, "topK": 7, "maxTokens": 321, "seed": 11, "frequencyPenalty": 0.5,
            "presencePenalty": 0.125}  # fmt: skip
    key = gateway.deploy(provider, model_parameters=sent)
    for route in ROUTES:
        outcome = gateway.call(route, key, _TEXT)
        assert (outcome.status, outcome.error) == (200, None)
        dropped = outcome.headers.get("X-Moorage-Dropped", "").split(", ")
        (request,) = gateway.vendors.take(provider)
        arrived = request.body.decode()
        for name, value in sent.items():
            assert (f":{value}" in arrived) != (name in dropped), (name, arrived)


@pytest.mark.parametrize("provider", CHATS)
def test_a_parameter_of_the_caller_replaces_that_of_the_deployment(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, model_parameters={"maxTokens": 100})
    assert gateway.call("invoke", key, _TEXT, extra_params={"maxTokens": 2}).text == "You said:"
    assert gateway.call("chat", key, _TEXT, max_tokens=2).text == "You said:"
    assert gateway.call("chat-stream", key, _TEXT, max_completion_tokens=2).text == "You said:"


@pytest.mark.parametrize("provider", CHATS)
def test_a_stream_is_the_same_in_pieces_of_any_size(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider)
    whole = gateway.call("chat-stream", key, _TEXT)
    for size in (1, 7, 1000, 100_000):
        gateway.vendors.fail_next(provider, faults.splits(size))
        again = gateway.call("chat-stream", key, _TEXT)
        assert (again.text, again.reason, again.usage) == (whole.text, whole.reason, whole.usage)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", OTHERS)
def test_a_provider_without_such_models_is_rejected(gateway: Gateway, provider: str, route: str) -> None:
    key = gateway.put(a_body(provider=provider, model=f"{provider}/m"))
    outcome = gateway.call(route, key, _TEXT)
    assert outcome.status == 400
    assert outcome.error is not None
    assert outcome.error["code"] == "unsupported_model_type"


def test_the_id_of_a_model_has_the_provider_once() -> None:
    assert model_name("perplexity", "perplexity/sonar") == "perplexity/sonar"
    assert model_name("groq", "openai/gpt-oss-120b") == "groq/openai/gpt-oss-120b"
