"""Credentials that are more than a key: signatures for AWS, tokens of Google, and a key in another header."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.gateway import ROUTES, Gateway
from tests.support.vendors.bedrock_api import BedrockVendor
from tests.support.vendors.gemini_api import GeminiVendor

_KEYS = {"access_key_id": BedrockVendor.access_key, "secret_access_key": BedrockVendor.secret_key}


@pytest.mark.parametrize("model", BedrockVendor.models)
@pytest.mark.parametrize("route", ROUTES)
def test_a_request_is_signed_for_aws(gateway: Gateway, route: str, model: str) -> None:
    name = f"signed-{route}-{BedrockVendor.models.index(model)}"
    gateway.connect(name, "aws", _KEYS)
    outcome = gateway.call(route, gateway.deploy("aws", model=model, integration_id=name), "Hello")
    assert (outcome.status, outcome.error, outcome.text) == (200, None, "You said: Hello")
    (request,) = gateway.vendors.take("aws")
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIATESTOFAWS/")


@pytest.mark.parametrize("changed", _KEYS)
def test_a_wrong_key_of_aws_is_rejected(gateway: Gateway, changed: str) -> None:
    gateway.connect(f"wrong-{changed}", "aws", _KEYS | {changed: "AKIAWRONGWRONG"})
    outcome = gateway.call("chat", gateway.deploy("aws", integration_id=f"wrong-{changed}"), "Hello")
    assert outcome.status == 422
    assert outcome.error is not None
    assert outcome.error["code"] == "provider_credential_invalid"
    assert outcome.error["provider"]["code"] == "InvalidSignatureException"
    assert BedrockVendor.secret_key not in str(outcome.error)


def test_a_session_token_is_sent_and_signed(gateway: Gateway) -> None:
    gateway.connect("session", "aws", {**_KEYS, "session_token": "a-token/of+a=session"})
    outcome = gateway.call("stream", gateway.deploy("aws", integration_id="session"), "Hello")
    assert (outcome.error, outcome.text) == (None, "You said: Hello")
    (request,) = gateway.vendors.take("aws")
    assert request.headers["x-amz-security-token"] == "a-token/of+a=session"
    assert "x-amz-security-token" in request.headers["authorization"]


def _service_account(gateway: Gateway, email: str) -> dict[str, str]:
    """Return the content of a file that Google makes for a service account, with a new private key."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return {
        "type": "service_account", "project_id": "shop", "private_key_id": "k1", "client_email": email,
        "private_key": key.private_bytes(encoding, form, serialization.NoEncryption()).decode(),
        "token_uri": gateway.vendors.base_url("google").removesuffix("/v1") + "/token",
    }  # fmt: skip


def test_a_service_account_gets_one_token_for_all_calls(gateway: Gateway) -> None:
    gateway.connect("account", "google", _service_account(gateway, GeminiVendor.account))
    key = gateway.deploy("google", integration_id="account")
    for route in ROUTES:
        outcome = gateway.call(route, key, "Hello")
        assert (outcome.error, outcome.text) == (None, "You said: Hello")
    paths = [request.path.partition(":")[0].rpartition("/")[2] for request in gateway.vendors.take("google")]
    assert paths == ["token", *["gemini-2.0-flash"] * len(ROUTES)]


def test_a_service_account_that_google_does_not_know_is_rejected(gateway: Gateway) -> None:
    account = _service_account(gateway, "nobody@test.iam.gserviceaccount.example")
    gateway.connect("nobody", "google", account)
    for route in ROUTES:
        outcome = gateway.call(route, gateway.deploy("google", integration_id="nobody"), "Hello")
        assert outcome.status == 422
        assert outcome.error is not None
        assert outcome.error["code"] == "provider_credential_invalid"
        assert "account not found" in outcome.error["message"]
        assert account["private_key"][60:100] not in str(outcome.error)


@pytest.mark.parametrize(
    ("provider", "header", "prefix"),
    [("openai", "authorization", "Bearer "), ("azure", "api-key", ""), ("anthropic", "x-api-key", ""),
     ("google-ai", "x-goog-api-key", ""), ("google", "authorization", "Bearer ")],
)  # fmt: skip
def test_the_key_is_in_one_header(gateway: Gateway, provider: str, header: str, prefix: str) -> None:
    gateway.call("chat", gateway.deploy(provider), "Hello")
    (request,) = gateway.vendors.take(provider)
    key = gateway.vendors.vendors[provider].key
    found = {name: value for name, value in request.headers.items() if key in value}
    assert found == {header: prefix + key}
    assert key not in request.path
    assert gateway.project.token not in str(request.headers)
