"""The shape of `invoke` and `stream` of the orq.ai Deployments API."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from moorage import clock
from moorage.api.calls.shape import DONE, CallIds
from moorage.core.errors.base import MoorageError
from moorage.core.times import iso
from moorage.providers.completion import Choice, Completion, ToolCall, Usage


class Telemetry(msgspec.Struct, frozen=True):
    """The ids of the call in a trace: 32 and 16 hexadecimal digits."""

    trace_id: str
    span_id: str


class CalledFunction(msgspec.Struct, frozen=True):
    """A function that the model calls; `arguments` is a JSON text, or a part of it in a stream."""

    name: str
    arguments: str


class InvokeToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call of a tool. In a stream, `id` is in its first event, and the name is empty in the others."""

    index: int
    type: str
    function: CalledFunction
    id: str | UnsetType = UNSET


class InvokeMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message of the model. An image has the `url`, which can be a data URI."""

    type: str
    role: str
    content: str | UnsetType | None = UNSET
    tool_calls: list[InvokeToolCall] | UnsetType = UNSET
    reasoning: str | UnsetType = UNSET
    reasoning_signature: str | UnsetType = UNSET
    redacted_reasoning: str | UnsetType = UNSET
    url: str | UnsetType = UNSET


class InvokeChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the responses of a model."""

    message: InvokeMessage
    index: Any = UNSET
    finish_reason: str | UnsetType = UNSET


class CachedTokens(msgspec.Struct, frozen=True):
    """The tokens that came from a cache; null if the provider did not report it."""

    cached_tokens: int | None


class ReasoningTokens(msgspec.Struct, frozen=True):
    """The tokens of reasoning; null if the provider did not report it."""

    reasoning_tokens: int | None


class InvokeUsage(msgspec.Struct, frozen=True):
    """Numbers of tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens
    completion_tokens_details: ReasoningTokens

    @classmethod
    def of(cls, usage: Usage) -> "InvokeUsage":
        """Return the usage of a response."""
        return cls(
            usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, CachedTokens(usage.cached_tokens),
            ReasoningTokens(usage.reasoning_tokens),
        )  # fmt: skip


class InvokeResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The response to `invoke`, and an event of `stream`."""

    id: str
    created: str
    object: Literal["chat", "completion", "image"]
    model: str
    provider: str
    telemetry: Telemetry
    choices: list[InvokeChoice]
    is_final: bool
    finalized: str | UnsetType = UNSET
    system_fingerprint: str | UnsetType = UNSET
    retrievals: Any = UNSET
    usage: InvokeUsage | UnsetType = UNSET


class OrqShape:
    """The response of one call; see `Shape`."""

    def __init__(
        self, ids: CallIds, kind: str, provider: str, model: str, *, with_usage: bool, with_retrievals: bool
    ) -> None:
        """`kind` is the type of the model; usage and retrievals are a part of the response if a request asks."""
        self.provider, self.model = provider, model
        self._ids = ids
        self._object: Literal["chat", "completion", "image"] = "completion" if kind == "completion" else "chat"
        self._created = iso(ids.at_us)
        self._telemetry = Telemetry(ids.trace_id, ids.span_id)
        self._with_usage = with_usage
        self._retrievals: Any = [] if with_retrievals else UNSET
        self._usage: Usage | None = None
        self._reasons: dict[int, str] = {}

    def response(self, completion: Completion) -> bytes:
        """Return the body of a response that is no stream."""
        choices = [_whole(choice) for choice in completion.choices]
        self._usage = completion.usage
        return _encode(self._final(choices, completion.system_fingerprint))

    def images(self, urls: Sequence[str], usage: Usage | None) -> bytes:
        """Return the body of a response with images, each of which is a choice."""
        self._object, self._usage = "image", usage
        choices = [
            InvokeChoice(InvokeMessage("image", "assistant", url=url), index, "stop") for index, url in enumerate(urls)
        ]
        return _encode(self._final(choices, None))

    def chunks(self, completions: Sequence[Completion]) -> bytes:
        """Return the events for what the model wrote."""
        pieces = list[bytes]()
        for completion in completions:
            self._usage = completion.usage or self._usage
            choices = [found for choice in completion.choices if (found := self._delta(choice)) is not None]
            if choices:
                event = InvokeResponse(
                    self._ids.id,
                    self._created,
                    self._object,
                    self.model,
                    self.provider,
                    self._telemetry,
                    choices,
                    is_final=False,
                )
                pieces += (b"data: ", _encode(event), b"\n\n")
        return b"".join(pieces)

    def end(self) -> bytes:
        """Return the last event, which has the finish reasons, and the end of the stream."""
        choices = [
            InvokeChoice(InvokeMessage("content", "assistant", ""), index, reason)
            for index, reason in sorted(self._reasons.items() or [(0, "stop")])
        ]
        return b"data: %b\n\n%b" % (_encode(self._final(choices, None)), DONE)

    def failure(self, error: MoorageError, body: bytes) -> bytes | None:
        """Return None: clients of this API reject every event that is not a response."""

    def _final(self, choices: list[InvokeChoice], fingerprint: str | None) -> InvokeResponse:
        usage = InvokeUsage.of(self._usage) if self._with_usage and self._usage is not None else UNSET
        return InvokeResponse(
            self._ids.id, self._created, self._object, self.model, self.provider, self._telemetry, choices,
            is_final=True, finalized=iso(clock.now_us()), system_fingerprint=fingerprint or UNSET,
            retrievals=self._retrievals, usage=usage,
        )  # fmt: skip

    def _delta(self, choice: Choice) -> InvokeChoice | None:
        if choice.finish_reason is not None:
            self._reasons[choice.index] = choice.finish_reason
        message = _message(choice, choice.content)
        if message.type == "content" and not message.content and not _has_reasoning(choice):
            return None
        return InvokeChoice(message, choice.index)


_encode = msgspec.json.Encoder().encode


def _has_reasoning(choice: Choice) -> bool:
    return bool(choice.reasoning or choice.reasoning_signature or choice.redacted_reasoning)


def _whole(choice: Choice) -> InvokeChoice:
    content = choice.refusal if choice.content is None else choice.content
    message = _message(choice, content)
    if message.type == "content" and content is None:
        message = msgspec.structs.replace(message, content="")
    return InvokeChoice(message, choice.index, choice.finish_reason or "stop")


def _message(choice: Choice, content: str | None) -> InvokeMessage:
    calls = [_call(call) for call in choice.tool_calls]
    if content is None and choice.refusal:
        content = choice.refusal
    return InvokeMessage(
        "tool_calls" if calls else "content", "assistant", content if calls or content is not None else "",
        calls or UNSET, choice.reasoning or UNSET, choice.reasoning_signature or UNSET,
        choice.redacted_reasoning or UNSET,
    )  # fmt: skip


def _call(call: ToolCall) -> InvokeToolCall:
    return InvokeToolCall(call.index, "function", CalledFunction(call.name or "", call.arguments), call.id or UNSET)
