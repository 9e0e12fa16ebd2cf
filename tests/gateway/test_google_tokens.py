"""Access tokens of Google; google-auth verifies what is signed."""

import asyncio
import json
import sys
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from moorage import clock
from moorage.gateway.credential_errors import CredentialUnusable, ExtraMissing
from moorage.gateway.google_tokens import GoogleTokens, TokenResponse
from moorage.gateway.http.errors import BrokenBeforeFirstByte

TOKEN_URI = "http://127.0.0.1:1/token"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def account(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """Return the content of the file of a service account."""
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return {
        "type": "service_account", "project_id": "p", "private_key_id": "k1", "private_key": pem,
        "client_email": "a@p.iam.gserviceaccount.com", "token_uri": TOKEN_URI,
    }  # fmt: skip


class Endpoint:
    """A token endpoint, in the place of the gateway's transport."""

    def __init__(self, status: int = 200, expires_in: int = 3600, **body: Any) -> None:
        self.status, self.body, self.expires_in = status, body, expires_in
        self.requests: list[tuple[str, Mapping[str, str], bytes]] = []
        self.arrived, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> TokenResponse:
        assert threading.current_thread() is threading.main_thread()
        self.requests.append((url, headers, body))
        self.arrived.set()
        await self.may_answer.wait()
        token = {"access_token": f"ya29.{len(self.requests)}", "expires_in": self.expires_in, "token_type": "Bearer"}
        return TokenResponse(self.status, json.dumps(self.body or token).encode())


def test_a_token_is_requested_with_an_assertion_of_the_account(account: dict[str, str], key: rsa.RSAPrivateKey) -> None:
    endpoint = Endpoint()

    assert asyncio.run(GoogleTokens(endpoint.post).token("i1", account)) == "ya29.1"

    ((url, headers, body),) = endpoint.requests
    form = parse_qs(body.decode())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(form["assertion"][0], certs=public, audience="https://oauth2.googleapis.com/token")  # type: ignore[no-untyped-call]  # it has no types
    assert url == TOKEN_URI
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert (claims["iss"], claims["scope"]) == (
        account["client_email"],
        "https://www.googleapis.com/auth/cloud-platform",
    )


def test_a_given_token_is_used_as_it_is() -> None:
    endpoint = Endpoint()

    assert asyncio.run(GoogleTokens(endpoint.post).token("i1", {"access_token": "ya29.given"})) == "ya29.given"
    assert endpoint.requests == []


def test_concurrent_callers_share_one_request_and_other_credentials_have_their_own(account: dict[str, str]) -> None:
    endpoint = Endpoint()

    async def run() -> list[str]:
        tokens = GoogleTokens(endpoint.post)
        found = await asyncio.gather(*(tokens.token("i1", account) for _ in range(20)))
        other = account | {"private_key_id": "k2"}
        return [*found, await tokens.token("i1", account), await tokens.token("i1", other)]

    assert asyncio.run(run()) == ["ya29.1"] * 21 + ["ya29.2"]


def test_a_caller_that_hangs_up_does_not_stop_the_others(account: dict[str, str]) -> None:
    endpoint = Endpoint()

    async def run() -> str:
        endpoint.may_answer.clear()
        tokens = GoogleTokens(endpoint.post)
        first, second = (asyncio.create_task(tokens.token("i1", account)) for _ in range(2))
        await endpoint.arrived.wait()
        first.cancel()
        await asyncio.wait([first])
        endpoint.may_answer.set()
        return await second

    assert asyncio.run(run()) == "ya29.1"
    assert len(endpoint.requests) == 1


def test_a_token_is_refreshed_before_it_expires_and_nobody_waits(
    monkeypatch: pytest.MonkeyPatch, account: dict[str, str]
) -> None:
    endpoint, start = Endpoint(), clock.now_seconds()

    async def run() -> list[str]:
        tokens = GoogleTokens(endpoint.post)
        found = [await tokens.token("i1", account)]
        monkeypatch.setattr(clock, "now_seconds", lambda: start + 3_400)
        endpoint.expires_in = 7_200
        found.append(await tokens.token("i1", account))  # starts a refresh, which takes the token of now
        while len(endpoint.requests) < 2 or found[-1] == "ya29.1":
            await asyncio.sleep(0.001)
            found[-1:] = [found[-1] if found[-1] == "ya29.2" else await tokens.token("i1", account)]
        return found

    assert asyncio.run(run()) == ["ya29.1", "ya29.2"]
    assert len(endpoint.requests) == 2


def test_a_token_that_nearly_expired_is_not_used(monkeypatch: pytest.MonkeyPatch, account: dict[str, str]) -> None:
    endpoint, start = Endpoint(), clock.now_seconds()

    async def run() -> list[str]:
        tokens = GoogleTokens(endpoint.post)
        found = [await tokens.token("i1", account)]
        monkeypatch.setattr(clock, "now_seconds", lambda: start + 3_590)
        return [*found, await tokens.token("i1", account)]

    assert asyncio.run(run()) == ["ya29.1", "ya29.2"]


def error_of(endpoint: Endpoint, credentials: Mapping[str, str]) -> CredentialUnusable:
    with pytest.raises(CredentialUnusable) as error:
        asyncio.run(GoogleTokens(endpoint.post).token("i1", credentials))
    assert error.value.code == "provider_credential_invalid"
    assert "PRIVATE KEY" not in str(error.value)
    return error.value


def test_the_reason_of_the_token_endpoint_is_in_the_error(account: dict[str, str]) -> None:
    endpoint = Endpoint(400, error="invalid_grant", error_description="Invalid JWT Signature.")

    assert "invalid_grant: Invalid JWT Signature." in str(error_of(endpoint, account))


@pytest.mark.parametrize("body", [
    {"x": 1}, {"access_token": 5, "expires_in": 10}, {"access_token": "a\nb", "expires_in": 10},
    {"access_token": "a", "expires_in": "many"}, {"access_token": "a"}, {"access_token": "a", "expires_in": 1e300},
    {"access_token": "a", "expires_in": 10**17}, {"access_token": "a", "expires_in": -(10**11)},
    {"access_token": "a", "expires_in": "nan"}, {"error": {"a": 1}}, {"error": "\ud800"},
    {"access_token": "", "expires_in": 3600},
])  # fmt: skip
def test_a_response_without_a_token_is_an_error(account: dict[str, str], body: dict[str, Any]) -> None:
    error_of(Endpoint(200, **body), account)


@pytest.mark.parametrize("change", [
    {"private_key": "no key"}, {"private_key": ""}, {"client_email": None}, {"token_uri": None}, {"private_key": None},
])  # fmt: skip
def test_credentials_that_are_no_service_account_are_an_error(account: dict[str, str], change: dict[str, Any]) -> None:
    credentials = {name: value for name, value in (account | change).items() if value is not None}

    assert "no file of a service account" in str(error_of(Endpoint(), credentials))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"[" * 60_000, b"\xff", b'{"error": "\\ud800"}'])
