"""The Responses API as a protocol for callers of the same API, who get items and events as the provider sent them."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.completion import Completion
from moorage.providers.decoding import read
from moorage.providers.native_request import NativeRequest
from moorage.providers.openai_protocol import option_headers
from moorage.providers.protocol import Event, ProviderRequest
from moorage.providers.responses_output import Error, Response, completion_of, decode_kind, failed, read_response
from moorage.providers.responses_request import encode_response
from moorage.providers.sse import SseSplitter

__all__ = ["decode", "encode", "parser", "splitter"]

#: The fields of a response that callers get. Others are those of the server, or repeat the messages of the deployment.
_KEPT: Final = frozenset({
    "status", "incomplete_details", "output", "usage", "service_tier", "reasoning", "text", "temperature", "top_p",
    "top_logprobs", "max_output_tokens", "max_tool_calls", "parallel_tool_calls", "tool_choice", "truncation",
    "completed_at",
})  # fmt: skip

#: Fields of a request that are merged with those of the deployment.
_MERGED: Final = ("text", "reasoning")

#: The number of the first event after `response.created` and `response.in_progress`.
_FIRST_NUMBER: Final = 2

_KIND: Final = re.compile(r"[a-z0-9_.]{1,100}", re.ASCII)


class _Head(msgspec.Struct):
    type: str = ""
    sequence_number: Any = None
    response: msgspec.Raw = msgspec.Raw()
    error: Error | str | None = None
    message: str | None = None
    code: str | int | None = None


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_response = msgspec.json.Decoder(Response).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def encode(
    config: ResolvedConfig, native: NativeRequest, options: Mapping[str, str], *, stream: bool
) -> ProviderRequest:
    """Return the request for a configuration, whose last messages are the translation of items.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    stored = config.messages[: len(config.messages) - native.n_messages]
    items = [_item(item, config.provider) for item in native.items if _is_complete(item)]
    body, omitted = encode_response(msgspec.structs.replace(config, messages=stored), items)
    for name, value in native.fields.items():
        if name == "stream_options" and not stream:
            continue
        body[name] = {**body.get(name, {}), **value} if name in _MERGED else value
    if body.get("store"):
        omitted = {**omitted, "parameters.store": "the server does not store responses"}
    body["store"] = False
    if stream:
        body["stream"] = True
    return ProviderRequest("/responses", body, option_headers(options), omitted)


def _is_complete(item: Object) -> bool:
    """Return whether an item can be sent: reasoning that is not encrypted would have to be stored."""
    return item.get("type") != "reasoning" or bool(item.get("encrypted_content"))


def _item(item: Object, provider: str) -> Object:
    """Return an item; Perplexity does not have the role `developer`."""
    return {**item, "role": "system"} if provider == "perplexity" and item.get("role") == "developer" else item


def decode(body: bytes) -> Completion:
    """Return the response in a body.

    Raises:
        MalformedResponse
        ProviderFailed: the response failed, although the status is a success.
    """
    read(bytes.decode, body)  # the parser does not check the texts that it skips
    completion = completion_of(read_response(body))
    fields = read(_decode_fields, body)
    completion.response = _line(_encode({name: value for name, value in fields.items() if name in _KEPT}))
    return completion


def _line(data: bytes) -> bytes:
    """Return JSON in one line, as events require it."""
    return msgspec.json.format(data, indent=-1) if b"\n" in data or b"\r" in data else data


def has_only_texts(response: bytes) -> bool:
    """Return whether a response, as in `Completion.response`, has only texts and reasoning: no tool was called."""
    items = _decode_response(response).output or ()
    return all(decode_kind(bytes(item)).type in ("message", "reasoning") for item in items)


def splitter() -> SseSplitter:
    """Return a splitter for one stream."""
    return SseSplitter()


def parser() -> "Parser":
    """Return a parser for one stream."""
    return Parser()


class Parser:
    """Parses the events of one stream, which is complete with `response.completed` or `response.incomplete`.

    The others are passed on, with the numbers that they have after the two events at the start.
    """

    def __init__(self) -> None:
        self.is_complete = False
        self._number = _FIRST_NUMBER

    def feed(self, event: Event) -> Completion | None:
        """Return what an event adds, or None.

        Raises:
            MalformedResponse
            ProviderFailed: the provider reported an error in the stream.
        """
        if event.data == b"[DONE]":
            return None
        head = read(_decode_head, event.data)
        match head.type or event.name:
            case "response.created":
                response = read(_decode_response, bytes(head.response) or b"{}")
                return Completion((), None, response.id, response.model)
            case "response.in_progress" | "response.queued":
                return None
            case "response.completed" | "response.incomplete":
                completion = decode(bytes(head.response) or b"{}")
                self.is_complete = True
                return completion
            case "response.failed" | "response.cancelled":
                raise failed(read(_decode_response, bytes(head.response) or b"{}").error or Error())
            case "error":
                raise failed(head.error or Error(head.message, head.code))
            case "" if head.error is not None:  # the form of the API for chats, which proxies send
                raise failed(head.error)
            case kind:
                return self._passed(kind, head, event.data)

    def _passed(self, kind: str, head: _Head, data: bytes) -> Completion | None:
        if self.is_complete or not _KIND.fullmatch(kind):
            return None
        read(bytes.decode, data)
        if head.sequence_number != self._number:
            fields = read(_decode_fields, data)
            data = _encode(fields | {"sequence_number": self._number})
        data = _line(data)
        self._number += 1
        return Completion(event=b"event: %b\ndata: %b\n\n" % (kind.encode(), data))
