"""The SDK of OpenAI calls deployments, with and without streams, and with its own helpers."""

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pydantic
import pytest

from tests.calls.cells import CHATS, TEXTS
from tests.calls.test_tools import TOOLS
from tests.support.gateway import Gateway
from tests.support.server import a_body
from tests.support.vendors import faults

_TEXT = "Say hello to Zürich 🎉 please"
_BOTH = "Use get_weather and get_time"


class Weather(pydantic.BaseModel):
    """What a model returns as JSON."""

    city: str
    days: list[int]
    is_sunny: bool


@pytest.fixture(scope="module")
def client(all_integrations: Gateway) -> Iterator[openai.OpenAI]:
    project = all_integrations.project
    with openai.OpenAI(base_url=f"{project.server.url}/v1", api_key=project.token) as found:
        yield found


def said(text: str = _TEXT) -> list[Any]:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("provider", CHATS)
def test_a_response_is_complete(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    response = client.chat.completions.create(model=gateway.deploy(provider), messages=said())
    (choice,) = response.choices
    assert (choice.message.content, choice.message.role) == (f"You said: {_TEXT}", "assistant")
    assert (choice.finish_reason, choice.index, response.object) == ("stop", 0, "chat.completion")
    assert response.usage
    assert response.usage.total_tokens > len(_TEXT.split())
    assert response.id.startswith("chatcmpl-")


@pytest.mark.parametrize("provider", CHATS)
def test_the_asynchronous_client(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider)

    async def call() -> tuple[str | None, str]:
        url = f"{gateway.server.url}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key=gateway.project.token) as client:
            response = await client.chat.completions.create(model=key, messages=said())
            stream = await client.chat.completions.create(model=key, messages=said(), stream=True)
            texts = [chunk.choices[0].delta.content or "" async for chunk in stream]
        return response.choices[0].message.content, "".join(texts)

    assert asyncio.run(call()) == (f"You said: {_TEXT}", f"You said: {_TEXT}")


@pytest.mark.parametrize("provider", CHATS)
def test_a_stream_has_an_event_without_choices_only_on_request(
    gateway: Gateway, client: openai.OpenAI, provider: str
) -> None:
    key = gateway.deploy(provider)
    with client.chat.completions.create(model=key, messages=said(), stream=True) as stream:
        chunks = [*stream]
    assert all(len(chunk.choices) == 1 for chunk in chunks)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == f"You said: {_TEXT}"
    assert [chunk.choices[0].finish_reason for chunk in chunks[-1:]] == ["stop"]
    assert all(chunk.usage is None for chunk in chunks)
    options: Any = {"include_usage": True}
    with client.chat.completions.create(model=key, messages=said(), stream=True, stream_options=options) as stream:
        *chunks, last = [*stream]
    assert all(len(chunk.choices) == 1 for chunk in chunks)
    assert last.choices == []
    assert last.usage
    assert last.usage.total_tokens > len(_TEXT.split())


@pytest.mark.parametrize("provider", CHATS)
def test_the_stream_helper_joins_two_tools_in_parallel(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    key = gateway.deploy(provider, tools=TOOLS)
    whole = client.chat.completions.create(model=key, messages=said(_BOTH)).choices[0].message.tool_calls
    with client.chat.completions.stream(model=key, messages=said(_BOTH)) as stream:
        for _ in stream:
            pass
        (choice,) = stream.get_final_completion().choices
    found = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert whole
    assert found
    joined, expected = ([call.function for call in calls if call.type == "function"] for calls in (found, whole))
    assert [(each.name, each.arguments) for each in joined] == [(each.name, each.arguments) for each in expected]
    assert len({call.id for call in found}) == 2
    if provider not in ("google", "google-ai"):  # Google has no ids, so each response has its own
        assert [call.id for call in found] == [call.id for call in whole]


@pytest.mark.parametrize("provider", [provider for provider in CHATS if provider != "deepseek"])
def test_a_response_is_parsed_as_a_model_of_pydantic(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    key = gateway.deploy(provider)
    parsed = client.chat.completions.parse(model=key, messages=said(), response_format=Weather)
    assert parsed.choices[0].message.parsed == Weather(city="a city in Zürich", days=[7], is_sunny=True)
    with client.chat.completions.stream(model=key, messages=said(), response_format=Weather) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.parsed == Weather(city="a city in Zürich", days=[7], is_sunny=True)


@pytest.mark.parametrize("provider", TEXTS)
def test_a_text_is_completed(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    key = gateway.deploy(provider, "completion", messages=[])
    (choice,) = client.completions.create(model=key, prompt=_TEXT).choices
    assert (choice.text, choice.finish_reason) == (f"You said: {_TEXT}", "stop")
    with client.completions.create(model=key, prompt=_TEXT, stream=True) as stream:
        assert "".join(chunk.choices[0].text for chunk in stream) == f"You said: {_TEXT}"


def test_deployments_are_models(gateway: Gateway, client: openai.OpenAI) -> None:
    key = gateway.deploy("mistral")
    (found,) = [model for model in client.models.list() if model.id == key]
    assert (found.object, found.owned_by) == ("model", "mistral")
    assert client.models.retrieve(key) == found
    for unknown in ("no-such-deployment", "no/such"):
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve(unknown)


def test_inputs_are_fields_beside_the_usual_ones(gateway: Gateway, client: openai.OpenAI) -> None:
    key = gateway.deploy("openai", messages=[{"role": "system", "content": "Speak {{language}}."}])
    for fields in (
        {"inputs": {"language": "French"}}, {"variables": {"language": "French"}},
        {"orq": {"inputs": {"language": "French"}}},
        {"orq": {"inputs": [{"key": "language", "value": "French"}]}, "context": {"environments": "production"}},
    ):  # fmt: skip
        client.chat.completions.create(model=key, messages=said(), extra_body=fields)
        (request,) = gateway.vendors.take("openai")
        assert request.json["messages"][0]["content"] == "Speak French."
        assert not {"inputs", "variables", "orq", "context"} & {*request.json}


def test_a_version_and_a_variant_are_pinned_by_the_name_of_the_model(gateway: Gateway, client: openai.OpenAI) -> None:
    key = gateway.deploy("openai")
    for model in (key, f"{key}@1.0", f"{key}#default", f"{key}@1.0#default"):
        response = client.chat.completions.with_raw_response.create(model=model, messages=said())
        assert response.headers["x-moorage-version"] == "1.0"
        assert response.parse().choices[0].message.content == f"You said: {_TEXT}"
    for model in (f"{key}@9.9", f"{key}#nobody"):
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model=model, messages=said())


@pytest.mark.parametrize("provider", CHATS)
def test_an_error_in_a_stream_is_raised_after_what_came_before(
    gateway: Gateway, client: openai.OpenAI, provider: str
) -> None:
    gateway.vendors.fail_next(provider, faults.error_in_stream)
    texts: list[str] = []
    with client.chat.completions.create(model=gateway.deploy(provider), messages=said(), stream=True) as stream:
        chunks = (chunk.choices[0].delta.content or "" for chunk in stream)
        with pytest.raises(openai.APIError) as raised:
            texts.extend(chunks)
    assert "You" in "".join(texts)
    assert raised.value.code in ("provider_error", "provider_overloaded")
    assert "The model crashed." in raised.value.message


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, openai.BadRequestError, "provider_rejected"),
        (401, openai.UnprocessableEntityError, "provider_credential_invalid"),
        (429, openai.RateLimitError, "rate_limit_exceeded"), (500, openai.InternalServerError, "provider_error"),
        (529, openai.InternalServerError, "provider_overloaded"),
    ],
)  # fmt: skip
def test_an_error_is_raised_once_with_its_words(
    gateway: Gateway, client: openai.OpenAI, status: int, kind: type[openai.APIStatusError], code: str
) -> None:
    key = gateway.deploy("openai")
    for is_stream in (False, True):
        gateway.vendors.fail_next("openai", faults.status(status, "The dog ate it"))
        with pytest.raises(kind, match="The dog ate it") as raised:
            client.chat.completions.create(model=key, messages=said(), stream=is_stream)
        assert raised.value.code == code
        assert raised.value.request_id
        assert len(gateway.vendors.take("openai")) == 1, "the SDK has not sent the request again"


