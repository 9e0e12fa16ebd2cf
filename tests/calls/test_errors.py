"""What a caller gets when a provider rejects a call or fails, at every provider and through each route."""

import gzip

import pytest

from tests.calls.cells import CHATS, OF_EACH_PROTOCOL
from tests.support.gateway import ROUTES, STREAMS, Gateway, Outcome
from tests.support.threads import until
from tests.support.vendors import faults
from tests.support.vendors.server import Fault

_TEXT = "Say hello to Zürich 🎉 please"

#: The largest response in bytes.
_MAX_RESPONSE = 32 * 1024 * 1024

_WRONG_KEY = "sk-wrong-0123456789"


def check_error(outcome: Outcome, provider: str, status: int, code: str, upstream: int | None = None) -> None:
    """Check an error that comes instead of a response; `upstream` is the status of the provider."""
    assert (outcome.status, outcome.text, outcome.events) == (status, "", [])
    error = outcome.error
    assert error is not None
    assert error["code"] == code
    assert error["provider"]["name"] == provider
    assert error["provider"].get("status") == upstream
    assert error["provider"]["message"]
    assert error["provider"]["message"] in error["message"]
    assert [attempt["outcome"] for attempt in error["attempts"]] == [code]
    assert outcome.headers["X-Moorage-Attempts"] == "1"
    assert outcome.headers["X-Moorage-Provider"] == provider


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", CHATS)
def test_a_key_that_the_provider_rejects(gateway: Gateway, provider: str, route: str) -> None:
    name = f"wrong-key-{provider}-{route}"
    gateway.connect(name, provider, {"access_token" if provider == "google" else "api_key": _WRONG_KEY})
    outcome = gateway.call(route, gateway.deploy(provider, integration_id=name), _TEXT)
    upstream = {"aws": 403, "google-ai": 400}.get(provider, 401)
    check_error(outcome, provider, 422, "provider_credential_invalid", upstream)
    assert _WRONG_KEY not in str(outcome.error)
    assert name in str(outcome.error)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", CHATS)
def test_a_model_that_the_provider_does_not_have(gateway: Gateway, provider: str, route: str) -> None:
    outcome = gateway.call(route, gateway.deploy(provider, model="no-such-model"), _TEXT)
    bad = ("aws", "mistral", "deepseek", "litellm", "huggingface", "perplexity")
    check_error(outcome, provider, 400, "provider_rejected", 400 if provider in bad else 404)
    assert "no-such-model" in str(outcome.error) or provider == "aws"  # Bedrock does not say which


#: The status of the provider -> that of the response, and its code.
_STATUSES = {
    429: (429, "rate_limit_exceeded"), 500: (502, "provider_error"), 502: (502, "provider_error"),
    503: (503, "provider_overloaded"), 529: (503, "provider_overloaded"), 504: (504, "provider_timeout"),
    408: (504, "provider_timeout"), 409: (502, "provider_error"), 413: (400, "provider_rejected"),
    422: (400, "provider_rejected"), 418: (400, "provider_rejected"),
}  # fmt: skip


@pytest.mark.parametrize("provider", CHATS)
@pytest.mark.parametrize("status", _STATUSES)
def test_an_error_of_the_provider(gateway: Gateway, provider: str, status: int) -> None:
    key = gateway.deploy(provider)
    for route in ROUTES:
        gateway.vendors.fail_next(provider, faults.status(status, "The dog ate it"))
        outcome = gateway.call(route, key, _TEXT)
        check_error(outcome, provider, *_STATUSES[status], status)
        assert "The dog ate it" in str(outcome.error)
        assert outcome.headers["X-Should-Retry"] == "false"


@pytest.mark.parametrize("provider", CHATS)
@pytest.mark.parametrize(("given", "passed_on"), [("7", "7"), ("600", "30"), (None, None), ("soon", None)])
def test_the_pause_that_a_provider_asks_for_is_passed_on(
    gateway: Gateway, provider: str, given: str | None, passed_on: str | None
) -> None:
    headers = {} if given is None else {"Retry-After": given}
    gateway.vendors.fail_next(provider, faults.status(429, "Slow down", **headers))
    outcome = gateway.call("chat", gateway.deploy(provider), _TEXT)
    check_error(outcome, provider, 429, "rate_limit_exceeded", 429)
    if passed_on is not None:
        assert outcome.headers["Retry-After"] == passed_on
    else:
        assert int(outcome.headers.get("Retry-After", "1")) <= 30


