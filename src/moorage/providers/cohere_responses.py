"""Responses and streams of the Cohere Chat API, version 2."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from moorage.providers.completion import Choice, Completion, FinishReason, ToolCall, Usage, new_call_id
from moorage.providers.decoding import MAX_ITEMS, Number, known, read
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.protocol import Event

#: Reasons in the vocabulary of OpenAI. Other words are `stop`: the model ended by itself.
_REASONS: Final[Mapping[str, FinishReason]] = {
    "MAX_TOKENS": "length", "ERROR_LIMIT": "length", "TOOL_CALL": "tool_calls", "ERROR_TOXIC": "content_filter",
}  # fmt: skip

#: Reasons of a model that failed, and the status of the same error outside of a stream.
_FAILURES: Final = {"ERROR": 500, "TIMEOUT": 504}


class _Text(msgspec.Struct):
    """A part of a content, or what an event adds to one."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    id: str | None = None
    function: _Function | None = None


class _Message(msgspec.Struct):
    content: list[_Text] | str | None = None
    tool_plan: str | None = None
    tool_calls: list[_Call] | None = None


class _Tokens(msgspec.Struct):
    input_tokens: Number = None
    output_tokens: Number = None


class _Usage(msgspec.Struct):
    billed_units: _Tokens | None = None
    tokens: _Tokens | None = None
    cached_tokens: Number = None


class _Response(msgspec.Struct):
    id: str | None = None
    message: _Message | str | None = None
    finish_reason: str | None = None
    usage: _Usage | None = None


class _Added(msgspec.Struct):
    """A message in an event: the same fields, but each is one object or a list."""

    content: _Text | list[_Text] | None = None
    tool_plan: str | None = None
    tool_calls: _Call | list[_Call] | None = None


class _Delta(msgspec.Struct):
    message: _Added | None = None
    finish_reason: str | None = None
    usage: _Usage | None = None
    error: str | None = None


class _Event(msgspec.Struct):
    type: str
    id: str | None = None
    delta: _Delta | None = None
    message: str | None = None


_decode_response = msgspec.json.Decoder(_Response).decode
_decode_event = msgspec.json.Decoder(_Event).decode


def decode(body: bytes) -> Completion:
    """Return the response in a body.

    Raises:
        MalformedResponse
        ProviderFailed: the body is an error, although its status is a success, or the model failed.
    """
    response = read(_decode_response, body)
    message = response.message
    if isinstance(message, str):  # the form of errors
        raise ProviderFailed(message)
    if message is None:
        raise MalformedResponse("it has no message")
    reason = _reason(response.finish_reason or "COMPLETE", None)
    parts = [_Text(text=message.content)] if isinstance(message.content, str) else message.content or []
    texts = [message.tool_plan, *(part.text for part in parts)]
    calls = [
        ToolCall(index, call.id or new_call_id(), (call.function or _NO_FUNCTION).name or "",
                 (call.function or _NO_FUNCTION).arguments or "{}")
        for index, call in enumerate(message.tool_calls or ())
    ]  # fmt: skip
    choice = Choice(
        content=_joined(texts), reasoning=_joined([part.thinking for part in parts]), tool_calls=calls,
        finish_reason=reason,
    )  # fmt: skip
    return Completion([choice], _usage(response.usage), response.id)


class Parser:
    """Parses the events of one stream, which ends with `message-end`."""

    def __init__(self) -> None:
        self.is_complete = False
        self._n_calls = 0
        self._is_empty = False  # the arguments of the last call

    def feed(self, event: Event) -> Completion | None:
        """Return what an event adds, or None.

        Raises:
            MalformedResponse
            ProviderFailed: the provider reported an error in the stream, or the model failed.
        """
        if event.data == b"[DONE]":
            return None
        found = read(_decode_event, event.data)
        delta = found.delta or _NO_DELTA
        match found.type:
            case "message-start":
                return Completion((), None, found.id)
            case "message-end":
                self.is_complete = True
                reason = _reason(delta.finish_reason or "COMPLETE", delta.error)
                return Completion([Choice(finish_reason=reason)], _usage(delta.usage))
            case "error":
                raise ProviderFailed(found.message or delta.error or "no message")
        return self._add(found.type, delta.message or _NOTHING)

    def _add(self, kind: str, added: _Added) -> Completion | None:
        """Return what an event adds to the message."""
        completion = None
        match kind:
            case "content-start" | "content-delta" if isinstance(added.content, _Text):
                text, thinking = added.content.text or None, added.content.thinking or None
                completion = _completion(content=text, reasoning=thinking) if text or thinking else None
            case "tool-plan-delta" if added.tool_plan:
                completion = _completion(content=added.tool_plan)
            case "tool-call-start" if isinstance(added.tool_calls, _Call):
                completion = self._start(added.tool_calls)
            case "tool-call-delta" if isinstance(added.tool_calls, _Call):
                completion = self._continue((added.tool_calls.function or _NO_FUNCTION).arguments)
            case "tool-call-end" if self._is_empty:
                completion = self._continue("{}")
        return completion

    def _start(self, call: _Call) -> Completion:
        if self._n_calls == MAX_ITEMS:
            raise MalformedResponse("it has too many tool calls")
        function = call.function or _NO_FUNCTION
        self._is_empty = not function.arguments
        self._n_calls += 1
        number = self._n_calls - 1
        first = ToolCall(number, call.id or new_call_id(), function.name or "", function.arguments or "")
        return _completion(tool_calls=[first])

    def _continue(self, arguments: str | None) -> Completion | None:
        if not arguments:
            return None
        if not self._n_calls:
            raise MalformedResponse("it has arguments without a tool call")
        self._is_empty = False
        return _completion(tool_calls=[ToolCall(self._n_calls - 1, arguments=arguments)])


_NO_FUNCTION: Final = _Function()
_NO_DELTA: Final = _Delta()
_NOTHING: Final = _Added()


def _completion(
    *, content: str | None = None, reasoning: str | None = None, tool_calls: Sequence[ToolCall] = ()
) -> Completion:
    return Completion([Choice(content=content, reasoning=reasoning, tool_calls=tool_calls)])


def _joined(texts: list[str | None]) -> str | None:
    return "".join(text for text in texts if text) or None


def _reason(reason: str, error: str | None) -> FinishReason:
    if reason in _FAILURES:
        raise ProviderFailed(error or f"the model stopped with {reason}", _FAILURES[reason], reason)
    return _REASONS.get(reason, "stop")


def _usage(usage: _Usage | None) -> Usage | None:
    """Return the tokens that the model used; those that are billed are fewer."""
    tokens = (usage.tokens or usage.billed_units) if usage else None
    if usage is None or tokens is None:
        return None
    return Usage(known(tokens.input_tokens) or 0, known(tokens.output_tokens) or 0, known(usage.cached_tokens))
