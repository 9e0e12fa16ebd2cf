"""The shape of `POST /v1/responses`: a list of items, and a stream with an event for each change."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from moorage.api.calls.shape import CallIds
from moorage.core.errors.base import MoorageError
from moorage.gateway.errors import ProviderError
from moorage.providers.completion import Choice, Completion, ToolCall, Usage

_Object = dict[str, Any]
_encode = msgspec.json.Encoder().encode

#: The most characters of a response in a stream: its last events repeat them, so they must be held.
MAX_TEXT: Final = 8 * 1024 * 1024

_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}

#: The fields that a response repeats, and their defaults.
_DEFAULTS: Final[_Object] = {
    "background": False, "error": None, "instructions": None, "max_output_tokens": None, "metadata": {},
    "parallel_tool_calls": True, "previous_response_id": None, "prompt": None, "reasoning": None, "store": False,
    "temperature": None, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": None,
    "truncation": "disabled", "user": None,
}  # fmt: skip


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
    """The response of one call; see `Shape`."""

    def __init__(self, ids: CallIds, model: str, echo: _Object) -> None:
        """`echo` is the request, of which the response repeats fields."""
        self._ids, self._model = ids, model
        given = {name: echo[name] for name in _DEFAULTS if echo.get(name) is not None}
        self._echo = _DEFAULTS | given | {"store": False, "previous_response_id": None}
        self._usage: Usage | None = None
        self._reason: str | None = None
        self._output = list[_Object]()
        self._open: _Object | None = None
        self._texts = list[str]()
        self._call_index = -1
        self._size = self._number = 0

    def response(self, completion: Completion) -> bytes:
        """Return the body of a response that is no stream."""
        self.chunks([completion])
        self._close()
        return _encode(self._response(self._status()))

    def chunks(self, completions: Sequence[Completion]) -> bytes:
        """Return the events for what the model wrote.

        Raises:
            ProviderError: the response is too large.
        """
        pieces = list[bytes]()
        for completion in completions:
            self._usage, self._model = completion.usage or self._usage, completion.model or self._model
            pieces += self._start()
            for choice in completion.choices:
                if choice.index == 0:
                    pieces += self._choice(choice)
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

    def _start(self) -> list[bytes]:
        if self._number:
            return []
        response = self._response("in_progress")
        return [self._event(f"response.{name}", response=response) for name in ("created", "in_progress")]

    def _choice(self, choice: Choice) -> list[bytes]:
        self._reason = choice.finish_reason or self._reason
        pieces = list[bytes]()
        for kind, text in (("reasoning", choice.reasoning), ("text", choice.content), ("refusal", choice.refusal)):
            if text:
                pieces += self._write(kind, text)
        for call in choice.tool_calls:
            pieces += self._call(call)
        return pieces

    def _write(self, kind: str, text: str, call: ToolCall | None = None) -> list[bytes]:
        self._size += len(text)
        if self._size > MAX_TEXT or len(self._output) > 1_024:
            raise ProviderError(name=self._model, reason="its response is too large")
        pieces = list[bytes]()
        if self._open is None or self._open["kind"] != kind:
            pieces += [*self._close(), *self._open_item(kind, call)]
        if text:
            self._texts.append(text)
            assert self._open is not None  # noqa: S101 -- opened above
            name, place = _DELTAS[kind], self._open["place"]
            extra: _Object = {"logprobs": []} if kind == "text" else {}
            pieces.append(self._event(f"response.{name}.delta", **place, delta=text, **extra))
        return pieces

    def _call(self, call: ToolCall) -> list[bytes]:
        pieces = self._close() if call.index != self._call_index else []
        self._call_index = call.index
        return [*pieces, *self._write("call", call.arguments, call)]

    def _open_item(self, kind: str, call: ToolCall | None) -> list[bytes]:
        index = len(self._output)
        item_id = f"{ {'reasoning': 'rs', 'call': 'fc'}.get(kind, 'msg') }_{self._ids.id}_{index}"
        item: _Object = {"id": item_id, "type": "message", "status": "in_progress", "role": "assistant", "content": []}
        place: _Object = {"item_id": item_id, "output_index": index}
        part: _Object | None = None
        if kind == "reasoning":
            item, part = {"id": item_id, "type": "reasoning", "summary": []}, {"type": "summary_text", "text": ""}
            place["summary_index"] = 0
        elif call is not None:
            item = {
                "id": item_id, "type": "function_call", "status": "in_progress", "call_id": call.id or "",
                "name": call.name or "", "arguments": "",
            }  # fmt: skip
        else:
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            part = part if kind == "text" else {"type": "refusal", "refusal": ""}
            place["content_index"] = 0
        self._open, self._texts = {"kind": kind, "item": item, "place": place, "part": part}, []
        pieces = [self._event("response.output_item.added", output_index=index, item=item)]
        if part is not None:
            pieces.append(self._event(f"response.{_PARTS[kind]}.added", **place, part=part))
        return pieces

    def _close(self) -> list[bytes]:
        """Return the events that complete the open item."""
        if self._open is None:
            return []
        opened, text, self._open = self._open, "".join(self._texts), None
        kind, item, place, part = opened["kind"], opened["item"], opened["place"], opened["part"]
        name = "arguments" if kind == "call" else "refusal" if kind == "refusal" else "text"
        text = text or ("{}" if kind == "call" else "")
        extra = {"logprobs": []} if kind == "text" else {"name": item["name"]} if kind == "call" else {}
        pieces = [self._event(f"response.{_DELTAS[kind]}.done", **place, **{name: text}, **extra)]
        if part is None:
            item = item | {"arguments": text}
        else:
            part = part | {name: text}
            pieces.append(self._event(f"response.{_PARTS[kind]}.done", **place, part=part))
            item = item | {"summary" if kind == "reasoning" else "content": [part]}
        item = item | ({"status": "completed"} if "status" in item else {})
        self._output.append(item)
        pieces.append(self._event("response.output_item.done", output_index=place["output_index"], item=item))
        return pieces

    def _status(self) -> str:
        return "incomplete" if self._reason in _INCOMPLETE else "completed"

    def _response(self, status: str) -> _Object:
        details = {"reason": _INCOMPLETE[self._reason or ""]} if status == "incomplete" else None
        return {
            "id": f"resp_{self._ids.id}", "object": "response", "created_at": self._ids.at_us // 1_000_000,
            "model": self._model, "status": status, "incomplete_details": details, "output": self._output,
            "usage": None if status == "in_progress" else _usage(self._usage or Usage()), **self._echo,
        }  # fmt: skip

    def _event(self, kind: str, **fields: Any) -> bytes:
        number, self._number = self._number, self._number + 1
        return b"event: %b\ndata: %b\n\n" % (
            kind.encode(), _encode({"type": kind, "sequence_number": number, **fields})
        )  # fmt: skip


_DELTAS: Final = {
    "reasoning": "reasoning_summary_text", "text": "output_text", "refusal": "refusal",
    "call": "function_call_arguments",
}  # fmt: skip
_PARTS: Final = {"reasoning": "reasoning_summary_part", "text": "content_part", "refusal": "content_part"}


def _usage(usage: Usage) -> _Object:
    return {
        "input_tokens": usage.prompt_tokens, "input_tokens_details": {"cached_tokens": usage.cached_tokens or 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.total_tokens,
    }  # fmt: skip
