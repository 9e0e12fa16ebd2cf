"""The shape of `POST /v1/chat/completions`: that of OpenAI, complete, because some clients require every field."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from moorage.api.calls.shape import DONE, CallIds
from moorage.core.errors.base import MoorageError
from moorage.providers.completion import Choice, Completion, ToolCall, Usage


class ChatFunction(msgspec.Struct, frozen=True, omit_defaults=True):
    """A function that the model calls. In a stream, the name is in the first event of the call only."""

    arguments: str
    name: str | UnsetType = UNSET


class ChatToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call of a tool. In a stream, `index` connects its events, and `id` is in the first one only."""

    function: ChatFunction
    index: Any = UNSET
    id: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    extra_content: Any = UNSET


class ChatMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message of the model, or what an event adds to it."""

    role: str | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    refusal: str | UnsetType | None = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ChatToolCall] | UnsetType = UNSET
    annotations: Any = UNSET
    audio: Any = UNSET
    reasoning: str | UnsetType = UNSET
    reasoning_signature: str | UnsetType = UNSET
    redacted_reasoning: str | UnsetType = UNSET


class ChatChoice(msgspec.Struct, frozen=True):
    """One of the responses of a model."""

    index: int
    message: ChatMessage
    logprobs: Any
    finish_reason: str


class ChunkChoice(msgspec.Struct, frozen=True):
    """What an event adds to a response."""

    index: int
    delta: ChatMessage
    logprobs: Any
    finish_reason: str | None


class PromptTokens(msgspec.Struct, frozen=True):
    """The tokens of the prompt that came from a cache."""

    cached_tokens: int


class CompletionTokens(msgspec.Struct, frozen=True):
    """The tokens of reasoning."""

    reasoning_tokens: int


class ChatUsage(msgspec.Struct, frozen=True):
    """Numbers of tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokens
    completion_tokens_details: CompletionTokens

    @classmethod
    def of(cls, usage: Usage | None) -> "ChatUsage":
        """Return the usage of a response; zeros if the provider did not report it, because clients require it."""
        usage = usage or Usage()
        return cls(
            usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, PromptTokens(usage.cached_tokens or 0),
            CompletionTokens(usage.reasoning_tokens or 0),
        )  # fmt: skip


class ChatResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The response to `POST /v1/chat/completions`."""

    id: str
    object: str
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage
    system_fingerprint: str | UnsetType = UNSET


class ChatChunk(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event of a stream."""

    id: str
    object: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Any = UNSET
    system_fingerprint: str | UnsetType = UNSET


