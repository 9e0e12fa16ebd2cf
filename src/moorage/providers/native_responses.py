"""The Responses API as a protocol for callers of the same API, who get items and events as the provider sent them."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.completion import Choice, Completion
from moorage.providers.decoding import read
from moorage.providers.errors import MalformedResponse
from moorage.providers.native_request import NativeRequest
from moorage.providers.openai_protocol import option_headers
from moorage.providers.protocol import Event, ProviderRequest
from moorage.providers.responses_output import Error, Kind, Response, failed, reason_of, usage_of
from moorage.providers.responses_request import encode_response
from moorage.providers.sse import SseSplitter

__all__ = ["decode", "encode", "parser", "splitter"]

#: The fields of a response that callers get beside its output. Others are those of the server, or repeat the messages
#: of the deployment.
_KEPT: Final = frozenset({
    "status", "incomplete_details", "usage", "service_tier", "reasoning", "text", "temperature", "top_p",
    "top_logprobs", "max_output_tokens", "max_tool_calls", "parallel_tool_calls", "tool_choice", "truncation",
    "completed_at",
})  # fmt: skip

#: Fields of a request that are merged with those of the deployment.
_MERGED: Final = ("text", "reasoning")

#: The number of the first event after `response.created` and `response.in_progress`.
_FIRST_NUMBER: Final = 2

#: The types of items of responses that a provider rejects in a request.
_REFUSED: Final = {"perplexity": frozenset({"search_results", "fetch_url_results"})}
#: The most items that are named if they are not sent: those of a conversation are thousands.
_MAX_NAMED: Final = 1_000

_KIND: Final = re.compile(r"[a-z0-9_.]{1,100}", re.ASCII)


#: The fields of a response that are read here.
_READ: Final = ("id", "model", "status", "incomplete_details", "usage", "error")

_Fields = dict[str, msgspec.Raw]


class _Head(msgspec.Struct):
    """An event. The response in it is parsed once, because it can be large."""

    type: str = ""
    sequence_number: Any = None
    response: _Fields = {}
    error: Error | str | None = None
    message: str | None = None
    code: str | int | None = None


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_response = msgspec.json.Decoder(Response).decode
_decode_fields = msgspec.json.Decoder(_Fields).decode
_decode_kinds = msgspec.json.Decoder(list[Kind]).decode
_encode = msgspec.json.Encoder().encode


def encode(
    config: ResolvedConfig, native: NativeRequest, options: Mapping[str, str], *, stream: bool
) -> ProviderRequest:
    """Return the request for a configuration, whose last messages are the translation of items.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    stored = config.messages[: len(config.messages) - native.n_messages]
    found = [(f"input[{index}]", item) for index, item in enumerate(native.items) if _is_complete(item)]
    refused = _REFUSED.get(config.provider, frozenset())
    items = [_item(item, config.provider) for _, item in found if item.get("type") not in refused]
    body, omitted = encode_response(msgspec.structs.replace(config, messages=stored), items)
    reason = f"{config.provider} does not take it back"
    omitted |= {path: reason for path, item in found[:_MAX_NAMED] if item.get("type") in refused}
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
    _check_utf8(body)
    return _completion(read(_decode_fields, body))


def has_only_texts(output: bytes) -> bool:
    """Return whether a response, as in `Completion.output`, has only texts and reasoning: no tool was called."""
    return all(item.type in ("message", "reasoning") for item in _decode_kinds(output))


def _completion(fields: _Fields) -> Completion:
    response = _response(fields)
    if response.error is not None:
        raise failed(response.error)
    output = bytes(fields.get("output", b""))
    if output[:1] != b"[":
        raise MalformedResponse("it has no output")
    kept = {name: value for name, value in fields.items() if name in _KEPT}
    reason = reason_of(response, has_calls=False)
    return Completion(
        [Choice(finish_reason=reason)], usage_of(response.usage), response.id, response.model,
        response=_line(_encode(kept)), output=_line(output),
    )  # fmt: skip


def _response(fields: _Fields) -> Response:
    return read(_decode_response, _encode({name: fields[name] for name in _READ if name in fields}))


def _check_utf8(data: bytes) -> None:
    """Check the texts that the parser skips."""
    if not data.isascii():
        read(bytes.decode, data)


def _line(data: bytes) -> bytes:
    """Return JSON in one line, as events require it."""
    return msgspec.json.format(data, indent=-1) if b"\n" in data or b"\r" in data else data


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
        _check_utf8(event.data)
        head = read(_decode_head, event.data)
        match head.type or event.name:
            case "response.created":
                response = _response(head.response)
                return Completion((), None, response.id, response.model)
            case "response.in_progress" | "response.queued":
                return None
            case "response.completed" | "response.incomplete":
                completion = _completion(head.response)
                self.is_complete = True
                return completion
            case "response.failed" | "response.cancelled":
                raise failed(_response(head.response).error or Error())
            case "error":
                raise failed(head.error or Error(head.message, head.code))
            case "" if head.error is not None:  # the form of the API for chats, which proxies send
                raise failed(head.error)
            case kind:
                return self._passed(kind, head, event.data)

    def _passed(self, kind: str, head: _Head, data: bytes) -> Completion | None:
        if self.is_complete or not _KIND.fullmatch(kind):
            return None
        if head.sequence_number != self._number:
            fields = read(_decode_fields, data)
            data = _encode(fields | {"sequence_number": self._number})
        data = _line(data)
        self._number += 1
        return Completion(event=b"event: %b\ndata: %b\n\n" % (kind.encode(), data))
