"""The items of a response of the Responses API, and the events that announce, fill and complete them."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from moorage.providers.completion import ToolCall

_Object = dict[str, Any]
#: An event: its type, and its fields.
ItemEvent = tuple[str, _Object]

_encode = msgspec.json.Encoder().encode
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode

_DELTAS: Final = {
    "reasoning": "reasoning_summary_text", "text": "output_text", "refusal": "refusal",
    "call": "function_call_arguments",
}  # fmt: skip
_PARTS: Final = {"reasoning": "reasoning_summary_part", "text": "content_part", "refusal": "content_part"}
_IDS: Final = {"reasoning": "rs", "call": "fc"}


class Item:
    """An item that the model is writing. `value` is the item; it is complete after `closing`."""

    __slots__ = ("_has_been_checked", "_part", "_place", "_texts", "delta_head", "is_open", "kind", "value")

    def __init__(self, kind: str, call_id: str, index: int, call: ToolCall | None = None) -> None:
        """`kind` is reasoning, text, refusal or call; `index` is the position in the output."""
        self.kind, self.is_open, self._has_been_checked = kind, True, False
        self._texts = list[str]()
        item_id = f"{_IDS.get(kind, 'msg')}_{call_id}_{index}"
        self._place: _Object = {"item_id": item_id, "output_index": index}
        self._part: _Object | None = None
        if call is not None:
            self.value: _Object = {
                "id": item_id, "type": "function_call", "status": "in_progress", "call_id": call.id or "",
                "name": call.name or "", "arguments": "",
            }  # fmt: skip
        elif kind == "reasoning":
            self.value = {"id": item_id, "type": "reasoning", "summary": []}
            self._part = {"type": "summary_text", "text": ""}
            self._place["summary_index"] = 0
        else:
            self.value = {
                "id": item_id, "type": "message", "status": "in_progress", "role": "assistant", "content": [],
            }  # fmt: skip
            text: _Object = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            self._part = text if kind == "text" else {"type": "refusal", "refusal": ""}
            self._place["content_index"] = 0
        name = f"response.{_DELTAS[kind]}.delta"
        extra: _Object = {"logprobs": []} if kind == "text" else {}
        fields = _encode({"type": name, **self._place, **extra})
        #: The start of each event with a delta, to its number: nearly all events of a stream are such.
        self.delta_head: Final = b'event: %b\ndata: %b,"sequence_number":' % (name.encode(), fields[:-1])

    def opening(self) -> list[ItemEvent]:
        """Return the events that announce the item."""
        events: list[ItemEvent] = [
            ("response.output_item.added", {"output_index": self._place["output_index"], "item": self.value})
        ]
        if self._part is not None:
            events.append((f"response.{_PARTS[self.kind]}.added", {**self._place, "part": self._part}))
        return events

    def add(self, text: str) -> None:
        """Add a part of the text or of the arguments."""
        self._texts.append(text)

    def is_finished(self) -> bool:
        """Return whether the arguments of a call are complete JSON. It is checked once, because they can be large."""
        if self._has_been_checked or not self._texts or not self._texts[-1].rstrip().endswith("}"):
            return False
        self._has_been_checked = True
        try:
            _decode_raw("".join(self._texts))
        except (msgspec.DecodeError, RecursionError):
            return False
        return True

    def closing(self) -> list[ItemEvent]:
        """Return the events that complete the item."""
        self.is_open, kind, place = False, self.kind, self._place
        text = "".join(self._texts) or ("{}" if kind == "call" else "")
        self._texts.clear()
        name = "arguments" if kind == "call" else "refusal" if kind == "refusal" else "text"
        extra = {"logprobs": []} if kind == "text" else {"name": self.value["name"]} if kind == "call" else {}
        events: list[ItemEvent] = [(f"response.{_DELTAS[kind]}.done", {**place, name: text, **extra})]
        if self._part is None:
            self.value = self.value | {"arguments": text}
        else:
            part = self._part | {name: text}
            events.append((f"response.{_PARTS[kind]}.done", {**place, "part": part}))
            self.value = self.value | {"summary" if kind == "reasoning" else "content": [part]}
        if "status" in self.value:
            self.value = self.value | {"status": "completed"}
        events.append(("response.output_item.done", {"output_index": place["output_index"], "item": self.value}))
        return events


def events_of(items: list[_Object]) -> Iterator[ItemEvent]:
    """Yield the events of a stream for complete items, as providers send them."""
    for index, item in enumerate(items):
        parts = item["content"] if item.get("type") == "message" and isinstance(item.get("content"), list) else []
        started = item | {"content": [], "status": "in_progress"} if parts else item
        yield "response.output_item.added", {"output_index": index, "item": started}
        for number, part in enumerate(parts):
            place = {"item_id": item.get("id"), "output_index": index, "content_index": number}
            name = "refusal" if part.get("type") == "refusal" else "text"
            kind, text = _DELTAS[name], part.get(name)
            extra: _Object = {} if name == "refusal" else {"logprobs": []}
            yield "response.content_part.added", {**place, "part": part | {name: ""}}
            yield f"response.{kind}.delta", {**place, "delta": text, **extra}
            yield f"response.{kind}.done", {**place, name: text, **extra}
            yield "response.content_part.done", {**place, "part": part}
        yield "response.output_item.done", {"output_index": index, "item": item}
