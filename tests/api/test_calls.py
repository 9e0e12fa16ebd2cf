"""Calls of deployments through a whole application, with a provider on a real socket."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.types import ASGIApp, Message

from moorage.api.calls import respond
from moorage.api.calls import stream as call_stream
from moorage.core.access import Scope
from moorage.core.private_hosts import PrivateHosts
from moorage.store.opening import open_store
from tests.support.in_process import request, running
from tests.support.registry import create_api_key, create_project, put
from tests.support.scripted_provider import LOOPBACK, Peer, ScriptedProvider
from tests.support.scripted_provider import run as run_on_loop
from tests.support.server import a_body

SECRET = "sk-secret-0123456789"
TEMPLATE = [{"role": "system", "content": "You help {{name}}."}]
CHAT = "/v1/chat/completions"
INVOKE = "/v2/deployments/invoke"
STREAM = "/v2/deployments/stream"


def an_answer(content: str = "Hello", **message: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    return json.dumps({"id": "c1", "model": "m-2026", "choices": [choice], "usage": usage}).encode()


def an_event(delta: dict[str, Any], reason: str | None = None) -> bytes:
    return (
        b"data: %b\n\n"
        % json.dumps({"model": "m-2026", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}).encode()
    )


USAGE = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\n'
HELLO = an_event({"content": "Hel"}), an_event({"content": "lo"})


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
A_STREAM = STREAM_HEAD + chunked(*HELLO, an_event({}, "stop"), USAGE, b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Provider:
    """Answers each request with `answer`, or as a stream; it keeps what arrives."""

    def __init__(self, answer: bytes | None = None, stream: bytes = A_STREAM) -> None:
        self.answer = an_answer() if answer is None else answer
        self.stream = stream
        self.bodies: list[Any] = []
        self.left = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        try:
            while True:
                self.bodies.append(body := json.loads((await peer.request()).body))
                if body.get("stream"):
                    await peer.send(self.stream)
                    if not self.stream.endswith(b"0\r\n\r\n"):
                        return
                else:
                    await peer.ok(self.answer, "Content-Type: application/json\r\n")
        finally:
            self.left.set()


class Response:
    """What an application sent."""

    def __init__(self, sent: list[Message]) -> None:
        start, *parts = sent
        self.status: int = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.body = b"".join(part.get("body", b"") for part in parts)
        self.has_end = bool(parts) and not parts[-1].get("more_body", False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        blocks = self.body.decode().removesuffix("\n\n").split("\n\n")
        return [json.loads(each[6:]) if each.startswith("data: {") else each for each in blocks]


class Application:
    """An application with a project, whose deployment `answers` calls the provider."""

    def __init__(self, app: ASGIApp, token: str, project_id: str, database: str) -> None:
        self.app, self.token, self.project_id, self.database = app, token, project_id, database

    async def send(
        self,
        path: str,
        body: Any,
        headers: dict[str, str] | None = None,
        leave: asyncio.Event | None = None,
        method: str = "POST",
    ) -> Response:
        """Send a request; the client disconnects at `leave`."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent: list[Message] = []
        incoming: list[Message] = [{"type": "http.request", "body": data, "more_body": False}]

        async def receive() -> Message:
            if incoming:
                return incoming.pop()
            await (leave or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        fields = {"host": "moorage", "authorization": f"Bearer {self.token}", "content-length": str(len(data))}
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in {**fields, **(headers or {})}.items()],
            "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 1), "client": ("127.0.0.1", 2),
        }  # fmt: skip
        await self.app(scope, receive, send)
        return Response(sent or [{"status": 0, "headers": []}])

    async def put(self, key: str, body: dict[str, Any]) -> None:
        """Put a deployment."""
        status, _ = await request(self.app, "PUT", f"/v2/deployments/{key}", self.token, json.dumps(body).encode())
        assert status in (200, 201)


@asynccontextmanager
async def an_application(tmp_path: Path, script: Provider) -> AsyncIterator[Application]:
    database = f"sqlite:///{tmp_path / 'moorage.db'}"
    with closing(open_store(database)) as store:
        project = create_project(store, "p")
        _, token = create_api_key(store, project.id, "k", Scope)
        put(store, project.id, "answers", a_body(messages=TEMPLATE))
    hosts = PrivateHosts.parse(LOOPBACK)
    async with ScriptedProvider(script) as provider, running(database, log_level="info", private_hosts=hosts) as app:
        url = f"http://{LOOPBACK}:{provider.port}/v1"
        body = {"provider": "openai", "base_url": url, "credentials": {"api_key": SECRET}}
        status, _ = await request(app, "PUT", "/v2/integrations/openai", token, json.dumps(body).encode())
        assert status == 201
        yield Application(app, token, project.id, database)


