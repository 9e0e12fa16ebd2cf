"""Values of the wrong type in calls: the error names the field that the caller sent."""

from typing import Any

import openai
import pytest

from tests.calls.cells import having
from tests.support.gateway import Gateway
from tests.support.vendors import faults

_CALL: Any = {"type": "function_call", "call_id": "c1", "name": "find", "arguments": "{}"}


def _problem(client: openai.OpenAI, path: str, **body: Any) -> str:
    """Return the message of the rejection of a request, which any value can be in."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.post(path, cast_to=object, body=body)
    found: Any = caught.value.body
    return str(found["message"])


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google-ai", "cohere", "aws"])
@pytest.mark.parametrize("wrong", [5, {"url": "data:image/png;base64,iVBORw0KGgo="}])
def test_an_image_whose_address_is_no_text_is_rejected_with_the_name_of_its_variable(
    gateway: Gateway, client: openai.OpenAI, provider: str, wrong: Any
) -> None:
    key = gateway.deploy(provider, messages=[{"role": "user", "content": "See {{photo}}"}])
    variables = {"photo": {"type": "input_image", "image_url": wrong}}

    problem = _problem(client, "/responses", prompt={"id": key, "variables": variables})

    assert problem.startswith(f"prompt.variables.photo.image_url: must be a text, not {str(wrong)[:20]}")


def test_variables_that_are_no_object_are_rejected_under_their_own_name(
    gateway: Gateway, client: openai.OpenAI
) -> None:
    problem = _problem(client, "/responses", prompt={"id": gateway.deploy("openai"), "variables": ["Ada"]})

    assert problem == "prompt.variables: must be an object, not list"


@pytest.mark.parametrize(
    ("items", "path"),
    [
        ([{"role": "user", "content": 5}], "input[0].content"),
        ([{"type": "reasoning", "summary": []}, {"role": "judge", "content": "x"}], "input[1].role"),
        ([{"role": "user", "content": [{"type": "input_audio"}, {"type": "input_text", "text": 5}]}],
         "input[0].content[1].text"),
        ([{"role": "user", "content": [{"type": "input_image", "image_url": 5}]}], "input[0].content[0].image_url"),
        ([{"role": "user", "content": [{"type": "input_file", "file_url": 5}]}], "input[0].content[0].file_url"),
        ([{"role": "assistant", "content": "Wait."}, _CALL, _CALL | {"call_id": 5}], "input[2].call_id"),
        ([_CALL, _CALL | {"arguments": {}}], "input[1].arguments"),
        ([_CALL, {"type": "function_call_output", "call_id": "c1", "output": 5}], "input[1].output"),
        ([_CALL, {"type": "function_call_output", "call_id": 5, "output": "x"}], "input[1].call_id"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("instructions", [None, "Be kind."])
def test_a_problem_of_an_item_has_the_path_of_the_item(
    gateway: Gateway, client: openai.OpenAI, items: Any, path: str, instructions: str | None
) -> None:
    key = gateway.deploy("anthropic")

    problem = _problem(client, "/responses", model=key, input=items, instructions=instructions)

    assert problem.startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"max_output_tokens": "x"}, "max_output_tokens"),
        ({"reasoning": {"effort": 5}}, "reasoning.effort"),
        ({"text": {"verbosity": 5}}, "text.verbosity"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
    ],
)
def test_a_problem_of_a_parameter_has_the_name_that_the_caller_sent(
    gateway: Gateway, client: openai.OpenAI, body: Any, path: str
) -> None:
    problem = _problem(client, "/responses", model=gateway.deploy("openai"), input="x", **body)

    assert problem.startswith(f"{path}: ")


def test_instructions_that_are_no_text_are_rejected_under_their_own_name(
    gateway: Gateway, client: openai.OpenAI
) -> None:
    problem = _problem(client, "/responses", model=gateway.deploy("openai"), input="x", instructions=5)

    assert problem == "instructions: must be a string or an array, not a number"


@pytest.mark.parametrize("provider", having("embedding"))
@pytest.mark.parametrize("wrong", [[None], "int8"])
def test_an_encoding_of_vectors_that_does_not_exist_is_rejected(
    gateway: Gateway, client: openai.OpenAI, provider: str, wrong: Any
) -> None:
    key = gateway.deploy(provider, "embedding", messages=[])

    problem = _problem(client, "/embeddings", model=key, input="red shoes", encoding_format=wrong)

    assert f"it must be float or base64, not {wrong!r}" in problem


@pytest.mark.parametrize(
    ("provider", "kind", "path", "text"),
    [
        *[(each, "image", "/images/generations", "prompt") for each in ("openai", "togetherai", "fal", "leonardoai")],
        *[(each, "tts", "/audio/speech", "input") for each in ("openai", "mistral", "elevenlabs", "google-ai")],
    ],
)
def test_a_format_that_is_no_text_is_rejected(
    gateway: Gateway, client: openai.OpenAI, provider: str, kind: str, path: str, text: str
) -> None:
    body = {"model": gateway.deploy(provider, kind, messages=[]), text: "a lighthouse", "response_format": {"a": 1}}

    assert "{'a': 1} is not a text" in _problem(client, path, **body)


@pytest.mark.parametrize(
    ("kind", "path", "name", "fields"),
    [
        ("image", "/images/generations", "n", {"prompt": "a lighthouse"}),
        ("embedding", "/embeddings", "dimensions", {"input": "red shoes"}),
        ("rerank", "/rerank", "top_n", {"query": "red", "documents": ["red shoes"]}),
    ],
)
@pytest.mark.parametrize("wrong", [0, -1, 1.5, "0"])
def test_a_count_is_a_whole_number_from_1(
    gateway: Gateway, client: openai.OpenAI, kind: str, path: str, name: str, fields: Any, wrong: Any
) -> None:
    for provider in {"aws", "google-ai", "togetherai", "fal"}.intersection(having(kind)):
        key = gateway.deploy(provider, kind, messages=[])

        problem = _problem(client, path, model=key, **fields, **{name: wrong})

        assert f"{wrong!r} is not a whole number from 1" in problem, provider


@pytest.mark.parametrize("wrong", ["nan", "inf", "1e400", "warm"])
def test_a_temperature_of_a_transcription_is_a_finite_number(
    gateway: Gateway, client: openai.OpenAI, wrong: Any
) -> None:
    key = gateway.deploy("google-ai", "stt", messages=[])

    with pytest.raises(openai.BadRequestError, match=f"temperature must be a number, not '{wrong}'"):
        client.audio.transcriptions.create(model=key, file=("a.wav", b"RIFF"), extra_body={"temperature": wrong})


def test_tokens_are_rejected_by_a_deployment_with_messages(gateway: Gateway, client: openai.OpenAI) -> None:
    """They cannot be put into a text, and without it the vectors would be others."""
    key = gateway.deploy("openai", "embedding", messages=[{"role": "user", "content": "query: {{input}}"}])

    problem = _problem(client, "/embeddings", model=key, input=[1, 2, 3])

    assert problem == "input: must be texts: tokens cannot be put into the messages of the deployment"
    assert not gateway.vendors.take("openai")


@pytest.mark.parametrize("provider", ["openai", "elevenlabs"])
@pytest.mark.parametrize("media_type", ["application/json", "text/html; charset=utf-8"])
def test_a_page_in_the_place_of_speech_is_a_failure_of_the_provider(
    gateway: Gateway, client: openai.OpenAI, provider: str, media_type: str
) -> None:
    key = gateway.deploy(provider, "tts", messages=[], retry_count=0)
    gateway.vendors.fail_next(provider, faults.body(b"{}", media_type))

    with pytest.raises(openai.InternalServerError, match="and no audio"):
        client.audio.speech.create(model=key, input="Welcome.", voice="abcdefghijklmnopqrst")
