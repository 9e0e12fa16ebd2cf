"""The Responses API of OpenAI and Azure, with the tools that they run themselves."""

from typing import Any, Final

from tests.support.vendors.checks import Refuse, body_of, check_fields, check_types, medium_of_url
from tests.support.vendors.model import Answer, Asked, Medium, Tool, answer, halves, pieces
from tests.support.vendors.responses_api import encoded_event
from tests.support.vendors.server import Received, Refused, Reply

#: The vendors with this API.
NATIVE: Final = ("openai", "azure")

_FIELDS: Final = frozenset({
    "background", "context_management", "conversation", "include", "input", "instructions", "max_output_tokens",
    "max_tool_calls", "metadata", "model", "moderation", "parallel_tool_calls", "previous_response_id", "prompt",
    "prompt_cache_key", "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "store", "stream",
    "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
})  # fmt: skip
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "stream": bool, "store": bool, "max_output_tokens": int, "temperature": (int, float), "top_p": (int, float),
    "tools": list, "instructions": str, "text": dict, "reasoning": dict, "metadata": dict, "include": list,
    "truncation": str, "service_tier": str, "top_logprobs": int, "max_tool_calls": int, "stream_options": dict,
}  # fmt: skip
_INCLUDES: Final = ("reasoning.encrypted_content", "web_search_call.action.sources", "message.output_text.logprobs")
_ITEMS: Final = {
    "message": {"role", "content", "id", "status", "phase"},
    "function_call": {"call_id", "name", "arguments", "id", "status"},
    "function_call_output": {"call_id", "output", "id", "status"},
    "reasoning": {"id", "summary", "content", "encrypted_content", "status"},
    "web_search_call": {"id", "status", "action"}, "mcp_approval_response": {"approval_request_id", "approve"},
}  # fmt: skip
_PARTS: Final = {
    "input_text": {"text"}, "output_text": {"text", "annotations", "logprobs"}, "refusal": {"refusal"},
    "input_image": {"image_url", "detail", "file_id"},
    "input_file": {"file_data", "file_url", "filename", "file_id", "detail"},
}  # fmt: skip
_TOOLS: Final = {
    "function": {"name", "description", "parameters", "strict"}, "web_search": {"filters", "search_context_size"},
    "image_generation": {"quality", "size", "partial_images"}, "code_interpreter": {"container"},
    "file_search": {"vector_store_ids"}, "mcp": {"server_label", "server_url", "authorization", "require_approval"},
}  # fmt: skip

#: A picture that the model makes.
PICTURE: Final = "iVBORw0KGgo="

#: What the model cites after a search.
CITATION: Final = {
    "type": "url_citation", "start_index": 0, "end_index": 3, "url": "https://example.com/zürich", "title": "Zürich",
}  # fmt: skip


def respond_native(request: Received, models: tuple[str, ...], refuse: Refuse) -> Reply:
    """Return the response to `POST /responses`.

    Raises:
        Refused
    """
    body = body_of(request, refuse)
    reader = _Reader(body, refuse)
    asked = reader.read(models)
    found = answer(asked)
    is_cut = found.reason == "length"
    response = {
        "id": "resp_0123", "object": "response", "created_at": 1, "status": "incomplete" if is_cut else "completed",
        "background": False, "error": None, "model": f"{asked.model}-2026-01-01",
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "instructions": body.get("instructions"), "output": [*reader.hosted_items(), *_items(found, reader)],
        "service_tier": "default" if body.get("service_tier", "auto") == "auto" else body["service_tier"],
        "store": body.get("store", True), "tools": body.get("tools", []),
        "text": {"format": {"type": "text"}, "verbosity": "medium"} | body.get("text", {}),
        "reasoning": {"effort": None, "summary": None} | body.get("reasoning", {}),
        "truncation": body.get("truncation", "disabled"),
        "usage": {
            "input_tokens": found.prompt_tokens, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": found.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": found.thought_tokens}, "total_tokens": found.total_tokens,
        },
    }  # fmt: skip
    return Reply.of_events(_events(response)) if body.get("stream") else Reply.of_json(response)


