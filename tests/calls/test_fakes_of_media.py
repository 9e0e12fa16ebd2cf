"""The official SDKs read the fakes of models other than those for chats, and the fakes take their requests."""

import base64
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import cohere
import httpx
import openai
import pytest
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials
from huggingface_hub import InferenceClient, close_session
from huggingface_hub.errors import HfHubHTTPError
from mistralai.client import Mistral
from mistralai.client.errors import MistralError
from openai.types import CreateEmbeddingResponse

from tests.support.vendors import media
from tests.support.vendors.openai_media import MEDIA_DIALECTS
from tests.support.vendors.server import VendorServer

_TEXTS = ["a red boat", "a blue Zürich tram"]
_WAV = b"RIFF\x10\x00\x00\x00WAVE" + bytes(24)
_HEARD = media.heard("a.wav", "audio/wav", len(_WAV))


@pytest.fixture(autouse=True)
def _taken(vendors: VendorServer) -> Iterator[None]:
    yield
    for vendor in vendors.vendors:
        vendors.take(vendor)


def _of_type(kind: str, *others: str) -> list[str]:
    return [name for name, dialect in MEDIA_DIALECTS.items() if kind in dialect.models and name not in others]


def _openai(vendors: VendorServer, vendor: str, *, is_strict: bool = True) -> openai.OpenAI:
    """Return the SDK of OpenAI; if it is strict, it rejects responses that its types do not have."""
    fake = vendors.vendors[vendor]
    return openai.OpenAI(
        base_url=vendors.base_url(vendor), api_key=fake.key, max_retries=0, _strict_response_validation=is_strict,
        default_headers={"api-key": fake.key} if vendor == "azure" else {},
    )  # fmt: skip


# Together and Jina have no `encoding_format`, which the SDK sends always; Mistral has an SDK of its own.
@pytest.mark.parametrize("vendor", _of_type("embedding", "mistral", "togetherai", "jina"))
def test_the_sdk_of_openai_reads_embeddings(vendors: VendorServer, vendor: str) -> None:
    own = {"input_type": "query"} if vendor == "nvidia" else {}
    request: Any = {"model": vendors.vendors[vendor].model("embedding"), "input": _TEXTS, "extra_body": own}
    expected = {0: media.vector(_TEXTS[0]), 1: media.vector(_TEXTS[1])}
    with _openai(vendors, vendor) as client:
        found = client.embeddings.create(encoding_format="float", **request)
        assert {each.index: each.embedding for each in found.data} == expected
        assert found.usage.prompt_tokens == 7
        with pytest.raises(openai.APIStatusError):
            client.embeddings.create(model="no-such-model", input=_TEXTS)
    with _openai(vendors, vendor, is_strict=False) as client:  # base64, its default, is not in its types
        found = client.embeddings.create(**request)
        assert {each.index: each.embedding for each in found.data} == expected


@pytest.mark.parametrize("vendor", ["togetherai", "jina"])
def test_the_sdk_of_openai_reads_embeddings_of_a_request_without_an_encoding(
    vendors: VendorServer, vendor: str
) -> None:
    body = {"model": vendors.vendors[vendor].model("embedding"), "input": _TEXTS}
    with _openai(vendors, vendor) as client:
        found = client.post("/embeddings", body=body, cast_to=CreateEmbeddingResponse)
    assert {each.index: each.embedding for each in found.data} == {
        0: media.vector(_TEXTS[0]), 1: media.vector(_TEXTS[1]),
    }  # fmt: skip


@pytest.mark.parametrize("vendor", _of_type("image"))
def test_the_sdk_of_openai_reads_images(vendors: VendorServer, vendor: str) -> None:
    with _openai(vendors, vendor) as client:
        found = client.images.generate(model=vendors.vendors[vendor].model("image"), prompt=_TEXTS[0], n=2)
        contents = [base64.b64decode(each.b64_json) if each.b64_json else each.url for each in found.data or ()]
        picture: object = media.picture(_TEXTS[0])
        assert contents == [picture if vendor in ("openai", "azure") else "https://pictures.example/10.png"] * 2
        with pytest.raises(openai.APIStatusError):
            client.images.generate(model="no-such-model", prompt=_TEXTS[0])


@pytest.mark.parametrize("vendor", _of_type("tts", "mistral"))
def test_the_sdk_of_openai_reads_speech(vendors: VendorServer, vendor: str) -> None:
    with _openai(vendors, vendor) as client:
        request: Any = {"input": _TEXTS[1], "voice": "alloy", "response_format": "wav", "speed": 1.5}
        found = client.audio.speech.create(model=vendors.vendors[vendor].model("tts"), **request)
        assert found.content == media.spoken(_TEXTS[1], "wav")
        with pytest.raises(openai.APIStatusError):
            client.audio.speech.create(model="no-such-model", **request)