def called(tmp_path: Path, script: Provider, body: Callable[[Application], Awaitable[None]]) -> None:
    """Run a test with an application and a provider."""

    async def main() -> None:
        async with an_application(tmp_path, script) as application:
            await body(application)

    run_on_loop("uvloop", main)


@pytest.mark.parametrize("path", [INVOKE, STREAM, CHAT])
def test_a_response_has_the_dates_of_a_model_only_if_they_are_known(tmp_path: Path, path: str) -> None:
    async def body(app: Application) -> None:
        await app.put("dated", a_body(model="gpt-4o"))
        await app.put("custom", a_body(model="ours"))
        for key, is_known in (("dated", True), ("custom", False)):
            sent = {"key": key, "inputs": {"name": "Ada"}}
            messages = [{"role": "user", "content": "Hi"}]
            response = await app.send(path, {"model": key, "messages": messages} if path == CHAT else sent)

            found = [response.headers.get(name) for name in ("sunset", "deprecation", "link")]
            assert response.status == 200
            assert found == ([
                "Thu, 14 Jan 2027 00:00:00 GMT", "@1791936000",
                '<https://developers.openai.com/api/docs/deprecations>; rel="deprecation"; type="text/html"',
            ] if is_known else [None, None, None])  # fmt: skip

    called(tmp_path, Provider(), body)


def test_invoke_returns_the_response_of_the_model_in_the_shape_of_orq(tmp_path: Path) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        response = await app.send(INVOKE, {
            "key": "answers", "inputs": {"name": "Ada"}, "messages": [{"role": "user", "content": "Hi"}],
            "extra_params": {"topK": 3, "a_new_one": 1}, "invoke_options": {"include_usage": True},
        }, {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})  # fmt: skip
        found = response.json
        assert (response.status, found["object"], found["provider"], found["is_final"]) == (200, "chat", "openai", True)
        assert found["choices"] == [
            {"message": {"type": "content", "role": "assistant", "content": "Hello"}, "index": 0,
             "finish_reason": "stop"},
        ]  # fmt: skip
        assert found["usage"]["total_tokens"] == 5
        assert found["telemetry"]["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
        assert found["telemetry"]["span_id"] != "b7ad6b7169203331"
        headers = response.headers
        assert {name: headers[f"x-moorage-{name}"] for name in ("deployment", "version", "variant", "attempts")} == {
            "deployment": "answers", "version": "1.0", "variant": "default", "attempts": "1",
        }  # fmt: skip
        assert headers["x-moorage-dropped"] == "topK"
        assert float(headers["x-moorage-overhead-ms"]) >= 0

    called(tmp_path, provider, body)
    (sent,) = provider.bodies
    assert sent["messages"] == [
        {"role": "system", "content": "You help Ada."}, {"role": "user", "content": "Hi"}
    ]  # fmt: skip
    assert sent["a_new_one"] == 1
    assert "topK" not in sent


@pytest.mark.parametrize(("path", "fields"), [(STREAM, {}), (INVOKE, {"stream": True})])
def test_a_stream_in_the_shape_of_orq_ends_with_its_reason(tmp_path: Path, path: str, fields: dict[str, Any]) -> None:
    async def body(app: Application) -> None:
        response = await app.send(path, {"key": "answers", "invoke_options": {"include_usage": True}, **fields})
        *events, final, done = response.events
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert "".join(each["choices"][0]["message"]["content"] for each in events) == "Hello"
        assert {each["is_final"] for each in events} == {False}
        assert (final["is_final"], final["choices"][0]["finish_reason"]) == (True, "stop")
        assert final["usage"]["total_tokens"] == 5
        assert len({each["id"] for each in (*events, final)}) == 1
        assert done == "data: [DONE]"
        assert response.has_end

    called(tmp_path, Provider(), body)


@pytest.mark.parametrize("with_usage", [True, False])
def test_a_stream_in_the_shape_of_openai_has_its_usage_on_request(tmp_path: Path, with_usage: bool) -> None:
    async def body(app: Application) -> None:
        options = {"stream_options": {"include_usage": True}} if with_usage else {}
        response = await app.send(CHAT, {"model": "answers", "stream": True, **options})
        *events, done = response.events
        text = "".join(choice["delta"].get("content") or "" for each in events for choice in each["choices"])
        assert (text, done) == ("Hello", "data: [DONE]")
        assert events[0]["choices"][0]["delta"]["role"] == "assistant"
        assert [each.get("usage", {}).get("total_tokens") for each in events if not each["choices"]] == (
            [5] if with_usage else []
        )

    called(tmp_path, Provider(), body)


@pytest.mark.system
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["\u00fcnï", "日本" * 60, "a\r\nSet-Cookie: b", "\x7f"])
def test_any_name_of_an_integration_can_be_in_the_headers(tmp_path: Path, name: str, stream: bool) -> None:
    async def body(app: Application) -> None:
        config = {"model": name, "model_type": "chat", "provider": "groq", "integration_id": name}
        fallbacks = [config] * 4 + [{"model": "m", "model_type": "chat", "provider": "openai"}]
        await app.put("odd", {"prompt_config": {**config, "messages": TEMPLATE}, "fallbacks": fallbacks})
        response = await app.send(CHAT, {"model": "odd", "stream": stream})
        assert (response.status, response.headers["x-moorage-attempts"]) == (200, "6")
        log = response.headers["x-moorage-attempt-log"]
        assert log.startswith(quote(name, safe=" :")[:20])
        assert all(" " <= character <= "~" for character in log)
        assert len(log) <= 2_000
        assert "set-cookie" not in response.headers

    called(tmp_path, Provider(), body)


