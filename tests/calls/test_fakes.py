"""The fakes themselves: the official SDKs read them, and they reject what the vendors reject."""

import json
from typing import Any

import anthropic
import botocore.config
import botocore.session
import openai
import pytest
import urllib3

from tests.support.vendors.bedrock_api import BedrockVendor
from tests.support.vendors.openai_table import DIALECTS
from tests.support.vendors.server import VendorServer

_TEXT = "Say hello to Zürich 🎉 please"
_USER: list[Any] = [{"role": "user", "content": _TEXT}]
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
_KEYS = {
    "anthropic": ("x-api-key", ""), "google-ai": ("x-goog-api-key", ""), "azure": ("api-key", ""),
}  # fmt: skip


@pytest.mark.parametrize("vendor", [dialect.id for dialect in DIALECTS if dialect.id != "azure"])
def test_the_sdk_of_openai_reads_the_vendors_with_its_api(vendors: VendorServer, vendor: str) -> None:
    fake = vendors.vendors[vendor]
    url = vendors.base_url(vendor) + ("/v1" if vendor == "huggingface" else "")
    model, tool = fake.model("chat"), {"name": "get_weather", "parameters": _SCHEMA}
    tools: list[Any] = [{"type": "function", "function": tool}]
    call: list[Any] = [{"role": "user", "content": "get_weather"}]
    with openai.OpenAI(base_url=url, api_key=fake.key) as client:
        response = client.chat.completions.create(model=model, messages=_USER)
        assert response.choices[0].message.content == f"You said: {_TEXT}"
        with client.chat.completions.create(model=model, messages=_USER, stream=True) as stream:
            texts = [chunk.choices[0].delta.content for chunk in stream if chunk.choices]
            assert "".join(text or "" for text in texts) == f"You said: {_TEXT}"
        calls = client.chat.completions.create(model=model, messages=call, tools=tools).choices[0].message.tool_calls
        assert [each.function.arguments for each in calls or () if each.type == "function"] == [
            json.dumps({"city": "a city in Zürich"})
        ]
        with pytest.raises(openai.APIStatusError):
            client.chat.completions.create(model="no-such-model", messages=_USER)
    vendors.take(vendor)


def test_the_sdk_of_anthropic_reads_the_fake(vendors: VendorServer) -> None:
    fake = vendors.vendors["anthropic"]
    url = vendors.base_url("anthropic").removesuffix("/v1")
    headers = {"x-api-key": fake.key}
    tools: list[Any] = [{"name": "get_weather", "input_schema": _SCHEMA}]
    call: list[Any] = [{"role": "user", "content": "get_weather"}]
    with anthropic.Anthropic(base_url=url, api_key=fake.key, default_headers=headers) as client:
        model: Any = fake.model("chat")
        message = client.messages.create(model=model, max_tokens=100, messages=_USER)
        assert [block.text for block in message.content if block.type == "text"] == [f"You said: {_TEXT}"]
        with client.messages.stream(model=model, max_tokens=100, messages=_USER) as stream:
            assert "".join(stream.text_stream) == f"You said: {_TEXT}"
        with client.messages.stream(model=model, max_tokens=100, messages=call, tools=tools) as stream:
            (block,) = stream.get_final_message().content
        assert block.type == "tool_use"
        assert block.input == {"city": "a city in Zürich"}
        with pytest.raises(anthropic.BadRequestError):
            client.messages.create(model=model, max_tokens=100, messages=_USER, extra_body={"temperature": 0.5})
    vendors.take("anthropic")


