"""The responses of models in one form, whatever the provider sent.

A complete response and an event of a stream have the same types. In an event, texts and arguments are the parts that
follow those of earlier events, and whatever did not change is None or empty.
"""

import secrets
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

#: Why a model stopped; the vocabulary of OpenAI. Every protocol has a table from its own.
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


class ToolCall(msgspec.Struct, gc=False):
    """A call of a tool. In a stream, `id` and `name` are in the first event of the call only.

    `index` is the position among the calls of the choice. `arguments` is a JSON text, or a part of it.
    """

    index: int = 0
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    thought_signature: str | None = None


class Usage(msgspec.Struct, gc=False):
    """Numbers of tokens. `prompt_tokens` includes those from a cache, and those that were written to one.

    A number is None if the provider did not report it.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None

    @property
    def total_tokens(self) -> int:
        """The tokens of the prompt and of the response."""
        return self.prompt_tokens + self.completion_tokens


class Choice(msgspec.Struct):
    """One of the responses, or what an event of a stream adds to it.

    `reasoning_signature` and `redacted_reasoning` are what Anthropic requires back; others ignore them. `logprobs`,
    `annotations` and `audio` are in the form of OpenAI.
    """

    index: int = 0
    content: str | None = None
    reasoning: str | None = None
    reasoning_signature: str | None = None
    redacted_reasoning: str | None = None
    refusal: str | None = None
    tool_calls: Sequence[ToolCall] = ()
    finish_reason: FinishReason | None = None
    logprobs: Any = None
    annotations: Any = None
    audio: Any = None


class Completion(msgspec.Struct):
    """A response, or an event of a stream. `model` is the provider's own name of the model that responded.

    `response`, `output` and `event` are for callers of the Responses API, if the provider has it, too: fields of the
    response and its items as JSON, and an event of a stream that is sent to them as it is. The choices have no content
    then.
    """

    choices: Sequence[Choice] = ()
    usage: Usage | None = None
    id: str | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    response: bytes | None = None
    output: bytes | None = None
    event: bytes | None = None


def new_call_id() -> str:
    """Return an id for a tool call of a provider that sends none. Clients send it back with the result."""
    return f"call_{secrets.token_hex(12)}"