@pytest.mark.parametrize("status", [200, 400])
def test_a_malformed_response_is_an_error(account: dict[str, str], status: int, body: bytes) -> None:
    async def post(url: str, headers: Mapping[str, str], _: bytes) -> TokenResponse:
        return TokenResponse(status, body)

    with pytest.raises(CredentialUnusable, match="no token"):
        asyncio.run(GoogleTokens(post).token("i1", account))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_token_endpoint_that_fails_for_a_time_is_a_failure_that_is_retried(
    account: dict[str, str], status: int
) -> None:
    endpoint = Endpoint(status, error="temporarily_unavailable")
    with pytest.raises(BrokenBeforeFirstByte, match=str(status)):
        asyncio.run(GoogleTokens(endpoint.post).token("i1", account))
    assert len(endpoint.requests) == 1


def test_token_endpoints_that_do_not_respond_hold_no_threads(account: dict[str, str]) -> None:
    endpoint = Endpoint()

    async def run() -> None:
        endpoint.may_answer.clear()
        tokens = GoogleTokens(endpoint.post)
        calls = [asyncio.create_task(tokens.token(f"i{number}", account)) for number in range(40)]
        async with asyncio.timeout(60):
            while len(endpoint.requests) < len(calls):  # noqa: ASYNC110 -- more than the default executor has threads
                await asyncio.sleep(0.01)
        assert await asyncio.to_thread(lambda: 1) == 1
        endpoint.may_answer.set()
        await asyncio.gather(*calls)

    asyncio.run(run())


class Forbidden(Exception):
    """The guard of addresses rejects the token endpoint."""


def test_the_error_of_the_transport_reaches_each_caller(account: dict[str, str]) -> None:
    async def post(url: str, headers: Mapping[str, str], body: bytes) -> TokenResponse:
        raise Forbidden(url)

    with pytest.raises(Forbidden, match=TOKEN_URI):
        asyncio.run(GoogleTokens(post).token("i1", account))


def test_a_missing_extra_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch, account: dict[str, str]) -> None:
    monkeypatch.setitem(sys.modules, "google.oauth2.service_account", None)

    with pytest.raises(ExtraMissing, match=r"pip install 'moorage\[google\]'"):
        asyncio.run(GoogleTokens(Endpoint().post).token("i1", account))
