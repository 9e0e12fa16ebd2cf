"""A provider on 127.0.0.1 that costs little: fixed responses in the form of the OpenAI Chat Completions API.

The model of a request selects its stream; `python -m tools.bench.provider PORT` serves until it is stopped.
"""

import asyncio
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from tools.common.servers import REPOSITORY, Server

#: The models: no stream, 8 events in each write, one event in each write, one event each second until the end.
UNARY, BURSTS, SINGLE, HELD = "unary", "bursts", "single", "held"

#: The events of a stream of `BURSTS` and of `SINGLE`, before `[DONE]`.
EVENTS = 64

#: The text of a response, that of each event between the first and the last two, and the number of such events.
TEXT = "The ferry at 10:30 has room for two bicycles, and so has the one at 11:00. " * 5
WORD, WORDS = " bicycles", EVENTS - 3

#: Seconds between two writes of a stream.
_PAUSES = {BURSTS: 0.001, SINGLE: 0.002, HELD: 1.0}

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAM = re.compile(rb'"stream": ?true')
_MODEL = re.compile(rb'"model": ?"(?:openai/)?(\w+)"')

_USAGE = {
    "prompt_tokens": 152, "completion_tokens": 96, "total_tokens": 248,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0},
}  # fmt: skip


class Provider(Server):
    """The provider as a server."""

    def __init__(self, folder: Path, core: int | None) -> None:
        super().__init__("the provider", folder, core, "/requests")

    def command(self) -> list[str]:
        """See `Server.command`."""
        return [sys.executable, "-m", "tools.bench.provider", str(self.port)]

    def environment(self) -> Mapping[str, str]:
        """See `Server.environment`."""
        return {"PYTHONPATH": str(REPOSITORY)}


def _event(**fields: Any) -> bytes:
    event = {
        "id": "chatcmpl-C7ferry0123456789", "object": "chat.completion.chunk", "created": 1_795_000_000,
        "model": "gpt-4o-2024-08-06", "service_tier": "default", "system_fingerprint": "fp_44709d6fcb",
        "choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": None}], "usage": None, **fields,
    }  # fmt: skip
    return b"data: %b\n\n" % msgspec.json.encode(event)


def _choice(delta: dict[str, Any], reason: str | None = None) -> list[dict[str, Any]]:
    return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]


def _chunks(events: list[bytes]) -> bytes:
    """Return events in the transfer encoding of HTTP, each as a chunk of its own."""
    return b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events)


def _reply(body: bytes, kind: bytes = b"application/json") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(body), body)


RESPONSE = msgspec.json.encode({
    "id": "chatcmpl-C7ferry0123456789", "object": "chat.completion", "created": 1_795_000_000,
    "model": "gpt-4o-2024-08-06",
    "choices": [{
        "index": 0, "message": {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []},
        "logprobs": None, "finish_reason": "stop",
    }],
    "usage": _USAGE, "service_tier": "default", "system_fingerprint": "fp_44709d6fcb",
})  # fmt: skip
_UNARY = _reply(RESPONSE)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_FIRST = _event(choices=_choice({"role": "assistant", "content": "", "refusal": None}))
_NEXT = _event(choices=_choice({"content": WORD}))
_STOP, _LAST = _event(choices=_choice({}, "stop")), _event(choices=[], usage=_USAGE)
_ALL = [_FIRST, *[_NEXT] * WORDS, _STOP, _LAST]
_END = _chunks([b"data: [DONE]\n\n"]) + b"0\r\n\r\n"


def _writes(size: int) -> list[bytes]:
    """Return the writes of a stream, with some events in each."""
    *first, last = [_chunks(_ALL[start : start + size]) for start in range(0, EVENTS, size)]
    return [*first, last + _END]


_STREAMS = {BURSTS: _writes(8), SINGLE: _writes(1), HELD: [_chunks([_FIRST, _NEXT])]}


class _Connection(asyncio.Protocol):
    """One connection: a response to each request, in turn."""

    requests = 0
    last = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._received = b""
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end)
        body = self._received[end + 4 :]
        if len(body) < (int(length[1]) if length else 0):
            return
        path, self._received = self._received.split(b" ", 2)[1], b""
        self._respond(path, body)

    def _respond(self, path: bytes, body: bytes) -> None:
        if path == b"/requests":
            self._transport.write(_reply(b"%d" % _Connection.requests))
        elif path == b"/last":
            self._transport.write(_reply(_Connection.last))
        else:
            _Connection.requests += 1
            _Connection.last = body
            if _STREAM.search(body) is None:
                self._transport.write(_UNARY)
                return
            found = _MODEL.search(body)
            model = found[1].decode() if found else BURSTS
            self._transport.write(_HEAD + _STREAMS[model][0])
            self._loop.call_later(_PAUSES[model], self._write, model, 1)

    def _write(self, model: str, place: int) -> None:
        if self._transport.is_closing():
            return
        writes = _STREAMS[model]
        if model == HELD:
            self._transport.write(_chunks([_NEXT]))
        else:
            self._transport.write(writes[place])
        if model == HELD or place + 1 < len(writes):
            self._loop.call_later(_PAUSES[model], self._write, model, place + 1)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
