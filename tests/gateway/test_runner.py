"""Calls with retries, fallbacks and circuit breakers, over real sockets."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest

from moorage.core.deployments.model_parameters import ModelParameters
from moorage.core.deployments.variant import Fallback
from moorage.core.errors.api_keys import InvalidApiKey
from moorage.core.errors.base import MoorageError
from moorage.core.errors.integrations import NoIntegration
from moorage.core.private_hosts import PrivateHosts
from moorage.core.resolution.config import ResolvedConfig
from moorage.gateway import exchange
from moorage.gateway.authentication import Authenticator
from moorage.gateway.breaker import FAILURES, OPEN_SECONDS, Breaker
from moorage.gateway.call import Call, Progress
from moorage.gateway.connection import Connection, prepare
from moorage.gateway.egress import Egress, EgressForbidden
from moorage.gateway.errors import (
    CallFailed,
    ProviderCredentialInvalid,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    UnsupportedModelTypeForCall,
    WrongRoute,
)
from moorage.gateway.exchange import CallStream
from moorage.gateway.http.endpoint import Endpoint
from moorage.gateway.http.proxies import EnvironmentProxies
from moorage.gateway.http.transport import Transport
from moorage.gateway.runner import Runner
from moorage.providers.completion import Completion
from moorage.providers.errors import NotSupportedByProvider
from moorage.providers.protocol import Event
from moorage.providers.table import PROVIDERS
from tests.support.scripted_provider import LOOPBACK, Peer, ScriptedProvider, run

SECRET = "secret-0123456789-abcdef"
ANSWER = json.dumps({
    "id": "c1", "model": "m-2026",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
}).encode()  # fmt: skip

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def an_event(content: str | None = None, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {} if content is None else {"content": content}, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def an_answer(status: int, body: bytes = b"{}", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} Status\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def a_stream(*events: bytes) -> bytes:
    return STREAM_HEAD + b"".join(chunked(event) for event in events) + END


OK = an_answer(200, ANSWER)


class Script:
    """Sends one of the answers for each request; the last one again and again. None closes the connection."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.bodies: list[Any] = []

    async def __call__(self, peer: Peer) -> None:
        while True:
            self.bodies.append(json.loads((await peer.request()).body))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer is None:
                return
            await peer.send(answer)


class Once(Script):
    """Sends one answer, and closes the connection."""

    async def __call__(self, peer: Peer) -> None:
        await peer.request()
        assert self.answers[0] is not None
        await peer.send(self.answers[0])


class Gateway:
    """A runner whose integrations lead to scripted providers; it does not wait before a retry."""

    def __init__(self, **limits: Any) -> None:
        self._limits = limits
        self.urls: dict[str, str] = {}
        self.pauses: list[float] = []
        self.revision = 1
        transport = Transport(Egress(PrivateHosts.parse(LOOPBACK)), EnvironmentProxies({}))
        self.runner = Runner(self, transport, Authenticator(transport), None, self._sleep)

    def find(self, project_id: str, named: str | None, provider: str) -> Connection:
        name = named or provider
        if name not in self.urls:
            raise NoIntegration(which=f"for {name}", provider=provider, action="Create one.")
        endpoint = Endpoint(name=name, **self._limits)
        return Connection(
            f"{name}.{self.revision}", name, PROVIDERS[provider], self.urls[name], {}, {"api_key": SECRET},
            {"X-Key": "header-secret"}, endpoint,
        )  # fmt: skip

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def a_config(**fields: Any) -> ResolvedConfig:
    values: dict[str, Any] = {
        "id": "", "provider": "openai", "model": "openai/my-gpt", "type": "chat", "version": "1.0",
        "messages": [{"role": "user", "content": "Hi"}], "parameters": {},
    }  # fmt: skip
    return ResolvedConfig(**values | fields)


def a_call(**fields: Any) -> Call:
    return Call("project", **{"config": a_config(), **fields})


