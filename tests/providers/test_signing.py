"""Signatures for Amazon Web Services are those of botocore."""

from datetime import UTC, datetime
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from moorage.providers.signing import AwsKeys, sign

NOW = datetime(2026, 11, 29, 19, 8, 7, tzinfo=UTC)
MODELS = [
    "amazon.nova-lite-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "m", "a~b_c.d-e f",
    "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/ab12cd34",
]  # fmt: skip


@pytest.mark.parametrize("token", [None, "T/+="])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("base", ["https://bedrock-runtime.eu-west-1.amazonaws.com", "http://127.0.0.1:4566/bedrock"])
def test_the_signature_is_that_of_botocore(
    monkeypatch: pytest.MonkeyPatch, base: str, model: str, token: str | None
) -> None:
    url, body = f"{base}/model/{quote(model, safe='')}/converse", b'{"messages":[]}'
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)
    request = AWSRequest("POST", url, {"Content-Type": "application/json"}, body)
    botocore.auth.SigV4Auth(Credentials("AKIA", "secret", token), "bedrock", "eu-west-1").add_auth(request)

    headers = sign(
        "POST", url, {"Content-Type": "application/json"}, body, AwsKeys("AKIA", "secret", token), "eu-west-1", NOW
    )

    assert headers == dict(request.headers.items())
    assert headers["X-Amz-Date"] == "20261129T190807Z"


def test_other_headers_are_sent_but_not_signed_and_old_signatures_are_replaced() -> None:
    keys = AwsKeys("AKIA", "secret")
    given = {"Content-Type": "application/json", "X-Team": "a", "authorization": "old", "x-amz-date": "old"}

    headers = sign("POST", "https://a.example/model/m/converse", given, b"{}", keys, "us-east-1", NOW)

    assert headers.keys() == {"Content-Type", "X-Team", "X-Amz-Date", "Authorization"}
    assert "SignedHeaders=content-type;host;x-amz-date," in headers["Authorization"]


def test_keys_are_not_shown() -> None:
    assert repr(AwsKeys("AKIA", "secret", "token")) == "AwsKeys(…)"