#: Responses that no protocol can parse.
_UNREADABLE: dict[str, Fault] = {
    "malformed JSON": faults.body(b'{"choices": [{"message": {"con'),
    "another type": faults.body(b'["choices"]'),
    "an empty object": faults.body(b"{}"),
    "numbers for texts": faults.body(b'{"choices": 1, "content": 2, "candidates": 3, "output": 4, "message": 5}'),
    "no JSON": faults.body(b"<html>Hello</html>", "text/html"),
    "nothing": faults.body(b""),
    "no UTF-8": faults.body(b'{"id": "\xff\xfe", "choices": []}'),
    "deep JSON": faults.body(b"[" * 100_000),
    "cut off": faults.truncated,
    "closed": faults.closes,
    "another status": faults.body(b"", code=302),
}


@pytest.mark.parametrize("provider", CHATS)
@pytest.mark.parametrize("kind", _UNREADABLE)
def test_a_response_that_cannot_be_read(gateway: Gateway, provider: str, kind: str) -> None:
    key = gateway.deploy(provider)
    for route in ROUTES:
        if route in STREAMS and kind == "cut off":  # see the streams that break
            continue
        gateway.vendors.fail_next(provider, _UNREADABLE[kind])
        outcome = gateway.call(route, key, _TEXT)
        assert outcome.status == 502
        assert outcome.error is not None
        assert outcome.error["code"] == "provider_error"
        assert outcome.error["provider"]["name"] == provider
        assert outcome.headers["X-Should-Retry"] == "false"


@pytest.mark.parametrize("provider", OF_EACH_PROTOCOL)
@pytest.mark.parametrize("kind", ["identity", "gzip"])
def test_a_response_that_is_too_large(gateway: Gateway, provider: str, kind: str) -> None:
    content = b'{"x": "%b"}' % bytes(_MAX_RESPONSE)
    if kind == "gzip":
        content = gzip.compress(content, 1)
    key = gateway.deploy(provider)
    for route in ROUTES:
        gateway.vendors.fail_next(provider, faults.body(content, encoding=kind))
        outcome = gateway.call(route, key, _TEXT)
        assert outcome.status == 502
        assert outcome.error is not None
        assert outcome.error["code"] == "provider_error"


@pytest.mark.parametrize("provider", ["openai", "aws"])
def test_a_provider_that_does_not_respond_in_time(gateway: Gateway, provider: str) -> None:
    gateway.connect(f"late-{provider}", provider, timeout_first_byte_s=0.1)
    for route in ROUTES:
        gateway.vendors.fail_next(provider, faults.no_response)
        outcome = gateway.call(route, gateway.deploy(provider, integration_id=f"late-{provider}"), _TEXT)
        assert outcome.status == 504
        assert outcome.error is not None
        assert outcome.error["code"] == "provider_timeout"


@pytest.mark.parametrize("provider", ["openai", "aws"])
@pytest.mark.parametrize("route", STREAMS)
def test_a_stream_that_falls_silent(gateway: Gateway, provider: str, route: str) -> None:
    gateway.connect(f"silent-{provider}-{route}", provider, timeout_between_bytes_s=2)
    key = gateway.deploy(provider, integration_id=f"silent-{provider}-{route}")
    gateway.vendors.fail_next(provider, faults.silent)
    check_broken(gateway.call(route, key, _TEXT), route, "provider_timeout")


def check_broken(outcome: Outcome, route: str, code: str) -> None:
    """Check a stream that broke: the client of each API sees it, and has what the model said before."""
    assert outcome.status == 200
    assert f"You said: {_TEXT}".startswith(outcome.text)
    assert outcome.text != f"You said: {_TEXT}"
    if route == "stream":
        assert outcome.is_cut
        assert outcome.error is None
    else:
        assert not outcome.is_cut
        assert outcome.error is not None
        assert outcome.error["code"] == code
        assert outcome.events[-1]["message"] == outcome.error["message"]


