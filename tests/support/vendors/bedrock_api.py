"""The fake of Amazon Bedrock: the Converse API, with API keys or signed requests."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from tests.support.vendors.aws_signatures import is_signed
from tests.support.vendors.bedrock_media import BEDROCK_MODELS, respond_media
from tests.support.vendors.checks import body_of, check_fields, check_types, medium
from tests.support.vendors.event_stream import encode_message
from tests.support.vendors.model import Answer, Asked, Medium, Tool, answer, halves, pieces
from tests.support.vendors.server import Received, Refused, Reply

_FIELDS: Final = frozenset({
    "messages", "system", "inferenceConfig", "toolConfig", "guardrailConfig", "additionalModelRequestFields",
    "promptVariables", "additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig", "serviceTier",
    "outputConfig",
})  # fmt: skip
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "maxTokens": int, "temperature": (int, float), "topP": (int, float), "stopSequences": list,
}  # fmt: skip
_BLOCKS: Final = frozenset({
    "text", "image", "document", "toolUse", "toolResult", "reasoningContent", "cachePoint", "guardContent",
})  # fmt: skip

#: The further fields of a request, by the family of the model.
_FURTHER: Final[Mapping[str, set[str]]] = {
    "anthropic": {"top_k", "thinking", "output_config", "anthropic_beta"}, "amazon": {"inferenceConfig",
    "reasoningConfig"}, "openai": {"reasoning_effort"},
}  # fmt: skip
_REASONS: Final = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
_ERRORS: Final = {
    400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
    429: "ThrottlingException", 500: "InternalServerException", 503: "ServiceUnavailableException",
}  # fmt: skip


class BedrockVendor:
    """Amazon Bedrock. Roles alternate, and a conversation begins with the user."""

    id = "aws"
    base = ""
    key = "ABSK-test-of-aws"
    access_key, secret_key = "AKIATESTOFAWS", "secret/test+of/aws"
    models = ("anthropic.claude-haiku-4-5-v1:0", "us.amazon.nova-lite-v1:0", "openai.gpt-oss-120b-1:0")

    def model(self, kind: str) -> str:
        """Return a model: each for chats sees images."""
        return BEDROCK_MODELS.get(kind, self.models[:1])[0]

    def respond(self, request: Received) -> Reply:
        """Return the response to a request."""
        self._authenticate(request)
        if (reply := respond_media(request, self._refuse)) is not None:
            return reply
        if request.path.startswith("/guardrail/"):
            raise Refused(self.failure(404, "The guardrail identifier or version provided does not exist."))
        _, folder, model, operation = request.path.split("/")
        if folder != "model" or operation not in ("converse", "converse-stream") or model != quote(unquote(model), ""):
            raise Refused(Reply.of_json({"Output": {"__type": "UnknownOperationException"}}, 404))
        if unquote(model) not in self.models:
            raise Refused(self.failure(400, "The provided model identifier is invalid."))
        asked = self._read(body_of(request, self._refuse), unquote(model))
        found = answer(asked)
        if operation == "converse-stream":
            return Reply.of_events(_events(found), "application/vnd.amazon.eventstream")
        return Reply.of_json({
            "output": {"message": {"role": "assistant", "content": _blocks(found)}}, "metrics": {"latencyMs": 5},
            "stopReason": _REASONS[found.reason], "usage": _usage(found),
        })  # fmt: skip

    def failure(self, status: int, message: str, kind: str | None = None) -> Reply:
        """Return an error as Amazon sends it: its code is a header."""
        code = kind or _ERRORS.get(status, "InternalServerException")
        return Reply.of_json(
            {"message": message}, status, **{"x-amzn-ErrorType": f"{code}:http://internal.amazon.com/"}
        )

    def error_event(self, message: str) -> bytes:
        """Return an exception in a stream."""
        return encode_message(
            {":exception-type": "modelStreamErrorException", ":content-type": "application/json",
             ":message-type": "exception"}, json.dumps({"message": message}).encode(),
        )  # fmt: skip

    def _refuse(self, path: str, message: str) -> Reply:
        return self.failure(400, f"The value at {path} is invalid: {message}")

    def _authenticate(self, request: Received) -> None:
        given = request.headers.get("authorization", "")
        if given.startswith("AWS4-HMAC-SHA256"):
            if not is_signed(request, f"/{self.id}", self.access_key, self.secret_key):
                raise Refused(self.failure(
                    403, "The request signature we calculated does not match the signature you provided.",
                    "InvalidSignatureException",
                ))  # fmt: skip
        elif given != f"Bearer {self.key}":
            raise Refused(self.failure(403, "Authentication failed: Please make sure your API Key is valid."))

    def _read(self, body: dict[str, Any], model: str) -> Asked:
        check_fields(body, "", _FIELDS, self._refuse)
        config = body.get("inferenceConfig", {})
        check_fields(config, "inferenceConfig", _TYPES, self._refuse)
        check_types(config, _TYPES, self._refuse)
        asked = Asked(model, max_tokens=config.get("maxTokens"))
        for block in body.get("system", ()):
            check_fields(block, "system", {"text", "cachePoint", "guardContent"}, self._refuse)
            asked.add("system", block.get("text", ""), [])
        self._read_messages(body.get("messages", []), asked)
        self._read_tools(body, asked)
        further = body.get("additionalModelRequestFields", {})
        family = model.removeprefix("us.").partition(".")[0]
        check_fields(further, "additionalModelRequestFields", _FURTHER[family], self._refuse)
        thinking = further.get("thinking") or further.get("reasoningConfig") or {}
        asked.thinks = thinking.get("type") in ("enabled", "adaptive") or "reasoning_effort" in further
        if thinking.get("type") == "enabled" and thinking.get("budget_tokens", 0) >= config.get("maxTokens", 0):
            raise Refused(self._refuse("thinking.budget_tokens", "must be less than maxTokens"))
        if output := body.get("outputConfig"):
            given = output["textFormat"]["structure"]["jsonSchema"]
            check_fields(given, "outputConfig", {"schema", "name", "description"}, self._refuse)
            asked.schema = json.loads(given["schema"])
        return asked

    def _read_messages(self, messages: list[Any], asked: Asked) -> None:
        if not messages or messages[0].get("role") != "user":
            raise Refused(self.failure(400, "A conversation must start with a user message."))
        before, open_calls = None, set[str]()
        for index, message in enumerate(messages):
            path = f"messages.{index}"
            check_fields(message, path, {"role", "content"}, self._refuse)
            if message["role"] not in ("user", "assistant"):
                raise Refused(self._refuse(f"{path}.role", "Member must satisfy enum value set: [user, assistant]"))
            if message["role"] == before:
                raise Refused(self.failure(400, "A conversation must alternate between user and assistant roles."))
            before = message["role"]
            uses = {block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block}
            results = {block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block}
            if results != open_calls:
                raise Refused(self.failure(400, f"Expected toolResult blocks at {path}.content for the ids."))
            open_calls = uses
            self._read_blocks(message, path, asked)

    def _read_blocks(self, message: dict[str, Any], path: str, asked: Asked) -> None:
        if not message["content"]:
            raise Refused(self.failure(400, f"The content field in the Message object at {path} is empty."))
        texts, media, results = list[str](), list[Medium](), list[str]()
        for block in message["content"]:
            self._check_block(block, path)
            if "text" in block:
                texts.append(block["text"])
            elif found := block.get("image") or block.get("document"):
                check_fields(found, path, {"format", "source", "name", "citations", "context"}, self._refuse)
                media.append(self._medium("image" if "image" in block else "document", found, path))
            elif result := block.get("toolResult"):
                check_fields(result, path, {"toolUseId", "content", "status"}, self._refuse)
                results.append(" ".join(part.get("text", json.dumps(part)) for part in result["content"]))
            elif use := block.get("toolUse"):
                check_fields(use, path, {"toolUseId", "name", "input"}, self._refuse)
        for text in results:
            asked.add("tool", text, [])
        if texts or media or not results:
            asked.add(message["role"], " ".join(texts), media)

    def _check_block(self, block: Any, path: str) -> None:
        if not isinstance(block, dict) or len(block) != 1 or not _BLOCKS.issuperset(block):
            raise Refused(self._refuse(f"{path}.content", f"{[*block]} is not a block"))
        if not block.get("text", "text").strip():
            raise Refused(self.failure(400, "The text field in the ContentBlock object is blank."))

    def _medium(self, kind: str, found: dict[str, Any], path: str) -> Medium:
        source = found["source"]
        if "bytes" in source:
            return medium(f"{kind}/{found['format']}", source["bytes"], path, self._refuse)
        return Medium(source["s3Location"]["uri"])

    def _read_tools(self, body: dict[str, Any], asked: Asked) -> None:
        config = body.get("toolConfig")
        if config is None:
            if any("toolUse" in block for message in body["messages"] for block in message["content"]):
                raise Refused(self.failure(400, "The toolConfig field must be defined when using toolUse blocks."))
            return
        check_fields(config, "toolConfig", {"tools", "toolChoice"}, self._refuse)
        for tool in config["tools"]:
            check_fields(tool, "toolConfig.tools", {"toolSpec", "cachePoint"}, self._refuse)
            spec = tool["toolSpec"]
            check_fields(spec, "toolSpec", {"name", "description", "inputSchema", "strict"}, self._refuse)
            asked.tools.append(Tool(spec["name"], spec["inputSchema"]["json"]))
        choice = config.get("toolChoice", {"auto": {}})
        asked.must_call = "any" in choice or "tool" in choice
        if "tool" in choice:
            asked.tools = [tool for tool in asked.tools if tool.name == choice["tool"]["name"]]


def _usage(found: Answer) -> dict[str, Any]:
    return {
        "inputTokens": found.prompt_tokens, "outputTokens": found.completion_tokens, "totalTokens": found.total_tokens,
        "serverToolUsage": {},
    }  # fmt: skip


def _blocks(found: Answer) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if found.thought:
        blocks.append({"reasoningContent": {"reasoningText": {"text": found.thought, "signature": "sig"}}})
    blocks += [{"text": found.text}] if found.text else []
    return blocks + [
        {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}} for call in found.calls
    ]


def _events(found: Answer) -> list[bytes]:
    events: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": "assistant"})]
    index = 0
    if found.thought:
        deltas = [{"reasoningContent": {"text": piece}} for piece in pieces(found.thought)]
        events += [_delta(index, delta) for delta in [*deltas, {"reasoningContent": {"signature": "sig"}}]]
        events.append(("contentBlockStop", {"contentBlockIndex": index}))
        index += 1
    if found.text:  # Bedrock sends no start for a text
        events += [_delta(index, {"text": piece}) for piece in pieces(found.text)]
        events.append(("contentBlockStop", {"contentBlockIndex": index}))
        index += 1
    for place, call in enumerate(found.calls, start=index):
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        events.append(("contentBlockStart", {"contentBlockIndex": place, "start": start}))
        events += [_delta(place, {"toolUse": {"input": half}}) for half in halves(call.json)]
        events.append(("contentBlockStop", {"contentBlockIndex": place}))
    events.append(("messageStop", {"stopReason": _REASONS[found.reason]}))
    events.append(("metadata", {"usage": _usage(found), "metrics": {"latencyMs": 5}}))
    return [
        encode_message(
            {":event-type": kind, ":content-type": "application/json", ":message-type": "event"},
            json.dumps({**value, "p": "abcdefghij"}).encode(),
        )
        for kind, value in events
    ]


def _delta(index: int, delta: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}
