"""`…/versions/{version}/try` with models that are not for chats: the response is that of the route for their type."""

import base64
import json
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.server import Response
from tests.support.vendors import media

SAY = [{"role": "user", "content": "Say {{input}}!"}]


def tried(gateway: Gateway, key: str, body: dict[str, Any], operation: str = "try") -> Response:
    path = f"/v2/deployments/{key}/versions/live/{operation}"
    return gateway.project.request("POST", path, json.dumps(body).encode())


def problems(response: Response) -> str:
    assert (response.status, response.error["code"]) == (400, "invalid_request_body")
    message: str = response.error["message"]
    return message


def test_images_vectors_ranks_and_classifications_have_the_shape_of_their_route(gateway: Gateway) -> None:
    image = tried(gateway, gateway.deploy("openai", "image", messages=[]), {"input": "A boat"})
    assert base64.b64decode(image.json["data"][0]["b64_json"]) == media.picture("A boat")
    vectors = tried(gateway, gateway.deploy("openai", "embedding", messages=SAY), {"input": ["a", "b"]})
    assert [each["embedding"] for each in vectors.json["data"]] == [media.vector("Say a!"), media.vector("Say b!")]
    key = gateway.deploy("cohere", "rerank", messages=[])
    ranks = tried(gateway, key, {"input": "red", "documents": ["a", "red"]})
    assert [each["index"] for each in ranks.json["results"]] == [1, 0]
    classified = tried(gateway, gateway.deploy("openai", "moderation", messages=[]), {"input": "I harm"})
    assert classified.json["results"][0]["flagged"] is True


def test_speech_is_audio_and_its_version_is_in_the_headers(gateway: Gateway) -> None:
    response = tried(gateway, gateway.deploy("openai", "tts", messages=SAY), {"input": "ahoy"})

    assert response.headers["content-type"] == "audio/mpeg"
    assert response.body == media.spoken("Say ahoy!", "mp3")
    assert response.headers["x-moorage-version"] == "1.0"


def test_speech_in_base64_becomes_a_text(gateway: Gateway) -> None:
    key = gateway.deploy("openai", "stt", messages=[])
    content = base64.b64encode(b"x" * 2_000_000).decode()

    response = tried(gateway, key, {"audio": {"content": content, "name": "a.mp3", "media_type": "audio/mpeg"}})

    assert response.json["text"] == media.heard("a.mp3", "audio/mpeg", 2_000_000)


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        ("stt", {}, "audio: is missing or empty"),
        ("stt", {"audio": {"content": "no!"}}, "audio.content: is no base64"),
        ("stt", {"audio": {"content": "eA==", "media_type": "text/html; x"}}, "audio.media_type"),
        ("image", {}, "input: is missing"),
        ("image", {"input": "a", "stream": True}, "stream: is for chats"),
        ("image", {"input": "a", "mock_response": "b"}, "mock_response: is for chats"),
        ("tts", {"input": ["a", "b"]}, "input: has 2 texts"),
        ("embedding", {"input": ["a"] * 2_049}, "input: has 2,049 texts"),
        ("embedding", {"input": ["a", ""]}, "input: is missing"),
        ("tts", {"input": "a", "documents": ["a"]}, "documents: are for models of the type rerank"),
        ("chat", {"audio": {"content": "eA=="}}, "audio: is for models of the type stt"),
        ("chat", {"input": ["a", "b"]}, "input: has 2 texts"),
    ],
)
def test_a_body_for_another_type_or_without_its_text_calls_nothing(
    gateway: Gateway, kind: str, body: dict[str, Any], found: str
) -> None:
    assert found in problems(tried(gateway, gateway.deploy("openai", kind, messages=[]), body))
    assert not gateway.vendors.take("openai")


def test_a_ranking_needs_documents(gateway: Gateway) -> None:
    key = gateway.deploy("cohere", "rerank", messages=[])

    assert "documents: must be a list" in problems(tried(gateway, key, {"input": "a"}))
    assert not gateway.vendors.take("cohere")


def test_a_chat_gets_the_text_as_a_message(gateway: Gateway) -> None:
    response = tried(gateway, gateway.deploy("openai", messages=[]), {"input": "Ping"})

    assert response.json["choices"][0]["message"]["content"] == "You said: Ping"


@pytest.mark.parametrize(
    ("messages", "sent"),
    [(SAY, ["Say ahoy!"]), ([{"role": "user", "content": "Say:"}], ["Say:", "ahoy"]), ([], ["ahoy"])],
)
def test_what_is_rendered_is_the_text_that_is_sent(gateway: Gateway, messages: list[Any], sent: list[str]) -> None:
    key = gateway.deploy("openai", "tts", messages=messages)

    rendered = tried(gateway, key, {"input": "ahoy"}, "render").json
    assert [each["content"] for each in rendered["config"]["messages"]] == sent
    tried(gateway, key, {"input": "ahoy"})

    (request,) = gateway.vendors.take("openai")
    assert request.json["input"] == "\n\n".join(sent)


def test_a_try_out_is_not_counted_as_use(gateway: Gateway) -> None:
    messages = [{"role": "user", "content": "no other test calls this: {{input}}"}]
    key = gateway.deploy("openai", "moderation", messages=messages)

    assert tried(gateway, key, {"input": "a"}).status == 200

    assert gateway.project.request("GET", f"/v2/deployments/{key}/callers").json["data"] == []
