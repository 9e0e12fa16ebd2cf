"""The SDK of orq.ai calls deployments: everything that it gets must parse, and every failure must raise."""

import asyncio
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from orq_ai_sdk import Orq, models

from tests.calls.cells import CHATS, OF_EACH_PROTOCOL, TEXTS
from tests.calls.test_tools import TOOLS
from tests.support.gateway import Gateway
from tests.support.server import a_body
from tests.support.vendors import faults
from tests.support.vendors.model import THOUGHT
from tests.support.vendors.server import Fault

_TEXT = "Say hello to Zürich 🎉 please"
_WITH_USAGE = {"include_usage": True}


class Sdk:
    """The synchronous methods of the SDK, or the asynchronous ones in the same form.

    Their results are unions of types, of which a test expects one.
    """

    def __init__(self, orq: Orq, runner: asyncio.Runner | None) -> None:
        self.orq, self._runner = orq, runner

    def invoke(self, key: str, text: str = _TEXT, **fields: Any) -> Any:
        """Return the response to an invocation."""
        request = {"key": key, "messages": [{"role": "user", "content": text}], **fields}
        if self._runner is None:
            return self.orq.deployments.invoke(**request)
        return self._runner.run(self.orq.deployments.invoke_async(**request))

    def stream(self, key: str, text: str = _TEXT, **fields: Any) -> Iterator[Any]:
        """Yield the events of a stream as they arrive."""
        request = {"key": key, "messages": [{"role": "user", "content": text}], **fields}
        if self._runner is None:
            with self.orq.deployments.stream(**request) as events:
                yield from (event.data for event in events)
            return
        events = self._runner.run(self.orq.deployments.stream_async(**request))
        try:
            while (event := self._runner.run(anext(events, None))) is not None:
                yield event.data
        finally:
            self._runner.run(events.response.aclose())


@pytest.fixture(scope="module", params=["sync", "async"])
def sdk(request: pytest.FixtureRequest, all_integrations: Gateway) -> Iterator[Sdk]:
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner()) if request.param == "async" else None
        project = all_integrations.project
        orq = stack.enter_context(Orq(api_key=project.token, server_url=project.server.url))
        if runner is not None:
            stack.callback(lambda: runner.run(orq.__aexit__(None, None, None)))
        yield Sdk(orq, runner)


@pytest.mark.parametrize("provider", CHATS)
def test_a_response_parses(gateway: Gateway, sdk: Sdk, provider: str) -> None:
    key = gateway.deploy(provider)
    response = sdk.invoke(key, invoke_options=_WITH_USAGE)
    assert (response.object, response.provider, response.is_final) == ("chat", provider, True)
    assert response.model == gateway.vendors.vendors[provider].model("chat")
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", response.id)
    (choice,) = response.choices
    assert (choice.finish_reason, choice.message.type) == ("stop", "content")
    assert choice.message.content == f"You said: {_TEXT}"
    assert response.usage
    assert response.usage.total_tokens > len(_TEXT.split())
    assert not sdk.invoke(key).usage


@pytest.mark.parametrize("provider", CHATS)
def test_every_event_of_a_stream_parses(gateway: Gateway, sdk: Sdk, provider: str) -> None:
    *events, last = sdk.stream(gateway.deploy(provider), invoke_options=_WITH_USAGE)
    assert len(events) >= len(_TEXT.split())
    assert not any(event.is_final for event in events)
    assert "".join(event.choices[0].message.content or "" for event in events) == f"You said: {_TEXT}"
    assert {event.provider for event in (*events, last)} == {provider}
    assert {event.id for event in events} == {last.id}
    assert (last.is_final, last.choices[0].finish_reason) == (True, "stop")
    assert last.usage
    assert last.usage.total_tokens > len(_TEXT.split())


@pytest.mark.parametrize("provider", CHATS)
def test_calls_of_tools_parse(gateway: Gateway, sdk: Sdk, provider: str) -> None:
    key, text = gateway.deploy(provider, tools=TOOLS), "Use get_weather and get_time"
    (choice,) = sdk.invoke(key, text).choices
    assert (choice.message.type, choice.finish_reason) == ("tool_calls", "tool_calls")
    assert [call.function.name for call in choice.message.tool_calls] == ["get_weather", "get_time"]
    parts = [
        part
        for event in sdk.stream(key, text)
        for part in (event.choices[0].message.tool_calls if event.choices[0].message.type == "tool_calls" else ())
    ]
    assert all(part.type == "function" for part in parts)
    assert [part.function.name for part in parts if part.function.name] == ["get_weather", "get_time"]
    assert len([part for part in parts if part.id]) == 2
    weather = [part.function.arguments for part in parts if part.index == 0]
    assert "".join(weather) == '{"city": "a city in Z\\u00fcrich", "days": 7}'