@pytest.mark.parametrize("route", STREAMS)
@pytest.mark.parametrize("provider", CHATS)
@pytest.mark.parametrize("fault", [faults.truncated, faults.ends_early])
def test_a_stream_that_is_cut_off(gateway: Gateway, provider: str, route: str, fault: Fault) -> None:
    gateway.vendors.fail_next(provider, fault)
    check_broken(gateway.call(route, gateway.deploy(provider), _TEXT), route, "provider_error")


@pytest.mark.parametrize("route", STREAMS)
@pytest.mark.parametrize("provider", CHATS)
def test_an_error_in_a_stream(gateway: Gateway, provider: str, route: str) -> None:
    gateway.vendors.fail_next(provider, faults.error_in_stream)
    outcome = gateway.call(route, gateway.deploy(provider), _TEXT)
    code = "provider_overloaded" if provider in ("anthropic", "google", "google-ai") else "provider_error"
    check_broken(outcome, route, code)
    if outcome.error is not None:
        assert "The model crashed." in outcome.error["provider"]["message"]


@pytest.mark.parametrize("route", STREAMS)
@pytest.mark.parametrize("provider", CHATS)
def test_malformed_bytes_in_a_stream(gateway: Gateway, provider: str, route: str) -> None:
    gateway.vendors.fail_next(provider, faults.garbage_in_stream)
    check_broken(gateway.call(route, gateway.deploy(provider), _TEXT), route, "provider_error")


@pytest.mark.parametrize("provider", CHATS)
def test_a_retry_responds(gateway: Gateway, provider: str) -> None:
    key = gateway.deploy(provider, retry_count=2)
    for route in ROUTES:
        again = faults.status(503, "Come back", **{"Retry-After": "0"})
        gateway.vendors.fail_next(provider, again, again)
        outcome = gateway.call(route, key, _TEXT)
        assert (outcome.status, outcome.text) == (200, f"You said: {_TEXT}")
        assert outcome.headers["X-Moorage-Attempts"] == "3"
        assert len(gateway.vendors.take(provider)) == 3


@pytest.mark.parametrize("provider", CHATS)
def test_each_provider_can_be_the_fallback_of_another(gateway: Gateway, provider: str) -> None:
    other = "mistral" if provider == "openai" else "openai"
    model = gateway.vendors.vendors[provider].model("chat")
    fallback = {
        "provider": provider, "model": model if provider == "perplexity" else f"{provider}/{model}",
        "model_type": "chat", "model_parameters": {"maxTokens": 3},
    }  # fmt: skip
    key = gateway.deploy(other, fallbacks=[fallback], model_parameters={"temperature": 0.5, "maxTokens": 500})
    for route in ROUTES:
        gateway.vendors.fail_next(other, faults.status(401, "No"))
        outcome = gateway.call(route, key, _TEXT)
        assert (outcome.status, outcome.text, outcome.reason) == (200, "You said: Say", "length")
        names = ("Provider", "Model", "Attempts")
        assert [outcome.headers[f"X-Moorage-{name}"] for name in names] == [provider, model, "2"]
        (request,) = gateway.vendors.take(provider)
        assert "temperature" not in request.body.decode()


@pytest.mark.parametrize("provider", CHATS)
def test_a_caller_who_hangs_up_ends_the_stream_of_the_provider(gateway: Gateway, provider: str) -> None:
    gateway.vendors.fail_next(provider, faults.silent)
    with gateway.started("chat-stream", gateway.deploy(provider), _TEXT) as connection:
        until(connection.has_response)
        (request,) = gateway.vendors.take(provider)
        assert not request.is_hung_up
    gateway.vendors.wait_for_hang_up(request)


@pytest.mark.parametrize("provider", CHATS)
def test_a_caller_who_hangs_up_before_the_first_event_ends_the_request_to_the_provider(
    gateway: Gateway, provider: str
) -> None:
    gateway.vendors.fail_next(provider, faults.no_response)
    key = gateway.deploy(provider)
    with gateway.started("chat", key, _TEXT):
        gateway.vendors.wait_for_request(provider)
    (request,) = gateway.vendors.take(provider)
    gateway.vendors.wait_for_hang_up(request)
