"""URLs in the responses of providers: what is wrong with them is the failure of the provider."""

import json
from typing import Any

import openai
import pytest

from tests.support.gateway import Gateway
from tests.support.vendors import faults


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ("http://[::1]/picture.png", "::1 is not public"),
        ("file:///etc/passwd", "it does not start with https:// or http://"),
        ("http://user:word@example.com/picture.png", "it has a user or a password"),
        ("", "an image has neither a URL nor content"),
    ],
)
def test_a_picture_at_an_address_that_cannot_be_loaded_is_a_failure_of_the_provider(
    gateway: Gateway, client: openai.OpenAI, url: str, reason: str
) -> None:
    key = gateway.deploy("togetherai", "image", messages=[], retry_count=0)
    response = json.dumps({"data": [{"index": 0, "url": url}], "model": "m"}).encode()
    gateway.vendors.fail_next("togetherai", faults.body(response))

    with pytest.raises(openai.InternalServerError) as caught:
        client.images.generate(model=key, prompt="a lighthouse", response_format="b64_json")

    error: Any = caught.value
    assert (error.status_code, error.code) == (502, "provider_error")
    assert reason in error.message
    assert "word" not in error.message.replace("password", "")


@pytest.mark.parametrize("url", ["http://[", "http://evil.example/status", ""])
def test_a_queue_at_an_invalid_address_is_a_failure_of_the_provider(
    gateway: Gateway, client: openai.OpenAI, url: str
) -> None:
    key = gateway.deploy("fal", "image", messages=[], retry_count=0)
    response = {"request_id": "r", "status_url": url, "response_url": url, "cancel_url": url}
    gateway.vendors.fail_next("fal", faults.body(json.dumps(response).encode()))

    with pytest.raises(openai.InternalServerError) as caught:
        client.images.generate(model=key, prompt="a lighthouse")

    error: Any = caught.value
    assert (error.status_code, error.code) == (502, "provider_error")