def test_botocore_reads_the_fake_with_its_checksums(vendors: VendorServer) -> None:
    session = botocore.session.Session()
    client = session.create_client(
        "bedrock-runtime", region_name="eu-west-1", endpoint_url=vendors.base_url("aws"),
        aws_access_key_id=BedrockVendor.access_key, aws_secret_access_key=BedrockVendor.secret_key,
        config=botocore.config.Config(proxies={}, retries={"total_max_attempts": 1}),
    )  # fmt: skip
    try:
        request = {"modelId": BedrockVendor.models[0], "messages": [{"role": "user", "content": [{"text": _TEXT}]}]}
        response = client.converse(**request)
        assert response["output"]["message"]["content"] == [{"text": f"You said: {_TEXT}"}]
        texts = [
            event["contentBlockDelta"]["delta"]["text"]
            for event in client.converse_stream(**request)["stream"]
            if "contentBlockDelta" in event
        ]
        assert "".join(texts) == f"You said: {_TEXT}"
        with pytest.raises(client.exceptions.ValidationException):
            client.converse(**{**request, "modelId": "no-such-model"})
    finally:
        client.close()
    vendors.take("aws")


_CLAUDE = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": _USER}
_GEMINI = {"contents": [{"role": "user", "parts": [{"text": _TEXT}]}]}
_BLOCKS = [{"role": "user", "content": [{"text": _TEXT}]}]
_FLASH = "/models/gemini-2.5-flash:generateContent"
_CALLED = {"role": "assistant", "tool_calls": [
    {"id": "call_1", "type": "function", "index": 0, "function": {"name": "f", "arguments": "{}"}},
]}  # fmt: skip