def test_thoughts_and_their_signature_parse(gateway: Gateway, sdk: Sdk) -> None:
    key = gateway.deploy("anthropic", model_parameters={"maxTokens": 4000, "budgetTokens": 2048})
    message = sdk.invoke(key).choices[0].message
    assert (message.reasoning, message.reasoning_signature) == (THOUGHT, "EqQBCgIYAhIM")
    events = [event.choices[0].message for event in sdk.stream(key)]
    assert "".join(event.reasoning or "" for event in events) == THOUGHT


@pytest.mark.parametrize("provider", TEXTS)
def test_completed_texts_parse(gateway: Gateway, sdk: Sdk, provider: str) -> None:
    key = gateway.deploy(provider, "completion", messages=[])
    response = sdk.invoke(key)
    assert (response.object, response.choices[0].message.content) == ("completion", f"You said: {_TEXT}")
    texts = [event.choices[0].message.content or "" for event in sdk.stream(key)]
    assert "".join(texts) == f"You said: {_TEXT}"


def test_inputs_context_and_prefix_messages(gateway: Gateway, sdk: Sdk) -> None:
    key = gateway.deploy("openai", messages=[
        {"role": "system", "content": "Speak {{language}}."}, {"role": "user", "content": "Who are you?"},
    ])  # fmt: skip
    prefix = [{"role": "user", "content": "First"}]
    sdk.invoke(key, inputs={"language": "French"}, context={"environments": "production"}, prefix_messages=prefix)
    (request,) = gateway.vendors.take("openai")
    said = [message["content"] for message in request.json["messages"]]
    assert said == ["Speak French.", "First", "Who are you?", _TEXT]


def test_a_mock_calls_no_model(gateway: Gateway, sdk: Sdk) -> None:
    key, options = gateway.deploy("openai"), {"mock_response": "A mock\n\nof two lines"}
    assert sdk.invoke(key, invoke_options=options).choices[0].message.content == "A mock\n\nof two lines"
    events = [*sdk.stream(key, invoke_options=options)]
    assert "".join(event.choices[0].message.content or "" for event in events) == "A mock\n\nof two lines"
    assert events[-1].is_final
    assert gateway.vendors.take("openai") == []


def test_the_trace_of_the_caller_is_that_of_the_call(gateway: Gateway, sdk: Sdk) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    telemetry = sdk.invoke(gateway.deploy("openai"), http_headers=headers).telemetry
    assert telemetry.trace_id == trace
    assert re.fullmatch("[0-9a-f]{16}", telemetry.span_id)
    assert telemetry.span_id != "b7ad6b7169203331"


@pytest.mark.parametrize("provider", OF_EACH_PROTOCOL)
@pytest.mark.parametrize("fault", [faults.truncated, faults.ends_early, faults.error_in_stream])
def test_a_stream_that_breaks_raises(gateway: Gateway, sdk: Sdk, provider: str, fault: Fault) -> None:
    gateway.vendors.fail_next(provider, fault)
    texts: list[str] = []
    events = (event.choices[0].message.content or "" for event in sdk.stream(gateway.deploy(provider)))
    with pytest.raises(httpx.RemoteProtocolError):
        texts.extend(events)
    assert f"You said: {_TEXT}".startswith("".join(texts))
    assert "".join(texts)


_FAILURES: list[tuple[Callable[[Gateway], str], int, str]] = [
    (lambda gateway: "no-such-deployment", 404, "deployment_not_found"),
    (lambda gateway: _failing(gateway, 429), 429, "rate_limit_exceeded"),
    (lambda gateway: _failing(gateway, 500), 502, "provider_error"),
    (lambda gateway: _failing(gateway, 401), 422, "provider_credential_invalid"),
    (lambda gateway: _failing(gateway, 400), 400, "provider_rejected"),
    (lambda gateway: _failing(gateway, 529), 503, "provider_overloaded"),
    (lambda gateway: _failing(gateway, 504), 504, "provider_timeout"),
]


def _failing(gateway: Gateway, status: int) -> str:
    """Return a deployment whose next call fails."""
    gateway.vendors.fail_next("openai", faults.status(status, "It did not work"))
    return gateway.deploy("openai")


