"""The fake of Perplexity: the Responses API, whose documentation calls it the Agent API."""

import json
from typing import Any, Final

from tests.support.vendors.checks import body_of, check_fields, check_types, medium_of_url
from tests.support.vendors.model import Answer, Asked, Medium, Tool, answer, halves, pieces
from tests.support.vendors.server import Received, Refused, Reply

_FIELDS: Final = frozenset({
    "model", "input", "instructions", "stream", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens",
    "temperature", "top_p", "text", "response_format", "reasoning", "preset", "models", "max_steps",
    "language_preference", "store", "metadata", "include", "previous_response_id",
})  # fmt: skip
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "stream": bool, "max_output_tokens": int, "temperature": (int, float), "top_p": (int, float), "tools": list,
    "instructions": str, "text": dict, "reasoning": dict, "metadata": dict,
}  # fmt: skip
_ITEMS: Final = {
    "message": {"role", "content", "id", "status"}, "function_call": {"call_id", "name", "arguments", "id", "status"},
    "function_call_output": {"call_id", "output", "id", "status"}, "reasoning": {"id", "summary", "content"},
}  # fmt: skip
_PARTS: Final = {
    "input_text": {"text"}, "output_text": {"text", "annotations"}, "input_image": {"image_url", "detail", "file_id"},
    "input_file": {"file_data", "file_url", "filename", "file_id"}, "refusal": {"refusal"},
}  # fmt: skip


class PerplexityVendor:
    """Perplexity. The names of its own models begin with `perplexity/`."""

    id = "perplexity"
    base = "/v1"
    key = "pplx-test-of-perplexity"
    models = ("perplexity/sonar", "openai/gpt-5")

    def model(self, kind: str) -> str:
        """Return a model: each sees images."""
        return self.models[0]

    def respond(self, request: Received) -> Reply:
        """Return the response to a request."""
        if request.path not in ("/v1/responses", "/v1/agent"):
            raise Refused(self.failure(404, f"Unknown path {request.path}"))
        if request.headers.get("authorization") != f"Bearer {self.key}":
            raise Refused(self.failure(401, "Invalid API key provided."))
        body = body_of(request, self._refuse)
        asked = self._read(body)
        found = answer(asked)
        response = _response(asked, found)
        return Reply.of_events(_events(response, found)) if body.get("stream") else Reply.of_json(response)

    def failure(self, status: int, message: str) -> Reply:
        """Return an error as Perplexity sends it."""
        error = {"message": message, "type": "invalid_api_key" if status == 401 else "error", "code": status}
        return Reply.of_json({"error": error}, status)

    def error_event(self, message: str) -> bytes:
        """Return an error in a stream."""
        error = {"code": "server_error", "message": message}
        return encoded_event(9, {"type": "response.failed", "response": {
            "id": "resp_1", "object": "response", "status": "failed", "error": error, "output": [],
        }})  # fmt: skip

    def _refuse(self, path: str, message: str) -> Reply:
        return self.failure(400, f"{path}: {message}")

    def _read(self, body: dict[str, Any]) -> Asked:
        check_fields(body, "", _FIELDS, self._refuse)
        check_types(body, _TYPES, self._refuse)
        if body.get("model") not in self.models:
            raise Refused(self._refuse("model", f"Invalid model '{body.get('model')}'."))
        asked = Asked(body["model"], max_tokens=body.get("max_output_tokens"))
        asked.texts += [body["instructions"]] if "instructions" in body else []
        if isinstance(body.get("input"), str):
            asked.add("user", body["input"], [])
        else:
            self._read_items(body.get("input") or [], asked)
        for tool in body.get("tools", ()):
            known = {"type", "name", "description", "parameters", "strict"}
            check_fields(tool, "tools", known, self._refuse)
            asked.tools.append(Tool(tool["name"], tool["parameters"]))
        choice = body.get("tool_choice")
        asked.must_call = choice == "required" or isinstance(choice, dict)
        if isinstance(choice, dict):
            asked.tools = [tool for tool in asked.tools if tool.name == choice["name"]]
        asked.tools = [] if choice == "none" else asked.tools
        form = body.get("text", {}).get("format", {"type": "text"})
        asked.schema, asked.is_json = form.get("schema"), form["type"] == "json_object"
        asked.thinks = body.get("reasoning", {}).get("effort") not in (None, "none")
        return asked

    def _read_items(self, items: list[Any], asked: Asked) -> None:
        if not items:
            raise Refused(self._refuse("input", "must not be empty"))
        calls = set[str]()
        for index, item in enumerate(items):
            kind, path = item.get("type", "message"), f"input[{index}]"
            if kind not in _ITEMS:
                raise Refused(self._refuse(f"{path}.type", f"{kind!r} is not a type"))
            check_fields(item, path, {"type", *_ITEMS[kind]}, self._refuse)
            if kind == "function_call":
                calls.add(item["call_id"])
            elif kind == "function_call_output":
                if item["call_id"] not in calls:
                    raise Refused(self._refuse(path, f"No tool call found for call_id {item['call_id']}."))
                asked.add("tool", item["output"], [])
            elif kind == "message":
                if item["role"] not in ("system", "developer", "user", "assistant"):
                    raise Refused(self._refuse(f"{path}.role", f"{item['role']!r} is not a role"))
                asked.add(item["role"], *self._content(item["content"], path, item["role"]))

    def _content(self, content: Any, path: str, role: str) -> tuple[str, list[Medium]]:
        if isinstance(content, str):
            return content, []
        texts, media = list[str](), list[Medium]()
        for part in content:
            kind = part.get("type")
            wrong = "input_text" if role == "assistant" else "output_text"
            if kind not in _PARTS or kind == wrong:
                raise Refused(self._refuse(f"{path}.content", f"{kind!r} is not a type for {role}"))
            check_fields(part, f"{path}.content", {"type", *_PARTS[kind]}, self._refuse)
            if "text" in part:
                texts.append(part["text"])
            elif url := part.get("image_url") or part.get("file_data") or part.get("file_url"):
                media.append(medium_of_url(url, path, self._refuse))
        return " ".join(texts), media


