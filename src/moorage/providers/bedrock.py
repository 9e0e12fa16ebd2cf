"""The Converse API of Amazon Bedrock as a protocol: requests, responses and streams."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import msgspec

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.bedrock_request import encode_converse
from moorage.providers.bedrock_responses import Block, Signatures, Use, WireUsage, decode, reason_of, usage_of
from moorage.providers.completion import Choice, Completion, ToolCall, new_call_id
from moorage.providers.decoding import MAX_ITEMS, read
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.event_stream import EXCEPTION, EventStreamSplitter
from moorage.providers.protocol import Event, ProviderRequest

__all__ = ["decode", "encode", "parser", "splitter"]

#: Exceptions in a stream -> the status of the same error elsewhere.
_STATUSES: Final = {
    "throttlingexception": 429, "servicequotaexceededexception": 429, "modelnotreadyexception": 503,
    "serviceunavailableexception": 503, "internalserverexception": 500, "modelstreamerrorexception": 502,
    "modelerrorexception": 502, "modeltimeoutexception": 504, "validationexception": 400,
    "accessdeniedexception": 403, "resourcenotfoundexception": 404,
}  # fmt: skip


class _Event(msgspec.Struct):
    contentBlockIndex: int = 0  # noqa: N815 -- the name in the API
    start: Block | None = None
    delta: Block | None = None
    stopReason: str | None = None  # noqa: N815 -- the name in the API
    usage: WireUsage | None = None
    message: str | None = None


_decode_event = msgspec.json.Decoder(_Event).decode


def encode(config: ResolvedConfig, options: Mapping[str, str], *, stream: bool) -> ProviderRequest:
    """Return the request for a configuration.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    model, body, omitted = encode_converse(config)
    operation = "converse-stream" if stream else "converse"
    return ProviderRequest(f"/model/{quote(model, safe='')}/{operation}", body, {}, omitted)


def splitter() -> EventStreamSplitter:
    """Return a splitter for one stream."""
    return EventStreamSplitter()


def parser() -> "Parser":
    """Return a parser for one stream."""
    return Parser()


class Parser:
    """Parses the events of one stream, which is complete with `messageStop`; the usage follows it."""

    def __init__(self) -> None:
        self.is_complete = False
        self._calls: dict[int, int] = {}  # index of the block -> that of the call
        self._without_arguments: set[int] = set()
        self._signatures = Signatures()

    def feed(self, event: Event) -> Completion | None:
        """Return what an event adds, or None.

        Raises:
            MalformedResponse
            ProviderFailed: the provider reported an error in the stream.
        """
        if event.name.startswith(EXCEPTION):
            raise _failed(event)
        found = read(_decode_event, event.data)
        match event.name:
            case "contentBlockDelta" if found.delta is not None:
                return self._delta(found.contentBlockIndex, found.delta)
            case "contentBlockStart" if found.start is not None and found.start.toolUse is not None:
                return self._start(found.contentBlockIndex, found.start.toolUse)
            case "contentBlockStop" if found.contentBlockIndex in self._without_arguments:
                self._without_arguments.discard(found.contentBlockIndex)
                return _completion(Choice(tool_calls=[ToolCall(self._calls[found.contentBlockIndex], arguments="{}")]))
            case "messageStop":
                self.is_complete = True
                choice = Choice(finish_reason=reason_of(found.stopReason))
                choice.reasoning_signature = self._signatures.signature
                choice.redacted_reasoning = self._signatures.redacted
                return _completion(choice)
            case "metadata" if found.usage is not None:
                return Completion((), usage_of(found.usage))
        return None

    def _start(self, index: int, use: Use) -> Completion | None:
        if use.type is not None:  # a call that the provider makes itself
            return None
        if len(self._calls) == MAX_ITEMS or index in self._calls:
            raise MalformedResponse("it has too many tool calls, or one of them twice")
        self._calls[index] = len(self._calls)
        self._without_arguments.add(index)
        return _completion(Choice(tool_calls=[ToolCall(self._calls[index], use.toolUseId or new_call_id(), use.name)]))

    def _delta(self, index: int, delta: Block) -> Completion | None:
        if delta.text:
            return _completion(Choice(content=delta.text))
        if (reasoning := delta.reasoningContent) is not None:
            self._signatures.add(index, reasoning.signature, reasoning.redactedContent)
            return _completion(Choice(reasoning=reasoning.text)) if reasoning.text else None
        if delta.toolUse is not None and index in self._calls and (part := _part(delta.toolUse.input)):
            self._without_arguments.discard(index)
            return _completion(Choice(tool_calls=[ToolCall(self._calls[index], arguments=part)]))
        return None


def _part(raw: msgspec.Raw) -> str:
    """Return a part of the arguments of a call, which is a JSON text as a string."""
    return read(msgspec.json.Decoder(str).decode, bytes(raw)) if bytes(raw) else ""


def _completion(choice: Choice) -> Completion:
    return Completion([choice])


def _failed(event: Event) -> ProviderFailed:
    code = event.name.removeprefix(EXCEPTION)
    message: Object | str | None
    try:
        message = read(_decode_event, event.data).message
    except MalformedResponse:
        message = None
    return ProviderFailed(message or "no message", _STATUSES.get(code.lower(), 500), code or None)
