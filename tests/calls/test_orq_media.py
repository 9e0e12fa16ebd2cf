"""The SDK of orq.ai calls models other than those for chats: images by `invoke`, and all types by its router."""

from collections.abc import Iterator
from typing import Any

import pytest
from orq_ai_sdk import Orq

from tests.calls.cells import having
from tests.support.gateway import Gateway
from tests.support.vendors import media

_TEXT = "A lighthouse in Zürich 🎉"


@pytest.fixture(scope="module")
def orq(all_integrations: Gateway) -> Iterator[Orq]:
    project = all_integrations.project
    with Orq(api_key=project.token, server_url=project.server.url) as found:
        yield found


def deploy(gateway: Gateway, provider: str, kind: str, **parameters: Any) -> str:
    return gateway.deploy(provider, kind, messages=[], model_parameters=parameters)


@pytest.mark.parametrize("provider", having("image"))
def test_invoke_of_an_image_deployment_has_a_choice_for_each_picture(gateway: Gateway, orq: Orq, provider: str) -> None:
    key = deploy(gateway, provider, "image", numImages=2)

    said: list[Any] = [{"role": "user", "content": _TEXT}]

    response: Any = orq.deployments.invoke(key=key, messages=said)

    assert (response.object, response.provider, response.is_final) == ("image", provider, True)
    assert [choice.message.type for choice in response.choices] == ["image", "image"]
    assert all(choice.message.url.startswith(("http", "data:image/")) for choice in response.choices)


def test_invoke_of_another_type_names_the_route(gateway: Gateway, orq: Orq) -> None:
    with pytest.raises(Exception, match="POST /v1/embeddings"):
        orq.deployments.invoke(key=deploy(gateway, "openai", "embedding"))


def test_the_router_has_embeddings(gateway: Gateway, orq: Orq) -> None:
    found: Any = orq.router.embeddings.create(model=deploy(gateway, "openai", "embedding"), input=["a", "b"])

    assert [each.embedding for each in found.data] == [media.vector("a"), media.vector("b")]


def test_the_router_has_images_and_its_forced_number_changes_nothing(gateway: Gateway, orq: Orq) -> None:
    key = deploy(gateway, "openai", "image", numImages=2)

    found: Any = orq.router.images.generations.create(model=key, prompt=_TEXT)

    assert len(found.data) == 2
    assert [each.json["n"] for each in gateway.vendors.take("openai")] == [2]


def test_the_router_has_speech_and_its_forced_format_changes_nothing(gateway: Gateway, orq: Orq) -> None:
    key = deploy(gateway, "openai", "tts", responseFormat="wav")

    orq.router.audio.speech.create(model=key, input=_TEXT, voice="nova")

    (request,) = gateway.vendors.take("openai")
    assert (request.json["response_format"], request.json["voice"], "speed" in request.json) == ("wav", "nova", False)


def test_the_router_has_transcriptions(gateway: Gateway, orq: Orq) -> None:
    file: Any = {"file_name": "a.wav", "content": b"RIFF", "content_type": "audio/wav"}

    found: Any = orq.router.audio.transcriptions.create(model=deploy(gateway, "openai", "stt"), file=file)

    assert "4 bytes" in found.text


@pytest.mark.parametrize("provider", having("moderation"))
def test_the_router_has_moderations(gateway: Gateway, orq: Orq, provider: str) -> None:
    found: Any = orq.router.moderations.create(model=deploy(gateway, provider, "moderation"), input="do harm")

    assert found.results[0].flagged


@pytest.mark.parametrize("provider", having("rerank"))
def test_the_router_has_ranks(gateway: Gateway, orq: Orq, provider: str) -> None:
    found: Any = orq.router.rerank.create(
        model=deploy(gateway, provider, "rerank"), query="dogs", documents=["cats", "about dogs"]
    )

    assert [each.index for each in found.results] == [1, 0]
