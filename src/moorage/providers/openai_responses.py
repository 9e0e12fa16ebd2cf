"""Responses and streams of the OpenAI Chat Completions API, of all providers that implement it."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from moorage.core.deployments.content import DECODE_ERRORS
from moorage.core.resolution.config import Object
from moorage.providers.choices import ChoiceParser, check_indexes
from moorage.providers.completion import Choice, Completion, FinishReason, ToolCall, Usage, new_call_id
from moorage.providers.decoding import MAX_ITEMS, Number, known
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.protocol import Event

#: Reasons of providers, in the vocabulary of OpenAI. Other words are `stop`: the model ended by itself.
_REASONS: Final[Mapping[str, FinishReason]] = {
    "length": "length", "max_tokens": "length", "model_length": "length", "tool_calls": "tool_calls",
    "tool_use": "tool_calls", "function_call": "tool_calls", "content_filter": "content_filter",
    "sensitive": "content_filter", "safety": "content_filter",
}  # fmt: skip


class _Thought(msgspec.Struct):
    text: str = ""


class _Part(msgspec.Struct):
    """A part of a content that is a list: a text, or the thoughts of a Mistral model."""

    type: str = ""
    text: str | None = None
    thinking: str | list[_Thought] | None = None


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | Object | None = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None
    extra_content: Object | None = None


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    annotations: list[Object] | None = None
    audio: Object | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None
    logprobs: Object | None = None


class _Details(msgspec.Struct):
    cached_tokens: Number = None
    reasoning_tokens: Number = None


class _Usage(msgspec.Struct):
    prompt_tokens: Number = None
    completion_tokens: Number = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: Number = None  # DeepSeek
    cached_tokens: Number = None  # Moonshot


class _Groq(msgspec.Struct):
    usage: _Usage | None = None


class _Error(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    type: str | None = None
    status_code: int | None = None


class _Response(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    id: str | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    x_groq: _Groq | None = None
    error: _Error | str | None = None


_decode = msgspec.json.Decoder(_Response).decode


def decode(body: bytes) -> Completion:
    """Return the response in a body.

    Raises:
        MalformedResponse
        ProviderFailed: the body is an error, although its status is a success.
    """
    response = _read(body)
    if not response.choices:
        raise MalformedResponse("it has no choices")
    _check_items(response.choices)
    choices = [_complete_choice(choice) for choice in response.choices]
    return Completion(choices, _usage(response), response.id, response.model, response.system_fingerprint)


class Parser(ChoiceParser):
    """Parses the events of one stream."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[int, list[str]] = {}  # the ids of the calls of each choice

    def feed(self, event: Event) -> Completion | None:
        """Return what an event adds, or None.

        Raises:
            MalformedResponse
            ProviderFailed: the provider reported an error in the stream.
        """
        if event.data == b"[DONE]":
            self.is_complete = True
            return None
        response = _read(event.data)
        if response.choices is None and event.name == "error":
            raise ProviderFailed("the provider reported an error in the stream")
        _check_items(response.choices or ())
        choices = [self._choice(choice) for choice in response.choices or ()]
        usage = _usage(response)
        if not choices and usage is None:
            return None
        return Completion(choices, usage, response.id, response.model, response.system_fingerprint)

    def _choice(self, choice: _Choice) -> Choice:
        delta, index = choice.delta or choice.message or _EMPTY, choice.index
        calls = self._new_calls(index, delta.tool_calls) if delta.tool_calls else ()
        reason = _reason(choice.finish_reason, has_calls=index in self._calls) if choice.finish_reason else None
        self.update(index, has_ended=reason is not None)
        content, thoughts = _texts(delta)
        return Choice(
            index, content, thoughts, None, None, delta.refusal, calls, reason, choice.logprobs, delta.annotations,
            delta.audio,
        )  # fmt: skip

    def _new_calls(self, index: int, calls: Sequence[_Call]) -> list[ToolCall]:
        """Return the parts of calls. Some providers repeat the id in each part, and some have no index."""
        known = self._calls.setdefault(index, [])
        found = []
        for call in calls:
            place = call.index
            if place is None:  # a new id is a new call; without an id, it is a part of the last call
                place = known.index(call.id) if call.id in known else len(known) - (not call.id and bool(known))
            if not 0 <= place < MAX_ITEMS:
                raise MalformedResponse("the index of a tool call is out of range")
            function = call.function or _NO_FUNCTION
            arguments = _arguments(function.arguments)
            if place < len(known) and known[place]:
                found.append(ToolCall(place, None, None, arguments))
                continue
            known += [""] * (place + 1 - len(known))
            known[place] = call.id or new_call_id()
            found.append(ToolCall(place, known[place], function.name or "", arguments, _signature(call)))
        return found


