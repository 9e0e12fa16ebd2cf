"""A server whose integrations are the fakes of all vendors, and calls through each of its routes."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, Final

import msgspec
import urllib3

from moorage.core.access import DEFAULT_SCOPES, Scope
from tests.support.connections import Pool
from tests.support.raw import RawRequest
from tests.support.server import Project, Response, Server, a_body
from tests.support.vendors.server import VendorServer

#: Prefix of the command that starts a server that can call vendors on this machine.
ALLOW_LOOPBACK: Final = ("env", "MOORAGE_PRIVATE_HOSTS=127.0.0.1")

#: What the vendors' own base URLs need beside the credential.
OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "azure": {"resource": "shop"}, "aws": {"region": "eu-west-1"},
    "google": {"project": "shop", "location": "europe-west1"},
}  # fmt: skip

#: The routes of calls, and those of streams among them.
ROUTES: Final = ("invoke", "stream", "chat", "chat-stream")
STREAMS: Final = ("stream", "chat-stream")

_NO_HEADERS: Final[Mapping[str, str]] = {}

_numbers = itertools.count(1)


class Outcome(msgspec.Struct):
    """What a caller got. `is_cut` is whether the connection was closed before the end of a stream.

    `error` is that of a response that is an error, or of an event in a stream.
    """

    status: int
    headers: Mapping[str, str]
    text: str = ""
    thought: str = ""
    calls: list[tuple[str, str, Any]] = []
    reason: str | None = None
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    is_cut: bool = False
    events: list[dict[str, Any]] = []
    body: dict[str, Any] = {}


class Gateway:
    """A project on a server, with an integration for each vendor."""

    def __init__(self, server: Server, vendors: VendorServer) -> None:
        self.server, self.vendors = server, vendors
        self.project = server.new_project()
        _, token = self.project.key(*DEFAULT_SCOPES, Scope.INTEGRATIONS_ADMIN)
        self._admin = Project(server, self.project.id, self.project.name, token)
        self._keys: dict[str, str] = {}
        self._pool = Pool()
        for vendor in vendors.vendors:
            self.connect(vendor, vendor)

    def connect(self, name: str, vendor: str, credentials: Mapping[str, str] | None = None, **options: float) -> None:
        """Create an integration; without credentials, with those that the vendor takes."""
        field = "access_token" if vendor == "google" else "api_key"
        body = {
            "provider": vendor, "base_url": self.vendors.base_url(vendor),
            "options": {**OPTIONS.get(vendor, {}), **options},
            "credentials": credentials or {field: self.vendors.vendors[vendor].key},
        }  # fmt: skip
        response = self._admin.request("PUT", f"/v2/integrations/{name}", json.dumps(body).encode())
        assert response.status == 201, response.body

    def deploy(self, vendor: str, kind: str = "chat", model: str | None = None, **config: Any) -> str:
        """Create a deployment of a vendor's model, with an instruction, or return the key of an equal one."""
        name = model or self.vendors.vendors[vendor].model(kind)
        prompt = {"messages": [{"role": "system", "content": "Answer briefly."}], "model_parameters": {}, **config}
        runtime = {name: prompt.pop(name) for name in ("retry_count", "fallbacks") if name in prompt}
        body = a_body(provider=vendor, model=model_name(vendor, name), model_type=kind, **prompt) | runtime
        return self.put(body)

    def put(self, body: Mapping[str, Any]) -> str:
        """Create a deployment, or return the key of an equal one."""
        content = json.dumps(body)
        if content not in self._keys:
            key = f"call{next(_numbers)}"
            response = self.project.put(key, body)
            assert response.status == 201, response.body
            self._keys[content] = key
        return self._keys[content]

    def call(
        self,
        route: str,
        key: str,
        messages: str | Sequence[dict[str, Any]] = (),
        headers: Mapping[str, str] = _NO_HEADERS,
        **fields: Any,
    ) -> Outcome:
        """Call a deployment through a route. A text is a message of the user."""
        said = [{"role": "user", "content": messages}] if isinstance(messages, str) else [*messages]
        body: dict[str, Any] = {"messages": said} | fields
        if route in ("invoke", "stream"):
            path = f"/v2/deployments/{route}"
            body |= {"key": key, "invoke_options": {"include_usage": True}}
        else:
            path = "/v1/completions" if route.startswith("text") else "/v1/chat/completions"
            body |= {"model": key}
        if route in ("chat-stream", "text-stream"):
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if route.startswith("text"):
            body["prompt"] = said[0]["content"]
            del body["messages"]
        response = self._post(path, json.dumps(body).encode(), headers)
        if response.status != 200 or route in ("invoke", "chat", "text"):
            return _unary(response)
        return _streamed(response)

    @contextmanager
    def started(
        self, route: str, key: str, text: str, headers: Mapping[str, str] = _NO_HEADERS
    ) -> Iterator[RawRequest]:
        """Send a request, and return its connection; the end of the block closes it."""
        body = json.dumps({"model": key, "messages": [{"role": "user", "content": text}], "stream": route != "chat"})
        request = RawRequest(self.server.port)
        sent = {"Authorization": f"Bearer {self.project.token}", "Content-Type": "application/json", **headers}
        request.send_head("POST", "/v1/chat/completions", sent, len(body.encode()))
        request.send(body.encode())
        with closing(request):
            yield request

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> "RawStream":
        sent = {"Authorization": f"Bearer {self.project.token}", **headers}
        response = self._pool.request("POST", self.server.url + path, body=body, headers=sent, preload_content=False)
        pieces, is_cut = list[bytes](), True
        with suppress(urllib3.exceptions.ProtocolError):
            pieces += response.stream(1 << 16)
            is_cut = False
        response.release_conn()
        return RawStream(response, b"".join(pieces), is_cut=is_cut)


