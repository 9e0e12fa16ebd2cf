"""The SDK of OpenAI calls deployments through the Responses API, at every provider with models for chats."""

import json
from typing import Any

import openai
import pytest

from tests.calls.cells import CHATS
from tests.support.gateway import Gateway
from tests.support.vendors import faults

_TEXT = "Say hello to Zürich 🎉 please"
_TOOL: Any = {
    "type": "function", "name": "get_weather", "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}  # fmt: skip


@pytest.mark.parametrize("provider", CHATS)
def test_a_response_is_complete(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    response = client.responses.create(prompt={"id": gateway.deploy(provider)}, input=_TEXT)
    assert (response.output_text, response.status) == (f"You said: {_TEXT}", "completed")
    assert response.usage
    assert response.usage.total_tokens > len(_TEXT.split())
    assert response.to_dict(warnings=False)["store"] is False


@pytest.mark.parametrize("provider", CHATS)
def test_a_stream_has_its_events_in_order(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    stream = client.responses.create(prompt={"id": gateway.deploy(provider)}, input=_TEXT, stream=True)
    events = [*stream]
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert [event.sequence_number for event in events] == [*range(len(events))]
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == f"You said: {_TEXT}"
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == text


# Perplexity has items of its own, `search_results`, of which the SDK warns.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize(
    "provider", ["openai", "azure", "groq", "anthropic", "google-ai", "aws", "cohere", "perplexity"]
)
def test_a_function_is_called_and_its_result_is_sent_back(
    gateway: Gateway, client: openai.OpenAI, provider: str
) -> None:
    key, said = gateway.deploy(provider), {"role": "user", "content": "Use get_weather"}
    response = client.responses.create(model=key, input=[said], tools=[_TOOL])  # type: ignore[list-item]  # a dict
    (call,) = [item for item in response.output if item.type == "function_call"]
    assert (call.name, call.status) == ("get_weather", "completed")
    with client.responses.stream(model=key, input=[said], tools=[_TOOL]) as stream:  # type: ignore[list-item]  # a dict
        (streamed,) = [item for item in stream.get_final_response().output if item.type == "function_call"]
    assert streamed.arguments == call.arguments
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    sent: Any = [said, call.to_dict(), result]
    assert client.responses.create(model=key, input=sent, tools=[_TOOL]).output_text == "The tool said: sunny"


def test_the_id_of_a_prompt_that_openai_stored_is_an_alias(gateway: Gateway, client: openai.OpenAI) -> None:
    key = gateway.deploy("openai", messages=[{"role": "user", "content": "Hi {{name}}"}])
    patch = json.dumps({"aliases": ["pmpt_68b0a1c2"]}).encode()
    assert gateway.project.request("PATCH", f"/v2/deployments/{key}", patch).status == 200

    response = client.responses.create(prompt={"id": "pmpt_68b0a1c2", "variables": {"name": "Ada"}})

    assert response.output_text == "You said: Hi Ada"


def test_variables_and_a_version_of_a_prompt(gateway: Gateway, client: openai.OpenAI) -> None:
    key = gateway.deploy("openai", messages=[{"role": "user", "content": "Hello {{name}}"}])
    response = client.responses.with_raw_response.create(
        model="gpt-4.1", prompt={"id": key, "version": "1.0", "variables": {"name": "Ada"}}
    )
    assert response.parse().output_text == "You said: Hello Ada"
    assert response.headers["X-Moorage-Warnings"].startswith("model: is ignored")
    with pytest.raises(openai.NotFoundError, match=r"9\.9"):
        client.responses.create(prompt={"id": key, "version": "9.9"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("previous_response_id", "resp_1"), ("conversation", "conv_1"), ("background", True), ("store", True),
        ("input", [{"type": "item_reference", "id": "msg_1"}]),
    ],
)  # fmt: skip
def test_a_field_that_needs_stored_responses_is_rejected_by_its_name(
    gateway: Gateway, client: openai.OpenAI, field: str, value: Any
) -> None:
    body = {"model": gateway.deploy("openai"), "input": "x", field: value}
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/responses", body=body, cast_to=object)
    assert str(caught.value.param).startswith(field)


def test_a_response_that_reaches_the_limit_is_incomplete(gateway: Gateway, client: openai.OpenAI) -> None:
    response = client.responses.create(model=gateway.deploy("openai"), input=_TEXT, max_output_tokens=2)
    assert response.status == "incomplete"
    assert response.incomplete_details
    assert response.incomplete_details.reason == "max_output_tokens"


def test_a_failure_in_a_stream_is_raised_with_its_code(gateway: Gateway, client: openai.OpenAI) -> None:
    gateway.vendors.fail_next("openai", faults.error_in_stream)
    with pytest.raises(openai.APIError) as caught:
        [*client.responses.create(model=gateway.deploy("openai"), input=_TEXT, stream=True)]
    assert caught.value.code == "provider_error"
