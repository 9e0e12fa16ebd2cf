"""Models that complete a text, at every provider that has them."""

import pytest

from tests.calls.cells import TEXTS
from tests.support.gateway import Gateway

_TEXT = "Once upon a time in Zürich"


@pytest.mark.parametrize("route", ["invoke", "stream", "text", "text-stream"])
@pytest.mark.parametrize("provider", TEXTS)
def test_a_model_completes_a_text(gateway: Gateway, provider: str, route: str) -> None:
    key = gateway.deploy(provider, "completion", messages=[])
    outcome = gateway.call(route, key, _TEXT)
    assert (outcome.status, outcome.error, outcome.is_cut) == (200, None, False)
    assert (outcome.text, outcome.reason) == (f"You said: {_TEXT}", "stop")
    assert outcome.usage is not None
    assert outcome.usage["prompt_tokens"] == len(_TEXT.split())
    assert outcome.headers["X-Moorage-Provider"] == provider
    if route == "invoke":
        assert outcome.body["object"] == "completion"


@pytest.mark.parametrize("provider", TEXTS)
def test_the_text_of_the_deployment_comes_first(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, "completion", messages=[{"role": "user", "content": "Begin with {{name}}."}])
    for route in ("invoke", "stream", "text", "text-stream"):
        outcome = gateway.call(route, key, _TEXT, inputs={"name": "Ada"})
        assert (outcome.status, outcome.error) == (200, None)
        assert "".join(outcome.text.split()) == "".join(f"You said: Begin with Ada. {_TEXT}".split())


@pytest.mark.parametrize("provider", TEXTS)
def test_parameters_arrive_or_are_reported_as_dropped(gateway: Gateway, provider: str) -> None:
    sent = {"temperature": 0.25, "topP": 0.75, "topK": 7, "maxTokens": 321, "seed": 11, "frequencyPenalty": 0.5}
    key = gateway.deploy(provider, "completion", messages=[], model_parameters=sent)
    for route in ("invoke", "stream", "text", "text-stream"):
        outcome = gateway.call(route, key, _TEXT)
        assert (outcome.status, outcome.error) == (200, None)
        dropped = outcome.headers.get("X-Moorage-Dropped", "").split(", ")
        (request,) = gateway.vendors.take(provider)
        arrived = request.body.decode()
        for name, value in sent.items():
            assert (f":{value}" in arrived) != (name in dropped), (name, arrived)
