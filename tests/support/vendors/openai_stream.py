"""Streams of the Chat Completions API, with what each vendor does in its own way."""

import json
from typing import Any

from tests.support.vendors.model import Answer, Asked, Call, halves, pieces
from tests.support.vendors.openai_table import Dialect


class Chunks:
    """The events of one stream."""

    def __init__(self, dialect: Dialect, asked: Asked, found: Answer, *, is_chat: bool, with_usage: bool) -> None:
        self._dialect, self._asked, self._answer = dialect, asked, found
        self._is_chat, self._with_usage = is_chat, with_usage

    def all(self) -> list[bytes]:
        """Return all events, encoded."""
        chunks = [self._dialect.first_chunk] if self._dialect.first_chunk else []
        for index in range(self._asked.choices):
            chunks += self._chat(index) if self._is_chat else self._text(index)
        if self._dialect.usage_at in ("last", "each") and self._with_usage:
            chunks.append(self._chunk([]) | {"usage": self.usage()})
        if self._dialect.usage_at == "each":
            chunks = [{**chunk, "usage": self.usage()} for chunk in chunks]
        return [b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks] + [b"data: [DONE]\n\n"]

    def usage(self) -> dict[str, Any]:
        """Return the numbers of tokens."""
        found = self._answer
        return {
            "prompt_tokens": found.prompt_tokens, "completion_tokens": found.completion_tokens,
            "total_tokens": found.total_tokens,
            "completion_tokens_details": {"reasoning_tokens": found.thought_tokens},
        }  # fmt: skip

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        kind = "chat.completion.chunk" if self._is_chat else "text_completion"
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": self._asked.model, "choices": choices}

    def _delta(self, index: int, delta: dict[str, Any]) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": index, "delta": delta}
        if self._dialect.has_null_reasons:
            choice["finish_reason"] = None
        return self._chunk([choice])

    def _chat(self, index: int) -> list[dict[str, Any]]:
        found, dialect = self._answer, self._dialect
        chunks = [self._delta(index, {"role": "assistant", "content": ""})]
        for piece in pieces(found.thought) if found.thought else ():
            if dialect.reasoning:
                chunks.append(self._delta(index, {dialect.reasoning: piece}))
            elif dialect.id == "mistral":
                thinking = {"type": "thinking", "thinking": [{"type": "text", "text": piece}]}
                chunks.append(self._delta(index, {"content": [thinking]}))
        chunks += [self._delta(index, {"content": piece}) for piece in pieces(found.text)] if found.text else []
        for place, call in enumerate(found.calls):
            chunks += [self._delta(index, {"tool_calls": [part]}) for part in self._parts(place, call)]
        last = self._finish(index, found.reason)
        if dialect.finishes_with_text:  # the last piece and the finish reason are one chunk
            last["choices"][0]["delta"] = chunks.pop()["choices"][0]["delta"]
        return [*chunks, last]

    def _parts(self, place: int, call: Call) -> list[dict[str, Any]]:
        """Return the parts of a call of a tool."""
        dialect = self._dialect
        index = {"index": place} if dialect.has_index_in_calls else {}
        function = {"name": call.name, "arguments": call.json if dialect.sends_whole_calls else ""}
        first = {**index, "id": call.id, "type": "function", "function": function}
        if dialect.sends_whole_calls:
            return [first]
        return [first, *({**index, "function": {"arguments": half}} for half in halves(call.json))]

    def _finish(self, index: int, reason: str) -> dict[str, Any]:
        dialect = self._dialect
        reason = dialect.stop_reason if reason == "stop" else reason
        chunk = self._chunk([{"index": index, "delta": {}, "finish_reason": reason}])
        if dialect.usage_at == "finish":
            chunk["usage"] = self.usage()
        elif dialect.usage_at == "x_groq":
            chunk["x_groq"] = {"id": "req_1", "usage": self.usage()}
        return chunk

    def _text(self, index: int) -> list[dict[str, Any]]:
        """Return the chunks of a text without messages."""
        common = {"index": index, "logprobs": None}
        chunks = [
            self._chunk([{**common, "text": piece, "finish_reason": None}]) for piece in pieces(self._answer.text)
        ]
        last = self._chunk([{**common, "text": "", "finish_reason": self._answer.reason}])
        if self._dialect.usage_at == "finish":
            last["usage"] = self.usage()
        return [*chunks, last]
