"""The fake of Cohere: the Chat API, version 2."""

import base64
import json
from typing import Any, Final

from tests.support.vendors import media
from tests.support.vendors.checks import body_of, check_fields, check_types, medium_of_url
from tests.support.vendors.model import Answer, Asked, Medium, Tool, answer, halves, pieces
from tests.support.vendors.server import Received, Refused, Reply

_FIELDS: Final = frozenset({
    "model", "messages", "stream", "tools", "tool_choice", "strict_tools", "documents", "citation_options",
    "response_format", "safety_mode", "max_tokens", "stop_sequences", "temperature", "seed", "frequency_penalty",
    "presence_penalty", "k", "p", "logprobs", "thinking", "priority",
})  # fmt: skip
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "stream": bool, "tools": list, "strict_tools": bool, "max_tokens": int, "stop_sequences": list, "seed": int,
    "temperature": (int, float), "k": int, "p": (int, float), "thinking": dict, "messages": list, "tool_choice": str,
}  # fmt: skip
_MESSAGES: Final = {
    "system": {"content"}, "user": {"content"}, "assistant": {"content", "tool_calls", "tool_plan", "citations"},
    "tool": {"content", "tool_call_id"},
}  # fmt: skip
_PARTS: Final = {"text": {"text"}, "image_url": {"image_url"}, "thinking": {"thinking"}, "document": {"document"}}
_REASONS: Final = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL"}


class CohereVendor:
    """Cohere. It counts the tokens twice: as billed, and as used, with those of its own prompt."""

    id = "cohere"
    base = ""
    key = "co-test-of-cohere"
    models = ("command-a-03-2025", "command-a-reasoning-08-2025")
    seeing = ("command-a-vision-07-2025",)

    def model(self, kind: str) -> str:
        """Return a model of a type."""
        others = {"vision": self.seeing[0], "embedding": "embed-v4.0", "rerank": "rerank-v4.0-pro"}
        return others.get(kind, self.models[0])

    def respond(self, request: Received) -> Reply:
        """Return the response to a request."""
        if request.path not in ("/v2/chat", "/v2/embed", "/v2/rerank"):
            raise Refused(self.failure(404, "404 page not found"))
        if request.headers.get("authorization") != f"Bearer {self.key}":
            raise Refused(self.failure(401, "invalid api token"))
        body = body_of(request, self._refuse)
        if request.path == "/v2/embed":
            return self._embed(body)
        if request.path == "/v2/rerank":
            return self._rank(body)
        asked = self._read(body)
        found = answer(asked)
        if body.get("stream"):
            return Reply.of_events([_event(each) for each in _events(found)] + [b"data: [DONE]\n\n"])
        message = {"role": "assistant", **_content(found)}
        return Reply.of_json({
            "id": "c1", "message": message, "finish_reason": _REASONS[found.reason], "usage": _usage(found),
        })  # fmt: skip

    def failure(self, status: int, message: str) -> Reply:
        """Return an error as Cohere sends it."""
        return Reply.of_json({"id": "e1", "message": message}, status)

    def error_event(self, message: str) -> bytes:
        """Return an error in a stream: the reason of its end."""
        end = {"finish_reason": "ERROR", "error": message, "usage": {"tokens": {"input_tokens": 1, "output_tokens": 1}}}
        return _event({"type": "message-end", "id": "c1", "delta": end})

    def _refuse(self, path: str, message: str) -> Reply:
        return self.failure(400, f"invalid request: {path}: {message}")

    def _embed(self, body: dict[str, Any]) -> Reply:
        fields = {"model", "texts", "input_type", "embedding_types", "output_dimension", "truncate"}
        check_fields(body, "", fields, self._refuse)
        if body["model"] != self.model("embedding") or "input_type" not in body:
            raise Refused(self._refuse("input_type", "valid input_type must be provided"))
        texts = body["texts"]
        if not 0 < len(texts) <= 96 or not all(isinstance(text, str) for text in texts):
            raise Refused(self._refuse("texts", "total number of texts must be at most 96"))
        vectors = [media.vector(text, body.get("output_dimension", 8)) for text in texts]
        kinds = body.get("embedding_types", ["float"])
        if not set(kinds) <= {"float", "base64"}:
            raise Refused(self._refuse("embedding_types", "must be one of: float, base64"))
        packed = [base64.b64encode(media.packed(each)).decode() for each in vectors]
        found = {kind: vectors if kind == "float" else packed for kind in kinds}
        count = sum(len(text.split()) for text in texts)
        return Reply.of_json({
            "id": "e1", "texts": texts, "embeddings": found, "response_type": "embeddings_by_type",
            "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": count}},
        })  # fmt: skip

    def _rank(self, body: dict[str, Any]) -> Reply:
        fields = {"model", "query", "documents", "top_n", "max_tokens_per_doc", "priority"}
        check_fields(body, "", fields, self._refuse)
        check_types(body, {"query": str, "documents": list, "top_n": int}, self._refuse)
        if body.get("model") != self.model("rerank"):
            raise Refused(self.failure(404, f"model '{body.get('model')}' not found"))
        found = [
            {"index": index, "relevance_score": media.score(body["query"], text)}
            for index, text in enumerate(body["documents"])
        ]
        found = sorted(found, key=lambda each: -each["relevance_score"])[: body.get("top_n")]
        return Reply.of_json({"id": "r1", "results": found, "meta": {"billed_units": {"search_units": 1}}})

    def _read(self, body: dict[str, Any]) -> Asked:
        check_fields(body, "", _FIELDS, self._refuse)
        check_types(body, _TYPES, self._refuse)
        model = body.get("model")
        if model not in self.models + self.seeing:
            raise Refused(self.failure(404, f"model '{model}' not found, make sure the correct model ID was used"))
        asked = Asked(model, max_tokens=body.get("max_tokens"))
        if not body.get("messages"):
            raise Refused(self._refuse("messages", "must have at least one message"))
        for index, message in enumerate(body["messages"]):
            self._read_message(message, f"messages[{index}]", asked)
        for tool in body.get("tools", ()):
            check_fields(tool, "tools", {"type", "function"}, self._refuse)
            check_fields(tool["function"], "tools", {"name", "description", "parameters"}, self._refuse)
            asked.tools.append(Tool(tool["function"]["name"], tool["function"].get("parameters") or {}))
        choice = body.get("tool_choice")
        if choice not in (None, "REQUIRED", "NONE"):
            raise Refused(self._refuse("tool_choice", "must be REQUIRED or NONE"))
        asked.must_call = choice == "REQUIRED"
        asked.tools = [] if choice == "NONE" else asked.tools
        form = body.get("response_format", {"type": "text"})
        check_fields(form, "response_format", {"type", "json_schema"}, self._refuse)
        if form["type"] not in ("text", "json_object"):
            raise Refused(self._refuse("response_format.type", "must be text or json_object"))
        asked.is_json, asked.schema = form["type"] == "json_object", form.get("json_schema")
        thinking = body.get("thinking", {"type": "disabled"})
        check_fields(thinking, "thinking", {"type", "token_budget"}, self._refuse)
        asked.thinks = thinking["type"] == "enabled"
        if "thinking" in body and "reasoning" not in model:
            raise Refused(self._refuse("thinking", f"is not supported by the model {model}"))
        return asked

    def _read_message(self, message: dict[str, Any], path: str, asked: Asked) -> None:
        role = message.get("role")
        if role not in _MESSAGES:
            raise Refused(self._refuse(f"{path}.role", f"{role!r} is not a role"))
        check_fields(message, path, {"role", *_MESSAGES[role]}, self._refuse)
        for call in message.get("tool_calls", ()):
            check_fields(call, f"{path}.tool_calls", {"id", "type", "function"}, self._refuse)
        content, texts, media = message.get("content", ""), list[str](), list[Medium]()
        if isinstance(content, str):
            texts.append(content)
        else:
            for part in content:
                kind = part.get("type")
                if kind not in _PARTS:
                    raise Refused(self._refuse(f"{path}.content", f"{kind!r} is not a type"))
                check_fields(part, f"{path}.content", {"type", *_PARTS[kind]}, self._refuse)
                if kind == "text":
                    texts.append(part["text"])
                elif kind == "image_url":
                    if asked.model not in self.seeing:
                        raise Refused(self._refuse(path, f"model '{asked.model}' does not support image content"))
                    media.append(medium_of_url(part["image_url"]["url"], path, self._refuse))
        asked.add(role, " ".join(texts), media)


