"""The Converse API of Amazon Bedrock as a protocol: requests, responses and streams."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import msgspec

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.bedrock_request import encode_converse
from moorage.providers.completion import Choice, Completion, FinishReason, ToolCall, Usage
from moorage.providers.decoding import MAX_ITEMS, Number, arguments_of, known, read
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.event_stream import EXCEPTION, MAX_MESSAGE, EventStreamSplitter
from moorage.providers.protocol import Event, ProviderRequest

_REASONS: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "model_context_window_exceeded": "length",
    "tool_use": "tool_calls", "content_filtered": "content_filter", "guardrail_intervened": "content_filter",
}  # fmt: skip

#: Exceptions in a stream -> the status of the same error elsewhere.
_STATUSES: Final = {
    "throttlingexception": 429, "servicequotaexceededexception": 429, "modelnotreadyexception": 503,
    "serviceunavailableexception": 503, "internalserverexception": 500, "modelstreamerrorexception": 502,
    "modelerrorexception": 502, "modeltimeoutexception": 504, "validationexception": 400,
    "accessdeniedexception": 403, "resourcenotfoundexception": 404,
}  # fmt: skip


class _Text(msgspec.Struct):
    text: str | None = None
    signature: str | None = None


class _Reasoning(msgspec.Struct):
    """Reasoning in a response, with `reasoningText`, or in an event, with the other fields."""

    reasoningText: _Text | None = None  # noqa: N815 -- the name in the API
    redactedContent: str | None = None  # noqa: N815
    text: str | None = None
    signature: str | None = None


class _Use(msgspec.Struct):
    toolUseId: str = ""  # noqa: N815
    name: str = ""
    input: msgspec.Raw = msgspec.Raw()
    type: str | None = None


class _Block(msgspec.Struct):
    text: str | None = None
    toolUse: _Use | None = None  # noqa: N815
    reasoningContent: _Reasoning | None = None  # noqa: N815


class _Message(msgspec.Struct):
    content: list[_Block] = []


class _Output(msgspec.Struct):
    message: _Message | None = None


class _Usage(msgspec.Struct):
    inputTokens: Number = None  # noqa: N815
    outputTokens: Number = None  # noqa: N815
    cacheReadInputTokens: Number = None  # noqa: N815
    cacheWriteInputTokens: Number = None  # noqa: N815


class _Response(msgspec.Struct):
    output: _Output | None = None
    stopReason: str | None = None  # noqa: N815
    usage: _Usage | None = None


class _Event(msgspec.Struct):
    contentBlockIndex: int = 0  # noqa: N815
    start: _Block | None = None
    delta: _Block | None = None
    stopReason: str | None = None  # noqa: N815
    usage: _Usage | None = None
    message: str | None = None


class _Signatures:
    """The signatures of thoughts, and the thoughts that cannot be read.

    A signature is that of one block, and a response has one. So it is valid only if there is one block of thoughts.
    """

    def __init__(self) -> None:
        self._signatures: dict[int, list[str]] = {}  # index of the block -> the parts
        self._redacted: list[str] = []
        self._size = 0

    def add(self, index: int, signature: str | None, redacted: str | None) -> None:
        """Add what a block, or an event about it, has."""
        parts = self._signatures.setdefault(index, [])
        if signature:
            parts.append(signature)
        if redacted:
            self._redacted.append(redacted)
            del self._signatures[index]
        self._size += 100 + len(signature or "") + len(redacted or "")
        if self._size > MAX_MESSAGE:
            raise MalformedResponse("its signatures are too large")

    @property
    def signature(self) -> str | None:
        """The signature, if there is one block of thoughts."""
        if len(self._signatures) != 1:
            return None
        (parts,) = self._signatures.values()
        return "".join(parts) or None

    @property
    def redacted(self) -> str | None:
        """The thoughts that cannot be read, if they are in one part."""
        return self._redacted[0] if len(self._redacted) == 1 else None


_decode_response = msgspec.json.Decoder(_Response).decode
_decode_event = msgspec.json.Decoder(_Event).decode


def encode(config: ResolvedConfig, options: Mapping[str, str], *, stream: bool) -> ProviderRequest:
    """Return the request for a configuration.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    model, body, omitted = encode_converse(config)
    operation = "converse-stream" if stream else "converse"
    return ProviderRequest(f"/model/{quote(model, safe='')}/{operation}", body, {}, omitted)


def decode(body: bytes) -> Completion:
    """Return the response in a body.

    Raises:
        MalformedResponse
        ProviderFailed: the output of the model is malformed.
    """
    response = read(_decode_response, body)
    if response.output is None or response.output.message is None:
        raise MalformedResponse("it has no message")
    if len(response.output.message.content) > MAX_ITEMS:
        raise MalformedResponse(f"it has more than {MAX_ITEMS} blocks")
    texts, thoughts, calls, signatures = list[str](), list[str](), list[ToolCall](), _Signatures()
    for index, block in enumerate(response.output.message.content):
        if block.text is not None:
            texts.append(block.text)
        if (use := block.toolUse) is not None and use.type is None:
            calls.append(ToolCall(len(calls), use.toolUseId, use.name, arguments_of(use.input)))
        if (reasoning := block.reasoningContent) is not None:
            text = reasoning.reasoningText or _Text()
            thoughts.append(text.text or "")
            signatures.add(index, text.signature, reasoning.redactedContent)
    choice = Choice(
        content="".join(texts) if texts else None, reasoning="".join(thoughts) or None, tool_calls=calls,
        reasoning_signature=signatures.signature, redacted_reasoning=signatures.redacted,
        finish_reason=_reason(response.stopReason),
    )  # fmt: skip
    return Completion([choice], _usage(response.usage))


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
        self._signatures = _Signatures()

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
                choice = Choice(finish_reason=_reason(found.stopReason))
                choice.reasoning_signature = self._signatures.signature
                choice.redacted_reasoning = self._signatures.redacted
                return _completion(choice)
            case "metadata" if found.usage is not None:
                return Completion((), _usage(found.usage))
        return None

    def _start(self, index: int, use: _Use) -> Completion | None:
        if use.type is not None:  # a call that the provider makes itself
            return None
        if len(self._calls) == MAX_ITEMS or index in self._calls:
            raise MalformedResponse("it has too many tool calls, or one of them twice")
        self._calls[index] = len(self._calls)
        self._without_arguments.add(index)
        return _completion(Choice(tool_calls=[ToolCall(self._calls[index], use.toolUseId, use.name)]))

    def _delta(self, index: int, delta: _Block) -> Completion | None:
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


def _reason(reason: str | None) -> FinishReason:
    if reason is not None and reason.startswith("malformed_"):
        raise ProviderFailed("the model's output is malformed", 502, reason)
    return _REASONS.get(reason or "", "stop")


def _failed(event: Event) -> ProviderFailed:
    code = event.name.removeprefix(EXCEPTION)
    message: Object | str | None
    try:
        message = read(_decode_event, event.data).message
    except MalformedResponse:
        message = None
    return ProviderFailed(message or "no message", _STATUSES.get(code.lower(), 500), code or None)


def _usage(usage: _Usage | None) -> Usage | None:
    """Return the usage; the tokens of the cache are not a part of `inputTokens`."""
    if usage is None or usage.inputTokens is None:
        return None
    cached, written = known(usage.cacheReadInputTokens), known(usage.cacheWriteInputTokens)
    prompt = (known(usage.inputTokens) or 0) + (cached or 0) + (written or 0)
    return Usage(prompt, known(usage.outputTokens) or 0, cached, written)
