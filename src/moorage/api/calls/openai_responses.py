"""The shape of `POST /v1/responses`: a list of items, and a stream with an event for each change."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from moorage.api.calls.responses_items import Item, ItemEvent, events_of
from moorage.api.calls.shape import CallIds
from moorage.core.errors.base import MoorageError
from moorage.gateway.errors import ProviderError
from moorage.gateway.response_cache import MAX_RESPONSE
from moorage.providers.completion import Choice, Completion, ToolCall, Usage

_Object = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_items = msgspec.json.Decoder(list[_Object]).decode

#: The most characters of a response in a stream: its last events repeat them, so they must be held.
MAX_TEXT: Final = 8 * 1024 * 1024

#: The most items of a response.
_MAX_ITEMS: Final = 1_024

_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}

#: The fields that a response repeats, and their defaults.
_DEFAULTS: Final[_Object] = {
    "background": False, "error": None, "instructions": None, "max_output_tokens": None, "metadata": {},
    "parallel_tool_calls": True, "previous_response_id": None, "prompt": None, "reasoning": None, "store": False,
    "temperature": None, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": None,
    "truncation": "disabled", "user": None,
}  # fmt: skip

#: Fields of a tool of the type `mcp` that can have credentials.
_SECRET: Final = frozenset({"authorization", "headers"})


class ResponseObject(msgspec.Struct, frozen=True):
    """The response to `POST /v1/responses`. `output` has its items."""

    id: str
    object: str
    created_at: int
    model: str
    status: str
    output: list[_Object]
    usage: _Object | None = None
    store: bool = False


class OpenAiResponsesShape:
    """The response of one call; see `Shape`.

    Events and fields of a provider with the same API are sent as they are; those of others are written here.
    """

    def __init__(self, ids: CallIds, model: str, echo: _Object) -> None:
        """`echo` is the request, of which the response repeats fields."""
        self._ids, self._model = ids, model
        given = {name: echo[name] for name in _DEFAULTS if echo.get(name) is not None}
        self._echo = _DEFAULTS | given | {"store": False, "previous_response_id": None}
        self._echo["tools"] = [_without_secrets(tool) for tool in self._echo["tools"]]
        self._usage: Usage | None = None
        self._reason: str | None = None
        self._items = list[Item]()
        self._text: Item | None = None  # the open item that is no call
        self._calls: dict[int, Item] = {}
        self._last_call: Item | None = None
        self._native: dict[str, msgspec.Raw] | None = None
        self._has_events = False
        self._size = self._number = 0

    def response(self, completion: Completion) -> bytes:
        """Return the body of a response that is no stream."""
        self._read(completion)
        if self._native is None:
            self._choices(completion)
            self._close()
        return _encode(self._response(self._status()))

    def chunks(self, completions: Sequence[Completion]) -> bytes:
        """Return the events for what the model wrote.

        Raises:
            ProviderError: the response is too large.
        """
        pieces = list[bytes]()
        for completion in completions:
            if completion.event is not None:
                pieces += (*self._start(), completion.event)
                self._has_events, self._number = True, self._number + 1
                continue
            self._read(completion)
            pieces += self._start()
            if self._native is None:
                pieces += self._choices(completion)
            elif not self._has_events and len(self._native["output"]) <= MAX_RESPONSE:  # it comes from the cache
                pieces += self._events(events_of(_decode_items(self._native["output"])))
        return b"".join(pieces)

    def end(self) -> bytes:
        """Return the last events."""
        pieces = [*self._start(), *self._close()]
        status = self._status()
        pieces.append(self._event(f"response.{status}", response=self._response(status)))
        return b"".join(pieces)

    def failure(self, error: MoorageError, body: bytes) -> bytes:
        """Return the event for an error: clients raise what is in its field `error`."""
        detail = msgspec.json.decode(body)["error"]
        return self._event("error", code=detail["code"], message=detail["message"], param=None, error=detail)

    def _read(self, completion: Completion) -> None:
        self._usage, self._model = completion.usage or self._usage, completion.model or self._model
        if completion.response is not None and completion.output is not None:
            self._native = _decode_fields(completion.response) | {"output": msgspec.Raw(completion.output)}

    def _start(self) -> list[bytes]:
        if self._number:
            return []
        response = self._response("in_progress")
        return [self._event(f"response.{name}", response=response) for name in ("created", "in_progress")]

    def _choices(self, completion: Completion) -> list[bytes]:
        return [piece for choice in completion.choices if choice.index == 0 for piece in self._choice(choice)]

    def _choice(self, choice: Choice) -> list[bytes]:
        self._reason = choice.finish_reason or self._reason
        pieces = list[bytes]()
        for kind, text in (("reasoning", choice.reasoning), ("text", choice.content), ("refusal", choice.refusal)):
            if text:
                item = self._text
                if item is None or item.kind != kind:
                    pieces += self._close_finished()
                    item = self._text = self._new_item(kind, pieces)
                pieces.append(self._delta(item, text))
        for call in choice.tool_calls:
            pieces += self._call(call)
        return pieces

    def _call(self, call: ToolCall) -> list[bytes]:
        """Return the events for a part of a call. The parts of parallel calls can come in any order."""
        pieces, item = list[bytes](), self._calls.get(call.index)
        if item is None:
            pieces += self._close_finished()
            item = self._calls[call.index] = self._new_item("call", pieces, call)
        self._last_call = item
        if call.arguments and item.is_open:  # only white space follows complete arguments
            pieces.append(self._delta(item, call.arguments))
        return pieces

    def _new_item(self, kind: str, pieces: list[bytes], call: ToolCall | None = None) -> Item:
        if len(self._items) >= _MAX_ITEMS:
            raise self._too_large()
        item = Item(kind, self._ids.id, len(self._items), call)
        self._items.append(item)
        pieces += self._events(item.opening())
        return item

    def _delta(self, item: Item, text: str) -> bytes:
        self._size += len(text)
        if self._size > MAX_TEXT:
            raise self._too_large()
        item.add(text)
        number, self._number = self._number, self._number + 1
        return b'%b%d,"delta":%b}\n\n' % (item.delta_head, number, _encode(text))

    def _too_large(self) -> ProviderError:
        return ProviderError(name=self._model, reason="its response is too large")

    def _close_finished(self) -> list[bytes]:
        """Return the events that complete what is surely complete before another item."""
        text, call, self._text = self._text, self._last_call, None
        pieces = self._events(text.closing()) if text is not None else []
        if call is not None and call.is_open and call.is_finished():
            pieces += self._events(call.closing())
        return pieces

    def _close(self) -> list[bytes]:
        """Return the events that complete all open items."""
        return [piece for item in self._items if item.is_open for piece in self._events(item.closing())]

    def _status(self) -> str:
        if self._native is not None:
            return "incomplete" if bytes(self._native.get("status", b"")) == b'"incomplete"' else "completed"
        return "incomplete" if self._reason in _INCOMPLETE else "completed"

    def _response(self, status: str) -> _Object:
        details = {"reason": _INCOMPLETE[self._reason or ""]} if self._reason in _INCOMPLETE else None
        return {
            "id": f"resp_{self._ids.id}", "object": "response", "created_at": self._ids.at_us // 1_000_000,
            "model": self._model, "status": status, "incomplete_details": details if status == "incomplete" else None,
            "output": [item.value for item in self._items],
            "usage": None if status == "in_progress" else _usage(self._usage or Usage()), **self._echo,
            **(self._native or {} if status != "in_progress" else {}),
        }  # fmt: skip

    def _events(self, events: Iterable[ItemEvent]) -> list[bytes]:
        return [self._event(kind, **fields) for kind, fields in events]

    def _event(self, kind: str, **fields: Any) -> bytes:
        number, self._number = self._number, self._number + 1
        return b"event: %b\ndata: %b\n\n" % (
            kind.encode(), _encode({"type": kind, "sequence_number": number, **fields})
        )  # fmt: skip


def _without_secrets(tool: Any) -> Any:
    if not isinstance(tool, dict) or tool.get("type") != "mcp":
        return tool
    return {name: value for name, value in tool.items() if name not in _SECRET}


def _usage(usage: Usage) -> _Object:
    return {
        "input_tokens": usage.prompt_tokens, "input_tokens_details": {"cached_tokens": usage.cached_tokens or 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.total_tokens,
    }  # fmt: skip
