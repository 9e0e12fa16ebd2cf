"""The Responses API as a protocol: responses are lists of items, and streams have an event for each change."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from moorage.core.resolution.config import ResolvedConfig
from moorage.providers.completion import Choice, Completion, FinishReason, ToolCall, Usage, new_call_id
from moorage.providers.decoding import MAX_ITEMS, Number, known, read
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.protocol import Event, ProviderRequest
from moorage.providers.responses_request import encode_response
from moorage.providers.sse import SseSplitter

#: Codes of errors -> the status of the same error elsewhere.
_STATUSES: Final = {
    "rate_limit_exceeded": 429, "insufficient_quota": 429, "server_error": 500, "server_is_overloaded": 503,
    "invalid_prompt": 400, "context_length_exceeded": 400, "invalid_request_error": 400,
}  # fmt: skip

_REASONS: Final[Mapping[str, FinishReason]] = {"max_output_tokens": "length", "content_filter": "content_filter"}


class _Kind(msgspec.Struct):
    type: str = ""


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: Sequence[Any] | None = None


class _Message(msgspec.Struct):
    content: list[_Part] = []


class _Call(msgspec.Struct):
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class _Reasoning(msgspec.Struct):
    summary: list[_Part] | None = None


class _Error(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    type: str | None = None


class _Incomplete(msgspec.Struct):
    reason: str | None = None


class _InputDetails(msgspec.Struct):
    cached_tokens: Number = None
    cache_write_tokens: Number = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: Number = None


class _Usage(msgspec.Struct):
    input_tokens: Number = None
    output_tokens: Number = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


class _Response(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    status: str | None = None
    output: list[msgspec.Raw] | None = None
    error: _Error | str | None = None
    incomplete_details: _Incomplete | None = None
    usage: _Usage | None = None


class _Event(msgspec.Struct):
    type: str = ""
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    delta: msgspec.Raw = msgspec.Raw()
    text: msgspec.Raw = msgspec.Raw()
    arguments: str | None = None
    item: msgspec.Raw = msgspec.Raw()
    annotation: Any = None
    response: _Response | None = None
    error: _Error | str | None = None
    message: str | None = None
    code: str | int | None = None


_decode_response = msgspec.json.Decoder(_Response).decode
_decode_event = msgspec.json.Decoder(_Event).decode
_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_message = msgspec.json.Decoder(_Message).decode
_decode_call = msgspec.json.Decoder(_Call).decode
_decode_reasoning = msgspec.json.Decoder(_Reasoning).decode
_decode_text = msgspec.json.Decoder(str).decode


def encode(config: ResolvedConfig, options: Mapping[str, str], *, stream: bool) -> ProviderRequest:
    """Return the request for a configuration.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    body, omitted = encode_response(config)
    if stream:
        body["stream"] = True
    return ProviderRequest("/responses", body, {}, omitted)


def decode(body: bytes) -> Completion:
    """Return the response in a body.

    Raises:
        MalformedResponse
        ProviderFailed: the response failed, although the status is a success.
    """
    response = read(_decode_response, body)
    if response.error is not None:
        raise _failed(response.error)
    if response.output is None:
        raise MalformedResponse("it has no output")
    if len(response.output) > MAX_ITEMS:
        raise MalformedResponse(f"it has more than {MAX_ITEMS} items")
    texts, refusals, thoughts, calls, citations = list[str](), list[str](), list[str](), list[ToolCall](), list[Any]()
    for raw in response.output:
        match read(_decode_kind, bytes(raw)).type:
            case "message":
                for part in read(_decode_message, bytes(raw)).content:
                    texts += [part.text] if part.type == "output_text" and part.text is not None else []
                    refusals += [part.refusal] if part.refusal else []
                    citations += _citations(part.annotations)
            case "function_call":
                calls.append(_call(len(calls), read(_decode_call, bytes(raw))))
            case "reasoning":
                thoughts += _thoughts(raw)
    choice = Choice(
        content="".join(texts) if texts else None, reasoning="\n\n".join(thoughts) or None,
        refusal="".join(refusals) or None, tool_calls=calls, annotations=citations or None,
        finish_reason=_reason(response, has_calls=bool(calls)),
    )  # fmt: skip
    return Completion([choice], _usage(response.usage), response.id, response.model)


