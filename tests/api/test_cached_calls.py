"""Calls of a deployment whose variant has a response cache, with a provider on a real socket."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from moorage.gateway import response_cache
from tests.api.test_calls import (
    A_STREAM,
    CHAT,
    HELLO,
    INVOKE,
    STREAM,
    STREAM_HEAD,
    Application,
    Provider,
    Response,
    an_answer,
    an_event,
    called,
    chunked,
)
from tests.support.server import a_body

CACHE = {"enabled": True, "type": "exact", "ttl": 3_600}
TOOL_CALL = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def run(folder: Path, provider: Provider, body: Callable[[Application], Awaitable[None]]) -> None:
    """Run a test with the deployment `cached`."""

    async def main(app: Application) -> None:
        await app.put("cached", a_body(messages=[]) | {"settings": {"cache": CACHE}})
        await body(app)

    called(folder, provider, main)


def said(text: str = "Hi", **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **fields}


async def chat(app: Application, text: str = "Hi", headers: dict[str, str] | None = None, **fields: Any) -> Response:
    return await app.send(CHAT, said(text, model="cached", **fields), headers)


def result(response: Response) -> tuple[int, str | None]:
    return response.status, response.headers.get("x-moorage-cache")


def text_of(response: Response) -> str:
    """Return what the model wrote, in each of the four forms."""
    if response.headers["content-type"] == "application/json":
        return str(response.json["choices"][0]["message"]["content"])
    parts = [choice for event in response.events if isinstance(event, dict) for choice in event["choices"]]
    return "".join((part.get("delta") or part.get("message") or {}).get("content") or "" for part in parts)


def an_ending(reason: str, **message: Any) -> bytes:
    answer = json.loads(an_answer(**message))
    answer["choices"][0]["finish_reason"] = reason
    return json.dumps(answer).encode()


def test_an_equal_call_gets_the_response_from_the_cache(tmp_path: Path) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        first, second = await chat(app), await chat(app)
        assert (result(first), result(second)) == ((200, "miss"), (200, "hit"))
        assert first.json["choices"] == second.json["choices"]
        assert first.json["usage"] == second.json["usage"]
        assert first.json["id"] != second.json["id"]
        assert "age" not in first.headers
        assert int(second.headers["age"]) >= 0
        assert (first.headers["x-moorage-attempts"], second.headers["x-moorage-attempts"]) == ("1", "0")

    run(tmp_path, provider, body)
    assert len(provider.bodies) == 1


@pytest.mark.parametrize("first", ["chat", "chat-stream", "invoke", "stream"])
def test_all_routes_with_and_without_a_stream_share_a_response(tmp_path: Path, first: str) -> None:
    provider = Provider()
    routes: dict[str, tuple[str, dict[str, Any]]] = {
        "chat": (CHAT, {"model": "cached"}), "chat-stream": (CHAT, {"model": "cached", "stream": True}),
        "invoke": (INVOKE, {"key": "cached"}), "stream": (STREAM, {"key": "cached"}),
    }  # fmt: skip

    async def body(app: Application) -> None:
        for route in (first, *routes):
            path, fields = routes[route]
            response = await app.send(path, said(**fields))
            assert text_of(response) == "Hello", route
            if "stream" in route:
                assert response.events[-1] == "data: [DONE]"

    run(tmp_path, provider, body)
    assert len(provider.bodies) == 1


def test_whatever_is_sent_to_the_model_is_a_part_of_the_key(tmp_path: Path) -> None:
    provider = Provider()
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    requests: list[dict[str, Any]] = [
        {}, {"temperature": 0.5}, {"tools": [tool]}, {"tools": [tool], "tool_choice": "none"}, {"seed": 1},
        {"response_format": {"type": "json_object"}}, {"a_new_one": 1}, {"logprobs": True}, {"user": "u"},
    ]  # fmt: skip

    async def body(app: Application) -> None:
        for fields in requests:
            assert result(await chat(app, **fields)) == (200, "miss"), fields
        for fields in requests:
            assert result(await chat(app, **fields)) == (200, "hit"), fields

    run(tmp_path, provider, body)
    assert len(provider.bodies) == len(requests)


@pytest.mark.parametrize(
    "answer",
    [
        an_ending("length"), an_ending("content_filter"), an_ending("tool_calls", tool_calls=[TOOL_CALL]),
        an_ending("stop", tool_calls=[TOOL_CALL]), an_answer("x" * response_cache.MAX_RESPONSE),
    ],
    ids=["truncated", "filtered", "tools", "tools that end with stop", "too large"],
)  # fmt: skip
def test_an_incomplete_or_too_large_response_and_one_with_tools_is_never_cached(tmp_path: Path, answer: bytes) -> None:
    provider = Provider(answer)

    async def body(app: Application) -> None:
        assert [result(await chat(app)) for _ in range(2)] == [(200, "miss")] * 2

    run(tmp_path, provider, body)
    assert len(provider.bodies) == 2


@pytest.mark.parametrize(
    "stream",
    [
        STREAM_HEAD + chunked(*HELLO),
        STREAM_HEAD + chunked(*HELLO, an_event({}, "length"), b"data: [DONE]\n\n") + b"0\r\n\r\n",
        STREAM_HEAD
        + chunked(an_event({"tool_calls": [{"index": 0, **TOOL_CALL}]}, "stop"), b"data: [DONE]\n\n")
        + b"0\r\n\r\n",
        STREAM_HEAD + chunked(*HELLO, b'data: {"error": {"message": "overloaded"}}\n\n') + b"0\r\n\r\n",
    ],
    ids=["broken", "truncated", "tools", "error"],
)
def test_a_stream_that_breaks_or_is_truncated_is_never_cached(tmp_path: Path, stream: bytes) -> None:
    provider = Provider(stream=stream)

    async def body(app: Application) -> None:
        first = await chat(app, stream=True)
        assert result(first) == (200, "miss")
        provider.stream = A_STREAM
        second, third = await chat(app, stream=True), await chat(app)
        assert (result(second), result(third)) == ((200, "miss"), (200, "hit"))

    run(tmp_path, provider, body)
    assert len(provider.bodies) == 2


def test_an_error_is_never_cached(tmp_path: Path) -> None:
    provider = Provider(b"no JSON")

    async def body(app: Application) -> None:
        failed = await chat(app)
        provider.answer = an_answer()
        assert (result(failed), result(await chat(app))) == ((502, "miss"), (200, "miss"))

    run(tmp_path, provider, body)
    assert len(provider.bodies) == 2


class FailingOnce(Provider):
    """A provider whose first response is no JSON."""

    @property
    def answer(self) -> bytes:
        return b"no JSON" if len(self.bodies) == 1 else an_answer()

    @answer.setter
    def answer(self, answer: bytes) -> None: ...


def test_the_response_of_a_fallback_is_never_cached(tmp_path: Path) -> None:
    provider = FailingOnce()
    fallback = {"model": "openai/other", "model_type": "chat", "provider": "openai"}

    async def body(app: Application) -> None:
        await app.put("cached", a_body(messages=[]) | {"settings": {"cache": CACHE}, "fallbacks": [fallback]})
        by_fallback = await chat(app)
        assert by_fallback.headers["x-moorage-attempts"] == "2"
        assert [result(each) for each in (by_fallback, await chat(app), await chat(app))] == [
            (200, "miss"), (200, "miss"), (200, "hit"),
        ]  # fmt: skip

    run(tmp_path, provider, body)
    assert [each["model"] == "other" for each in provider.bodies] == [False, True, False]


def test_a_caller_bypasses_or_refreshes_the_cache(tmp_path: Path) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        assert result(await chat(app, headers={"cache-control": "No-Store"})) == (200, "bypass")
        assert result(await chat(app)) == (200, "miss")
        provider.answer = an_answer("New")
        assert result(await chat(app, headers={"cache-control": "max-age=0, no-store"})) == (200, "bypass")
        assert text_of(await chat(app)) == "Hello"
        refreshed = await chat(app, headers={"cache-control": "no-cache"})
        assert (result(refreshed), text_of(await chat(app))) == ((200, "miss"), "New")

    run(tmp_path, provider, body)
    assert len(provider.bodies) == 4


def test_a_new_version_and_a_changed_integration_have_responses_of_their_own(tmp_path: Path) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        assert [result(await chat(app)) for _ in range(2)] == [(200, "miss"), (200, "hit")]
        await app.put("cached", a_body(messages=[]) | {"settings": {"cache": CACHE | {"ttl": 60}}})
        assert [result(await chat(app)) for _ in range(2)] == [(200, "miss"), (200, "hit")]
        url = (await app.send("/v2/integrations/openai", b"", method="GET")).json["base_url"]
        changed = {"provider": "openai", "base_url": url, "credentials": {"api_key": "sk-another-0123456789"}}
        assert (await app.send("/v2/integrations/openai", changed, method="PUT")).status == 200
        assert [result(await chat(app)) for _ in range(2)] == [(200, "miss"), (200, "hit")]

    run(tmp_path, provider, body)


def test_a_try_out_bypasses_the_cache_and_a_deployment_without_one_has_no_header(tmp_path: Path) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        tried = await app.send("/v2/deployments/cached/versions/1.0/try", said())
        assert (result(tried), result(await chat(app))) == ((200, "bypass"), (200, "miss"))
        other = await app.send(CHAT, said(model="answers", inputs={"name": "Ada"}))
        assert result(other) == (200, None)
        mocked = await chat(app, invoke_options={"mock_response": "Mock"})
        assert (result(mocked), text_of(await chat(app))) == ((200, None), "Hello")

    run(tmp_path, provider, body)


def test_a_revoked_key_gets_no_cached_response(tmp_path: Path) -> None:
    provider = Provider()

    async def body(app: Application) -> None:
        await chat(app)
        keys = (await app.send("/v2/api-keys", b"", method="GET")).json["data"]
        assert (await app.send(f"/v2/api-keys/{keys[0]['id']}", b"", method="DELETE")).status == 200
        assert (await chat(app)).status == 401

    run(tmp_path, provider, body)


def test_hits_are_in_the_metrics_and_in_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def body(app: Application) -> None:
        for _ in range(3):
            await chat(app)
        metrics = (await app.send("/metrics", b"", method="GET")).body.decode()
        assert 'moorage_call_cache_total{result="hit"} 2.0' in metrics
        assert 'moorage_call_attempts_total{provider="openai",result="ok"} 1.0' in metrics

    run(tmp_path, Provider(), body)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if '"event":"call"' in line]
    assert [(line["cache"], line["attempts"]) for line in lines] == [("miss", 1), ("hit", 0), ("hit", 0)]