_EMPTY = _Message()
_NO_FUNCTION = _Function()


def _read(body: bytes) -> _Response:
    try:
        response = _decode(body)
    except DECODE_ERRORS as error:
        raise MalformedResponse(f"it is not a response of the Chat Completions API ({error})") from None
    if response.error is not None:
        failed = _Error(response.error) if isinstance(response.error, str) else response.error
        code = failed.code or failed.type
        status = next((each for each in (failed.status_code, failed.code) if type(each) is int), 500)
        raise ProviderFailed(failed.message or "no message", status, None if code is None else str(code))
    return response


def _check_items(choices: Sequence[_Choice]) -> None:
    """Check the choices of a response, or of an event. Each becomes some hundred bytes of the response."""
    calls = sum(len(message.tool_calls or ()) for each in choices if (message := each.delta or each.message))
    if max(len(choices), calls) > MAX_ITEMS:
        raise MalformedResponse(f"it has more than {MAX_ITEMS} choices or tool calls")
    check_indexes(each.index for each in choices)


def _complete_choice(choice: _Choice) -> Choice:
    message = choice.message or _EMPTY
    content, thoughts = _texts(message)
    calls = [
        ToolCall(
            index, call.id or new_call_id(), (call.function or _NO_FUNCTION).name or "",
            _arguments((call.function or _NO_FUNCTION).arguments), _signature(call),
        )
        for index, call in enumerate(message.tool_calls or ())
    ]  # fmt: skip
    reason = _reason(choice.finish_reason or "stop", has_calls=bool(calls))
    return Choice(
        choice.index, content, thoughts, None, None, message.refusal, calls, reason, choice.logprobs,
        message.annotations, message.audio,
    )  # fmt: skip


def _texts(message: _Message) -> tuple[str | None, str | None]:
    """Return the text and the reasoning of a message."""
    reasoning = message.reasoning_content if message.reasoning_content is not None else message.reasoning
    if message.content is None or isinstance(message.content, str):
        return message.content, reasoning
    thoughts = [_thought(part.thinking) for part in message.content if part.thinking is not None]
    text = "".join(part.text for part in message.content if part.text is not None)
    return text, "".join(thoughts) or reasoning


def _thought(thinking: str | list[_Thought]) -> str:
    return thinking if isinstance(thinking, str) else "".join(part.text for part in thinking)


def _arguments(arguments: str | Object | None) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return msgspec.json.encode(arguments).decode()


def _signature(call: _Call) -> str | None:
    """Return the signature of a thought, which the OpenAI form of Google has in `extra_content`."""
    google = (call.extra_content or {}).get("google")
    signature = google.get("thought_signature") if isinstance(google, dict) else None
    return signature if isinstance(signature, str) else None


def _reason(reason: str, *, has_calls: bool) -> FinishReason:
    if reason == "error":
        raise ProviderFailed("the model stopped with an error")
    found = _REASONS.get(reason.lower(), "stop")
    return "tool_calls" if has_calls and found == "stop" else found


def _usage(response: _Response) -> Usage | None:
    usage = response.usage or (response.x_groq.usage if response.x_groq else None)
    if usage is None or usage.prompt_tokens is None:
        return None
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = prompt.cached_tokens if prompt and prompt.cached_tokens is not None else None
    if cached is None:
        cached = usage.prompt_cache_hit_tokens if usage.prompt_cache_hit_tokens is not None else usage.cached_tokens
    reasoning = completion.reasoning_tokens if completion else None
    return Usage(
        known(usage.prompt_tokens) or 0, known(usage.completion_tokens) or 0, known(cached), None, known(reasoning)
    )