class OpenAiChatShape:
    """The response of one call; see `Shape`."""

    def __init__(self, ids: CallIds, model: str, *, with_usage: bool, is_router: bool = False) -> None:
        """A stream has an event with the usage only if the request asks for it: others break on its empty choices.

        Clients of the router of orq.ai have other names for the thoughts of a model (`is_router`).
        """
        self._is_router = is_router
        self.model = model
        self._id = f"chatcmpl-{ids.id}"
        self._created = ids.at_us // 1_000_000
        self._with_usage = with_usage
        self._usage: Usage | None = None
        self._started: set[int] = set()
        self._finished: set[int] = set()

    def response(self, completion: Completion) -> bytes:
        """Return the body of a response that is no stream."""
        choices = [
            ChatChoice(
                choice.index,
                self._with_thoughts(_message(choice), choice),
                choice.logprobs,
                choice.finish_reason or "stop",
            )
            for choice in completion.choices
        ]
        response = ChatResponse(
            self._id, "chat.completion", self._created, completion.model or self.model, choices,
            ChatUsage.of(completion.usage), completion.system_fingerprint or UNSET,
        )  # fmt: skip
        return _encode(response)

    def chunks(self, completions: Sequence[Completion]) -> bytes:
        """Return the events for what the model wrote."""
        pieces = list[bytes]()
        for completion in completions:
            self._usage = completion.usage or self._usage
            if completion.model:
                self.model = completion.model
            choices = [found for choice in completion.choices if (found := self._delta(choice)) is not None]
            if choices:
                pieces += (b"data: ", self._chunk(choices, UNSET, completion.system_fingerprint), b"\n\n")
        return b"".join(pieces)

    def end(self) -> bytes:
        """Return the last events: finish reasons that the provider did not send, the usage, and the end."""
        pieces = list[bytes]()
        left = [
            ChunkChoice(index, ChatMessage(), None, "stop") for index in sorted(self._started - self._finished or ())
        ]
        if not self._started:
            left = [ChunkChoice(0, ChatMessage("assistant", ""), None, "stop")]
        if left:
            pieces += (b"data: ", self._chunk(left), b"\n\n")
        if self._with_usage:
            pieces += (b"data: ", self._chunk([], ChatUsage.of(self._usage)), b"\n\n")
        pieces.append(DONE)
        return b"".join(pieces)

    def failure(self, error: MoorageError, body: bytes) -> bytes:
        """Return the event for an error: clients raise it with its message and code."""
        return b"data: %b\n\n" % body

    def _chunk(self, choices: list[ChunkChoice], usage: Any = UNSET, fingerprint: str | None = None) -> bytes:
        return _encode(
            ChatChunk(
                self._id, "chat.completion.chunk", self._created, self.model, choices, usage, fingerprint or UNSET
            )
        )

    def _with_thoughts(self, message: ChatMessage, choice: Choice) -> ChatMessage:
        if not self._is_router or not (choice.reasoning or choice.reasoning_signature or choice.redacted_reasoning):
            return message
        return msgspec.structs.replace(
            message,
            reasoning=choice.reasoning or UNSET,
            reasoning_signature=choice.reasoning_signature or UNSET,
            redacted_reasoning=choice.redacted_reasoning or UNSET,
        )

    def _delta(self, choice: Choice) -> ChunkChoice | None:
        index = choice.index
        role: str | UnsetType = UNSET if index in self._started else "assistant"
        calls = [_part(call) for call in choice.tool_calls]
        content: str | UnsetType = UNSET if choice.content is None else choice.content
        if role is not UNSET and content is UNSET and not calls:
            content = ""
        delta = ChatMessage(
            role, content, choice.refusal or UNSET, choice.reasoning or UNSET, calls or UNSET,
            _given(choice.annotations), _given(choice.audio),
        )  # fmt: skip
        delta = self._with_thoughts(delta, choice)
        if choice.finish_reason is None and delta == _NOTHING and choice.logprobs is None:
            return None
        if choice.finish_reason is not None:
            self._finished.add(index)
        self._started.add(index)
        return ChunkChoice(index, delta, choice.logprobs, choice.finish_reason)


_NOTHING = ChatMessage()
_encode = msgspec.json.Encoder().encode


def _message(choice: Choice) -> ChatMessage:
    calls = [_call(call) for call in choice.tool_calls]
    return ChatMessage(
        "assistant", choice.content, choice.refusal, choice.reasoning or UNSET, calls or UNSET,
        UNSET if choice.annotations is None else choice.annotations, UNSET if choice.audio is None else choice.audio,
    )  # fmt: skip


def _given(value: Any) -> Any:
    return UNSET if value is None else value


def _call(call: ToolCall) -> ChatToolCall:
    function = ChatFunction(call.arguments, call.name or "")
    return ChatToolCall(function, UNSET, call.id or "", "function", _signature(call))


def _part(call: ToolCall) -> ChatToolCall:
    """Return a part of a call. Clients join texts of all parts, so the id and the name must not be repeated."""
    if call.id is None:
        return ChatToolCall(ChatFunction(call.arguments), call.index)
    return ChatToolCall(
        ChatFunction(call.arguments, call.name or ""), call.index, call.id, "function", _signature(call)
    )


def _signature(call: ToolCall) -> Any:
    """Return the signature of a thought where Google's own OpenAI form has it; clients send it back."""
    return {"google": {"thought_signature": call.thought_signature}} if call.thought_signature else UNSET
