"""The fake of Anthropic: the Messages API in both of its versions."""

import json
import re
from typing import Any, Final

from tests.support.vendors.checks import body_of, check_fields, check_types, medium, medium_of_url
from tests.support.vendors.model import Answer, Asked, Medium, Tool, answer, halves, pieces
from tests.support.vendors.server import Received, Refused, Reply

_FIELDS: Final = frozenset({
    "model", "messages", "max_tokens", "system", "tools", "tool_choice", "stream", "stop_sequences", "temperature",
    "top_p", "top_k", "thinking", "output_config", "metadata", "service_tier", "cache_control", "container",
    "inference_geo",
})  # fmt: skip
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "max_tokens": int, "stream": bool, "stop_sequences": list, "tools": list, "messages": list, "thinking": dict,
    "output_config": dict, "temperature": (int, float), "top_p": (int, float), "top_k": int, "metadata": dict,
    "tool_choice": dict,
}  # fmt: skip
_BLOCKS: Final = {
    "text": {"text", "citations"}, "image": {"source"}, "document": {"source", "title", "context", "citations"},
    "tool_use": {"id", "name", "input"}, "tool_result": {"tool_use_id", "content", "is_error"},
    "thinking": {"thinking", "signature"}, "redacted_thinking": {"data"},
}  # fmt: skip
_SAMPLING: Final = ("temperature", "top_p", "top_k")
_REASONS: Final = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
_KINDS: Final = {
    400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 413: "request_too_large",
    429: "rate_limit_error", 500: "api_error", 529: "overloaded_error",
}  # fmt: skip

#: The signature of a thought: the API takes no thought back without it.
SIGNATURE: Final = "EqQBCgIYAhIM"


def _calls_without_thoughts(messages: list[Any]) -> bool:
    """Return whether the last message of the assistant has calls, and does not begin with its thoughts."""
    last = next((message["content"] for message in reversed(messages) if message["role"] == "assistant"), "")
    kinds = [block["type"] for block in last] if isinstance(last, list) else []
    return "tool_use" in kinds and kinds[0] not in ("thinking", "redacted_thinking")