def _event(value: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), json.dumps(value).encode())


def _usage(found: Answer) -> dict[str, Any]:
    billed = {"input_tokens": found.prompt_tokens, "output_tokens": found.completion_tokens}
    return {"billed_units": billed, "tokens": {name: count + 500 for name, count in billed.items()}}


def _content(found: Answer) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"type": "thinking", "thinking": found.thought}] if found.thought else []
    parts += [{"type": "text", "text": found.text}] if found.text else []
    content: dict[str, Any] = {"content": parts} if parts else {}
    if found.calls:
        content["tool_plan"] = "I will call the tools."
        content["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.json}}
            for call in found.calls
        ]
    return content


def _events(found: Answer) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [{"type": "message-start", "id": "c1", "delta": {
        "message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []},
    }}]  # fmt: skip
    for index, part in enumerate(_content(found).get("content", ())):
        kind = part["type"]
        events.append(_inner("content-start", index, content={"type": kind, kind: ""}))
        events += [_inner("content-delta", index, content={kind: piece}) for piece in pieces(part[kind])]
        events.append({"type": "content-end", "index": index})
    if found.calls:
        plan = pieces("I will call the tools.")
        events += [{"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}} for piece in plan]
    for index, call in enumerate(found.calls):
        function = {"name": call.name, "arguments": ""}
        events.append(_inner("tool-call-start", index, tool_calls={
            "id": call.id, "type": "function", "function": function,
        }))  # fmt: skip
        events += [
            _inner("tool-call-delta", index, tool_calls={"function": {"arguments": half}}) for half in halves(call.json)
        ]
        events.append({"type": "tool-call-end", "index": index})
    end = {"finish_reason": _REASONS[found.reason], "usage": _usage(found)}
    return [*events, {"type": "message-end", "delta": end}]


def _inner(kind: str, index: int, **message: Any) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": message}}
