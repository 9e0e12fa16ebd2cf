"""A provider for the commands of the docs: the API of OpenAI, with responses that are always the same."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

#: The models that it has.
MODELS = ("gpt-6.1-terra", "gpt-6-luna")

TEXT = "Your order arrives tomorrow."

_CALL: dict[str, Any] = {
    "index": 0, "id": "call_1", "type": "function",
    "function": {"name": "find_order", "arguments": '{"order_number": "7"}'},
}  # fmt: skip


class DocsProvider:
    """The provider, on a free port of this machine. `requests` has the bodies of all requests."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        requests = self.requests

        class Handler(_Handler):
            received = requests

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def environment(self) -> tuple[str, ...]:
        """The start of a command that runs a server which calls this provider."""
        url = f"http://127.0.0.1:{self._server.server_port}/v1"
        return ("env", f"OPENAI_BASE_URL={url}", "OPENAI_API_KEY=sk-docs", "MOORAGE_PRIVATE_HOSTS=127.0.0.1")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    received: list[dict[str, Any]]

    def do_GET(self) -> None:
        """List the models."""
        self._send(200, {"object": "list", "data": [{"id": model, "object": "model"} for model in MODELS]})

    def do_POST(self) -> None:
        """Respond to a chat completion, or to a request of the Responses API, which gets the same text."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.received.append(body)
        if body["model"] not in MODELS:
            words = f"The model `{body['model']}` does not exist or you do not have access to it."
            self._send(404, {"error": {"message": words, "type": "invalid_request_error", "code": "model_not_found"}})
        elif self.path == "/v1/responses":
            part = {"type": "output_text", "text": TEXT, "annotations": []}
            message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
            usage = {"input_tokens": 42, "output_tokens": 6, "total_tokens": 48}
            self._send(200, {
                "id": "resp_1", "object": "response", "created_at": 1, "model": body["model"], "status": "completed",
                "output": [message], "usage": usage,
            })  # fmt: skip
        elif body.get("stream"):
            self._stream(body)
        else:
            message, reason = _message(body)
            choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
            self._send(200, {
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"],
                "choices": [choice], "usage": _USAGE,
            })  # fmt: skip

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name in the base class
        """Print nothing."""

    def _send(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        message, reason = _message(body)
        words = re.findall(r"\S+\s*", message["content"] or "")
        calls = [{"tool_calls": message["tool_calls"]}] if "tool_calls" in message else []
        deltas = [*({"content": word} for word in words), *calls]
        for delta in deltas:
            self._event(body, {"index": 0, "delta": delta, "finish_reason": None})
        self._event(body, {"index": 0, "delta": {}, "finish_reason": reason})
        self._event(body)
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, body: dict[str, Any], *choices: dict[str, Any]) -> None:
        """Send an event; one without a choice has the usage."""
        event: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": body["model"],
        }
        event |= {"choices": choices, "usage": None if choices else _USAGE}
        self.wfile.write(b"data: %b\n\n" % json.dumps(event).encode())


_USAGE: dict[str, int] = {"prompt_tokens": 42, "completion_tokens": 6, "total_tokens": 48}


def _message(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the message of the model, and its finish reason."""
    last = body["messages"][-1]
    if body.get("response_format", {}).get("type") == "json_schema":
        return {"content": '{"topic": "delivery"}'}, "stop"
    if body.get("tools") and last["role"] != "tool" and "order 7" in str(last["content"]):
        return {"content": None, "tool_calls": [_CALL]}, "tool_calls"
    return {"content": TEXT}, "stop"
