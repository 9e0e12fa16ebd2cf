"""The Responses API as a protocol: responses are lists of items, and streams have an event for each change."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from moorage.core.resolution.config import ResolvedConfig
from moorage.providers.completion import Choice, Completion, ToolCall
from moorage.providers.decoding import MAX_ITEMS, read
from moorage.providers.errors import MalformedResponse
from moorage.providers.protocol import Event, ProviderRequest
from moorage.providers.responses_output import (
    Error,
    Response,
    call_of,
    citations_of,
    decode,
    decode_call,
    decode_kind,
    decode_message,
    failed,
    reason_of,
    usage_of,
)
from moorage.providers.responses_request import encode_response
from moorage.providers.sse import SseSplitter

__all__ = ["decode", "encode", "parser", "splitter"]


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
    response: Response | None = None
    error: Error | str | None = None
    message: str | None = None
    code: str | int | None = None


_decode_event = msgspec.json.Decoder(_Event).decode
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
        raise failed(error or Error(found.message, found.code))

    def _item(self, found: _Event, *, is_done: bool) -> Completion | None:
        kind = read(decode_kind, bytes(found.item)).type if bytes(found.item) else ""
        if kind == "message" and is_done:
            parts = read(decode_message, bytes(found.item)).content
            citations = [each for part in parts for each in part.annotations or ()]
            n_known, self._citations = self._citations, 0
            return _cite(citations[n_known:])
        if kind != "function_call":
            return None
        call = read(decode_call, bytes(found.item))
        if found.output_index not in self._calls:
            if len(self._calls) == MAX_ITEMS:
                raise MalformedResponse("it has too many tool calls")
            self._calls[found.output_index] = len(self._calls)
            if call.arguments:
                self._mark(found.output_index, -1)
            return _of(Choice(tool_calls=[call_of(self._calls[found.output_index], call, default="")]))
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
        response = found.response or Response()
        self.is_complete = True
        choice = Choice(finish_reason=reason_of(response, has_calls=bool(self._calls)))
        return Completion([choice], usage_of(response.usage), response.id, response.model)


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
    citations = citations_of(annotations)
    return _of(Choice(annotations=citations)) if citations else None


def _of(choice: Choice) -> Completion:
    return Completion([choice])


def _text(raw: msgspec.Raw) -> str:
    return read(_decode_text, bytes(raw)) if bytes(raw) else ""