def a_fallback(provider: str = "groq", **parameters: Any) -> Fallback:
    return Fallback(f"{provider}/llama", "chat", provider, ModelParameters(**parameters))  # type: ignore[arg-type]  # any names


def with_provider(
    script: Script, body: Callable[[Gateway], Awaitable[None]], *others: tuple[str, Script], **limits: Any
) -> None:
    """Run a test with a provider `openai`, and others by their names."""

    async def main() -> None:
        gateway = Gateway(**limits)
        scripts = [("openai", script), *others]
        providers = [ScriptedProvider(each) for _, each in scripts]
        for (name, _), provider in zip(scripts, providers, strict=True):
            await provider.__aenter__()
            gateway.urls[name] = f"http://{LOOPBACK}:{provider.port}/v1"
        try:
            await body(gateway)
        finally:
            await gateway.runner.close()
            for provider in providers:
                await provider.__aexit__()

    run("uvloop", main)


def completed(script: Script, call: Call, *others: tuple[str, Script], **limits: Any) -> tuple[str | None, Progress]:
    """Return the text of a response, and what the call did."""
    found: list[str | None] = []
    progress = Progress(time.perf_counter())

    async def body(gateway: Gateway) -> None:
        completion = await gateway.runner.complete(call, progress)
        found.append(completion.choices[0].content)

    with_provider(script, body, *others, **limits)
    return found[0], progress


def failed(
    script: Script, call: Call, *others: tuple[str, Script], **limits: Any
) -> tuple[MoorageError, Progress, list[float]]:
    """Return the error of a call, what the call did, and the pauses before its retries."""
    caught: list[MoorageError] = []
    pauses: list[float] = []
    progress = Progress(time.perf_counter())

    async def body(gateway: Gateway) -> None:
        with pytest.raises(MoorageError) as error:
            await (gateway.runner.stream if call.is_stream else gateway.runner.complete)(call, progress)
        caught.append(error.value)
        pauses.extend(gateway.pauses)

    with_provider(script, body, *others, **limits)
    return caught[0], progress, pauses


def outcomes(progress: Progress) -> list[str]:
    return [f"{each.integration} {each.outcome}" for each in progress.attempts]


def test_a_call_returns_the_response_of_the_model() -> None:
    script = Script(OK)
    text, progress = completed(script, a_call(config=a_config(parameters={"topK": 3, "temperature": 0.5})))
    assert text == "Hello"
    assert script.bodies == [{"model": "my-gpt", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5}]
    assert [*progress.omitted] == ["parameters.topK"]
    assert outcomes(progress) == ["openai ok"]
    assert progress.usage is not None
    assert (progress.usage.prompt_tokens, progress.usage.total_tokens) == (3, 5)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_a_failure_that_passes_is_retried(status: int) -> None:
    script = Script(an_answer(status), OK)
    text, progress = completed(script, a_call(retry_count=2))
    assert text == "Hello"
    assert (progress.attempts[0].status, progress.attempts[0].next) == (status, "retry")
    assert len(script.bodies) == 2


@pytest.mark.parametrize(("status", "kind"), [
    (400, ProviderRejected), (404, ProviderRejected), (413, ProviderRejected), (422, ProviderRejected),
    (401, ProviderCredentialInvalid), (402, ProviderCredentialInvalid), (403, ProviderCredentialInvalid),
    (501, ProviderError), (302, ProviderError),
])  # fmt: skip
def test_another_failure_is_not_retried(status: int, kind: type[CallFailed]) -> None:
    script = Script(an_answer(status, b'{"error": {"message": "No.", "code": "c"}}'))
    error, progress, _ = failed(script, a_call(retry_count=3))
    assert type(error) is kind
    assert len(script.bodies) == len(progress.attempts) == 1


