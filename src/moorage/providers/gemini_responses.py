"""Responses and streams of the Gemini API: an event of a stream has the form of a response."""

from collections.abc import Mapping
from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.completion import Choice, Completion, FinishReason, ToolCall, Usage, new_call_id
from moorage.providers.decoding import MAX_ITEMS, Number, arguments_of, known, read
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.protocol import Event

#: Reasons in the vocabulary of OpenAI. Other words are `stop`: the model ended by itself.
_REASONS: Final[Mapping[str, FinishReason]] = {
    "MAX_TOKENS": "length", "SAFETY": "content_filter", "RECITATION": "content_filter", "LANGUAGE": "content_filter",
    "OTHER": "content_filter", "BLOCKLIST": "content_filter", "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter", "IMAGE_SAFETY": "content_filter", "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter", "IMAGE_OTHER": "content_filter", "MODEL_ARMOR": "content_filter",
}  # fmt: skip

#: Reasons of a model that failed: the response is not what it wanted to say, so another attempt can help.
_FAILURES: Final = frozenset((
    "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
    "MALFORMED_RESPONSE",
))  # fmt: skip


class _FunctionCall(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    args: msgspec.Raw = msgspec.Raw(b"")


class _Part(msgspec.Struct):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = msgspec.field(default=None, name="thoughtSignature")
    function_call: _FunctionCall | None = msgspec.field(default=None, name="functionCall")


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Token(msgspec.Struct, rename="camel"):
    token: str = ""
    log_probability: float = 0.0


class _Tokens(msgspec.Struct):
    candidates: list[_Token] | None = None


class _Probabilities(msgspec.Struct, rename="camel"):
    chosen_candidates: list[_Token] | None = None
    top_candidates: list[_Tokens] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    index: int | None = None
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    logprobs_result: _Probabilities | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None
    block_reason_message: str | None = None


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: Number = None
    tool_use_prompt_token_count: Number = None
    candidates_token_count: Number = None
    thoughts_token_count: Number = None
    cached_content_token_count: Number = None


class _Error(msgspec.Struct):
    code: int | None = None
    message: str | None = None
    status: str | None = None


class _Response(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Usage | None = None
    model_version: str | None = None
    response_id: str | None = None
    error: _Error | None = None


_decode = msgspec.json.Decoder(_Response).decode


def decode(body: bytes) -> Completion:
    """Return the response in a body.

    Raises:
        MalformedResponse
        ProviderFailed: the body is an error, although its status is a success, or the model failed.
    """
    parser = Parser()
    completion = parser.add(body)
    if not completion.choices:
        raise MalformedResponse("it has no candidates")
    for choice in completion.choices:
        choice.finish_reason = choice.finish_reason or ("tool_calls" if choice.tool_calls else "stop")
    completion.usage = parser.usage
    return completion


class Parser:
    """Parses the events of one stream. It is complete when all candidates have a reason, or the prompt is blocked."""

    def __init__(self) -> None:
        self.is_complete = False
        self.usage: Usage | None = None
        self._calls: dict[int, int] = {}  # the number of calls of each candidate
        self._open: set[int] = set()
        self._ended: set[int] = set()

    def feed(self, event: Event) -> Completion | None:
        """Return what an event adds, or None.

        Every event has the numbers of tokens so far, so they are returned at the end.

        Raises:
            MalformedResponse
            ProviderFailed: the provider reported an error in the stream, or the model failed.
        """
        completion = self.add(event.data)
        if self.is_complete:
            completion.usage = self.usage
        return completion if completion.choices or completion.usage else None

    def add(self, data: bytes) -> Completion:
        """Return the choices of a response or an event, and store the numbers of tokens."""
        response = read(_decode, data)
        if (error := response.error) is not None:
            raise ProviderFailed(error.message or "no message", error.code or 500, error.status)
        self.usage = _usage(response.usage_metadata) or self.usage
        choices = [self._choice(place, candidate) for place, candidate in enumerate(response.candidates or ())]
        feedback = response.prompt_feedback
        if not choices and feedback and feedback.block_reason:
            choices = [Choice(refusal=feedback.block_reason_message, finish_reason="content_filter")]
            self.is_complete = True
        return Completion(choices, None, response.response_id, response.model_version)

    def _choice(self, place: int, candidate: _Candidate) -> Choice:
        index = place if candidate.index is None else candidate.index
        if not 0 <= index < MAX_ITEMS:
            raise MalformedResponse("the index of a candidate is out of range")
        parts = (candidate.content.parts if candidate.content else None) or ()
        calls = [self._call(index, part.function_call, part) for part in parts if part.function_call is not None]
        choice = Choice(
            index,
            content=_joined([part.text for part in parts if part.text is not None and not part.thought]),
            reasoning=_joined([part.text for part in parts if part.text is not None and part.thought]),
            tool_calls=calls,
            logprobs=_logprobs(candidate.logprobs_result),
        )
        if candidate.finish_reason:
            choice.finish_reason = self._reason(index, candidate)
            choice.refusal = candidate.finish_message if choice.finish_reason == "content_filter" else None
            self._open.discard(index)
            self._ended.add(index)
            self.is_complete = not self._open
        elif index not in self._ended:
            self._open.add(index)
        return choice

    def _call(self, index: int, function: _FunctionCall, part: _Part) -> ToolCall:
        number = self._calls.get(index, 0)
        if number == MAX_ITEMS:
            raise MalformedResponse("it has too many tool calls")
        self._calls[index] = number + 1
        return ToolCall(
            number, function.id or new_call_id(), function.name or "", arguments_of(function.args),
            part.thought_signature,
        )  # fmt: skip

    def _reason(self, index: int, candidate: _Candidate) -> FinishReason:
        reason = candidate.finish_reason or ""
        if reason in _FAILURES:
            raise ProviderFailed(candidate.finish_message or f"the model stopped with {reason}", code=reason)
        found = _REASONS.get(reason, "stop")
        return "tool_calls" if found == "stop" and index in self._calls else found


def _joined(texts: list[str]) -> str | None:
    return "".join(texts) if texts else None


def _logprobs(found: _Probabilities | None) -> Object | None:
    """Return the probabilities in the form of OpenAI."""
    if found is None or found.chosen_candidates is None:
        return None
    top = [tokens.candidates or [] for tokens in found.top_candidates or ()]
    top += [[]] * (len(found.chosen_candidates) - len(top))
    return {"content": [
        _token(token) | {"top_logprobs": [_token(other) for other in others]}
        for token, others in zip(found.chosen_candidates, top, strict=False)
    ]}  # fmt: skip


def _token(token: _Token) -> Object:
    return {"token": token.token, "logprob": token.log_probability, "bytes": [*token.token.encode()]}


def _usage(usage: _Usage | None) -> Usage | None:
    if usage is None:
        return None
    thoughts = known(usage.thoughts_token_count)
    return Usage(
        prompt_tokens=(known(usage.prompt_token_count) or 0) + (known(usage.tool_use_prompt_token_count) or 0),
        completion_tokens=(known(usage.candidates_token_count) or 0) + (thoughts or 0),
        cached_tokens=known(usage.cached_content_token_count),
        reasoning_tokens=thoughts,
    )