def splitter() -> SseSplitter:
    """Return a splitter for one stream."""
    return SseSplitter()


def parser() -> "Parser":
    """Return a parser for one stream."""
    return Parser()


class Parser:
    """Parses the events of one stream, which is complete with `response.completed` or `response.incomplete`."""

    def __init__(self) -> None:
        self.is_complete = False
        self._calls: dict[int, int] = {}  # index of the item -> that of the call
        self._with_text: set[tuple[int, int]] = set()  # parts of messages, and calls with the second index -1
        self._citations = 0

    def feed(self, event: Event) -> Completion | None:
        """Return what an event adds, or None.

        Raises:
            MalformedResponse
            ProviderFailed: the provider reported an error in the stream.
        """
        if event.data == b"[DONE]":
            return None
        found = read(_decode_event, event.data)
        handle = _HANDLERS.get(found.type or event.name)
        return None if handle is None else handle(self, found)

    def _created(self, found: _Event) -> Completion | None:
        return Completion((), None, found.response.id, found.response.model) if found.response else None

    def _text_delta(self, found: _Event) -> Completion:
        self._mark(found.output_index, found.content_index)
        return _of(Choice(content=_text(found.delta)))

    def _text_done(self, found: _Event) -> Completion | None:
        """Return a text that had no parts before."""
        if (found.output_index, found.content_index) in self._with_text:
            return None
        return _of(Choice(content=_text(found.text)))

    def _refusal_delta(self, found: _Event) -> Completion:
        return _of(Choice(refusal=_text(found.delta)))

    def _reasoning_delta(self, found: _Event) -> Completion:
        return _of(Choice(reasoning=self._separator(found) + _text(found.delta)))

    def _arguments_delta(self, found: _Event) -> Completion | None:
        if found.output_index not in self._calls:  # a call that the provider makes itself
            return None
        self._mark(found.output_index, -1)
        return self._arguments(found.output_index, _text(found.delta))

    def _annotation(self, found: _Event) -> Completion | None:
        self._citations += 1
        return _cite([found.annotation])

    def _item_done(self, found: _Event) -> Completion | None:
        return self._item(found, is_done=True)

    def _item_added(self, found: _Event) -> Completion | None:
        return self._item(found, is_done=False)

    def _failed(self, found: _Event) -> Completion | None:
        error = found.response.error if found.response is not None else found.error
        raise _failed(error or _Error(found.message, found.code))

    def _item(self, found: _Event, *, is_done: bool) -> Completion | None:
        kind = read(_decode_kind, bytes(found.item)).type if bytes(found.item) else ""
        if kind == "message" and is_done:
            parts = read(_decode_message, bytes(found.item)).content
            citations = [each for part in parts for each in part.annotations or ()]
            n_known, self._citations = self._citations, 0
            return _cite(citations[n_known:])
        if kind != "function_call":
            return None
        call = read(_decode_call, bytes(found.item))
        if found.output_index not in self._calls:
            if len(self._calls) == MAX_ITEMS:
                raise MalformedResponse("it has too many tool calls")
            self._calls[found.output_index] = len(self._calls)
            if call.arguments:
                self._mark(found.output_index, -1)
            return _of(Choice(tool_calls=[_call(self._calls[found.output_index], call, default="")]))
        if is_done and (found.output_index, -1) not in self._with_text:
            self._mark(found.output_index, -1)
            return self._arguments(found.output_index, call.arguments or "{}")
        return None

    def _arguments(self, index: int, arguments: str) -> Completion:
        return _of(Choice(tool_calls=[ToolCall(self._calls[index], arguments=arguments)]))

    def _separator(self, found: _Event) -> str:
        """Return the separator before a further part of a summary."""
        place = (found.output_index, -2 - found.summary_index)
        is_new = place not in self._with_text
        self._mark(*place)
        return "\n\n" if is_new and found.summary_index > 0 else ""

    def _mark(self, index: int, place: int) -> None:
        self._with_text.add((index, place))
        if len(self._with_text) > 4 * MAX_ITEMS:
            raise MalformedResponse("it has too many parts")

    def _end(self, found: _Event) -> Completion:
        response = found.response or _Response()
        self.is_complete = True
        choice = Choice(finish_reason=_reason(response, has_calls=bool(self._calls)))
        return Completion([choice], _usage(response.usage), response.id, response.model)


