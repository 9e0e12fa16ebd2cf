"""Models of other types than chats, called by the SDK of OpenAI."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.calls.cells import having
from tests.support.gateway import Gateway
from tests.support.raw import RawRequest
from tests.support.threads import until
from tests.support.vendors import media
from tests.support.vendors.faults import status
from tests.support.vendors.server import Received, Reply, Vendor

_TEXT = "A lighthouse in Zürich 🎉"


@pytest.fixture(scope="module")
def client(all_integrations: Gateway) -> Iterator[openai.OpenAI]:
    project = all_integrations.project
    with openai.OpenAI(base_url=f"{project.server.url}/v1", api_key=project.token, max_retries=0) as found:
        yield found


def deploy(gateway: Gateway, provider: str, kind: str, messages: list[Any] | None = None, **parameters: Any) -> str:
    if kind == "tts":
        parameters = {"voice": "nova"} | parameters
    return gateway.deploy(provider, kind, messages=messages or [], model_parameters=parameters)


@pytest.mark.parametrize("provider", having("embedding"))
def test_embeddings_are_in_the_order_of_the_texts(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    texts = ["first", _TEXT, "third"]

    found = client.embeddings.create(model=deploy(gateway, provider, "embedding"), input=texts)

    assert [each.embedding for each in found.data] == [media.vector(text) for text in texts]
    assert [each.index for each in found.data] == [0, 1, 2]
    assert found.model
    assert found.usage.total_tokens == found.usage.prompt_tokens


@pytest.mark.parametrize("provider", having("embedding"))
def test_embeddings_are_numbers_or_base64_as_the_caller_asks(
    gateway: Gateway, client: openai.OpenAI, provider: str
) -> None:
    key = deploy(gateway, provider, "embedding")

    numbers = client.embeddings.create(model=key, input=_TEXT, encoding_format="float")
    raw: Any = client.post(
        "/embeddings", cast_to=object, body={"model": key, "input": _TEXT, "encoding_format": "base64"}
    )

    assert numbers.data[0].embedding == media.vector(_TEXT)
    assert base64.b64decode(raw["data"][0]["embedding"]) == media.packed(media.vector(_TEXT))


def test_many_texts_are_sent_in_batches_of_the_size_of_the_provider(gateway: Gateway, client: openai.OpenAI) -> None:
    texts = [f"text {number}" for number in range(600)]

    found = client.embeddings.create(model=deploy(gateway, "bytedance", "embedding"), input=texts)

    assert [each.embedding for each in found.data] == [media.vector(text) for text in texts]
    assert [len(each.json["input"]) for each in gateway.vendors.take("bytedance")] == [256, 256, 88]
    assert found.usage.prompt_tokens == 1200


def test_tokens_are_sent_to_providers_that_take_them(gateway: Gateway, client: openai.OpenAI) -> None:
    tokens = [[1, 2, 3], [4, 5]]

    found = client.embeddings.create(model=deploy(gateway, "openai", "embedding"), input=tokens)
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False"):
        client.embeddings.create(model=deploy(gateway, "mistral", "embedding"), input=tokens)

    assert [each.embedding for each in found.data] == [media.vector(each) for each in tokens]


def test_models_of_other_families_at_amazon_have_their_own_bodies(gateway: Gateway, client: openai.OpenAI) -> None:
    plain: dict[str, Any] = {"messages": [], "model_parameters": {}}
    vectors = gateway.deploy("aws", "embedding", model="cohere.embed-v4:0", **plain)
    picture = gateway.deploy("aws", "image", model="us.stability.stable-image-core-v1:1", **plain)

    found = client.embeddings.create(model=vectors, input=["a", "b"])
    images = client.images.generate(model=picture, prompt=_TEXT, n=2)

    assert [each.embedding for each in found.data] == [media.vector("a"), media.vector("b")]
    assert [base64.b64decode(each.b64_json or "") for each in images.data or []] == [media.picture(_TEXT)] * 2


def test_a_vision_model_of_bytedance_takes_one_text_at_a_time(gateway: Gateway, client: openai.OpenAI) -> None:
    key = gateway.deploy("bytedance", "embedding", model="doubao-embedding-vision", messages=[], model_parameters={})

    found = client.embeddings.create(model=key, input=["a", "b"])

    assert [each.embedding for each in found.data] == [media.vector("a"), media.vector("b")]


def test_dimensions_of_the_deployment_are_sent(gateway: Gateway, client: openai.OpenAI) -> None:
    for provider in ("openai", "mistral", "jina"):
        key = deploy(gateway, provider, "embedding", dimensions="4")
        assert len(client.embeddings.create(model=key, input="a").data[0].embedding) == 4, provider


def test_a_template_with_input_has_each_text_in_its_place(gateway: Gateway, client: openai.OpenAI) -> None:
    messages = [{"role": "user", "content": "query of {{team}}: {{input}}"}]
    key = deploy(gateway, "openai", "embedding", messages)

    found = client.embeddings.create(model=key, input=["a", "b"], extra_body={"inputs": {"team": "x"}})

    assert [each.embedding for each in found.data] == [media.vector(f"query of x: {text}") for text in "ab"]


def test_a_text_follows_messages_without_input(gateway: Gateway, client: openai.OpenAI) -> None:
    messages = [{"role": "system", "content": "In the style of {{artist}}."}]
    key = deploy(gateway, "openai", "image", messages)

    found = client.images.generate(model=key, prompt=_TEXT, extra_body={"inputs": {"artist": "Klee"}})

    content = base64.b64decode((found.data or [])[0].b64_json or "")
    assert content == media.picture(f"In the style of Klee.\n\n{_TEXT}")


@pytest.mark.parametrize("provider", having("image"))
def test_a_stream_has_an_event_with_each_complete_picture(
    gateway: Gateway, client: openai.OpenAI, provider: str
) -> None:
    key = deploy(gateway, provider, "image")
    events = [*client.images.generate(model=key, prompt=_TEXT, stream=True, partial_images=2, n=2)]
    assert [event.type for event in events] == ["image_generation.completed"] * 2
    assert [base64.b64decode(event.b64_json) for event in events] == [media.picture(_TEXT)] * 2


@pytest.mark.parametrize("provider", having("image"))
def test_an_image_is_content_if_the_caller_asks_for_it(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    found = client.images.generate(model=deploy(gateway, provider, "image"), prompt=_TEXT, response_format="b64_json")

    (image,) = found.data or []
    assert base64.b64decode(image.b64_json or "") == media.picture(_TEXT)
    assert found.created > 1_700_000_000


@pytest.mark.parametrize("provider", having("image"))
def test_an_image_is_a_url_if_the_caller_asks_for_it(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    found = client.images.generate(model=deploy(gateway, provider, "image"), prompt=_TEXT, response_format="url", n=2)

    urls = [image.url or "" for image in found.data or []]
    assert len(urls) == 2
    assert all(url.startswith(("https://", "http://127.0.0.1", "data:image/png;base64,")) for url in urls)


@pytest.mark.parametrize("provider", having("tts"))
def test_speech_is_the_audio_of_the_provider(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    key = deploy(gateway, provider, "tts")

    response = client.audio.speech.with_raw_response.create(model=key, voice="nova", input=_TEXT, response_format="wav")

    assert _TEXT.encode() in response.content
    assert response.headers["content-type"] == "audio/wav"
    assert response.headers["x-moorage-provider"] == provider


@pytest.mark.parametrize("provider", having("stt"))
def test_a_transcription_is_the_text_of_the_file(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    file = ("greeting.wav", b"RIFF" + bytes(300_000), "audio/wav")

    found = client.audio.transcriptions.create(model=deploy(gateway, provider, "stt"), file=file, language="en")

    assert "300004 bytes" in found.text


@pytest.mark.parametrize("provider", having("stt"))
@pytest.mark.parametrize("wanted", ["text", "srt", "vtt", "verbose_json"])
def test_a_transcription_has_each_format(gateway: Gateway, client: openai.OpenAI, provider: str, wanted: Any) -> None:
    file = ("greeting.wav", b"RIFF" + bytes(30), "audio/wav")

    found: Any = client.audio.transcriptions.create(
        model=deploy(gateway, provider, "stt"), file=file, response_format=wanted
    )

    if wanted == "verbose_json":
        assert found.segments[0].end > found.segments[0].start
        assert found.duration > 0
    elif wanted == "text":
        assert found.endswith("\n")
        assert "34 bytes" in found
    else:
        times = "00:00:00,000 --> " if wanted == "srt" else "00:00:00.000 --> "
        assert found.startswith(f"1\n{times}" if wanted == "srt" else f"WEBVTT\n\n{times}")


def test_a_model_without_times_has_no_subtitles(gateway: Gateway, client: openai.OpenAI) -> None:
    key = gateway.deploy("openai", "stt", model="gpt-4o-transcribe", messages=[], model_parameters={})

    with pytest.raises(openai.BadRequestError, match="not compatible"):
        client.audio.transcriptions.create(model=key, file=("a.mp3", b"123"), response_format="srt")


def test_the_fields_of_a_form_can_have_objects(gateway: Gateway, client: openai.OpenAI) -> None:
    messages = [{"role": "user", "content": "Names: {{people.first}} and {{input}}"}]
    key = deploy(gateway, "openai", "stt", messages)

    nested = client.audio.transcriptions.create(
        model=key, file=("a.mp3", b"123"), prompt="Bo", extra_body={"inputs": {"people": {"first": "Al"}}}
    )
    as_text = client.audio.transcriptions.create(
        model=key, file=("a.mp3", b"123"), prompt="Bo", extra_body={"inputs": json.dumps({"people": {"first": "Al"}})}
    )

    assert "You said Names: Al and Bo." in nested.text
    assert as_text.text == nested.text


@pytest.mark.parametrize("provider", having("moderation"))
def test_a_moderation_has_all_categories_of_openai(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    found = client.moderations.create(model=deploy(gateway, provider, "moderation"), input=["be nice", "do harm"])

    assert [each.flagged for each in found.results] == [False, True]
    raw = found.results[0].to_dict()
    assert len(set(raw["categories"]) & set(raw["category_scores"])) >= 13  # type: ignore[call-overload]  # it is JSON


@pytest.mark.parametrize("provider", having("rerank"))
def test_documents_are_in_the_order_of_their_relevance(gateway: Gateway, client: openai.OpenAI, provider: str) -> None:
    documents = ["about cats", "all about dogs", "dogs and cats about town"]
    body = {
        "model": deploy(gateway, provider, "rerank"), "query": "dogs about", "documents": documents, "top_n": 2,
        "return_documents": True,
    }  # fmt: skip

    found: Any = client.post("/rerank", cast_to=object, body=body)

    assert [each["index"] for each in found["results"]] == [1, 2]
    assert found["results"][0]["document"] == {"text": documents[1]}
    assert found["results"][0]["relevance_score"] >= found["results"][1]["relevance_score"]


def test_a_queued_request_is_cancelled_when_the_caller_leaves(gateway: Gateway) -> None:
    fal: Any = gateway.vendors.vendors["fal"]
    body = json.dumps({"model": deploy(gateway, "fal", "image"), "prompt": _TEXT}).encode()
    fal.is_stuck = True
    request = RawRequest(gateway.server.port)
    head = {"Authorization": f"Bearer {gateway.project.token}", "Content-Type": "application/json"}
    request.send_head("POST", "/v1/images/generations", head, len(body))
    request.send(body)
    gateway.vendors.wait_for_request("fal")

    request.close()

    until(lambda: bool(fal.cancelled))
    fal.is_stuck = False


def test_credentials_are_not_sent_to_another_server(gateway: Gateway, client: openai.OpenAI) -> None:
    def elsewhere(vendor: Vendor, request: Received) -> Reply:
        return Reply.of_json({
            "request_id": "r", "status_url": "http://127.0.0.2:1/status", "response_url": "http://127.0.0.2:1/r",
        })  # fmt: skip

    gateway.vendors.fail_next("fal", elsewhere)

    with pytest.raises(openai.InternalServerError, match="another server"):
        client.images.generate(model=deploy(gateway, "fal", "image"), prompt=_TEXT)


def test_a_deployment_of_another_type_names_its_route(gateway: Gateway, client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="POST /v1/embeddings"):
        client.chat.completions.create(
            model=deploy(gateway, "openai", "embedding"), messages=[{"role": "user", "content": "a"}]
        )
    with pytest.raises(openai.BadRequestError, match="POST /v1/chat/completions"):
        client.embeddings.create(model=gateway.deploy("openai"), input="a")


def test_a_call_is_retried_and_then_sent_to_the_fallback(gateway: Gateway, client: openai.OpenAI) -> None:
    fallback = {
        "provider": "mistral",
        "model": "mistral/mistral-embed",
        "model_type": "embedding",
        "model_parameters": {},
    }
    key = gateway.deploy("openai", "embedding", messages=[], model_parameters={}, retry_count=1, fallbacks=[fallback])
    gateway.vendors.fail_next("openai", status(503), status(503))

    response = client.embeddings.with_raw_response.create(model=key, input="a")

    assert response.headers["x-moorage-provider"] == "mistral"
    assert response.headers["x-moorage-attempts"] == "3"
    assert response.parse().data[0].embedding == media.vector("a")
