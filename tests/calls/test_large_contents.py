"""Pictures and vectors of megabytes, which are passed on as the provider sent them."""

import base64
import json
from collections.abc import Callable, Sequence

import pytest

from tests.support.gateway import Gateway
from tests.support.server import Response
from tests.support.team import refusal
from tests.support.vendors.server import Fault, Received, Reply, Vendor

#: Bytes of a picture that are no part of 3, and its base64.
PICTURE = bytes(range(256)) * 40_000 + b"x"
LARGE = base64.b64encode(PICTURE).decode()
SMALL = base64.b64encode(b"small").decode()


def answer(body: bytes) -> Fault:
    """Respond with a body of JSON."""

    def fault(vendor: Vendor, request: Received) -> Reply:
        return Reply(headers={"Content-Type": "application/json"}, parts=[body])

    return fault


def images(*contents: str, **more: object) -> bytes:
    """Return the body of a response with pictures."""
    items = [{"b64_json": content, "revised_prompt": f"Größe {n}"} for n, content in enumerate(contents)]
    return json.dumps({"created": 1, "data": items, **more}, ensure_ascii=False).encode()


def draw(gateway: Gateway, body: bytes, path: str = "/v1/images/generations", **fields: object) -> Response:
    """Call a deployment whose provider responds with a body."""
    key = gateway.deploy("openai", "image", messages=[])
    gateway.vendors.fail_next("openai", answer(body))
    sent: dict[str, object] = {"model": key, "prompt": "A lighthouse"}
    if path.startswith("/v2"):
        sent = {"key": key, "messages": [{"role": "user", "content": "A lighthouse"}]}
    return gateway.project.request("POST", path, json.dumps({**sent, **fields}).encode())


@pytest.mark.parametrize("contents", [[LARGE], [LARGE, SMALL], [SMALL, LARGE, LARGE], [""]], ids=len)
def test_pictures_are_passed_on_whole(gateway: Gateway, contents: Sequence[str]) -> None:
    response = draw(gateway, images(*contents, output_format="webp", usage={"input_tokens": 3, "output_tokens": 4}))

    assert response.status == 200
    assert int(response.headers["content-length"]) == len(response.body)
    assert [each["b64_json"] for each in response.json["data"]] == list(contents)
    assert [each["revised_prompt"] for each in response.json["data"]] == [f"Größe {n}" for n in range(len(contents))]
    assert (response.json["output_format"], response.json["usage"]["total_tokens"]) == ("webp", 7)


def test_a_picture_is_a_url_with_its_content_if_the_caller_asks_for_a_url(gateway: Gateway) -> None:
    response = draw(gateway, images(LARGE, SMALL), response_format="url")

    urls = [each["url"] for each in response.json["data"]]
    assert urls == [f"data:image/png;base64,{content}" for content in (LARGE, SMALL)]
    assert "b64_json" not in response.json["data"][0]


def test_pictures_are_events_of_a_stream(gateway: Gateway) -> None:
    response = draw(gateway, images(LARGE, SMALL), stream=True)

    events = [json.loads(line[6:]) for line in response.body.decode().splitlines() if line.startswith("data: ")]
    assert [event["b64_json"] for event in events] == [LARGE, SMALL]


@pytest.mark.parametrize("path", ["/v2/deployments/invoke", "/v2/deployments/stream"])
def test_invoke_returns_them_as_urls(gateway: Gateway, path: str) -> None:
    response = draw(gateway, images(LARGE, SMALL), path)

    body = response.body.removeprefix(b"data: ").partition(b"\n")[0]
    urls = [choice["message"]["url"] for choice in json.loads(body)["choices"]]
    assert urls == [f"data:image/png;base64,{content}" for content in (LARGE, SMALL)]


def escaped(text: str) -> bytes:
    """Escape each slash, as some JSON libraries do, and a quote, which is no base64."""
    return images(text + '"').replace(b"/", rb"\/")


@pytest.mark.parametrize("content", [LARGE, SMALL + "/"], ids=["large", "small"])
@pytest.mark.parametrize("form", ["b64_json", "url"])
def test_escapes_in_a_content_stay_escapes(gateway: Gateway, content: str, form: str) -> None:
    (image,) = draw(gateway, escaped(content), response_format=form).json["data"]

    assert image[form] == ("data:image/png;base64," if form == "url" else "") + content + '"'


@pytest.mark.parametrize(
    "break_it",
    [
        lambda body: body.replace(b'"b64_json": "', b'"b64_json": 5, "c": "'),
        lambda body: body.replace(b'"b64_json": "', b'"b64_json": "\xff'),
        lambda body: body.replace(b'"b64_json": "', b'"b64_json": "\n'),
        lambda body: body.replace(b'"b64_json": "', b'"b64_json": null, "c": "'),
        lambda body: body[:-1],
        lambda body: body + b"}",
    ],
    ids=["a number", "not UTF-8", "a line end", "null", "no end", "two ends"],
)
@pytest.mark.parametrize("content", [LARGE, SMALL], ids=["large", "small"])
def test_a_malformed_response_is_an_error_before_anything_is_sent(
    gateway: Gateway, content: str, break_it: Callable[[bytes], bytes]
) -> None:
    assert refusal(draw(gateway, break_it(images(content)))) == (502, "provider_error")


@pytest.mark.parametrize("vector", [b'"AAAA\xff"', b"[1, 2\xff]", b"5"], ids=["base64", "numbers", "a number"])
def test_a_malformed_vector_is_an_error(gateway: Gateway, vector: bytes) -> None:
    key = gateway.deploy("openai", "embedding", messages=[])
    gateway.vendors.fail_next("openai", answer(b'{"data": [{"index": 0, "embedding": %b}]}' % vector))

    response = gateway.project.request("POST", "/v1/embeddings", json.dumps({"model": key, "input": "a"}).encode())

    assert refusal(response) == (502, "provider_error")


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_many_vectors_are_passed_on_in_the_order_of_the_texts(gateway: Gateway, encoding: str) -> None:
    key = gateway.deploy("openai", "embedding", messages=[])
    values = [[n + 0.5] * 1_536 if encoding == "float" else f"{n:05}" + "A" * 8_187 for n in range(500)]
    items = [{"index": n, "embedding": value} for n, value in enumerate(values)]
    gateway.vendors.fail_next("openai", answer(json.dumps({"data": items[::-1]}).encode()))
    body = {"model": key, "input": [f"text {n}" for n in range(500)], "encoding_format": encoding}

    response = gateway.project.request("POST", "/v1/embeddings", json.dumps(body).encode())

    assert int(response.headers["content-length"]) == len(response.body)
    assert [each["index"] for each in response.json["data"]] == list(range(500))
    assert [each["embedding"] for each in response.json["data"]] == values