_HANDLERS: Final[Mapping[str, Callable[[Parser, _Event], Completion | None]]] = {
    "response.created": Parser._created,
    "response.output_text.delta": Parser._text_delta,
    "response.output_text.done": Parser._text_done,
    "response.output_text.annotation.added": Parser._annotation,
    "response.refusal.delta": Parser._refusal_delta,
    "response.reasoning_summary_text.delta": Parser._reasoning_delta,
    "response.reasoning_text.delta": Parser._reasoning_delta,
    "response.function_call_arguments.delta": Parser._arguments_delta,
    "response.output_item.added": Parser._item_added,
    "response.output_item.done": Parser._item_done,
    "response.completed": Parser._end,
    "response.incomplete": Parser._end,
    "response.failed": Parser._failed,
    "response.cancelled": Parser._failed,
    "error": Parser._failed,
}


def _cite(annotations: Sequence[Any]) -> Completion | None:
    citations = _citations(annotations)
    return _of(Choice(annotations=citations)) if citations else None


def _of(choice: Choice) -> Completion:
    return Completion([choice])


def _text(raw: msgspec.Raw) -> str:
    return read(_decode_text, bytes(raw)) if bytes(raw) else ""


def _call(index: int, call: _Call, default: str = "{}") -> ToolCall:
    return ToolCall(index, call.call_id or new_call_id(), call.name or "", call.arguments or default)


def _thoughts(raw: msgspec.Raw) -> list[str]:
    return [part.text for part in read(_decode_reasoning, bytes(raw)).summary or () if part.text]


def _citations(annotations: Sequence[Any] | None) -> list[Any]:
    """Return the citations of web pages in the form of the API for chats."""
    return [
        {"type": "url_citation", "url_citation": {
            name: each[name] for name in ("start_index", "end_index", "title", "url") if name in each
        }}
        for each in annotations or () if isinstance(each, dict) and each.get("type") in ("citation", "url_citation")
    ]  # fmt: skip


def _reason(response: _Response, *, has_calls: bool) -> FinishReason:
    match response.status:
        case "completed" | None:
            return "tool_calls" if has_calls else "stop"
        case "incomplete":
            details = response.incomplete_details or _Incomplete()
            return _REASONS.get(details.reason or "", "stop")
        case "failed" | "cancelled":
            raise _failed(response.error or _Error())
    raise MalformedResponse("it is not complete")


def _failed(error: _Error | str) -> ProviderFailed:
    found = _Error(error) if isinstance(error, str) else error
    code = found.code if found.code is not None else found.type
    status = code if isinstance(code, int) and 400 <= code < 600 else _STATUSES.get(str(code), 500)
    return ProviderFailed(found.message or "no message", status, None if code is None else str(code))


def _usage(usage: _Usage | None) -> Usage | None:
    if usage is None or usage.input_tokens is None:
        return None
    prompt, completion = usage.input_tokens_details or _InputDetails(), usage.output_tokens_details or _OutputDetails()
    return Usage(
        known(usage.input_tokens) or 0, known(usage.output_tokens) or 0, known(prompt.cached_tokens),
        known(prompt.cache_write_tokens), known(completion.reasoning_tokens),
    )  # fmt: skip
