"""The fakes of all vendors with the Chat Completions API, and with the API for texts before it."""

import json
import re
from typing import Any, Final

from msgspec import structs

from tests.support.vendors.checks import body_of, check_fields, check_types, medium_of_url
from tests.support.vendors.huggingface_tasks import TASK_MODELS, respond_task
from tests.support.vendors.model import Answer, Asked, Medium, Tool, answer
from tests.support.vendors.openai_media import MEDIA_DIALECTS, media_kind, respond_media
from tests.support.vendors.openai_responses import NATIVE, respond_native
from tests.support.vendors.openai_stream import Chunks
from tests.support.vendors.openai_table import KIMI_FIXED, Dialect
from tests.support.vendors.server import Received, Refused, Reply

_CREATED: Final = 1_787_150_111

_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "temperature": (int, float), "top_p": (int, float), "max_tokens": int, "max_completion_tokens": int, "seed": int,
    "random_seed": int, "top_k": int, "n": int, "stream": bool, "frequency_penalty": (int, float),
    "presence_penalty": (int, float), "tools": list, "messages": list, "response_format": dict,
    "reasoning_effort": str, "user": str, "metadata": dict, "logprobs": bool, "top_logprobs": int,
}  # fmt: skip

#: The fields of messages, and of their parts, by role and type.
_MESSAGES: Final = {
    "system": {"content", "name"}, "developer": {"content", "name"}, "user": {"content", "name"},
    "assistant": {"content", "name", "tool_calls", "refusal", "audio", "reasoning_content"},
    "tool": {"content", "tool_call_id", "name"},
}  # fmt: skip
_PARTS: Final = {
    "text": {"text"}, "image_url": {"url", "detail"}, "input_audio": {"data", "format"}, "refusal": {"refusal"},
    "file": {"file_data", "file_id", "filename"},
}  # fmt: skip

_TEXT_FIELDS: Final = frozenset({
    "model", "prompt", "stream", "stream_options", "temperature", "top_p", "max_tokens", "stop", "seed", "n",
    "frequency_penalty", "presence_penalty", "logprobs", "logit_bias", "user", "echo", "suffix", "best_of", "top_k",
})  # fmt: skip
_FIM_FIELDS: Final = frozenset({
    "model", "prompt", "suffix", "stream", "temperature", "top_p", "max_tokens", "min_tokens", "stop", "random_seed",
    "metadata",
})  # fmt: skip


