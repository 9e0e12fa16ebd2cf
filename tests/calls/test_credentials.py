"""Credentials that are more than a key: requests that are signed for AWS, and a key in another header."""

import pytest

from tests.support.gateway import ROUTES, Gateway
from tests.support.vendors.bedrock_api import BedrockVendor

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
