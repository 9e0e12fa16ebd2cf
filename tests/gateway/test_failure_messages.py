"""The messages of failed calls."""

import json

import pytest

from moorage.gateway.failures import failure_of_status
from moorage.providers.table import PROVIDERS


@pytest.mark.parametrize("words", ["The model is unknown.", "The model is unknown"])
def test_the_words_of_a_provider_end_as_one_sentence(words: str) -> None:
    body = json.dumps({"error": {"message": words}}).encode()

    error = failure_of_status(404, body, {}, []).error(PROVIDERS["openai"], "openai")

    assert str(error).startswith("OpenAI rejects the request: The model is unknown. Change")
    assert error.provider is not None
    assert error.provider.message == words
