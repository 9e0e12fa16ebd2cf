"""Responses of the Converse API of Amazon Bedrock."""

from collections.abc import Mapping
from typing import Final

import msgspec

from moorage.providers.completion import Choice, Completion, FinishReason, ToolCall, Usage, new_call_id
from moorage.providers.decoding import MAX_ITEMS, Number, arguments_of, known, read
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.event_stream import MAX_MESSAGE

_REASONS: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "model_context_window_exceeded": "length",
    "tool_use": "tool_calls", "content_filtered": "content_filter", "guardrail_intervened": "content_filter",
}  # fmt: skip


class Text(msgspec.Struct):
    """Thoughts with their signature."""

    text: str | None = None
    signature: str | None = None


class Reasoning(msgspec.Struct):
    """Reasoning in a response, with `reasoningText`, or in an event, with the other fields."""

    reasoningText: Text | None = None  # noqa: N815 -- the name in the API
    redactedContent: str | None = None  # noqa: N815 -- the name in the API
    text: str | None = None
    signature: str | None = None


class Use(msgspec.Struct):
    """A tool call; one with a `type` is made by the provider itself."""

    toolUseId: str = ""  # noqa: N815 -- the name in the API
    name: str = ""
    input: msgspec.Raw = msgspec.Raw()
    type: str | None = None


class Block(msgspec.Struct):
    """A block of a message, or what an event adds to it."""

    text: str | None = None
    toolUse: Use | None = None  # noqa: N815 -- the name in the API
    reasoningContent: Reasoning | None = None  # noqa: N815 -- the name in the API


class _Message(msgspec.Struct):
    content: list[Block] = []


class _Output(msgspec.Struct):
    message: _Message | None = None


class WireUsage(msgspec.Struct):
    """The usage in the names of the API."""

    inputTokens: Number = None  # noqa: N815 -- the name in the API
    outputTokens: Number = None  # noqa: N815 -- the name in the API
    cacheReadInputTokens: Number = None  # noqa: N815 -- the name in the API
    cacheWriteInputTokens: Number = None  # noqa: N815 -- the name in the API


class _Response(msgspec.Struct):
    output: _Output | None = None
    stopReason: str | None = None  # noqa: N815 -- the name in the API
    usage: WireUsage | None = None


class Signatures:
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
    texts, thoughts, calls, signatures = list[str](), list[str](), list[ToolCall](), Signatures()
    for index, block in enumerate(response.output.message.content):
        if block.text is not None:
            texts.append(block.text)
        if (use := block.toolUse) is not None and use.type is None:
            calls.append(ToolCall(len(calls), use.toolUseId or new_call_id(), use.name, arguments_of(use.input)))
        if (reasoning := block.reasoningContent) is not None:
            text = reasoning.reasoningText or Text()
            thoughts.append(text.text or "")
            signatures.add(index, text.signature, reasoning.redactedContent)
    choice = Choice(
        content="".join(texts) if texts else None, reasoning="".join(thoughts) or None, tool_calls=calls,
        reasoning_signature=signatures.signature, redacted_reasoning=signatures.redacted,
        finish_reason=reason_of(response.stopReason),
    )  # fmt: skip
    return Completion([choice], usage_of(response.usage))


def reason_of(reason: str | None) -> FinishReason:
    """Return the reason in the vocabulary of OpenAI.

    Raises:
        ProviderFailed: the output of the model is malformed.
    """
    if reason is not None and reason.startswith("malformed_"):
        raise ProviderFailed("the model's output is malformed", 502, reason)
    return _REASONS.get(reason or "", "stop")


def usage_of(usage: WireUsage | None) -> Usage | None:
    """Return the usage; the tokens of the cache are not a part of `inputTokens`."""
    if usage is None or usage.inputTokens is None:
        return None
    cached, written = known(usage.cacheReadInputTokens), known(usage.cacheWriteInputTokens)
    prompt = (known(usage.inputTokens) or 0) + (cached or 0) + (written or 0)
    return Usage(prompt, known(usage.outputTokens) or 0, cached, written)
