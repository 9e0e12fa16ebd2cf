"""The variables and the version of a prompt of the Responses API."""

from typing import Any

import openai
import pytest

from tests.support.gateway import Gateway
from tests.support.server import a_body

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
    body = a_body(provider="openai", model="openai/my-gpt", model_type="vision", messages=messages, model_parameters={})
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