@pytest.mark.parametrize("vendor", _of_type("stt", "mistral"))
def test_the_sdk_of_openai_reads_transcriptions(vendors: VendorServer, vendor: str) -> None:
    request: Any = {"model": vendors.vendors[vendor].model("stt"), "file": ("a.wav", _WAV, "audio/wav")}
    with _openai(vendors, vendor) as client:
        assert client.audio.transcriptions.create(**request).text == _HEARD
        timed = client.audio.transcriptions.create(
            response_format="verbose_json", timestamp_granularities=["segment", "word"], **request
        )
        assert [(each.text, each.start, each.end) for each in timed.segments or ()] == media.sentences(_HEARD)
        assert [(each.word, each.start, each.end) for each in timed.words or ()] == media.words(_HEARD)
        with pytest.raises(openai.APIStatusError):
            client.audio.transcriptions.create(**{**request, "model": "no-such-model"})


@pytest.mark.parametrize("vendor", _of_type("moderation", "mistral"))
def test_the_sdk_of_openai_reads_moderations(vendors: VendorServer, vendor: str) -> None:
    with _openai(vendors, vendor) as client:
        found = client.moderations.create(model=vendors.vendors[vendor].model("moderation"), input=["a boat", "harm"])
    assert [each.flagged for each in found.results] == [False, True]
    assert [each.categories.violence for each in found.results] == [False, True]
    assert [each.category_scores.violence for each in found.results] == [0.01, 0.9]


def test_the_sdk_of_mistral_reads_the_fake(vendors: VendorServer) -> None:
    fake = vendors.vendors["mistral"]
    file: Any = {"file_name": "a.wav", "content": _WAV, "content_type": "audio/wav"}
    with Mistral(api_key=fake.key, server_url=vendors.base_url("mistral").removesuffix("/v1")) as client:
        vectors = client.embeddings.create(model=fake.model("embedding"), inputs=_TEXTS, output_dimension=4)
        assert {each.index: each.embedding for each in vectors.data} == {
            index: media.vector(text, 4) for index, text in enumerate(_TEXTS)
        }
        moderated = client.classifiers.moderate(model=fake.model("moderation"), inputs=["a boat", "harm"])
        assert [(each.categories or {})["violence_and_threats"] for each in moderated.results] == [False, True]
        speech: Any = client.audio.speech.complete(
            model=fake.model("tts"), input=_TEXTS[0], voice_id="v", response_format="wav"
        )
        assert base64.b64decode(speech.audio_data) == media.spoken(_TEXTS[0], "wav")
        transcribe, model = client.audio.transcriptions.complete, fake.model("stt")
        assert transcribe(model=model, file=file, temperature=0.5).text == _HEARD
        in_segments = (
            transcribe(model=model, file=file, timestamp_granularities=["segment"], diarize=True).segments or []
        )
        assert {each.speaker_id for each in in_segments} == {"speaker_1"}
        assert [(each.text, each.start, each.end) for each in in_segments] == media.sentences(_HEARD)
        in_words = transcribe(model=model, file=file, timestamp_granularities=["word"]).segments or []
        assert [(each.text, each.start, each.end) for each in in_words] == media.words(_HEARD)
        with pytest.raises(MistralError):
            client.embeddings.create(model="no-such-model", inputs=_TEXTS)


def test_the_sdk_of_cohere_reads_the_fake(vendors: VendorServer) -> None:
    fake, url = vendors.vendors["cohere"], vendors.base_url("cohere")
    request: Any = {"model": fake.model("embedding"), "texts": _TEXTS, "input_type": "search_query"}
    with httpx.Client() as connections:
        client = cohere.ClientV2(api_key=fake.key, base_url=url, max_retries=0, httpx_client=connections)
        found = client.embed(**request, output_dimension=4, embedding_types=["float", "base64"])
        vectors = [media.vector(text, 4) for text in _TEXTS]
        assert found.embeddings.float_ == vectors
        assert [base64.b64decode(each) for each in found.embeddings.base64 or ()] == [*map(media.packed, vectors)]
        assert client.embed(**request).embeddings.float_ == [*map(media.vector, _TEXTS)]
        ranking = client.rerank(model=fake.model("rerank"), query="blue tram", documents=_TEXTS, top_n=1)
        assert [(each.index, each.relevance_score) for each in ranking.results] == [(1, 1.0)]
        with pytest.raises(cohere.NotFoundError):
            client.rerank(model="no-such-model", query="blue tram", documents=_TEXTS)
        with pytest.raises(cohere.BadRequestError):
            client.embed(**{**request, "texts": ["x"] * 97})