def _chat(model: str, **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": _USER} | fields


#: The vendor, the path after its base URL, the body, the status, and a part of the error.
_REFUSED: list[tuple[str, str, Any, int, str]] = [
    ("openai", "/chat/completions", _chat("my-gpt", top_k=5), 400, "top_k"),
    ("openai", "/chat/completions", _chat("my-gpt", temperature="hot"), 400, "temperature"),
    ("openai", "/chat/completions", _chat("my-gpt", n=10**9), 400, "128"),
    ("openai", "/chat/completions", _chat("gpt-5", temperature=0.5), 400, "temperature"),
    ("openai", "/chat/completions", _chat("gpt-5", max_tokens=5), 400, "max_completion_tokens"),
    ("openai", "/chat/completions", _chat("my-gpt", messages=[*_USER, _CALLED]), 400, "index"),
    ("openai", "/chat/completions", _chat("my-gpt", messages=[{"role": "exception", "content": ""}]), 400, "role"),
    ("openai", "/chat/completions", _chat("my-gpt", messages=[{"role": "tool", "tool_call_id": "c"}]), 400, "tool"),
    ("openai", "/chat/completions", _chat("my-gpt", stream_options={"include_usage": True}), 400, "stream"),
    ("openai", "/chat/completions", _chat("my-gpt", response_format={"type": "json_schema", "json_schema": {
        "name": "a", "schema": _SCHEMA, "strict": True,
    }}), 400, "additionalProperties"),
    ("openai", "/chat/completions", _chat("no-such-model"), 404, "no-such-model"),
    ("openai", "/chat", _chat("my-gpt"), 404, "/chat"),
    ("azure", "/chat/completions", _chat("no-such-model"), 404, "DeploymentNotFound"),
    ("mistral", "/chat/completions", _chat("mistral-small-latest", stream_options={}), 422, "stream_options"),
    ("mistral", "/chat/completions", _chat("no-such-model"), 400, "Invalid model"),
    ("moonshotai", "/chat/completions", _chat("kimi-k3", temperature=0.3), 400, "only 1 is allowed"),
    ("deepseek", "/chat/completions", _chat("deepseek-v4-flash", response_format={"type": "json_schema"}), 400,
     "unavailable"),
    ("cerebras", "/chat/completions", _chat("llama-3.3-70b", top_k=5), 400, "top_k"),
    ("anthropic", "/messages", {"model": "claude-haiku-4-5", "messages": _USER}, 400, "max_tokens"),
    ("anthropic", "/messages", {**_CLAUDE, "model": "claude-opus-4-7", "temperature": 0.5}, 400, "temperature"),
    ("anthropic", "/messages", {**_CLAUDE, "seed": 1}, 400, "seed"),
    ("anthropic", "/messages", {**_CLAUDE, "messages": [{"role": "system", "content": "x"}]}, 400, "role"),
    ("anthropic", "/messages", {**_CLAUDE, "thinking": {"type": "enabled", "budget_tokens": 100}}, 400, "budget"),
    ("anthropic", "/messages", {**_CLAUDE, "model": "claude-opus-4-7", "thinking": {"type": "enabled"}}, 400,
     "adaptive"),
    ("google-ai", _FLASH, {**_GEMINI, "tools": [{"functionDeclarations": [
        {"name": "f", "parameters": {"type": "object", "additionalProperties": False}},
    ]}]}, 400, "additionalProperties"),
    ("google-ai", _FLASH, {**_GEMINI, "generationConfig": {
        "thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"},
    }}, 400, "only one"),
    ("google-ai", _FLASH, {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, 400, "role"),
    ("google-ai", "/models/no-such-model:generateContent", _GEMINI, 404, "not found"),
    ("google", "/projects/other/locations/europe-west1/publishers/google" + _FLASH, _GEMINI, 404, "404"),
    ("aws", "/model/openai.gpt-oss-120b-1%3A0/converse", {"messages": _BLOCKS * 2}, 400, "alternate"),
    ("aws", "/model/openai.gpt-oss-120b-1%3A0/converse", {"messages": [
        {"role": "assistant", "content": [{"text": "x"}]},
    ]}, 400, "start with a user"),
    ("aws", "/model/us.amazon.nova-lite-v1%3A0/converse", {
        "messages": _BLOCKS, "additionalModelRequestFields": {"top_k": 5},
    }, 400, "top_k"),
    ("aws", "/model/no-such-model/converse", {"messages": _BLOCKS}, 400, "identifier"),
    ("cohere", "/v2/chat", _chat("command-a-03-2025", max_completion_tokens=5), 400, "max_completion_tokens"),
    ("cohere", "/v2/chat", _chat("no-such-model"), 404, "no-such-model"),
    ("perplexity", "/responses", {"model": "perplexity/sonar", "messages": _USER}, 400, "messages"),
    ("perplexity", "/responses", {"model": "sonar", "input": "x"}, 400, "sonar"),
]  # fmt: skip


def _post(vendors: VendorServer, vendor: str, path: str, body: Any, **headers: str) -> tuple[int, str]:
    """Send a request to a fake; return the status and the body of the response."""
    name, prefix = _KEYS.get(vendor, ("authorization", "Bearer "))
    sent = {"content-type": "application/json", name: prefix + vendors.vendors[vendor].key}
    sent |= {"anthropic-version": "2023-06-01"} | {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib3.PoolManager(retries=False) as pool:
        response = pool.request("POST", vendors.base_url(vendor) + path, body=json.dumps(body), headers=sent)
    vendors.take(vendor)
    return response.status, response.data.decode()


@pytest.mark.parametrize(("vendor", "path", "body", "status", "part"), _REFUSED)
def test_a_fake_rejects_what_the_vendor_rejects(
    vendors: VendorServer, vendor: str, path: str, body: Any, status: int, part: str
) -> None:
    found, text = _post(vendors, vendor, path, body)
    assert found == status
    assert part in text


def test_a_fake_rejects_another_content_type_and_the_newer_version_of_anthropic_rejects_sampling(
    vendors: VendorServer,
) -> None:
    status, text = _post(vendors, "openai", "/chat/completions", _chat("my-gpt"), content_type="text/plain")
    assert (status, "content type" in text) == (400, True)
    body = {**_CLAUDE, "temperature": 0.5}
    assert _post(vendors, "anthropic", "/messages", body)[0] == 200
    status, text = _post(vendors, "anthropic", "/messages", body, anthropic_version="2026-10-21")
    assert (status, "temperature" in text) == (400, True)