class AnthropicVendor:
    """Anthropic. Models from 4.7 on reject sampling parameters, and so does the newer version of the API."""

    id = "anthropic"
    base = "/v1"
    key = "sk-ant-test-of-anthropic"
    models = ("claude-haiku-4-5", "claude-opus-4-7")

    def model(self, kind: str) -> str:
        """Return a model: each sees images."""
        return self.models[0]

    def respond(self, request: Received) -> Reply:
        """Return the response to a request."""
        if request.path != "/v1/messages":
            raise Refused(self.failure(404, "Not found"))
        if request.headers.get("x-api-key") != self.key:
            raise Refused(self.failure(401, "invalid x-api-key"))
        version = request.headers.get("anthropic-version")
        if version not in ("2023-06-01", "2026-10-21"):
            raise Refused(self._refuse("anthropic-version", "header is required"))
        body = body_of(request, self._refuse)
        asked = self._read(body, version)
        found = answer(asked)
        if body.get("stream"):
            return Reply.of_events(self._events(asked, found), "text/event-stream; charset=utf-8")
        return Reply.of_json(self._message(asked, found) | {"content": [*_blocks(found)]})

    def failure(self, status: int, message: str) -> Reply:
        """Return an error as Anthropic sends it."""
        error = {"type": _KINDS.get(status, "api_error"), "message": message}
        return Reply.of_json({"type": "error", "error": error, "request_id": "req_1"}, status)

    def error_event(self, message: str) -> bytes:
        """Return an error in a stream."""
        return _event({"type": "error", "error": {"type": "overloaded_error", "message": message}})

    def _refuse(self, path: str, message: str) -> Reply:
        return self.failure(400, f"{path}: {message}")

    def _read(self, body: dict[str, Any], version: str) -> Asked:
        check_fields(body, "", _FIELDS, self._refuse)
        check_types(body, _TYPES, self._refuse)
        model = body.get("model")
        if model not in self.models:
            raise Refused(self.failure(404, f"model: {model}"))
        if "max_tokens" not in body:
            raise Refused(self._refuse("max_tokens", "Field required"))
        self._check_sampling(body, version, is_new=model == "claude-opus-4-7")
        asked = Asked(model, max_tokens=body["max_tokens"])
        system = body.get("system")
        if system is not None:
            asked.add("system", *self._content(system, "system", {"text"}))
        self._read_messages(body.get("messages") or [], asked)
        self._read_tools(body, asked)
        config = body.get("output_config") or {}
        check_fields(config, "output_config", {"format", "effort"}, self._refuse)
        if "format" in config:
            check_fields(config["format"], "output_config.format", {"type", "schema"}, self._refuse)
            asked.schema = config["format"]["schema"]
        asked.thinks = self._thinks(body, is_new=model == "claude-opus-4-7")
        return asked

    def _check_sampling(self, body: dict[str, Any], version: str, *, is_new: bool) -> None:
        given = [name for name in _SAMPLING if name in body]
        if given and (is_new or version == "2026-10-21"):
            raise Refused(self._refuse(given[0], "sampling parameters are not supported"))
        if given and body.get("thinking", {}).get("type") in ("enabled", "adaptive"):
            raise Refused(self._refuse(given[0], "may only be set to 1 when thinking is enabled"))

    def _thinks(self, body: dict[str, Any], *, is_new: bool) -> bool:
        thinking = body.get("thinking") or {"type": "disabled"}
        check_fields(thinking, "thinking", {"type", "budget_tokens", "display"}, self._refuse)
        if thinking["type"] == "enabled":
            if is_new:
                raise Refused(self._refuse("thinking.type", "use adaptive thinking"))
            if not 1_024 <= thinking.get("budget_tokens", 0) < body["max_tokens"]:
                raise Refused(self._refuse("thinking.budget_tokens", "must be at least 1024 and less than max_tokens"))
        if thinking["type"] == "adaptive" and not is_new:
            raise Refused(self._refuse("thinking.type", "adaptive thinking is not supported"))
        if thinking["type"] != "disabled" and body.get("tool_choice", {}).get("type") in ("any", "tool"):
            raise Refused(self._refuse("tool_choice", "Thinking may not be enabled when tool_choice forces tool use."))
        if thinking["type"] == "enabled" and _calls_without_thoughts(body["messages"]):
            raise Refused(self._refuse("messages", "Expected `thinking` or `redacted_thinking`, but found `tool_use`."))
        return str(thinking["type"]) != "disabled"

    def _read_messages(self, messages: list[Any], asked: Asked) -> None:
        if not messages:
            raise Refused(self._refuse("messages", "at least one message is required"))
        open_calls: set[str] = set()
        for index, message in enumerate(messages):
            path = f"messages.{index}"
            check_fields(message, path, {"role", "content"}, self._refuse)
            if message["role"] not in ("user", "assistant"):
                raise Refused(self._refuse(f"{path}.role", "Input should be 'user' or 'assistant'"))
            blocks = message["content"] if isinstance(message["content"], list) else []
            results = {block["tool_use_id"] for block in blocks if block.get("type") == "tool_result"}
            if open_calls - results:
                raise Refused(self._refuse(path, "`tool_use` ids were found without `tool_result` blocks"))
            if results - open_calls:
                raise Refused(self._refuse(path, "unexpected `tool_use_id` found in `tool_result` blocks"))
            open_calls = {block["id"] for block in blocks if block.get("type") == "tool_use"}
            text, media = self._content(message["content"], f"{path}.content", set(_BLOCKS))
            if results:
                for block in blocks:
                    if block["type"] == "tool_result":
                        asked.add("tool", *self._content(block.get("content", ""), path, {"text", "image"}))
            else:
                asked.add(message["role"], text, media)

    def _content(self, content: Any, path: str, kinds: set[str]) -> tuple[str, list[Medium]]:
        if isinstance(content, str):
            if not content and kinds == set(_BLOCKS):
                raise Refused(self._refuse(path, "text content blocks must be non-empty"))
            return content, []
        texts, media = [], []
        for index, block in enumerate(content):
            kind, block_path = block.get("type"), f"{path}.{index}"
            if kind not in kinds:
                raise Refused(self._refuse(f"{block_path}.type", f"Input tag '{kind}' is not expected"))
            check_fields(block, block_path, {"type", "cache_control", *_BLOCKS[kind]}, self._refuse)
            if kind == "text":
                if not block["text"]:
                    raise Refused(self._refuse(block_path, "text content blocks must be non-empty"))
                texts.append(block["text"])
            elif kind in ("image", "document"):
                media.append(self._medium(block["source"], block_path))
            elif kind == "tool_use" and not re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"]):
                raise Refused(self._refuse(f"{block_path}.id", "String should match pattern '^[a-zA-Z0-9_-]+$'"))
            elif kind == "thinking" and block["signature"] != SIGNATURE:
                raise Refused(self._refuse(f"{block_path}.signature", "Invalid `signature` in `thinking` block"))
        return " ".join(texts), media

    def _medium(self, source: dict[str, Any], path: str) -> Medium:
        match source.get("type"):
            case "base64":
                check_fields(source, path, {"type", "media_type", "data"}, self._refuse)
                return medium(source["media_type"], source["data"], path, self._refuse)
            case "url":
                check_fields(source, path, {"type", "url"}, self._refuse)
                return medium_of_url(source["url"], path, self._refuse)
            case _:
                return Medium(f"text/plain of {len(source['data'].encode())} bytes")

    def _read_tools(self, body: dict[str, Any], asked: Asked) -> None:
        known = {"name", "description", "input_schema", "strict", "cache_control", "type"}
        for index, tool in enumerate(body.get("tools") or ()):
            check_fields(tool, f"tools.{index}", known, self._refuse)
            if tool.get("input_schema", {}).get("type") != "object":
                raise Refused(self._refuse(f"tools.{index}.custom.input_schema.type", "Field required"))
            asked.tools.append(Tool(tool["name"], tool["input_schema"]))
        choice = body.get("tool_choice") or {"type": "auto"}
        check_fields(choice, "tool_choice", {"type", "name", "disable_parallel_tool_use"}, self._refuse)
        if choice["type"] == "tool":
            asked.tools = [tool for tool in asked.tools if tool.name == choice["name"]]
        asked.must_call = choice["type"] in ("any", "tool")
        asked.tools = [] if choice["type"] == "none" else asked.tools

    def _message(self, asked: Asked, found: Answer) -> dict[str, Any]:
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": asked.model, "content": [],
            "stop_reason": _REASONS[found.reason], "stop_sequence": None, "usage": {
                "input_tokens": found.prompt_tokens, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                "output_tokens": found.completion_tokens, "service_tier": "standard",
            },
        }  # fmt: skip

    def _events(self, asked: Asked, found: Answer) -> list[bytes]:
        whole = self._message(asked, found)
        start = whole | {"stop_reason": None, "usage": whole["usage"] | {"output_tokens": 1}}
        events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
        for index, block in enumerate(_blocks(found)):
            empty, deltas = _parts(block)
            events.append({"type": "content_block_start", "index": index, "content_block": empty})
            events += [{"type": "ping"}] if index == 0 else []
            events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
            events.append({"type": "content_block_stop", "index": index})
        end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        events.append({"type": "message_delta", "delta": end, "usage": whole["usage"]})
        return [_event(event) for event in [*events, {"type": "message_stop"}]]


def _event(value: dict[str, Any]) -> bytes:
    """Return an event; Anthropic pads its JSON with spaces."""
    return b"event: %b\ndata: %b   \n\n" % (value["type"].encode(), json.dumps(value).encode())


def _blocks(found: Answer) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if found.thought:
        blocks.append({"type": "thinking", "thinking": found.thought, "signature": SIGNATURE})
    if found.text:
        blocks.append({"type": "text", "text": found.text})
    return blocks + [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in found.calls
    ]


def _parts(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the start of a block, and its deltas."""
    match block["type"]:
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])]
            signature = {"type": "signature_delta", "signature": block["signature"]}
            return {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signature]
        case "text":
            deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
            return {"type": "text", "text": ""}, deltas
        case _:
            deltas = [
                {"type": "input_json_delta", "partial_json": half} for half in ("", *halves(json.dumps(block["input"])))
            ]
            return block | {"input": {}}, deltas