@pytest.mark.parametrize("path", [STREAM, CHAT])
def test_a_stream_that_is_cut_off_is_visible_as_a_failure(tmp_path: Path, path: str) -> None:
    async def body(app: Application) -> None:
        response = await app.send(path, {"key": "answers", "model": "answers", "stream": True})
        assert response.status == 200
        assert b"Hel" in response.body
        assert b"[DONE]" not in response.body
        if path == CHAT:
            error = response.events[-1]["error"]
            assert (error["code"], error["type"]) == ("provider_error", "server_error")
            assert error["attempts"][0]["outcome"] == "provider_error"
            assert response.has_end
        else:
            assert not response.has_end  # the server closes the connection

    called(tmp_path, Provider(stream=STREAM_HEAD + chunked(*HELLO)), body)


@pytest.mark.parametrize("path", [STREAM, CHAT, INVOKE])
def test_a_caller_who_disconnects_ends_the_call_at_the_provider(
    tmp_path: Path, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    requested, leave = asyncio.Event(), asyncio.Event()

    class Silent(Provider):
        async def __call__(self, peer: Peer) -> None:
            await peer.request()
            requested.set()
            await peer.until_closed()
            self.left.set()

    provider = Silent()

    async def body(app: Application) -> None:
        call = asyncio.ensure_future(
            app.send(path, {"key": "answers", "model": "answers", "stream": path == CHAT}, leave=leave)
        )
        await requested.wait()
        leave.set()
        await provider.left.wait()
        assert (await call).body == b""

    called(tmp_path, provider, body)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if '"event":"call"' in line]
    assert [(line["status"], line["attempts"]) for line in lines] == [(499, 0)]


def test_comments_are_sent_while_the_model_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_stream, "PING_SECONDS", 0.05)
    answer = asyncio.Event()

    class Slow(Provider):
        async def __call__(self, peer: Peer) -> None:
            await peer.request()
            await answer.wait()
            await peer.send(A_STREAM)

    async def body(app: Application) -> None:
        sent: list[Message] = []
        original = app.app

        async def counting(scope: Any, receive: Any, send: Any) -> None:
            async def forward(message: Message) -> None:
                sent.append(message)
                if len(sent) == 4:  # the start and three comments
                    answer.set()
                await send(message)

            await original(scope, receive, forward)

        app.app = counting
        response = await app.send(STREAM, {"key": "answers"})
        assert response.events[:3] == [": ping"] * 3
        assert response.events[-1] == "data: [DONE]"

    called(tmp_path, Slow(), body)