@pytest.mark.parametrize(("status", "kind"), [
    (429, ProviderRateLimited), (503, ProviderOverloaded), (529, ProviderOverloaded), (504, ProviderTimeout),
    (408, ProviderTimeout), (500, ProviderError), (502, ProviderError), (409, ProviderError),
])  # fmt: skip
def test_retries_end_after_their_number(status: int, kind: type[CallFailed]) -> None:
    script = Script(an_answer(status, b'{"error": {"message": "Wait.", "type": "t"}}'))
    error, progress, pauses = failed(script, a_call(retry_count=2))
    assert type(error) is kind
    assert isinstance(error, CallFailed)
    assert error.provider is not None
    assert (error.provider.status, error.provider.message, error.provider.code) == (status, "Wait.", "t")
    assert [each.next for each in progress.attempts[:2]] == ["retry", "retry"]
    assert len(progress.attempts) == 3
    assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1.0


def test_no_retry_is_made_without_a_retry_count() -> None:
    error, progress, _ = failed(Script(an_answer(500)), a_call())
    assert type(error) is ProviderError
    assert len(progress.attempts) == 1


@pytest.mark.parametrize(("headers", "pause"), [
    ("Retry-After: 7\r\n", 7.0), ("retry-after-ms: 1500\r\nRetry-After: 7\r\n", 1.5),
    ("Retry-After: Thu, 01 Jan 2026 00:00:00 GMT\r\n", 0.0),
])  # fmt: skip
def test_a_retry_waits_as_long_as_the_provider_asks(headers: str, pause: float) -> None:
    _, _, pauses = failed(Script(an_answer(429, b"{}", headers)), a_call(retry_count=1))
    assert pauses == [pause]


