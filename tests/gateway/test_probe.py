"""The test of an integration: what its result says about a provider on a real socket."""

import pytest
from msgspec import UNSET

from moorage.gateway.authentication import Authenticator
from moorage.gateway.connection import Connection
from moorage.gateway.http.endpoint import Endpoint
from moorage.gateway.probe import Probe, probe
from moorage.providers.table import PROVIDERS
from tests.support.scripted_provider import LOOPBACK, Caller, Peer, Received, ScriptedProvider, run

SECRET = "sk-secret-0123456789"


def probed(provider: str, answer: bytes | None, url: str | None = None, **options: str) -> tuple[Probe, list[Received]]:
    """Return the result of a test of a provider that sends an answer, or closes the connection."""
    received: list[Received] = []
    found: list[Probe] = []

    async def script(peer: Peer) -> None:
        received.append(await peer.request())
        if answer is not None:
            await peer.send(answer)

    async def main() -> None:
        async with ScriptedProvider(script) as server, Caller() as caller:
            base_url = url or f"http://{LOOPBACK}:{server.port}/v1"
            connection = Connection(
                "id", "mine", PROVIDERS[provider], base_url, options, {"api_key": SECRET}, {}, Endpoint(name="mine")
            )
            found.append(await probe(connection, caller.transport, Authenticator(caller.transport)))

    run("uvloop", main)
    return found[0], received


def an_answer(status: int, body: bytes = b"{}") -> bytes:
    return b"HTTP/1.1 %d Status\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def test_a_provider_that_accepts_the_credential() -> None:
    result, (request,) = probed("openai", an_answer(200))
    assert (result.ok, result.status, result.code) == (True, 200, UNSET)
    assert result.message == "OpenAI accepts the credential."
    assert request.line == "GET /v1/models HTTP/1.1"
    assert request.headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("status", [404, 405, 400, 422, 429])
def test_a_provider_that_does_not_reject_it(status: int) -> None:
    result, _ = probed("openailike", an_answer(status))
    assert (result.ok, result.status, result.code) == (True, status, UNSET)
    assert str(status) in result.message


@pytest.mark.parametrize(("answer", "code"), [
    (an_answer(401, b'{"error": {"message": "Bad key %b."}}' % SECRET.encode()), "provider_credential_invalid"),
    (an_answer(403), "provider_credential_invalid"),
    (an_answer(400, b'{"error": {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}'),
     "provider_credential_invalid"),
    (an_answer(500), "provider_error"), (an_answer(503), "provider_overloaded"), (None, "provider_error"),
    (an_answer(302), "provider_error"),
])  # fmt: skip
def test_a_provider_that_cannot_be_called(answer: bytes | None, code: str) -> None:
    result, _ = probed("openai", answer)
    assert (result.ok, result.code) == (False, code)
    assert SECRET not in result.message


def test_an_address_that_is_not_allowed() -> None:
    result, received = probed("openai", an_answer(200), url="http://169.254.169.254/v1")
    assert (result.ok, result.code, received) == (False, "egress_forbidden", [])


@pytest.mark.parametrize(("provider", "line"), [
    ("anthropic", "GET /v1/models HTTP/1.1"), ("cohere", "GET /v1/v1/models HTTP/1.1"),
    ("aws", "POST /v1/model/moorage-connection-test/converse HTTP/1.1"),
    ("google-ai", "GET /v1/models HTTP/1.1"), ("leonardoai", "GET /v1/me HTTP/1.1"),
])  # fmt: skip
def test_each_provider_has_a_request_without_costs(provider: str, line: str) -> None:
    result, (request,) = probed(provider, an_answer(200))
    assert result.ok
    assert request.line == line


def test_an_option_that_is_missing_is_named() -> None:
    result, received = probed("google", an_answer(200), project="p")
    assert (result.ok, received) == (False, [])
    assert "location" in result.message


def test_options_cannot_lead_to_another_path() -> None:
    _, (request,) = probed("google", an_answer(200), project="p/../x?y", location="l")
    assert request.line.startswith("POST /v1/projects/p%2F..%2Fx%3Fy/locations/l/")