def test_a_failure_after_a_comment_is_visible_as_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_stream, "PING_SECONDS", 0.05)

    class Breaking(Provider):
        async def __call__(self, peer: Peer) -> None:
            await peer.request()
            await asyncio.sleep(0.5)
            await peer.send(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}")

    async def body(app: Application) -> None:
        response = await app.send(CHAT, {"model": "answers", "stream": True})
        assert response.status == 200
        assert response.events[0] == ": ping"
        assert response.events[-1]["error"]["code"] == "provider_error"

    called(tmp_path, Breaking(), body)


@pytest.mark.parametrize("path", [STREAM, CHAT])
def test_a_stream_ends_when_its_api_key_is_revoked(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_stream, "CHECK_SECONDS", 0)
    requested, is_revoked = asyncio.Event(), asyncio.Event()

    class Slow(Provider):
        async def __call__(self, peer: Peer) -> None:
            await peer.request()
            await peer.send(STREAM_HEAD + chunked(HELLO[0]))
            requested.set()
            await is_revoked.wait()
            await peer.send(chunked(HELLO[1]))
            await peer.until_closed()

    async def body(app: Application) -> None:
        call = asyncio.ensure_future(app.send(path, {"key": "answers", "model": "answers", "stream": True}))
        await requested.wait()
        _, keys = await request(app.app, "GET", "/v2/api-keys", app.token)
        revoked, _ = await request(app.app, "DELETE", f"/v2/api-keys/{keys['data'][0]['id']}", app.token)
        assert revoked == 200
        is_revoked.set()
        response = await call
        assert b'"lo"' not in response.body
        if path == CHAT:
            assert response.events[-1]["error"]["code"] == "invalid_api_key"
        else:
            assert not response.has_end

    called(tmp_path, Slow(), body)


@pytest.mark.parametrize("path", [INVOKE, STREAM, CHAT])
def test_a_mock_response_is_no_call(tmp_path: Path, path: str, capfd: pytest.CaptureFixture[str]) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        options = {"invoke_options": {"mock_response": "One two\nthree"}}
        response = await app.send(path, {"key": "answers", "model": "answers", **options})
        assert response.status == 200
        if path in (INVOKE, CHAT):
            assert response.json["choices"][0]["message"]["content"] == "One two\nthree"
        else:
            text = "".join(each["choices"][0]["message"]["content"] for each in response.events[:-1])
            assert text == "One two\nthree"
        status, callers = await request(app.app, "GET", "/v2/deployments/answers/callers", app.token)
        assert (status, callers["data"]) == (200, [])

    called(tmp_path, provider, body)
    assert provider.bodies == []
    assert '"event":"call"' not in capfd.readouterr().err


def test_a_call_counts_as_use(tmp_path: Path) -> None:
    async def body(app: Application) -> None:
        await app.send(INVOKE, {"key": "answers", "inputs": {"name": "Ada"}})
        _, refused = await request(app.app, "DELETE", "/v2/deployments/answers", app.token)
        assert refused["error"]["code"] == "in_use"

    called(tmp_path, Provider(), body)