class _Reader:
    """Reads one request, and rejects what the vendor rejects."""

    def __init__(self, body: dict[str, Any], refuse: Refuse) -> None:
        self._body, self._refuse = body, refuse
        self.asked = Asked(body.get("model", ""), max_tokens=body.get("max_output_tokens"))

    @property
    def is_encrypted(self) -> bool:
        """Whether reasoning is returned encrypted."""
        return "reasoning.encrypted_content" in self._body.get("include", ())

    @property
    def has_searched(self) -> bool:
        """Whether the model has searched the web."""
        return self._uses("web_search")

    def read(self, models: tuple[str, ...]) -> Asked:
        """Return what the model is asked."""
        body, asked = self._body, self.asked
        check_fields(body, "", _FIELDS, self._refuse)
        check_types(body, _TYPES, self._refuse)
        if asked.model not in models:
            raise Refused(self._refuse("model", f"The requested model '{asked.model}' does not exist."))
        if body.get("store", True):
            raise Refused(self._refuse("store", "Zero data retention is on: store must be false."))
        for each in body.get("include", ()):
            if each not in _INCLUDES:
                raise Refused(self._refuse("include[0]", f"Invalid value: '{each}'."))
        if asked.model.startswith("gpt-5") and "temperature" in body:
            raise Refused(self._refuse("temperature", "Unsupported parameter: 'temperature'."))
        if "stream_options" in body and not body.get("stream"):
            raise Refused(self._refuse("stream_options", "Only allowed when stream is enabled."))
        check_fields(body.get("text", {}), "text", {"format", "verbosity"}, self._refuse)
        check_fields(body.get("reasoning", {}), "reasoning", {"effort", "summary"}, self._refuse)
        asked.texts += [body["instructions"]] if "instructions" in body else []
        if isinstance(body.get("input"), str):
            asked.add("user", body["input"], [])
        else:
            self._read_items(body.get("input") or [])
        self._read_tools()
        form = body.get("text", {}).get("format", {"type": "text"})
        if form["type"] == "json_schema" and "name" not in form:
            raise Refused(self._refuse("text.format.name", "Missing required parameter."))
        asked.schema, asked.is_json = form.get("schema"), form["type"] == "json_object"
        asked.thinks = body.get("reasoning", {}).get("effort") not in (None, "none")
        return asked

    def hosted_items(self) -> list[dict[str, Any]]:
        """Return the items of the tools that the vendor runs."""
        found = list[dict[str, Any]]()
        if self.has_searched:
            action = {"type": "search", "query": "Zürich", "queries": ["Zürich"]}
            found.append({"id": "ws_1", "type": "web_search_call", "status": "completed", "action": action})
        if self._uses("image_generation"):
            found.append({
                "id": "ig_1", "type": "image_generation_call", "status": "completed", "result": PICTURE,
                "output_format": "png", "size": "1024x1024",
            })  # fmt: skip
        if self._uses("mcp"):
            found.append({
                "id": "mcp_1", "type": "mcp_call", "status": "completed", "server_label": "shop", "name": "orders",
                "arguments": "{}", "output": "none", "error": None, "approval_request_id": None,
            })  # fmt: skip
        return found

    def _uses(self, kind: str) -> bool:
        return kind in self.asked.last and any(tool["type"] == kind for tool in self._body.get("tools", ()))

    def _read_items(self, items: list[Any]) -> None:
        if not items:
            raise Refused(self._refuse("input", "must not be empty"))
        calls = set[str]()
        for index, item in enumerate(items):
            kind, path = item.get("type", "message"), f"input[{index}]"
            if kind not in _ITEMS:
                raise Refused(self._refuse(f"{path}", f"Invalid value: '{kind}'."))
            check_fields(item, path, {"type", *_ITEMS[kind]}, self._refuse)
            if kind == "function_call":
                calls.add(item["call_id"])
            elif kind == "function_call_output":
                if item["call_id"] not in calls:
                    raise Refused(self._refuse(path, f"No tool call found for call_id {item['call_id']}."))
                self.asked.add("tool", item["output"], [])
            elif kind == "reasoning" and item.get("encrypted_content") != _encrypted(item["id"]):
                raise Refused(self._refuse(path, f"The encrypted content for item {item['id']} could not be verified."))
            elif kind == "message":
                if item["role"] not in ("system", "developer", "user", "assistant"):
                    raise Refused(self._refuse(f"{path}.role", f"Invalid value: '{item['role']}'."))
                self.asked.add(item["role"], *self._content(item["content"], path, item["role"]))

    def _content(self, content: Any, path: str, role: str) -> tuple[str, list[Medium]]:
        if isinstance(content, str):
            return content, []
        texts, media = list[str](), list[Medium]()
        for part in content:
            kind = part.get("type")
            wrong = "input_text" if role == "assistant" else "output_text"
            if kind not in _PARTS or kind == wrong:
                raise Refused(self._refuse(f"{path}.content", f"Invalid value: '{kind}'."))
            check_fields(part, f"{path}.content", {"type", *_PARTS[kind]}, self._refuse)
            if "text" in part:
                texts.append(part["text"])
            elif part.get("file_id"):
                media.append(Medium(part["file_id"]))
            elif url := part.get("image_url") or part.get("file_data") or part.get("file_url"):
                media.append(medium_of_url(url, path, self._refuse))
        return " ".join(texts), media

    def _read_tools(self) -> None:
        asked, tools = self.asked, self._body.get("tools", [])
        for index, tool in enumerate(tools):
            path = f"tools[{index}]"
            if tool.get("type") not in _TOOLS:
                raise Refused(self._refuse(f"{path}.type", f"Invalid value: '{tool.get('type')}'."))
            check_fields(tool, path, {"type", *_TOOLS[tool["type"]]}, self._refuse)
            if tool["type"] == "function":
                asked.tools.append(Tool(tool["name"], tool["parameters"]))
        choice = self._body.get("tool_choice")
        asked.must_call = choice == "required" or (isinstance(choice, dict) and choice["type"] == "function")
        if isinstance(choice, dict) and choice["type"] == "function":
            asked.tools = [tool for tool in asked.tools if tool.name == choice["name"]]
        asked.tools = [] if choice == "none" else asked.tools


