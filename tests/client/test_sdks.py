"""Configurations as arguments of the SDKs of OpenAI and Anthropic: their types, and what the SDKs send."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from moorage.client import Config, Moorage
from tests.client import typed_application
from tests.support.server import Project, a_body

COMPLETION = {
    "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}],
}  # fmt: skip
MESSAGE = {
    "id": "m1", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip


class Provider:
    """A provider that records requests, and responds as both APIs do."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                provider.requests.append((self.path, {**self.headers}, body))
                response = json.dumps(MESSAGE if self.path.endswith("/messages") else COMPLETION).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(response)))
                self.end_headers()
                self.wfile.write(response)

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


FUNCTION = {"name": "weather", "description": "Now", "parameters": {"type": "object", "properties": {}}}
TOOLS = [{"type": "function", "display_name": "Weather", "id": 3, "function": FUNCTION}]
MESSAGES = [
    {"role": "system", "content": "You help {{customer}}."},
    {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
    {"role": "assistant", "content": None, "tool_calls": [
        {"type": "function", "id": "c1", "index": 0, "function": {"name": "weather", "arguments": "{}"}}]},
    {"role": "tool", "content": "sunny", "tool_call_id": "c1"},
]  # fmt: skip
PARAMETERS = {"temperature": 0.2, "maxTokens": 512, "topK": 40}


def config_of(project: Project, **fields: Any) -> Config:
    """Return the configuration of a deployment with these fields."""
    body = a_body(messages=MESSAGES, tools=TOOLS, model_parameters=PARAMETERS, **fields)
    assert project.put("support", body).status in (200, 201)
    with Moorage(project.server.url, project.token, cache=None, lockfile=None) as moorage:
        return moorage.get_config("support", {"customer": "Ada"})


def test_the_openai_sdk_sends_a_configuration(project: Project, provider: Provider) -> None:
    config = config_of(project)
    with openai.OpenAI(base_url=provider.url, api_key="k") as client:
        answer = typed_application.complete(config, client)

    assert answer.choices[0].message.content == "Hi"
    path, _, body = provider.requests[-1]
    assert (path, body) == ("/chat/completions", {
        "model": "my-gpt", "temperature": 0.2, "max_completion_tokens": 512, "user": "ada",
        "tools": [{"type": "function", "function": FUNCTION}],
        "messages": [
            {"role": "system", "content": "You help Ada."},
            {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
            {"role": "assistant", "content": None, "tool_calls": [
                {"type": "function", "id": "c1", "function": {"name": "weather", "arguments": "{}"}}]},
            {"role": "tool", "content": "sunny", "tool_call_id": "c1"},
        ],
    })  # fmt: skip
    assert provider.requests[0][2]["messages"][-1] == {"role": "user", "content": "Hello"}
    assert provider.requests[0][2]["temperature"] == 0


def test_the_anthropic_sdk_sends_a_configuration(project: Project, provider: Provider) -> None:
    config = config_of(project, provider="anthropic", model="anthropic/claude-opus-4-6")
    with anthropic.Anthropic(base_url=provider.url, api_key="k") as client:
        answer = typed_application.create(config, client)

    assert answer.content[0].type == "text"
    ((path, headers, body),) = provider.requests
    assert (path, headers["anthropic-version"]) == ("/v1/messages", "2023-06-01")
    assert body == {
        "model": "claude-opus-4-6", "max_tokens": 10, "system": "You help Ada.", "temperature": 0.2, "top_k": 40,
        "tools": [{"name": "weather", "description": "Now", "input_schema": FUNCTION["parameters"]}],
        "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "sunny"}]},
        ],
    }  # fmt: skip


def test_an_openai_compatible_endpoint_of_another_provider_gets_its_own_parameters(
    project: Project, provider: Provider
) -> None:
    config = config_of(project, provider="togetherai", model="togetherai/meta-llama/Llama-4")
    with openai.OpenAI(base_url=provider.url, api_key="k") as client:
        client.chat.completions.create(**config.for_openai())

    body = provider.requests[0][2]
    assert (body["model"], body["max_tokens"], body["top_k"]) == ("meta-llama/Llama-4", 512, 40)


def test_the_asynchronous_sdks_send_a_configuration(project: Project, provider: Provider) -> None:
    config = config_of(project)

    async def both() -> None:
        async with (
            openai.AsyncOpenAI(base_url=provider.url, api_key="k") as client,
            anthropic.AsyncAnthropic(base_url=provider.url, api_key="k") as other,
        ):
            await client.chat.completions.create(**config.for_openai())
            await other.messages.create(**config.for_anthropic())

    asyncio.run(both())

    assert [path for path, _, _ in provider.requests] == ["/chat/completions", "/v1/messages"]


def test_what_is_omitted_is_logged_once_for_a_version_and_listed(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_of(project)
    for _ in range(2):
        config.for_openai()

    (record,) = [record for record in caplog.records if "is sent without" in record.message]
    assert record.message == (
        "support 1.0 default is sent without: parameters.topK: the API of openai has no such parameter"
    )
    assert config.omitted_for("openai") == {"parameters.topK": "the API of openai has no such parameter"}
    assert config.omitted_for("anthropic") == {}


def test_changed_messages_are_sent(project: Project) -> None:
    config = config_of(project)
    config.messages.append({"role": "user", "content": "And tomorrow?"})
    assert config.for_openai()["messages"][-1] == {"role": "user", "content": "And tomorrow?"}


def pyright(path: Path) -> tuple[int, str]:
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.system
def test_pyright_accepts_an_application(tmp_path: Path) -> None:
    source = Path(typed_application.__file__).read_text()
    application = tmp_path / "application.py"
    application.write_text(f"# pyright: strict\n{source}")
    code, output = pyright(application)
    assert code == 0, output

    application.write_text(source.replace('["temperature"] = 0', '["temperature"] = "hot"'))
    code, output = pyright(application)
    assert code == 1
    assert "1 error" in output
