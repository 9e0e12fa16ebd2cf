"""Images and files in messages, and formats of responses, at every provider that has them."""

import base64
import json
from typing import Any

import pytest

from tests.calls.cells import CHATS, SEEING
from tests.support.gateway import ROUTES, Gateway
from tests.support.vendors.model import sample

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_URL = "https://images.example/cat.png"

#: Providers that take files, and those that take only images in the message itself.
_FILES = ("openai", "azure", "anthropic", "aws", "google", "google-ai", "perplexity")
_WITHOUT_URLS = ("aws",)

_SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"}, "days": {"type": "array", "items": {"type": "integer"}},
        "mood": {"type": "string", "enum": ["good", "bad"]},
    },
    "required": ["city", "days", "mood"],
    "additionalProperties": False,
}  # fmt: skip

#: Providers that take a schema for JSON, and those that take JSON without one.
_WITHOUT_SCHEMA = ("deepseek",)
_WITHOUT_PLAIN_JSON = ("anthropic", "aws")


def _image(url: str, **fields: str) -> dict[str, Any]:
    text = {"type": "text", "text": "What is this?"}
    return {"role": "user", "content": [text, {"type": "image_url", "image_url": {"url": url, **fields}}]}


def _data_uri(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", SEEING)
def test_a_model_sees_an_image_in_the_message(gateway: Gateway, provider: str, route: str) -> None:
    message = _image(_data_uri("image/png", _PIXEL))
    outcome = gateway.call(route, gateway.deploy(provider, "vision"), [message])
    assert (outcome.status, outcome.error) == (200, None)
    assert outcome.text == f"You said: What is this? I see image/png of {len(_PIXEL)} bytes."


@pytest.mark.parametrize("provider", SEEING)
def test_an_image_of_a_megabyte_arrives_whole(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, "vision")
    for route in ("invoke", "chat-stream"):
        outcome = gateway.call(route, key, [_image(_data_uri("image/jpeg", bytes(1_000_003)))])
        assert outcome.text == "You said: What is this? I see image/jpeg of 1000003 bytes."


@pytest.mark.parametrize("provider", SEEING)
def test_a_model_sees_the_image_at_a_url(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, "vision")
    for route in ROUTES:
        outcome = gateway.call(route, key, [_image(_URL, detail="low")])
        if provider in _WITHOUT_URLS:
            assert outcome.status == 400
            assert outcome.error is not None
            assert outcome.error["code"] == "not_supported_by_provider"
        else:
            assert outcome.text == f"You said: What is this? I see {_URL}."


@pytest.mark.parametrize("provider", SEEING)
def test_an_image_of_the_deployment_comes_before_the_message_of_the_caller(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, "vision", messages=[
        _image(_data_uri("image/png", _PIXEL)), {"role": "assistant", "content": "A pixel."},
    ])  # fmt: skip
    outcome = gateway.call("invoke", key, "And now?")
    assert outcome.text == f"You said: And now? I see image/png of {len(_PIXEL)} bytes."


@pytest.mark.parametrize("provider", _FILES)
def test_a_model_reads_a_file(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, "vision")
    file = {"filename": "a.pdf", "file_data": _data_uri("application/pdf", b"%PDF-1.7 of a test")}
    message = {"role": "user", "content": [{"type": "text", "text": "Read it"}, {"type": "file", "file": file}]}
    for route in ROUTES:
        outcome = gateway.call(route, key, [message])
        kind = "document/pdf" if provider == "aws" else "application/pdf"
        assert outcome.text == f"You said: Read it I see {kind} of 18 bytes."


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", CHATS)
def test_a_response_has_the_schema_of_the_deployment(gateway: Gateway, provider: str, route: str) -> None:
    given = {"type": "json_schema", "json_schema": {"name": "weather", "schema": _SCHEMA, "strict": True}}
    outcome = gateway.call(route, gateway.deploy(provider, model_parameters={"responseFormat": given}), "Weather?")
    if provider in _WITHOUT_SCHEMA:
        assert outcome.status == 400
        return
    assert (outcome.status, outcome.error) == (200, None)
    assert json.loads(outcome.text) == sample(_SCHEMA)
    assert outcome.reason == "stop"


@pytest.mark.parametrize("provider", CHATS)
def test_a_response_has_the_schema_of_the_caller(gateway: Gateway, provider: str) -> None:
    if provider in _WITHOUT_SCHEMA:
        return
    given = {"type": "json_schema", "json_schema": {"name": "weather", "schema": _SCHEMA, "strict": True}}
    key = gateway.deploy(provider, model_parameters={"responseFormat": {"type": "text"}})
    for route in ("chat", "chat-stream"):
        assert json.loads(gateway.call(route, key, "Weather?", response_format=given).text) == sample(_SCHEMA)
    outcome = gateway.call("stream", key, "Weather?", extra_params={"responseFormat": given})
    assert json.loads(outcome.text) == sample(_SCHEMA)


@pytest.mark.parametrize("provider", CHATS)
def test_json_without_a_schema(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, model_parameters={"responseFormat": {"type": "json_object"}})
    for route in ROUTES:
        outcome = gateway.call(route, key, "Weather as JSON?")
        if provider in _WITHOUT_PLAIN_JSON:
            assert outcome.status == 400
            assert outcome.error is not None
            assert outcome.error["code"] == "not_supported_by_provider"
        else:
            assert json.loads(outcome.text) == {"said": "Weather as JSON?"}
