"""Responses of the Anthropic Messages API, and what its streams share with them."""

from collections.abc import Mapping
from typing import Final

import msgspec

from moorage.providers.completion import Choice, Completion, FinishReason, ToolCall, Usage, new_call_id
from moorage.providers.decoding import Number, arguments_of, known, read
from moorage.providers.errors import MalformedResponse, ProviderFailed

#: Reasons in the vocabulary of OpenAI. Other words are `stop`: the model ended by itself.
_REASONS: Final[Mapping[str, FinishReason]] = {
    "max_tokens": "length", "model_context_window_exceeded": "length", "tool_use": "tool_calls",
    "refusal": "content_filter",
}  # fmt: skip

#: The status of the same error outside of a stream.
_STATUSES: Final = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "timeout_error": 504,
    "overloaded_error": 529,
}  # fmt: skip


class _Details(msgspec.Struct):
    thinking_tokens: Number = None
    explanation: str | None = None


class WireUsage(msgspec.Struct):
    """Numbers of tokens; those of a prompt from a cache are not part of `input_tokens`."""

    input_tokens: Number = None
    output_tokens: Number = None
    cache_creation_input_tokens: Number = None
    cache_read_input_tokens: Number = None
    output_tokens_details: _Details | None = None


class Block(msgspec.Struct):
    """A block of content, or a part of one."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw(b"")
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_details: _Details | None = None


class Error(msgspec.Struct):
    """An error in a body or in an event."""

    type: str = "api_error"
    message: str = "no message"


class Message(msgspec.Struct):
    """A response, or the start of a stream."""

    type: str = ""
    id: str | None = None
    model: str | None = None
    content: list[Block] | None = None
    stop_reason: str | None = None
    stop_details: _Details | None = None
    usage: WireUsage | None = None
    error: Error | None = None


_decode_message = msgspec.json.Decoder(Message).decode


def decode(body: bytes) -> Completion:
    """Return the response in a body.

    Raises:
        MalformedResponse
        ProviderFailed: the body is an error, although its status is a success.
    """
    message = read(_decode_message, body)
    if message.error is not None:
        raise failed(message.error)
    if message.content is None:
        raise MalformedResponse("it has no content")
    blocks = message.content
    calls = [
        ToolCall(index, block.id or new_call_id(), block.name or "", arguments_of(block.input))
        for index, block in enumerate(block for block in blocks if block.type == "tool_use")
    ]
    thoughts = [block for block in blocks if block.type == "thinking"]
    redacted = [block.data for block in blocks if block.type == "redacted_thinking"]
    choice = Choice(
        content=_joined([block.text for block in blocks if block.type == "text"]),
        reasoning=_joined([block.thinking for block in thoughts]),
        reasoning_signature=thoughts[0].signature if len(thoughts) == 1 else None,
        redacted_reasoning=redacted[0] if len(redacted) == 1 else None,
        refusal=refusal_of(message.stop_reason, message.stop_details),
        tool_calls=calls,
        finish_reason=reason_of(message.stop_reason or "end_turn"),
    )
    return Completion([choice], usage_of(message.usage), message.id, message.model)


def _joined(texts: list[str | None]) -> str | None:
    return "".join(text for text in texts if text) if texts else None


def reason_of(reason: str) -> FinishReason:
    """Return why the model stopped."""
    return _REASONS.get(reason, "stop")


def refusal_of(reason: str | None, details: _Details | None) -> str | None:
    """Return the explanation of a refusal."""
    return details.explanation if reason == "refusal" and details else None


def failed(error: Error) -> ProviderFailed:
    """Return the exception for an error, with its status outside of a stream."""
    return ProviderFailed(error.message, _STATUSES.get(error.type, 500), error.type)


def usage_of(usage: WireUsage | None) -> Usage | None:
    """Return the numbers of tokens."""
    if usage is None:
        return None
    cached, written = known(usage.cache_read_input_tokens), known(usage.cache_creation_input_tokens)
    details = usage.output_tokens_details
    return Usage(
        prompt_tokens=(known(usage.input_tokens) or 0) + (cached or 0) + (written or 0),
        completion_tokens=known(usage.output_tokens) or 0,
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=known(details.thinking_tokens) if details else None,
    )