@pytest.mark.parametrize(("deploy", "status", "code"), _FAILURES)
def test_an_error_is_raised_with_its_status(
    gateway: Gateway, sdk: Sdk, deploy: Callable[[Gateway], str], status: int, code: str
) -> None:
    with pytest.raises(models.OrqError) as raised:
        sdk.invoke(deploy(gateway))
    assert (raised.value.status_code, f'"code":"{code}"' in raised.value.body) == (status, True)
    with pytest.raises(models.OrqError) as raised:
        [*sdk.stream(deploy(gateway))]
    assert (raised.value.status_code, f'"code":"{code}"' in raised.value.body) == (status, True)


@pytest.fixture(scope="module")
def orq(all_integrations: Gateway) -> Iterator[Orq]:
    project = all_integrations.project
    with Orq(api_key=project.token, server_url=project.server.url) as found:
        yield found


@pytest.mark.parametrize("provider", CHATS)
def test_the_router_calls_a_deployment(gateway: Gateway, orq: Orq, provider: str) -> None:
    key = gateway.deploy(provider)
    messages: list[Any] = [{"role": "user", "content": _TEXT}]
    response: Any = orq.router.chat.completions.create(model=key, messages=messages)
    assert response.choices[0].message.content == f"You said: {_TEXT}"
    stream: Any = orq.router.chat.completions.create(model=key, messages=messages, stream=True)
    with stream as events:
        texts = [event.data.choices[0].delta.content or "" for event in events]
    assert "".join(texts) == f"You said: {_TEXT}"


@pytest.mark.parametrize("provider", TEXTS)
def test_the_router_completes_a_text_with_the_parameters_of_the_deployment(
    gateway: Gateway, orq: Orq, provider: str
) -> None:
    parameters = {"maxTokens": 500, "temperature": 0.25}
    key = gateway.deploy(provider, "completion", messages=[], model_parameters=parameters)
    response: Any = orq.router.completions.create(model=key, prompt=_TEXT)
    assert response.choices[0].text == f"You said: {_TEXT}"
    (request,) = gateway.vendors.take(provider)
    sent = request.json
    assert (sent["max_tokens"], sent["temperature"]) == (500, 0.25)
    assert not {"n", "echo", "frequency_penalty", "presence_penalty", "top_p"} & {*sent}
    stream: Any = orq.router.completions.create(model=key, prompt=_TEXT, stream=True)
    with stream as events:
        assert "".join(event.data.choices[0].text for event in events) == f"You said: {_TEXT}"


def test_the_router_has_thoughts_under_the_names_of_its_sdk(gateway: Gateway, orq: Orq) -> None:
    key = gateway.deploy("anthropic", model_parameters={"maxTokens": 4000, "budgetTokens": 2048})
    messages: Any = [{"role": "user", "content": _TEXT}]
    response: Any = orq.router.chat.completions.create(model=key, messages=messages)
    message = response.choices[0].message
    assert (message.reasoning, message.reasoning_signature) == (THOUGHT, "EqQBCgIYAhIM")
    stream: Any = orq.router.chat.completions.create(model=key, messages=messages, stream=True)
    deltas = [choice.delta for event in stream for choice in event.data.choices]
    assert "".join(delta.reasoning or "" for delta in deltas) == THOUGHT
    assert [delta.reasoning_signature for delta in deltas if delta.reasoning_signature] == ["EqQBCgIYAhIM"]


def test_the_router_lists_deployments_as_models(gateway: Gateway, orq: Orq) -> None:
    key = gateway.deploy("mistral")
    listed: Any = orq.models.list()
    assert key in [model.id for model in listed.data]


@pytest.mark.parametrize("is_first_a_stream", [False, True])
def test_invoke_and_stream_share_a_response_of_the_cache(gateway: Gateway, sdk: Sdk, is_first_a_stream: bool) -> None:
    prompt = a_body(provider="openai", model=f"openai/{gateway.vendors.vendors['openai'].model('chat')}")
    key = gateway.put(prompt | {"settings": {"cache": {"enabled": True, "type": "exact", "ttl": 3_600}}})
    text = f"Hello {uuid.uuid4()}"  # no other test sends it

    def invoked() -> str:
        return str(sdk.invoke(key, text).choices[0].message.content)

    def streamed() -> str:
        events = list(sdk.stream(key, text))
        return "".join(event.choices[0].message.content or "" for event in events if event.choices)

    ways = [streamed, invoked] if is_first_a_stream else [invoked, streamed]
    assert [way() for way in ways] == [f"You said: {text}"] * 2
    assert sdk.invoke(key, text, http_headers={"Cache-Control": "no-store"}).choices[0].message.content
    assert len(gateway.vendors.take("openai")) == 2