def test_retries_of_the_sdk_do_not_multiply_those_of_the_gateway(gateway: Gateway, client: openai.OpenAI) -> None:
    for name in ("groq", "mistral"):
        gateway.connect(f"retried-{name}", name)
    fallback = {
        "provider": "mistral", "model": "mistral/mistral-small-latest", "model_type": "chat", "model_parameters": {},
        "integration_id": "retried-mistral",
    }  # fmt: skip
    key = gateway.deploy("groq", retry_count=2, fallbacks=[fallback], integration_id="retried-groq")
    again = faults.status(503, "Come back", **{"Retry-After": "0"})
    for name in ("groq", "mistral"):
        gateway.vendors.fail_next(name, again, again, again)
    with pytest.raises(openai.InternalServerError) as raised:
        client.chat.completions.create(model=key, messages=said())
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert raised.value.response.headers["x-moorage-attempts"] == "6"
    assert [len(gateway.vendors.take(name)) for name in ("groq", "mistral")] == [3, 3]
    body: Any = raised.value.body
    assert [attempt.get("next") for attempt in body["attempts"]] == [
        "retry", "retry", "fallback", "retry", "retry", None,
    ]  # fmt: skip


def test_the_pause_before_a_retry_is_one_that_the_sdk_waits(gateway: Gateway, client: openai.OpenAI) -> None:
    gateway.vendors.fail_next("openai", faults.status(429, "Later", **{"Retry-After": "600"}))
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(model=gateway.deploy("openai"), messages=said())
    assert raised.value.response.headers["retry-after"] == "30"


def test_errors_of_the_gateway_itself(gateway: Gateway, client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no-such-deployment") as raised:
        client.chat.completions.create(model="no-such-deployment", messages=said())
    assert raised.value.code == "deployment_not_found"
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").chat.completions.create(model="x", messages=said())


def test_an_equal_call_comes_from_the_cache_and_a_header_of_the_caller_bypasses_it(
    gateway: Gateway, client: openai.OpenAI
) -> None:
    prompt = a_body(provider="openai", model=f"openai/{gateway.vendors.vendors['openai'].model('chat')}")
    key = gateway.put(prompt | {"settings": {"cache": {"enabled": True, "type": "exact", "ttl": 3_600}}})
    create = client.chat.completions.with_raw_response.create

    first = create(model=key, messages=said())
    second = create(model=key, messages=said())
    third = create(model=key, messages=said(), extra_headers={"Cache-Control": "no-store"})
    with client.chat.completions.stream(model=key, messages=said()) as stream:
        streamed = stream.get_final_completion()

    assert [each.headers["x-moorage-cache"] for each in (first, second, third)] == ["miss", "hit", "bypass"]
    assert first.parse().choices[0].message == second.parse().choices[0].message
    assert first.parse().usage == second.parse().usage
    assert streamed.choices[0].message.content == f"You said: {_TEXT}"
    assert len(gateway.vendors.take("openai")) == 2
