"""What the tests of all protocols share: streams in pieces, damaged bodies, and a server that records one request."""

import copy
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from threading import Thread
from typing import Any

from hypothesis import strategies as st

from moorage.core.resolution.config import Object
from moorage.providers.completion import Choice, Completion
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.protocol import ChatProtocol, Event
from tests.support.json_values import VALUES

#: Values that a provider never sends in most places.
STRANGE = VALUES | st.sampled_from([10**30, -1, 1.5, "", [], {}, [[]], [None], {"type": "text"}, "é", 2**63, 1e300])


def a_stream(events: Iterable[Object | str], *, with_names: bool = False, line_end: str = "\n") -> bytes:
    """Return events as a stream."""
    lines = []
    for event in events:
        if with_names and isinstance(event, dict):
            lines.append(f"event: {event['type']}")
        lines += [f"data: {event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)}", ""]
    return line_end.join([*lines, ""]).encode()


def joined(completions: Iterable[Completion]) -> Object:
    """Return what a client has at the end of a stream, or of one response."""
    result: Object = {"choices": {}, "usage": None, "id": None, "model": None}
    for completion in completions:
        for choice in completion.choices:
            _join_choice(result["choices"].setdefault(choice.index, {"calls": []}), choice)
        for name in ("usage", "id", "model"):
            result[name] = getattr(completion, name) or result[name]
    return result


def _join_choice(found: Object, choice: Choice) -> None:
    for name in ("content", "reasoning", "reasoning_signature", "redacted_reasoning", "refusal"):
        if (text := getattr(choice, name)) is not None:
            found[name] = found.get(name, "") + text
    for call in choice.tool_calls:
        if call.index == len(found["calls"]):
            assert call.id
            assert call.name is not None
            found["calls"].append({"id": call.id, "name": call.name, "arguments": "", "signature": None})
        known = found["calls"][call.index]
        known["arguments"] += call.arguments
        known["signature"] = call.thought_signature or known["signature"]
    if choice.finish_reason:
        assert "finish_reason" not in found
        found["finish_reason"] = choice.finish_reason


def streamed(protocol: ChatProtocol, pieces: Iterable[bytes]) -> Object:
    """Return the whole of a stream that must be complete."""
    splitter, parser = protocol.splitter(), protocol.parser()
    events = [event for piece in pieces for event in splitter.feed(piece)]
    found = [completion for event in (*events, *splitter.close()) if (completion := parser.feed(event))]
    assert parser.is_complete
    return joined(found)


def pieces_of(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Return data in pieces."""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


CUTS = st.lists(st.integers(0, 1_000_000), max_size=12)


def survives(protocol: ChatProtocol, events: Sequence[bytes]) -> None:
    """Check that bodies and events are decoded, or raise the two documented exceptions only."""
    for event in events:
        with suppress(MalformedResponse, ProviderFailed):
            protocol.decode(event)
    parser, splitter = protocol.parser(), protocol.splitter()
    with suppress(MalformedResponse, ProviderFailed):
        for event in events:
            for each in splitter.feed(b"data: " + event.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n"):
                parser.feed(each)


def feed_all(protocol: ChatProtocol, events: Iterable[Object]) -> None:
    """Feed events to one parser."""
    parser = protocol.parser()
    for event in events:
        parser.feed(Event(json.dumps(event).encode()))


@st.composite
def damaged(draw: st.DrawFn, samples: Sequence[Object]) -> list[bytes]:
    """Return copies of events in which one value is another, or is missing."""
    events = copy.deepcopy([*samples])
    index = draw(st.integers(0, len(events) - 1))
    nodes = [*_nodes(events[index])]
    if nodes:
        parent, key = draw(st.sampled_from(nodes))
        if draw(st.booleans()) and isinstance(parent, dict):
            del parent[key]
        else:
            parent[key] = draw(STRANGE)
    return [json.dumps(event).encode() for event in events]


def _nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield value, key
        yield from _nodes(child)


#: Parameters of OpenAI with any values.
EXTRAS = st.dictionaries(
    st.sampled_from([
        "stop", "tool_choice", "parallel_tool_calls", "n", "user", "metadata", "logprobs", "top_logprobs", "logit_bias",
        "generationConfig", "thinking", "tools", "maxTokens", "topK", "seed", "budgetTokens", "reasoningEffort",
        "thinkingLevel", "responseFormat",
    ]),
    STRANGE | st.sampled_from(["auto", "none", "required", {"type": "function", "function": {"name": "f"}}, ["a"], 1]),
    max_size=4,
)  # fmt: skip


#: Bodies that are no JSON, or JSON that no provider sends.
HOSTILE = [
    b"", b"{", b"null", b"[]", b'"x"', b"{}", b"\xff", b'{"id": "\xff"}', b'{"id": "\\ud800"}', b"<html>",
    b"[" * 100_000, b'{"a":' * 100_000, b'{"content":' + b"[" * 5_000 + b"]" * 5_000 + b"}", b"NaN", b"[DONE]",
    b'{"usage": {"input_tokens": ' + b"9" * 5_000 + b"}}",
]  # fmt: skip


def without_nulls(value: Any) -> Any:
    """Return a JSON value without null fields, and with numbers of one type: SDKs send both."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return float(value) if type(value) is int else value


class Recorder:
    """The last request, and the response to send."""

    def __init__(self) -> None:
        self.path, self.headers, self.body = "", dict[str, str](), Object()
        self.response, self.content_type = b"{}", "application/json"
        self.url = ""


@contextmanager
def recording(response: bytes = b"{}", content_type: str = "application/json") -> Iterator[Recorder]:
    """Run a server that returns one response to all requests."""
    recorder = Recorder()
    recorder.response, recorder.content_type = response, content_type

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            recorder.path = self.path
            recorder.headers = {name.lower(): value for name, value in self.headers.items()}
            recorder.body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", recorder.content_type)
            self.send_header("content-length", str(len(recorder.response)))
            self.end_headers()
            self.wfile.write(recorder.response)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    recorder.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