def _encrypted(item_id: str) -> str:
    """Return the encrypted reasoning of an item: it belongs to the id."""
    return f"gAAAA-{item_id}"


def _items(found: Answer, reader: _Reader) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if found.thought:
        summary = [{"type": "summary_text", "text": found.thought}]
        encrypted = {"encrypted_content": _encrypted("rs_01")} if reader.is_encrypted else {}
        items.append({"id": "rs_01", "type": "reasoning", "summary": summary, **encrypted})
    if found.text:
        citations = [CITATION] if reader.has_searched else []
        part = {"type": "output_text", "annotations": citations, "logprobs": [], "text": found.text}
        items.append({
            "id": "msg_01", "type": "message", "status": "completed", "role": "assistant", "content": [part],
            "phase": "final_answer",
        })  # fmt: skip
    return items + [
        {"id": f"fc_{call.id}", "type": "function_call", "status": "completed", "arguments": call.json,
         "call_id": call.id, "name": call.name}
        for call in found.calls
    ]  # fmt: skip


def _events(response: dict[str, Any]) -> list[bytes]:
    start = {**response, "status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": start}, {"type": "response.in_progress", "response": start},
    ]  # fmt: skip
    calls = list[list[dict[str, Any]]]()
    for index, item in enumerate(response["output"]):
        place = {"output_index": index, "item_id": item["id"]}
        started = {name: [] if isinstance(value, list) else value for name, value in item.items()}
        match item["type"]:
            case "message":
                inside = _message_events(item["content"][0], place | {"content_index": 0})
            case "reasoning":
                inside = _deltas(
                    "response.reasoning_summary_text",
                    place | {"summary_index": 0},
                    "text",
                    pieces(item["summary"][0]["text"]),
                )
            case "function_call":
                started["arguments"] = ""
                inside = _deltas("response.function_call_arguments", place, "arguments", [*halves(item["arguments"])])
            case kind:
                inside = [{"type": f"response.{kind}.{name}", **place} for name in ("in_progress", "completed")]
                if kind == "image_generation_call":
                    name = f"response.{kind}.partial_image"
                    inside.insert(1, {"type": name, **place, "partial_image_index": 0, "partial_image_b64": PICTURE})
        added = {"type": "response.output_item.added", "output_index": index, "item": started}
        done = {"type": "response.output_item.done", "output_index": index, "item": item}
        if item["type"] == "function_call":
            calls.append([added, *inside, done])
        else:
            events += [added, *inside, done]
    events += [event for row in zip(*calls, strict=True) for event in row]  # parallel calls arrive interleaved
    events.append({"type": f"response.{response['status']}", "response": response})
    return [encoded_event(number, event) for number, event in enumerate(events)]


def _message_events(part: dict[str, Any], place: dict[str, Any]) -> list[dict[str, Any]]:
    empty = part | {"text": "", "annotations": []}
    annotations = [
        {"type": "response.output_text.annotation.added", **place, "annotation_index": index, "annotation": each}
        for index, each in enumerate(part["annotations"])
    ]
    deltas = _deltas("response.output_text", place, "text", pieces(part["text"]), logprobs=[], obfuscation="x7")
    return [
        {"type": "response.content_part.added", **place, "part": empty}, *deltas[:-1], *annotations, deltas[-1],
        {"type": "response.content_part.done", **place, "part": part},
    ]  # fmt: skip


def _deltas(kind: str, place: dict[str, Any], name: str, parts: list[str], **extra: Any) -> list[dict[str, Any]]:
    deltas = [{"type": f"{kind}.delta", **place, "delta": part, **extra} for part in parts]
    return [*deltas, {"type": f"{kind}.done", **place, name: "".join(parts)}]