@pytest.mark.parametrize("value", ["31", "86400", "99999999999", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_provider_that_asks_for_more_is_not_retried(value: str) -> None:
    error, progress, pauses = failed(Script(an_answer(503, b"{}", f"Retry-After: {value}\r\n")), a_call(retry_count=3))
    assert (len(progress.attempts), pauses) == (1, [])
    assert isinstance(error, CallFailed)
    assert error.retry_after is not None
    assert error.retry_after > 30


@pytest.mark.parametrize("value", ["soon", "-1", "1e99", "9" * 400, "nan", ""])
def test_an_invalid_retry_after_is_ignored(value: str) -> None:
    _, _, pauses = failed(Script(an_answer(503, b"{}", f"Retry-After: {value}\r\n")), a_call(retry_count=1))
    assert len(pauses) == 1
    assert pauses[0] <= 0.5


def test_a_retry_that_would_end_after_the_deadline_is_not_made() -> None:
    _, progress, pauses = failed(
        Script(an_answer(503, b"{}", "Retry-After: 20\r\n")), a_call(retry_count=3, seconds=10.0)
    )
    assert (len(progress.attempts), pauses) == (1, [])


def test_a_connection_that_breaks_before_the_response_is_retried() -> None:
    text, progress = completed(Script(None, OK), a_call(retry_count=1))
    assert text == "Hello"
    assert outcomes(progress) == ["openai provider_error", "openai ok"]


def test_a_provider_that_cannot_be_reached_is_retried() -> None:
    async def body(gateway: Gateway) -> None:
        gateway.urls["openai"] = f"http://{LOOPBACK}:1/v1"
        progress = Progress(0)
        with pytest.raises(ProviderError):
            await gateway.runner.complete(a_call(retry_count=1), progress)
        assert len(progress.attempts) == 2

    with_provider(Script(OK), body)


@pytest.mark.parametrize("answer", [
    an_answer(200, b"<html>"), an_answer(200, b"{"), an_answer(200, b"[]"), an_answer(200, b'{"choices": 1}'),
    an_answer(200, b""), an_answer(200, b"\xff\xfe"), an_answer(200, b'{"choices": [{"message": {"content": 1}}]}'),
    an_answer(200, b"[" * 100_000), b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"nonsense\r\n\r\n",
    an_answer(200, b'{"error": {"message": "It broke.", "code": 500}}'),
])  # fmt: skip
def test_a_response_that_cannot_be_read_is_an_error_of_the_provider(answer: bytes) -> None:
    error, _, _ = failed(Once(answer), a_call())
    assert type(error) is ProviderError


def test_the_secrets_of_an_integration_are_cut_out_of_the_words_of_a_provider() -> None:
    words = f"Incorrect API key: {SECRET}, header-secret, sk-proj-abcdefgh***1234, Bearer abcdefghijkl"
    error, progress, _ = failed(Script(an_answer(401, json.dumps({"error": {"message": words}}).encode())), a_call())
    shown = str(error) + repr(error.__dict__) + repr(progress.attempts)
    for secret in (SECRET, "header-secret", "abcdefgh***1234", "abcdefghijkl"):
        assert secret not in shown
    assert "Incorrect API key" in str(error)


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("answer", [
    an_answer(400, json.dumps({"error": {"message": "m", "code": SECRET}}).encode()),
    an_answer(400, json.dumps({"error": {"message": "m", "type": f"a {SECRET}"}}).encode()),
    an_answer(400, json.dumps({"error": {"message": "m" * 980 + SECRET}}).encode()),
    an_answer(400, json.dumps({"error": {"message": "m", "code": "c" * 80 + SECRET}}).encode()),
    an_answer(400, b"{}", f"x-amzn-errortype: {SECRET}\r\n"),
    an_answer(200, b"{", f"Content-Type: text/html {SECRET}\r\n"),
    an_answer(200, json.dumps({"error": {"message": SECRET, "code": SECRET}}).encode()),
    a_stream(b'data: {"error": {"message": "%b", "code": "%b"}}\n\n' % (SECRET.encode(), SECRET.encode())),
])  # fmt: skip
def test_no_part_of_a_response_shows_a_secret(answer: bytes, is_stream: bool) -> None:
    error, progress, _ = failed(Script(answer), a_call(is_stream=is_stream))
    shown = str(error) + repr(error.__dict__) + repr(progress.attempts)
    assert SECRET[:8] not in shown


def test_a_caller_who_may_not_call_any_more_is_stopped_before_the_next_request() -> None:
    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1
        if checks == 3:
            raise InvalidApiKey

    script = Script(an_answer(503))
    error, progress, _ = failed(script, a_call(retry_count=5, fallbacks=[a_fallback()], check=check))
    assert type(error) is InvalidApiKey
    assert (len(script.bodies), len(progress.attempts)) == (2, 2)


def test_a_retry_uses_the_integration_as_it_is_then() -> None:
    first, second = Script(an_answer(503)), Script(OK)

    async def body(gateway: Gateway) -> None:
        async def change(_: float) -> None:
            gateway.urls["openai"], gateway.revision = gateway.urls["groq"], 2

        gateway.runner._sleep = change
        completion = await gateway.runner.complete(a_call(retry_count=3), Progress(time.perf_counter()))
        assert completion.choices[0].content == "Hello"

    with_provider(first, body, ("groq", second))
    assert (len(first.bodies), len(second.bodies)) == (1, 1)


def test_a_fallback_is_called_after_the_retries_with_its_own_configuration() -> None:
    first, second = Script(an_answer(500)), Script(OK)
    call = a_call(
        config=a_config(parameters={"temperature": 0.1, "seed": 1}), retry_count=1, fallbacks=[a_fallback(max_tokens=9)]
    )
    text, progress = completed(first, call, ("groq", second))
    assert text == "Hello"
    assert second.bodies == [
        {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 9}
    ]
    assert outcomes(progress) == ["openai provider_error", "openai provider_error", "groq ok"]
    assert [each.next for each in progress.attempts[:2]] == ["retry", "fallback"]
    assert progress.target is not None
    assert progress.target.config.provider == "groq"


def test_parameters_of_a_request_hold_for_fallbacks_unless_they_are_of_another_provider() -> None:
    first, second = Script(an_answer(500)), Script(OK)
    extra = {"temperature": 0.9, "stop": ["x"], "of_openai_only": 1}
    call = a_call(config=a_config(parameters=extra), extra_params=extra, fallbacks=[a_fallback(temperature=0.1)])
    completed(first, call, ("groq", second))
    assert first.bodies[0]["of_openai_only"] == 1
    assert second.bodies[0].items() >= {"temperature": 0.9, "stop": ["x"]}.items()
    assert "of_openai_only" not in second.bodies[0]


def test_a_rejected_request_has_a_fallback_too() -> None:
    text, progress = completed(
        Script(an_answer(400, b'{"error": {"message": "The prompt is too long."}}')),
        a_call(fallbacks=[a_fallback()]), ("groq", Script(OK)),
    )  # fmt: skip
    assert text == "Hello"
    assert progress.attempts[0].reason == "The prompt is too long."


def test_the_error_is_that_of_the_last_model_that_was_tried() -> None:
    call = a_call(fallbacks=[a_fallback("groq"), a_fallback("mistral")])
    error, progress, _ = failed(Script(an_answer(500)), call, ("groq", Script(an_answer(429))))
    assert type(error) is ProviderRateLimited  # there is no integration for mistral
    assert outcomes(progress) == [
        "openai provider_error", "groq rate_limit_exceeded", "mistral integration_not_found",
    ]  # fmt: skip


def test_a_model_without_an_integration_has_a_fallback() -> None:
    text, progress = completed(
        Script(OK), a_call(config=a_config(provider="deepseek", model="deepseek-chat"), fallbacks=[
            Fallback("my-gpt", "chat", "openai")
        ])
    )  # fmt: skip
    assert text == "Hello"
    assert outcomes(progress) == ["deepseek integration_not_found", "openai ok"]


def test_without_an_integration_the_error_says_what_to_do() -> None:
    error, progress, _ = failed(Script(OK), a_call(config=a_config(provider="deepseek", model="deepseek-chat")))
    assert type(error) is NoIntegration
    assert outcomes(progress) == ["deepseek integration_not_found"]


def test_what_a_model_does_not_have_is_rejected_before_the_call() -> None:
    script = Script(OK)
    audio = [{"role": "system", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "mp3"}}]}]
    error, progress, _ = failed(script, a_call(config=a_config(messages=audio), fallbacks=[a_fallback()]))
    assert type(error) is NotSupportedByProvider
    error, progress, _ = failed(script, a_call(config=a_config(type="rerank"), fallbacks=[a_fallback()]))
    assert type(error) is UnsupportedModelTypeForCall
    error, progress, _ = failed(script, a_call(config=a_config(type="image"), fallbacks=[a_fallback()]))
    assert type(error) is WrongRoute
    assert script.bodies == progress.attempts == []