class RawStream(Response):
    """A response that can be cut off."""

    def __init__(self, response: urllib3.BaseHTTPResponse, body: bytes, *, is_cut: bool) -> None:
        self.status, self.headers, self.body, self.is_cut = response.status, response.headers, body, is_cut


def model_name(vendor: str, name: str) -> str:
    """Return the name of a model in a deployment: after the vendor, which the names of Perplexity have anyway."""
    return name if vendor == "perplexity" else f"{vendor}/{name}"


def _unary(response: RawStream) -> Outcome:
    if response.status != 200:
        return Outcome(response.status, response.headers, error=response.error)
    body = response.json
    found = Outcome(200, response.headers, body=body, usage=body.get("usage"))
    choice = body["choices"][0]
    message = choice.get("message") or {"content": choice["text"]}
    found.text, found.reason = message.get("content") or "", choice["finish_reason"]
    found.thought = message.get("reasoning") or message.get("reasoning_content") or ""
    found.calls = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls", ())
    ]
    return found


def _streamed(response: RawStream) -> Outcome:
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    found = Outcome(200, response.headers, is_cut=response.is_cut)
    blocks = [block for block in response.body.decode().split("\n\n") if block and not block.startswith(":")]
    assert all(block.startswith("data: ") for block in blocks)
    if blocks and blocks[-1] == "data: [DONE]":
        blocks.pop()
    else:
        assert found.is_cut or "error" in json.loads(blocks[-1][6:]), "a stream that is complete ends with [DONE]"
    calls: dict[int, list[str]] = {}
    for block in blocks:
        event = json.loads(block[6:])
        found.events.append(event)
        found.usage = event.get("usage") or found.usage
        found.error = event.get("error")
        for choice in event.get("choices", ()):
            if choice["index"] == 0:
                _add(choice, found, calls)
    found.calls = [(call_id, name, json.loads(arguments)) for call_id, name, arguments in calls.values()]
    return found


def _add(choice: dict[str, Any], found: Outcome, calls: dict[int, list[str]]) -> None:
    """Add an event to what the caller has so far, as clients do: texts of all parts are joined."""
    delta = choice.get("message") or choice.get("delta") or {"content": choice.get("text")}
    found.text += delta.get("content") or ""
    found.thought += delta.get("reasoning") or delta.get("reasoning_content") or ""
    found.reason = choice.get("finish_reason") or found.reason
    for call in delta.get("tool_calls", ()):
        parts = calls.setdefault(call["index"], ["", "", ""])
        function = call["function"]
        for place, part in enumerate((call.get("id"), function.get("name"), function["arguments"])):
            parts[place] += part or ""