@pytest.mark.parametrize("vendor", ["google", "google-ai"])
def test_the_sdk_of_google_reads_the_fake(vendors: VendorServer, vendor: str) -> None:
    fake = vendors.vendors[vendor]
    account: Any = {"api_key": fake.key} if vendor == "google-ai" else {
        "vertexai": True, "project": "shop", "location": "europe-west1",
        "credentials": Credentials(fake.key),  # type: ignore[no-untyped-call]  # it has no types
    }  # fmt: skip
    url, _, version = vendors.base_url(vendor).rpartition("/")
    with genai.Client(http_options=types.HttpOptions(base_url=url, api_version=version), **account) as client:
        config: Any = types.EmbedContentConfig(output_dimensionality=4, task_type="RETRIEVAL_QUERY")
        older = ["text-embedding-005"] if vendor == "google" else []
        for model in (fake.model("embedding"), *older):
            found = client.models.embed_content(model=model, contents=_TEXTS[0], config=config).embeddings or []
            assert [each.values for each in found] == [media.vector(_TEXTS[0], 4)]
        generate = client.models.generate_content
        drawn = generate(
            model=fake.model("image"), contents=_TEXTS[0], config=types.GenerateContentConfig(
                response_modalities=["IMAGE"], image_config=types.ImageConfig(aspect_ratio="1:1"),
            ),
        )  # fmt: skip
        assert _blob(drawn) == ("image/png", media.picture(_TEXTS[0]))
        voice = types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Kore"))
        spoken = generate(
            model=fake.model("tts"), contents=_TEXTS[0], config=types.GenerateContentConfig(
                response_modalities=["AUDIO"], speech_config=types.SpeechConfig(voice_config=voice),
            ),
        )  # fmt: skip
        assert _blob(spoken) == ("audio/L16;codec=pcm;rate=24000", media.spoken(_TEXTS[0], "pcm"))
        audio: Any = ["Write it down.", types.Part.from_bytes(data=_WAV, mime_type="audio/wav")]
        heard = generate(model=fake.model("chat"), contents=audio).text or ""
        assert heard.strip() == media.heard("audio", "audio/wav", len(_WAV))
        with pytest.raises(errors.ClientError):
            generate(model="no-such-model", contents=audio)


def _blob(response: types.GenerateContentResponse) -> tuple[str | None, bytes | None]:
    [part] = response.parts or []
    assert part.inline_data is not None
    return part.inline_data.mime_type, part.inline_data.data


def test_the_sdk_of_hugging_face_reads_the_tasks(
    vendors: VendorServer, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    # The SDK makes pictures of Pillow and arrays of numpy, which the tests do not have.
    monkeypatch.setattr("huggingface_hub.inference._client._bytes_to_image", bytes)
    numpy = SimpleNamespace(array=lambda values, dtype: values)
    monkeypatch.setattr("huggingface_hub.inference._client._import_numpy", lambda: numpy)
    request.addfinalizer(close_session)
    fake = vendors.vendors["huggingface"]
    client = InferenceClient(api_key=fake.key)

    def url(kind: str, path: str = "") -> str:
        return f"{vendors.base_url('huggingface')}/hf-inference/models/{fake.model(kind)}{path}"

    picture: Any = client.text_to_image(
        _TEXTS[0], model=url("image"), width=64, height=32, num_inference_steps=3, guidance_scale=2.5, seed=1,
        negative_prompt="people", scheduler="euler",
    )  # fmt: skip
    assert picture == media.picture(_TEXTS[0])
    assert client.text_to_speech(_TEXTS[1], model=url("tts"), temperature=0.5) == media.spoken(_TEXTS[1], "wav")
    embeddings = url("embedding", "/pipeline/feature-extraction")
    texts: Any = _TEXTS
    vectors: Any = client.feature_extraction(texts, model=embeddings, normalize=True, truncate=True)
    assert vectors == [*map(media.vector, _TEXTS)]
    assert client.automatic_speech_recognition(_WAV, model=url("stt")).text.startswith("I hear audio of 36 bytes")
    timed = client.automatic_speech_recognition(_WAV, model=url("stt"), extra_body={"return_timestamps": True})
    assert [(each.text, *each.timestamp) for each in timed.chunks or ()] == media.sentences(timed.text)
    with pytest.raises(HfHubHTTPError, match="Model not found"):
        client.text_to_speech("a", model=url("tts") + "-2")
