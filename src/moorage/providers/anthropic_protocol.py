"""The Anthropic Messages API as a protocol: requests, and streams."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.anthropic import encode_messages_request
from moorage.providers.anthropic_responses import (
    Block,
    Error,
    Message,
    WireUsage,
    decode,
    failed,
    reason_of,
    refusal_of,
    usage_of,
)
from moorage.providers.completion import Choice, Completion, ToolCall, new_call_id
from moorage.providers.decoding import MAX_ITEMS, arguments_of, read
from moorage.providers.errors import MalformedResponse
from moorage.providers.protocol import Event, ProviderRequest
from moorage.providers.sse import MAX_EVENT, SseSplitter

__all__ = ["decode", "encode", "parser", "splitter"]

#: The version of the API that rejects sampling parameters; a request that has some names an older one.
_VERSION: Final = {"anthropic-version": "2026-10-21"}


class _Event(msgspec.Struct):
    type: str
    index: int = 0
    message: Message | None = None
    content_block: Block | None = None
    delta: Block | None = None
    usage: WireUsage | None = None
    error: Error | None = None


_decode_event = msgspec.json.Decoder(_Event).decode
_NOTHING: Final = Block()
_NO_MESSAGE: Final = Message()


def encode(config: ResolvedConfig, options: Mapping[str, str], *, stream: bool) -> ProviderRequest:
    """Return the request for a configuration.

    The API requires a message, so a prompt that has only instructions is sent as one of the user.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    arguments, omitted = encode_messages_request(config)
    body: Object = {**arguments}
    headers = {**_VERSION, **body.pop("extra_headers", {})}
    body |= body.pop("extra_body", {})
    if not body["messages"] and "system" in body:
        body["messages"] = [{"role": "user", "content": body.pop("system")}]
    if stream:
        body["stream"] = True
    return ProviderRequest("/messages", body, headers, omitted)


def splitter() -> SseSplitter:
    """Return a splitter for one stream."""
    return SseSplitter()


def parser() -> "Parser":
    """Return a parser for one stream."""
    return Parser()


class Parser:
    """Parses the events of one stream, which ends with `message_stop`.

    A response has one signature of its thoughts. It is the signature of one block, so it is valid if there is one
    block of thoughts only, which is known at the end.
    """

    def __init__(self) -> None:
        self.is_complete = False
        self._usage: WireUsage = WireUsage()
        self._calls: dict[int, int] = {}  # the index of an open block -> that of its call
        self._without_arguments: set[int] = set()
        self._n_calls = 0
        self._signatures: list[list[str]] = []
        self._redacted: list[str | None] = []
        self._size = 0

    def feed(self, event: Event) -> Completion | None:
        """Return what an event adds, or None.

        Raises:
            MalformedResponse
            ProviderFailed: the provider reported an error in the stream.
        """
        found = read(_decode_event, event.data)
        match found.type:
            case "content_block_delta":
                return self._delta(found.index, found.delta or _NOTHING)
            case "content_block_start":
                return self._start(found.index, found.content_block or _NOTHING)
            case "content_block_stop":
                return self._stop(found.index)
            case "message_start":
                message = found.message or _NO_MESSAGE
                self._usage = message.usage or self._usage
                return Completion((), None, message.id, message.model)
            case "message_delta":
                return self._end(found.delta or _NOTHING, found.usage)
            case "message_stop":
                self.is_complete = True
            case "error":
                raise failed(found.error or Error())
        return None

    def _start(self, index: int, block: Block) -> Completion | None:
        match block.type:
            case "text" if block.text:
                return _choice(content=block.text)
            case "thinking":
                self._signatures.append([block.signature] if block.signature else [])
                self._keep(block.signature)
                return _choice(reasoning=block.thinking) if block.thinking else None
            case "redacted_thinking":
                self._redacted.append(block.data)
                self._keep(block.data)
            case "tool_use":
                number, self._n_calls = self._n_calls, self._n_calls + 1
                self._calls[index] = number
                arguments = arguments_of(block.input)
                if arguments == "{}":
                    arguments = ""
                    self._without_arguments.add(index)
                self._keep(None)
                return _choice(tool_calls=[ToolCall(number, block.id or new_call_id(), block.name or "", arguments)])
        return None

    def _delta(self, index: int, delta: Block) -> Completion | None:
        match delta.type:
            case "text_delta" if delta.text:
                return _choice(content=delta.text)
            case "thinking_delta" if delta.thinking:
                return _choice(reasoning=delta.thinking)
            case "input_json_delta" if delta.partial_json:
                if index in self._calls:  # other blocks are calls that the provider makes itself
                    self._without_arguments.discard(index)
                    return _choice(tool_calls=[ToolCall(self._calls[index], arguments=delta.partial_json)])
            case "signature_delta" if delta.signature and self._signatures:
                self._signatures[-1].append(delta.signature)
                self._keep(delta.signature)
        return None

    def _stop(self, index: int) -> Completion | None:
        call = self._calls.pop(index, None)
        if call is not None and index in self._without_arguments:
            self._without_arguments.discard(index)
            return _choice(tool_calls=[ToolCall(call, arguments="{}")])
        return None

    def _end(self, delta: Block, usage: WireUsage | None) -> Completion:
        choice = Choice(
            reasoning_signature="".join(self._signatures[0]) or None if len(self._signatures) == 1 else None,
            redacted_reasoning=self._redacted[0] if len(self._redacted) == 1 else None,
            refusal=refusal_of(delta.stop_reason, delta.stop_details),
            finish_reason=reason_of(delta.stop_reason) if delta.stop_reason else None,
        )
        if usage is not None:  # its numbers are totals; older models report those of the prompt only at the start
            for name in WireUsage.__struct_fields__:
                if (value := getattr(usage, name)) is not None:
                    setattr(self._usage, name, value)
        return Completion([choice], usage_of(self._usage))

    def _keep(self, text: str | None) -> None:
        """Count a part that is kept until the end."""
        self._size += len(text or "")
        if self._size > MAX_EVENT or max(self._n_calls, len(self._signatures), len(self._redacted)) > MAX_ITEMS:
            raise MalformedResponse("it has too many thoughts or tool calls")


def _choice(
    *, content: str | None = None, reasoning: str | None = None, tool_calls: Sequence[ToolCall] = ()
) -> Completion:
    return Completion([Choice(content=content, reasoning=reasoning, tool_calls=tool_calls)])