class OpenAiVendor:
    """A vendor of the table."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.id, self.base = dialect.id, dialect.base
        self.key = f"sk-test-of-{dialect.id}"

    def model(self, kind: str) -> str:
        """Return a model of a type."""
        dialect = self.dialect
        others = MEDIA_DIALECTS[self.id].models if self.id in MEDIA_DIALECTS else {}
        others = TASK_MODELS if self.id == "huggingface" else others
        return {"chat": dialect.models, "vision": dialect.seeing, "completion": dialect.text_models, **others}[kind][0]

    def respond(self, request: Received) -> Reply:
        """Return the response to a request."""
        dialect = self.dialect
        if self.id == "huggingface" and request.path.startswith("/hf-inference/"):
            return respond_task(request, self.key)
        kind = media_kind(self.base, request.path) if self.id in MEDIA_DIALECTS else None
        is_native = self.id in NATIVE and request.path == f"{self.base}/responses"
        is_text = dialect.text_path is not None and request.path == dialect.base + dialect.text_path
        if not is_text and not is_native and kind is None and request.path != dialect.base + dialect.chat_path:
            raise Refused(self._error((404, dialect.invalid[1]), f"Unknown path {request.path}", ""))
        prefix = "Bearer " if dialect.key_header == "authorization" else ""
        if request.headers.get(dialect.key_header) != prefix + self.key:
            given = request.headers.get(dialect.key_header, "").removeprefix(prefix)
            raise Refused(self._error(dialect.unauthorized, given, ""))
        if is_native:
            return respond_native(request, dialect.models + dialect.seeing, self._refuse)
        if kind is not None:
            return respond_media(self.id, kind, request, self._refuse)
        body = body_of(request, self._refuse)
        asked = self._read_text(body) if is_text else self._read_chat(body)
        found = answer(asked)
        if self.id == "mistral":
            found.calls = [structs.replace(call, id=f"call0000{index}") for index, call in enumerate(found.calls)]
        is_chat = not is_text or dialect.id == "mistral"
        if body.get("stream"):
            options = body.get("stream_options") or {}
            chunks = Chunks(dialect, asked, found, is_chat=is_chat, with_usage=bool(options.get("include_usage")))
            return Reply.of_events(chunks.all(), "text/event-stream; charset=utf-8")
        return Reply.of_json(self._response(asked, found, is_chat=is_chat))

    def failure(self, status: int, message: str) -> Reply:
        """Return an error as the vendor sends it."""
        return self._error((status, self.dialect.failed), message, "")

    def error_event(self, message: str) -> bytes:
        """Return an error in a stream."""
        name = b"event: error\n" if self.id == "groq" else b""
        error = {"error": {"message": message, "type": "server_error", "code": 500}}
        return b"%bdata: %b\n\n" % (name, json.dumps(error).encode())

    def _refuse(self, param: str, message: str) -> Reply:
        return self._error(self.dialect.invalid, message, param)

    def _error(self, error: tuple[int, Any], message: str, param: str) -> Reply:
        status, body = error
        text = json.dumps(body)
        for name, value in (("message", message), ("param", param), ("status", str(status))):
            text = text.replace(f"{{{name}}}", json.dumps(value)[1:-1])
        return Reply(status, {"Content-Type": self.dialect.error_type, "x-request-id": "req_1"}, [text.encode()])

    def _read_text(self, body: dict[str, Any]) -> Asked:
        fields = _FIM_FIELDS if self.id == "mistral" else _TEXT_FIELDS
        check_fields(body, "", fields, self._refuse)
        check_types(body, _TYPES, self._refuse)
        self._check_model(body, self.dialect.text_models)
        if not isinstance(body.get("prompt"), str):
            raise Refused(self._refuse("prompt", "Expected a string."))
        asked = Asked(body["model"], max_tokens=body.get("max_tokens"), choices=body.get("n", 1))
        asked.add("user", body["prompt"], [])
        return asked

    def _read_chat(self, body: dict[str, Any]) -> Asked:
        dialect = self.dialect
        check_fields(body, "", dialect.fields, self._refuse)
        check_types(body, _TYPES, self._refuse)
        self._check_model(body, dialect.models + dialect.seeing)
        self._check_parameters(body)
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        asked = Asked(body["model"], max_tokens=limit, choices=body.get("n", 1))
        if not body.get("messages"):
            raise Refused(self._refuse("messages", "Expected at least one message."))
        open_calls: list[str] = []
        for index, message in enumerate(body["messages"]):
            self._read_message(message, f"messages[{index}]", asked, open_calls)
        if open_calls:
            raise Refused(self._refuse("messages", "Tool calls must be followed by tool messages."))
        self._read_tools(body, asked)
        self._read_format(body.get("response_format"), asked)
        effort = body.get("reasoning_effort")
        thinking = body.get("thinking") or {}
        asked.thinks = effort not in (None, "none") or thinking.get("type") == "enabled"
        return asked

    def _check_model(self, body: dict[str, Any], models: tuple[str, ...]) -> None:
        if body.get("model") not in models:
            raise Refused(self._error(self.dialect.not_found, str(body.get("model")), "model"))

    def _check_parameters(self, body: dict[str, Any]) -> None:
        if not 1 <= body.get("n", 1) <= 128:
            raise Refused(self._refuse("n", "Expected a number from 1 to 128."))
        if self.id in ("openai", "azure") and body["model"].startswith("gpt-5"):
            if "max_tokens" in body:
                raise Refused(self._refuse("max_tokens", "Unsupported parameter; use 'max_completion_tokens'."))
            if body.get("temperature", 1) != 1 and body.get("reasoning_effort") != "none":
                raise Refused(self._refuse("temperature", "Only the default (1) value is supported."))
        if self.id == "moonshotai":
            for name, value in KIMI_FIXED.items():
                if body.get(name, value) != value:
                    raise Refused(self._refuse(name, f"invalid {name}: only {value} is allowed for this model"))
        if "stream_options" in body and not body.get("stream"):
            raise Refused(self._refuse("stream_options", "Only allowed when stream is enabled."))

    def _read_message(self, message: Any, path: str, asked: Asked, open_calls: list[str]) -> None:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in self.dialect.roles:
            raise Refused(self._refuse(f"{path}.role", f"Invalid value: {role!r}."))
        fields = _MESSAGES[role] - (set() if self.dialect.takes_reasoning_back else {"reasoning_content"})
        check_fields(message, path, fields | {"role"}, self._refuse)
        if role == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise Refused(self._refuse(path, "'tool' must be a response to a preceeding message with 'tool_calls'"))
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            raise Refused(self._refuse(path, "Tool calls must be followed by tool messages."))
        for index, call in enumerate(message.get("tool_calls") or ()):
            call_path = f"{path}.tool_calls[{index}]"
            check_fields(call, call_path, {"id", "type", "function"}, self._refuse)
            check_fields(call.get("function"), f"{call_path}.function", {"name", "arguments"}, self._refuse)
            if self.dialect.call_ids and not re.fullmatch(self.dialect.call_ids, call["id"]):
                raise Refused(self._refuse(call_path, f"Tool call id was {call['id']}, which is not valid."))
            if call.get("type") != "function" or not isinstance(call["function"].get("arguments"), str):
                raise Refused(self._refuse(call_path, "Invalid tool call."))
            open_calls.append(call["id"])
        if message.get("content") is None and not message.get("tool_calls"):
            raise Refused(self._refuse(f"{path}.content", "Expected a string, got null."))
        text, media = self._read_content(message.get("content") or "", path)
        asked.add(role, text, media)

    def _read_content(self, content: Any, path: str) -> tuple[str, list[Medium]]:
        if isinstance(content, str):
            return content, []
        texts, media = [], []
        for index, part in enumerate(content):
            kind, part_path = part.get("type"), f"{path}.content[{index}]"
            if kind not in _PARTS:
                raise Refused(self._refuse(f"{part_path}.type", f"Invalid value: {kind!r}."))
            check_fields(part, part_path, {"type", kind}, self._refuse)
            if kind in ("text", "refusal"):
                texts.append(part[kind])
                continue
            check_fields(part[kind], f"{part_path}.{kind}", _PARTS[kind], self._refuse)
            url = part[kind].get("url") or part[kind].get("file_data")
            media.append(medium_of_url(url, part_path, self._refuse) if url else Medium(kind))
        return " ".join(texts), media

    def _read_tools(self, body: dict[str, Any], asked: Asked) -> None:
        for index, tool in enumerate(body.get("tools") or ()):
            path = f"tools[{index}]"
            check_fields(tool, path, {"type", "function"}, self._refuse)
            check_fields(tool["function"], path, {"name", "description", "parameters", "strict"}, self._refuse)
            asked.tools.append(Tool(tool["function"]["name"], tool["function"].get("parameters") or {}))
        choice = body.get("tool_choice")
        if choice is not None and not asked.tools:
            raise Refused(self._refuse("tool_choice", "'tool_choice' is only allowed when 'tools' are specified."))
        if isinstance(choice, dict):
            asked.tools = [tool for tool in asked.tools if tool.name == choice["function"]["name"]]
        asked.must_call = choice in ("required", "any") or isinstance(choice, dict)
        asked.tools = [] if choice == "none" else asked.tools

    def _read_format(self, found: Any, asked: Asked) -> None:
        if found is None:
            return
        check_fields(found, "response_format", {"type", "json_schema"}, self._refuse)
        if found.get("type") not in self.dialect.formats:
            raise Refused(self._refuse("response_format", "This response_format type is unavailable now"))
        asked.is_json = found["type"] == "json_object"
        if found["type"] == "json_schema":
            given, path = found["json_schema"], "response_format.json_schema"
            check_fields(given, path, {"name", "schema", "strict", "description"}, self._refuse)
            is_open = given["schema"].get("additionalProperties") is not False
            if given.get("strict") and is_open and self.id in ("openai", "azure"):
                raise Refused(self._refuse(path, "'additionalProperties' is required to be supplied and to be false."))
            asked.schema = given["schema"]

    def _response(self, asked: Asked, found: Answer, *, is_chat: bool) -> dict[str, Any]:
        usage = Chunks(self.dialect, asked, found, is_chat=is_chat, with_usage=True).usage()
        choices: list[dict[str, Any]] = []
        for index in range(asked.choices):
            reason = found.reason if found.reason != "stop" else self.dialect.stop_reason
            choice = {"index": index, "logprobs": None, "finish_reason": reason}
            if is_chat:
                choices.append(choice | {"message": self._message(found)})
            else:
                choices.append(choice | {"text": found.text})
        kind, head = ("chat.completion", "chatcmpl") if is_chat else ("text_completion", "cmpl")
        return {
            "id": f"{head}-1", "object": kind, "created": _CREATED, "model": asked.model, "choices": choices,
            "usage": usage, "system_fingerprint": "fp_1",
        }  # fmt: skip

    def _message(self, found: Answer) -> dict[str, Any]:
        content: Any = found.text or None
        if found.thought and self.id == "mistral":
            content = [{"type": "thinking", "thinking": [{"type": "text", "text": found.thought}]}]
            content += [{"type": "text", "text": found.text}] if found.text else []
        message = {"role": "assistant", "content": content, "refusal": None}
        if found.calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.json}}
                for call in found.calls
            ]
        if found.thought and self.dialect.reasoning:
            message[self.dialect.reasoning] = found.thought
        return message
