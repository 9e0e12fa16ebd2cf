"""The SDK of orq.ai calls models other than those for chats: images by `invoke`, and all types by its router."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from orq_ai_sdk import Orq

from tests.calls.cells import having
from tests.support.gateway import Gateway
from tests.support.server import a_body
from tests.support.vendors import faults, media
from tests.support.vendors.server import Received, Reply, Vendor

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


def test_a_stream_says_what_it_waits_for_and_then_has_the_picture(gateway: Gateway) -> None:
    key = deploy(gateway, "fal", "image")
    body = json.dumps({"key": key, "messages": [{"role": "user", "content": _TEXT}]}).encode()

    response = gateway.project.request("POST", "/v2/deployments/stream", body)

    assert (response.status, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    *comments, event, end, rest = response.body.decode().split("\n\n")
    assert comments
    assert set(comments) <= {": position 1 in the queue", ": in progress"}
    assert json.loads(event.removeprefix("data: "))["object"] == "image"
    assert (end, rest) == ("data: [DONE]", "")


def test_a_stream_of_a_picture_that_fails_at_once_has_the_status_of_the_error(gateway: Gateway) -> None:
    gateway.vendors.fail_next("fal", faults.status(422, "No such picture"))
    body = json.dumps({"key": deploy(gateway, "fal", "image"), "messages": [{"role": "user", "content": "a"}]}).encode()

    response = gateway.project.request("POST", "/v2/deployments/stream", body)

    assert (response.status, response.error["code"]) == (400, "provider_rejected")


def test_a_stream_that_fails_after_a_comment_has_no_end(gateway: Gateway) -> None:
    key = deploy(gateway, "fal", "image")

    def none(vendor: Vendor, request: Received) -> Reply:
        return vendor.failure(422, "The picture was not made")

    def queued(vendor: Vendor, request: Received) -> Reply:
        return vendor.respond(request)

    gateway.vendors.fail_next("fal", queued, queued, none)
    outcome = gateway.call("stream", key, _TEXT)

    assert (outcome.status, outcome.is_cut, outcome.events) == (200, True, [])


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


@pytest.mark.parametrize(
    ("path", "kind", "route"),
    [
        ("/v2/deployments/invoke", "embedding", "POST /v1/embeddings"),
        ("/v1/embeddings", "chat", "/v1/chat/completions"),
        ("/v1/rerank", "image", "/v1/images/generations"),
    ],
)
def test_a_call_of_the_wrong_route_names_the_route_before_missing_inputs(
    gateway: Gateway, path: str, kind: str, route: str
) -> None:
    provider = "openai"
    body = a_body(
        provider=provider, model=f"openai/{gateway.vendors.vendors[provider].model(kind)}", model_type=kind,
        messages=[{"role": "user", "content": "{{missing}}"}], model_parameters={},
    )  # fmt: skip
    key = gateway.put(body | {"settings": {"missing_inputs": "error"}})
    texts = {"query": "a", "documents": ["b"]} if "rerank" in path else {"input": "a"}
    sent = {"key": key} if "v2" in path else {"model": key, **texts}

    response = gateway.project.request("POST", path, json.dumps(sent).encode())

    assert response.status == 400
    assert route in response.error["message"]