def test_a_call_has_a_line_in_the_log_and_metrics_without_content(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def body(app: Application) -> None:
        await app.send(INVOKE, {"key": "answers", "inputs": {"name": "SECRET-INPUT"}})
        await app.send(STREAM, {"key": "answers", "messages": [{"role": "user", "content": "SECRET-TEXT"}]})

    called(tmp_path, Provider(an_answer("SECRET-ANSWER")), body)
    log = capfd.readouterr().err
    first, second = (json.loads(line) for line in log.splitlines() if '"event":"call"' in line)
    assert {**first, **second}.items() >= {
        "deployment": "answers", "version": "1.0", "variant": "default", "provider": "openai", "attempts": 1,
        "status": 200, "prompt_tokens": 3, "completion_tokens": 2,
    }.items()  # fmt: skip
    assert (first["stream"], second["stream"]) == (False, True)
    assert second["first_ms"] <= second["duration_ms"]
    assert "SECRET" not in log
    assert SECRET not in log


def test_a_version_and_a_variant_can_be_pinned(tmp_path: Path) -> None:
    provider = Provider()
    short = a_body(messages=[{"role": "system", "content": "Short, {{name}}."}])

    async def body(app: Application) -> None:
        await app.put("answers", {
            **a_body(messages=[{"role": "system", "content": "Second, {{name}}."}]),
            "variants": [{"name": "short", "prompt_config": short["prompt_config"]}],
        })  # fmt: skip
        found = {}
        for model in ("answers", "answers@1.0", "answers@live", "answers#short", "answers@1.1#default"):
            response = await app.send(CHAT, {"model": model, "inputs": {"name": "Ada"}})
            headers = response.headers
            found[model] = headers["x-moorage-version"], headers["x-moorage-variant"], headers["x-moorage-reason"]
        assert found == {
            "answers": ("1.1", "default", "only"), "answers@1.0": ("1.0", "default", "only"),
            "answers@live": ("1.1", "default", "only"), "answers#short": ("1.1", "short", "pinned"),
            "answers@1.1#default": ("1.1", "default", "pinned"),
        }  # fmt: skip
        for model, code in {
            "answers@7.7": "version_not_found", "answers#long": "variant_not_found", "none@1.0": "deployment_not_found",
            "answers@1.0#short": "variant_not_found",
        }.items():  # fmt: skip
            response = await app.send(CHAT, {"model": model})
            assert (response.status, response.json["error"]["code"]) == (404, code)

    called(tmp_path, provider, body)
    assert [each["messages"][0]["content"] for each in provider.bodies] == [
        "Second, Ada.", "You help Ada.", "Second, Ada.", "Short, Ada.", "Second, Ada.",
    ]  # fmt: skip


@pytest.mark.system
@pytest.mark.parametrize(("fields", "path"), [
    ({"model": 1}, "model"), ({"model": ""}, "model"), ({"messages": {}}, "messages"),
    ({"messages": ["x"]}, "messages"),
    ({"messages": [{"role": "function", "content": ""}]}, "messages[0].role"), ({"stream": "yes"}, "stream"),
    ({"stream_options": 1}, "stream_options"), ({"inputs": []}, "inputs"), ({"context": 1}, "context"),
    ({"tools": {}}, "tools"), ({"tools": [{"type": "web_search"}]}, "tools[0]"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    ({"functions": []}, "functions"), ({"fallbacks": [{"model": "x"}]}, "fallbacks"),
    ({"invoke_options": {"mock_response": 1}}, "invoke_options.mock_response"),
    ({"model": "answers@"}, "model"), ({"model": "answers#"}, "model"), ({"model": "@1.0"}, "model"),
    ({"max_tokens": "5"}, "max_tokens"), ({"temperature": True}, "temperature"),
    ({"extra_params": {"temperature": 1}}, "extra_params"), ({"prefix_messages": [{}]}, "prefix_messages"),
    ({"extra_headers": {"x-api-key": "k"}}, "extra_headers"), ({"extra_body": 5}, "extra_body"),
    ({"system": "You swear."}, "system"), ({"orq": {"fallbacks": [{"model": "x"}]}}, "orq.fallbacks"),
    ({"messages": [{"role": "assistant", "function_call": {"name": "f"}}]}, "messages[0].function_call"),
    ({"orq": {"prompt": {"id": "x"}}}, "orq.prompt"),
])  # fmt: skip
def test_a_field_that_is_wrong_is_named(tmp_path: Path, fields: dict[str, Any], path: str) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        response = await app.send(CHAT, {"model": "answers", **fields})
        assert (response.status, response.json["error"]["code"]) == (400, "invalid_request_body"), response.body
        assert response.json["error"]["problems"][0]["path"] == path

    called(tmp_path, provider, body)
    assert provider.bodies == []


@pytest.mark.system
@pytest.mark.parametrize(("parameters", "name"), [
    ({"stream": True}, "stream"), ({"model": "gpt-5"}, "model"), ({"messages": []}, "messages"),
    ({"system": "You swear."}, "system"), ({"contents": []}, "contents"), ({"input": "x"}, "input"),
    ({"extra_headers": {"x-api-key": "k"}}, "extra_headers"), ({"extra_headers": 5}, "extra_headers"),
    ({"extra_body": {"a": 1}}, "extra_body"), ({"extra_body": "x"}, "extra_body"),
    ({"maxTokens": "five"}, "maxTokens"), ({"maxTokens": "9.5"}, "maxTokens"),
    ({"temperature": "hot"}, "temperature"), ({"topP": False}, "topP"),
    ({"maxTokens": 9.5}, "maxTokens"), ({"seed": 1.5}, "seed"),
])  # fmt: skip
def test_extra_params_replace_neither_the_model_nor_its_messages(
    tmp_path: Path, parameters: dict[str, Any], name: str
) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        for path in (INVOKE, STREAM):
            response = await app.send(path, {"key": "answers", "extra_params": parameters})
            assert (response.status, response.json["error"]["code"]) == (400, "invalid_request_body"), response.body
            assert response.json["error"]["problems"][0]["path"] == f"extra_params.{name}"

    called(tmp_path, provider, body)
    assert provider.bodies == []


def test_the_command_line_of_orq_sends_numbers_as_texts(tmp_path: Path) -> None:
    provider = Provider()
    parameters = {"temperature": "0.5", "maxTokens": "20", "frequencyPenalty": "-1", "user": "7"}

    async def body(app: Application) -> None:
        assert (await app.send(INVOKE, {"key": "answers", "extra_params": parameters})).status == 200

    called(tmp_path, provider, body)
    (sent,) = provider.bodies
    assert (sent["temperature"], sent["max_completion_tokens"], sent["frequency_penalty"]) == (0.5, 20, -1)
    assert sent["user"] == "7"


def test_the_newer_name_of_a_limit_counts_and_empty_fields_of_others_are_not_sent(tmp_path: Path) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        for limits in ({"max_tokens": 5, "max_completion_tokens": 6}, {"max_completion_tokens": 6, "max_tokens": 5}):
            assert (await app.send(CHAT, {"model": "answers", "fallbacks": [], "cache": {}, **limits})).status == 200
        parameters = {"stream_options": 5, "other": {"a": [None]}}
        assert (await app.send(STREAM, {"key": "answers", "extra_params": parameters})).status == 200

    called(tmp_path, provider, body)
    assert [each["max_completion_tokens"] for each in provider.bodies] == [6, 6, 512]
    assert not {"fallbacks", "cache", "max_tokens"} & provider.bodies[0].keys()
    assert (provider.bodies[2]["stream_options"], provider.bodies[2]["other"]) == (
        {"include_usage": True},
        {"a": [None]},
    )


def test_parameters_of_the_router_that_its_sdk_always_sends_are_not_given(tmp_path: Path) -> None:
    provider = Provider()
    sent = {"max_tokens": 16, "temperature": 1, "top_p": 1.0, "n": 1, "echo": False, "presence_penalty": 0,
            "frequency_penalty": 0}  # fmt: skip

    async def body(app: Application) -> None:
        await app.put("answers", a_body(model_parameters={"maxTokens": 500}, messages=TEMPLATE))
        for path in ("/v2/router/completions", "/v1/completions"):
            assert (await app.send(path, {"model": "answers", "prompt": "Hi", **sent})).status == 200

    called(tmp_path, provider, body)
    assert [each["max_completion_tokens"] for each in provider.bodies] == [500, 16]


def test_without_an_integration_the_error_says_what_to_do(tmp_path: Path) -> None:
    async def body(app: Application) -> None:
        await app.put("other", a_body(model="deepseek-chat", provider="deepseek"))
        response = await app.send(INVOKE, {"key": "other"})
        error = response.json["error"]
        assert (response.status, error["code"]) == (422, "integration_not_found")
        assert "moorage integrations set deepseek --provider deepseek --api-key-stdin" in error["message"]
        assert "DEEPSEEK_API_KEY" in error["message"]

    called(tmp_path, Provider(), body)


def test_another_model_type_names_what_there_is(tmp_path: Path) -> None:
    async def body(app: Application) -> None:
        await app.put("vectors", a_body(model="embedder", model_type="embedding"))
        response = await app.send(INVOKE, {"key": "vectors"})
        error = response.json["error"]
        assert (response.status, error["code"]) == (400, "unsupported_model_type")
        assert "POST /v1/embeddings" in error["message"]
        await app.put("documents", a_body(model="sorter", model_type="rerank"))
        error = (await app.send(INVOKE, {"key": "documents"})).json["error"]
        assert "OpenAI has models of the types: chat, vision, completion, embedding" in error["message"]

    called(tmp_path, Provider(), body)


@pytest.mark.parametrize("text", ["", "a", "two words", "  spaces ", "a " * 50, "a " * 500_000, "x" * 1_000, " " * 999])
def test_a_mock_response_is_streamed_in_few_parts_with_little_memory(text: str) -> None:
    tracemalloc.start()
    try:
        parts = respond._parts(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "".join(parts) == text
    assert 1 <= len(parts) <= 100
    assert peak < 3 * len(text) + 50_000
