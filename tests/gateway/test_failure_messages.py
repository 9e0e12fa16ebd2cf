"""The messages of failed calls."""

import json

import pytest

from moorage.gateway.errors import ProviderCredentialInvalid, ProviderRejected
from moorage.gateway.failures import failure_in_stream, failure_of_status
from moorage.providers.table import PROVIDERS


@pytest.mark.parametrize("words", ["The model is unknown.", "The model is unknown"])
def test_the_words_of_a_provider_end_as_one_sentence(words: str) -> None:
    body = json.dumps({"error": {"message": words}}).encode()

    error = failure_of_status(404, body, {}, []).error(PROVIDERS["openai"], "openai")

    assert str(error).startswith("OpenAI rejects the request: The model is unknown. Change")
    assert error.provider is not None
    assert error.provider.message == words


@pytest.mark.parametrize("body", [
    {"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}},
    {"message": "Wrong API Key", "type": "invalid_request_error", "param": "api_key", "code": "invalid_api_key"},
    {"error": {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}},
])  # fmt: skip
def test_a_wrong_key_is_recognized_without_its_status(body: object) -> None:
    found = failure_of_status(400, json.dumps(body).encode(), {}, [])

    assert found.kind is ProviderCredentialInvalid
    assert failure_in_stream("Wrong key", 500, "invalid_api_key", []).kind is ProviderCredentialInvalid
    assert failure_of_status(400, b'{"error": {"code": "invalid_request"}}', {}, []).kind is ProviderRejected