def test_an_address_that_is_not_allowed_is_not_called() -> None:
    async def body(gateway: Gateway) -> None:
        gateway.urls["openai"] = "http://169.254.169.254/v1"
        with pytest.raises(EgressForbidden):
            await gateway.runner.complete(a_call(), Progress(0))

    with_provider(Script(OK), body)


def test_a_provider_that_failed_in_a_row_is_skipped_while_there_is_a_fallback() -> None:
    first, second = Script(an_answer(500)), Script(OK)

    async def body(gateway: Gateway) -> None:
        call = a_call(fallbacks=[a_fallback()])
        for _ in range(FAILURES):
            await gateway.runner.complete(call, Progress(0))
        progress = Progress(0)
        await gateway.runner.complete(call, progress)
        assert outcomes(progress) == ["openai skipped", "groq ok"]
        assert len(first.bodies) == FAILURES
        with pytest.raises(ProviderError):  # without a fallback, it is tried
            await gateway.runner.complete(a_call(), Progress(0))
        assert len(first.bodies) == FAILURES + 1

    with_provider(first, body, ("groq", second))


def test_errors_of_requests_do_not_open_a_circuit() -> None:
    first = Script(an_answer(400))

    async def body(gateway: Gateway) -> None:
        for _ in range(FAILURES + 2):
            await gateway.runner.complete(a_call(fallbacks=[a_fallback()]), Progress(0))
        assert len(first.bodies) == FAILURES + 2

    with_provider(first, body, ("groq", Script(OK)))