def _response(asked: Asked, found: Answer) -> dict[str, Any]:
    is_cut = found.reason == "length"
    return {
        "id": "resp_1", "object": "response", "created_at": 1, "model": asked.model.removeprefix("perplexity/"),
        "status": "incomplete" if is_cut else "completed", "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None, "output": _items(found),
        "usage": {
            "input_tokens": found.prompt_tokens, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": found.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": found.thought_tokens}, "total_tokens": found.total_tokens,
        },
    }  # fmt: skip


def _items(found: Answer) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = [{"type": "search_results", "queries": ["q"], "results": []}]
    if found.thought:
        summary = [{"type": "summary_text", "text": found.thought}]
        items.append({"type": "reasoning", "id": "rs_1", "summary": summary})
    if found.text:
        part = {"type": "output_text", "text": found.text, "annotations": []}
        items.append({
            "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part],
        })  # fmt: skip
    return items + [
        {"type": "function_call", "id": f"fc_{call.id}", "call_id": call.id, "name": call.name,
         "arguments": call.json, "status": "completed"}
        for call in found.calls
    ]  # fmt: skip


def _events(response: dict[str, Any], found: Answer) -> list[bytes]:
    start = {**response, "status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": start}, {"type": "response.in_progress", "response": start},
    ]  # fmt: skip
    for index, item in enumerate(response["output"]):
        place = {"output_index": index, "item_id": item.get("id")}
        events.append({"type": "response.output_item.added", "output_index": index, "item": _empty(item)})
        match item["type"]:
            case "message":
                events += _deltas("response.output_text", place | {"content_index": 0}, pieces(found.text), "text")
            case "reasoning":
                where = place | {"summary_index": 0}
                events += _deltas("response.reasoning_summary_text", where, pieces(found.thought or ""), "text")
            case "function_call":
                parts = [*halves(item["arguments"])]
                events += _deltas("response.function_call_arguments", place, parts, "arguments")
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    events.append({"type": f"response.{response['status']}", "response": response})
    return [encoded_event(number, event) for number, event in enumerate(events)]


def _empty(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as it is announced, before its content."""
    started = {name: [] if isinstance(value, list) else value for name, value in item.items()}
    return started | ({"arguments": ""} if "arguments" in item else {})


def _deltas(kind: str, place: dict[str, Any], parts: list[str], name: str) -> list[dict[str, Any]]:
    deltas = [{"type": f"{kind}.delta", **place, "delta": part} for part in parts]
    return [*deltas, {"type": f"{kind}.done", **place, name: "".join(parts)}]


def encoded_event(number: int, value: dict[str, Any]) -> bytes:
    """Return an event of a stream with its number."""
    body = json.dumps({**value, "sequence_number": number}).encode()
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), body)
