"""The provider of the benchmarks: what it sends is what OpenAI sends."""

from pathlib import Path

import msgspec

from moorage.providers import openai_protocol
from tools.bench.provider import BURSTS, EVENTS, SINGLE, TEXT, UNARY, WORD, WORDS, Provider
from tools.bench.stream_client import StreamClient
from tools.common.client import Client, Request

PATH = "/v1/chat/completions"


def body(model: str, *, is_stream: bool) -> str:
    return msgspec.json.encode({"model": model, "messages": [], "stream": is_stream}).decode()


def test_the_response_and_the_streams_are_complete(tmp_path: Path) -> None:
    with Provider(tmp_path, None) as provider, Client(provider.port) as client:
        response = client.expect(Request("POST", PATH, body(UNARY, is_stream=False).encode()))
        assert openai_protocol.decode(response.body).choices[0].content == TEXT

        for model in (BURSTS, SINGLE):
            with StreamClient(provider.port, PATH) as stream:
                received = stream.send(body(model, is_stream=True)).received
            assert received.count(b"data: {") == EVENTS
            assert received.count(WORD.encode()) == WORDS

        assert client.get("/requests").body == b"3"
        assert msgspec.json.decode(client.get("/last").body)["model"] == SINGLE