def test_an_open_circuit_lets_one_call_through_in_each_period_and_closes_with_its_success() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(FAILURES):
        assert breaker.allows()
        breaker.failed()
    assert not breaker.allows()
    now[0] += OPEN_SECONDS
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.failed()
    assert not breaker.allows()
    now[0] += OPEN_SECONDS
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.allows()


def streamed(script: Script, call: Call, *others: tuple[str, Script]) -> tuple[str, MoorageError | None, Progress]:
    """Return the text of a stream, the error after it, and what the call did."""
    texts: list[str] = []
    errors: list[MoorageError | None] = []
    progress = Progress(time.perf_counter())

    async def body(gateway: Gateway) -> None:
        stream = await gateway.runner.stream(call, progress)
        try:
            while (completions := await stream.next()) is not None:
                texts.extend(choice.content or "" for each in completions for choice in each.choices)
            errors.append(None)
        except MoorageError as error:
            errors.append(error)
        finally:
            stream.close()

    with_provider(script, body, *others)
    return "".join(texts), errors[0], progress


HELLO = an_event("Hel"), an_event("lo")
USAGE = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\n'
DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize("events", [
    (*HELLO, an_event(reason="stop"), USAGE, DONE), (*HELLO, an_event(reason="stop"), USAGE),
    (b"".join((*HELLO, an_event(reason="stop"), USAGE, DONE)),),
])  # fmt: skip
def test_a_stream_is_complete_with_its_finish_reason(events: Sequence[bytes]) -> None:
    text, error, progress = streamed(Script(a_stream(*events)), a_call(is_stream=True))
    assert (text, error) == ("Hello", None)
    assert progress.usage is not None
    assert progress.usage.total_tokens == 5
    assert progress.first_at is not None


@pytest.mark.parametrize("stream", [
    a_stream(*HELLO), STREAM_HEAD + chunked(b"".join(HELLO)),
    a_stream(*HELLO, b'event: error\ndata: {"error": {"message": "It broke.", "code": "c"}}\n\n'),
    a_stream(*HELLO, b"data: {\n\n"), a_stream(b"".join((*HELLO, b"data: {\n\n"))),
])  # fmt: skip
def test_a_stream_that_is_cut_off_fails_after_what_arrived(stream: bytes) -> None:
    text, error, progress = streamed(Once(stream), a_call(is_stream=True, retry_count=2, fallbacks=[a_fallback()]))
    assert text == "Hello"
    assert type(error) is ProviderError
    assert len(progress.attempts) == 1  # no retry after the first event


def test_a_stream_that_fails_before_its_first_event_is_retried() -> None:
    error = b'data: {"error": {"message": "overloaded", "code": 503}}\n\n'
    script = Script(a_stream(error), a_stream(*HELLO, an_event(reason="stop"), DONE))
    text, _, progress = streamed(script, a_call(is_stream=True, retry_count=1))
    assert text == "Hello"
    assert outcomes(progress) == ["openai provider_overloaded", "openai ok"]


@pytest.mark.parametrize("answer", [OK, an_answer(200, b"<html>", "Content-Type: text/html\r\n"), a_stream()])
def test_a_response_that_is_no_stream_is_an_error_of_the_provider(answer: bytes) -> None:
    answer = answer.replace(b"Content-Length", b"Content-Type: application/json\r\nContent-Length", 1)
    error, _, _ = failed(Script(answer), a_call(is_stream=True))
    assert type(error) is ProviderError


