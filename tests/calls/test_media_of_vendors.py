"""Where the API of a vendor differs from the others' in what its models of other types than chats take and send."""

from typing import Any

import openai
import pytest

from tests.support.gateway import Gateway
from tests.support.vendors import media
from tests.support.vendors.server import Reply

_WAV = ("greeting.wav", b"RIFF" + bytes(30), "audio/wav")


def _deploy(gateway: Gateway, provider: str, kind: str, **fields: Any) -> str:
    return gateway.deploy(provider, kind, messages=[], model_parameters={}, **fields)


def test_mistral_has_the_words_in_the_place_of_segments(gateway: Gateway, client: openai.OpenAI) -> None:
    found = client.audio.transcriptions.create(
        model=_deploy(gateway, "mistral", "stt"), file=_WAV, response_format="verbose_json",
        timestamp_granularities=["word"],
    )  # fmt: skip

    heard = media.heard("greeting.wav", "audio/wav", 34)
    assert [(each.word, each.start, each.end) for each in found.words or ()] == media.words(heard)
    assert [each.text for each in found.segments or ()] == [heard]


def test_a_segment_of_mistral_without_times_is_left_out(gateway: Gateway, client: openai.OpenAI) -> None:
    segments = [{"text": "Hm.", "start": None, "end": None}, {"text": "Hello.", "start": 0.5, "end": 1.0}]
    body: dict[str, Any] = {
        "text": "Hm. Hello.",
        "language": None,
        "usage": {},
        "model": "voxtral",
        "segments": segments,
    }
    gateway.vendors.fail_next("mistral", lambda vendor, request: Reply.of_json(body))

    found = client.audio.transcriptions.create(
        model=_deploy(gateway, "mistral", "stt"), file=_WAV, response_format="verbose_json"
    )

    assert found.text == "Hm. Hello."
    assert [(each.text, each.start, each.end) for each in found.segments or ()] == [("Hello.", 0.5, 1.0)]


def test_mistral_tells_who_speaks(gateway: Gateway, client: openai.OpenAI) -> None:
    found = client.audio.transcriptions.create(
        model=_deploy(gateway, "mistral", "stt"), file=_WAV, response_format="verbose_json",
        extra_body={"diarize": True},
    )  # fmt: skip

    raw: Any = found.to_dict()
    assert {each["speaker"] for each in raw["segments"]} == {"speaker_1"}


def test_vertex_ai_has_another_method_for_models_named_after_gemini(gateway: Gateway, client: openai.OpenAI) -> None:
    newer = _deploy(gateway, "google", "embedding")
    older = _deploy(gateway, "google", "embedding", model="text-embedding-005")

    for key in (newer, older):
        found = client.embeddings.create(model=key, input=["one text", "another text"], dimensions=4)
        assert [each.embedding for each in found.data] == [
            media.vector("one text", 4), media.vector("another text", 4),
        ]  # fmt: skip
        assert found.usage.prompt_tokens == 4

    methods = [request.path.rpartition(":")[2] for request in gateway.vendors.take("google")]
    assert methods == ["embedContent"] * 2 + ["predict"] * 2


def test_what_a_guardrail_did_not_detect_has_no_score(gateway: Gateway, client: openai.OpenAI) -> None:
    key = _deploy(gateway, "aws", "moderation")

    found = client.moderations.create(model=key, input="a boat", extra_body={"outputScope": "FULL"}).results[0]

    raw: Any = found.to_dict()
    assert raw["flagged"] is False
    assert raw["categories"]["denied_topic"] is False
    assert raw["category_scores"]["denied_topic"] == 0


@pytest.mark.parametrize(("version", "is_sent"), [("v1", False), ("v2", True)])
def test_the_first_photo_real_of_leonardo_has_a_model_of_its_own(
    gateway: Gateway, client: openai.OpenAI, version: str, is_sent: bool
) -> None:
    key = gateway.deploy("leonardoai", "image", messages=[], model_parameters={"photoRealVersion": version})

    assert client.images.generate(model=key, prompt="a boat").data

    [first, *_] = gateway.vendors.take("leonardoai")
    assert ("modelId" in first.json) is is_sent