def an_event_with(item: bytes, count: int) -> bytes:
    return b'data: {"choices": [{"delta": {"tool_calls": [%b]}}]}\n\n' % b",".join([item] * count)


@pytest.mark.parametrize("event", [
    an_event_with(b"{}", 20_001), an_event_with(b"{}", 1_025), an_event_with(b"[]", 100_001),
    b'data: {"choices": [%b]}\n\n' % b",".join([b"{}"] * 1_025), b'data: {"choices": [{"index": -1}]}\n\n',
    b'data: {"choices": [{"index": 9007199254740993}]}\n\n',
    b'data: {"choices": [{"logprobs": {%b}}]}\n\n' % b",".join(b'"%d":""' % number for number in range(200_001)),
])  # fmt: skip
def test_an_event_with_too_many_values_is_an_error_of_the_provider(event: bytes) -> None:
    error, _, _ = failed(Once(a_stream(event)), a_call(is_stream=True))
    assert type(error) is ProviderError
    assert "cannot be parsed" in str(error)


@pytest.mark.parametrize("answer", [
    b'{"choices": [{"message": {"tool_calls": [%b]}}]}' % b",".join([b"{}"] * 1_025),
    b'{"choices": [%b]}' % b",".join([b"{}"] * 100_001), b'{"choices": []}', b'{"choices": [{"index": -1}]}',
    b'{"choices": [{"logprobs": {"a": [%b]}}]}' % b",".join([b"0"] * 1_000_001),
])  # fmt: skip
def test_a_response_with_too_many_values_is_an_error_of_the_provider(answer: bytes) -> None:
    error, _, _ = failed(Script(an_answer(200, answer)), a_call())
    assert type(error) is ProviderError
    assert "cannot be parsed" in str(error)


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("header", ["x-amzn-errortype: \xff\xfe", "Content-Type: text/html; \xff", "Retry-After: \xff"])
def test_headers_of_a_provider_with_any_bytes_are_no_internal_error(header: str, status: int, is_stream: bool) -> None:
    head = f"HTTP/1.1 {status} \xff\r\n{header}\r\nContent-Length: 2\r\n\r\n".encode("latin-1")
    error, _, _ = failed(Script(head + b"{}"), a_call(is_stream=is_stream))
    assert isinstance(error, CallFailed)
    msgspec.json.encode([str(error), error.provider])  # as the response does


def test_the_values_in_a_text_do_not_count() -> None:
    text = '{"a": [1, 2, "\\"]}, ' * 120_000
    body = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()
    assert completed(Script(an_answer(200, body)), a_call())[0] == text
    event = an_event(text)
    found, error, _ = streamed(Script(a_stream(event, an_event(reason="stop"), DONE)), a_call(is_stream=True))
    assert (found, error) == (text, None)


def test_a_large_piece_of_a_stream_is_parsed_in_slices() -> None:
    class Piece:
        """A response that arrives in one piece."""

        status, headers = 200, {"content-type": "text/event-stream"}

        async def pieces(self) -> AsyncIterator[bytes]:
            yield an_event("Hello") * 5_000 + b": a comment\n\n" * 20_000 + an_event(reason="stop") + DONE

        def close(self) -> None:
            pass

    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        asyncio.get_running_loop().call_soon(turn)

    async def main() -> int:
        gateway = Gateway()
        gateway.urls["openai"] = "http://127.0.0.1/v1"
        connection = gateway.find("project", None, "openai")
        prepared = prepare(a_config(), connection, is_stream=True)
        response: Any = Piece()
        stream = CallStream(response, prepared, connection, Progress(0.0))
        turn()
        await stream.start()
        sizes = []
        while (completions := await stream.next()) is not None:
            sizes.append(len(completions))
        assert sum(sizes) == 5_001
        return max(sizes)

    assert asyncio.run(main()) < 1_000
    assert turns > 10  # other tasks of the loop ran between the slices


def test_a_large_event_is_parsed_in_a_thread_and_the_next_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class Arriving:
        """A response with a large event between small ones."""

        status, headers = 200, {"content-type": "text/event-stream"}

        async def pieces(self) -> AsyncIterator[bytes]:
            large = an_event("x" * 2_000_000)
            yield an_event("Hello")
            for start in range(0, len(large), 100_000):
                yield large[start : start + 100_000]
            yield an_event("Bye")
            yield an_event(reason="stop") + DONE

        def close(self) -> None:
            pass

    async def main() -> list[tuple[int, bool]]:
        gateway = Gateway()
        gateway.urls["openai"] = "http://127.0.0.1/v1"
        prepared = prepare(a_config(), gateway.find("project", None, "openai"), is_stream=True)
        threads = list[tuple[int, bool]]()

        response: Any = Arriving()
        stream = CallStream(response, prepared, gateway.find("project", None, "openai"), Progress(0.0))
        feed = stream._parser.feed

        def watched(event: Event) -> Completion | None:
            threads.append((len(event.data), threading.current_thread() is threading.main_thread()))
            return feed(event)

        monkeypatch.setattr(stream._parser, "feed", watched)
        await stream.start()
        while await stream.next() is not None:
            pass
        return threads

    threads = asyncio.run(main())
    assert [size > 1_000_000 for size, _ in threads[:3]] == [False, True, False]
    assert [is_main for _, is_main in threads[:3]] == [True, False, True]


@pytest.mark.parametrize("comment", [b": ping\n\n", b": " + b"x" * 100_000 + b"\n\n"], ids=["small", "large"])
@pytest.mark.parametrize("end", [DONE, b""], ids=["with DONE", "without DONE"])
def test_a_stream_ends_although_the_provider_sends_comments_forever(
    end: bytes, comment: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_LATE_SECONDS", 0.1)

    class Endless(Script):
        async def __call__(self, peer: Peer) -> None:
            await peer.request()
            await peer.send(STREAM_HEAD + chunked(b"".join((*HELLO, an_event(reason="stop"), USAGE, end))))
            while True:
                await peer.send(chunked(comment))
                await asyncio.sleep(0)

    text, error, progress = streamed(Endless(), a_call(is_stream=True))
    assert (text, error) == ("Hello", None)
    assert progress.usage is not None


def test_a_stream_that_is_done_without_an_end_of_its_message_is_cut_off() -> None:
    class Open(Script):
        async def __call__(self, peer: Peer) -> None:
            await peer.request()
            await peer.send(STREAM_HEAD + chunked(b'data: {"type": "message-start", "id": "1"}\n\n' + DONE))
            await peer.until_closed()

    async def body(gateway: Gateway) -> None:
        gateway.urls["cohere"] = gateway.urls["openai"]
        call = a_call(is_stream=True, config=a_config(provider="cohere", model="command-a"))
        stream = await gateway.runner.stream(call, Progress(time.perf_counter()))
        await stream.next()
        with pytest.raises(ProviderError, match="ended too early"):
            await stream.next()

    with_provider(Open(), body)


def test_a_provider_that_does_not_respond_in_time_is_a_timeout() -> None:
    class Silent(Script):
        async def __call__(self, peer: Peer) -> None:
            await peer.request()
            await peer.until_closed()

    error, progress, _ = failed(Silent(OK), a_call(retry_count=1), first_byte=0.3)
    assert type(error) is ProviderTimeout
    assert len(progress.attempts) == 2


def test_a_caller_who_gives_up_closes_the_connection_to_the_provider() -> None:
    requested, closed = asyncio.Event(), asyncio.Event()

    class Silent(Script):
        async def __call__(self, peer: Peer) -> None:
            await peer.request()
            requested.set()
            await peer.until_closed()
            closed.set()

    async def body(gateway: Gateway) -> None:
        call = asyncio.ensure_future(gateway.runner.complete(a_call(), Progress(0)))
        await requested.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await closed.wait()

    with_provider(Silent(OK), body)
