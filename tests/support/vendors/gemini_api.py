"""The fakes of Google: the Gemini API with an API key, and Vertex AI with an access token."""

import json
import re
from base64 import urlsafe_b64decode
from typing import Any, Final
from urllib.parse import parse_qsl

from tests.support.vendors.checks import body_of, check_fields, check_types, medium
from tests.support.vendors.gemini_media import respond_media
from tests.support.vendors.model import Answer, Asked, Medium, Tool, answer, pieces
from tests.support.vendors.server import Received, Refused, Reply

_FIELDS: Final = frozenset({
    "contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings", "cachedContent",
    "labels", "serviceTier",
})  # fmt: skip
_CONFIG: Final = frozenset({
    "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "candidateCount", "seed", "presencePenalty",
    "frequencyPenalty", "responseMimeType", "responseSchema", "responseJsonSchema", "responseLogprobs", "logprobs",
    "thinkingConfig", "responseModalities", "speechConfig", "imageConfig", "mediaResolution",
})  # fmt: skip
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "temperature": (int, float), "topP": (int, float), "topK": (int, float), "maxOutputTokens": int, "seed": int,
    "stopSequences": list, "candidateCount": int, "responseMimeType": str, "thinkingConfig": dict,
}  # fmt: skip
_PART: Final = frozenset({"text", "inlineData", "fileData", "functionCall", "functionResponse", "thoughtSignature"})

#: The subset of OpenAPI in `parameters`; `parametersJsonSchema` takes JSON Schema.
_OPENAPI: Final = frozenset({
    "type", "format", "title", "description", "nullable", "enum", "properties", "required", "items", "anyOf",
    "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "pattern", "propertyOrdering", "default",
})  # fmt: skip
_REASONS: Final = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}
_STATUSES: Final = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip
_SIGNATURE: Final = "CpIB/aP4=="


class GeminiVendor:
    """Google; `google` is Vertex AI, and `google-ai` the Gemini API. `account` is the service account that it knows."""

    account = "shop@test.iam.gserviceaccount.example"

    def __init__(self, vendor_id: str) -> None:
        self.id = vendor_id
        self.base = "/v1" if vendor_id == "google" else "/v1beta"
        self.key = "ya29.test-of-google" if vendor_id == "google" else "AIzaTestOfGoogleAi"
        self.models = ("gemini-2.0-flash", "gemini-2.5-flash", "gemini-3-pro-preview")
        self.others = {
            "embedding": "gemini-embedding-001", "image": "gemini-2.5-flash-image",
            "tts": "gemini-2.5-flash-preview-tts", "older embedding": "text-embedding-005",
        }  # fmt: skip

    def model(self, kind: str) -> str:
        """Return a model: each for chats sees images."""
        return self.others.get(kind, self.models[0])

    def respond(self, request: Received) -> Reply:
        """Return the response to a request; at `/token`, an access token for the assertion of a service account."""
        if request.path == "/token":
            return self._token(request)
        self._authenticate(request)
        model, method = self._target(request.path)
        body = body_of(request, self._refuse)
        for blob in (part.get("inlineData", {}) for each in body.get("contents", ()) for part in each.get("parts", ())):
            if "mime_type" in blob:  # as the SDK of Google sends it; the API takes both forms of all names
                blob["mimeType"] = blob.pop("mime_type")
        if (reply := respond_media(model, method, body, self.others, self._refuse)) is not None:
            return reply
        asked = self._read(body, model)
        found = answer(asked)
        if method == "generateContent":
            return Reply.of_json(self._response(asked, found, self._parts(found, model), _REASONS[found.reason]))
        return Reply.of_events([_event(each) for each in self._stream(asked, found, model)])

    def failure(self, status: int, message: str) -> Reply:
        """Return an error as Google sends it."""
        return Reply.of_json({"error": self._error(status, message)}, status)

    def error_event(self, message: str) -> bytes:
        """Return an error in a stream."""
        return _event({"error": self._error(503, message)})

    def _error(self, status: int, message: str) -> dict[str, Any]:
        return {"code": status, "message": message, "status": _STATUSES.get(status, "UNKNOWN")}

    def _refuse(self, path: str, message: str) -> Reply:
        return self.failure(400, f"Invalid JSON payload received. {path}: {message}")

    def _token(self, request: Received) -> Reply:
        form = dict(parse_qsl(request.body.decode()))
        head, claims, _ = form.get("assertion", "..").split(".")
        asked = json.loads(urlsafe_b64decode(claims + "=="))
        is_jwt = form.get("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        if (
            not is_jwt
            or asked.get("iss") != self.account
            or json.loads(urlsafe_b64decode(head + "=="))["alg"] != "RS256"
        ):
            error = {"error": "invalid_grant", "error_description": "Invalid grant: account not found"}
            return Reply.of_json(error, 400)
        return Reply.of_json({"access_token": self.key, "expires_in": 3599, "token_type": "Bearer"})

    def _authenticate(self, request: Received) -> None:
        if self.id == "google":
            if request.headers.get("authorization") != f"Bearer {self.key}":
                raise Refused(self.failure(401, "Request had invalid authentication credentials."))
        elif request.headers.get("x-goog-api-key") != self.key:
            error = self._error(400, "API key not valid. Please pass a valid API key.")
            error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
            raise Refused(Reply.of_json({"error": error}, 400))

    def _target(self, path: str) -> tuple[str, str]:
        folder = "/projects/shop/locations/europe-west1/publishers/google" if self.id == "google" else ""
        found = re.fullmatch(
            re.escape(f"{self.base}{folder}") + r"/models/([^/:]+):"
            r"(generateContent|streamGenerateContent\?alt=sse|batchEmbedContents|embedContent|predict)",
            path,
        )
        absent = {"google": ["batchEmbedContents"], "google-ai": ["embedContent", "predict"]}[self.id]
        found = None if found is not None and found[2] in absent else found
        if found is None:
            raise Refused(Reply(404, {"Content-Type": "text/html"}, [b"<!DOCTYPE html><title>Error 404</title>"]))
        if found[1] not in (*self.models, *self.others.values()):
            raise Refused(self.failure(404, f"models/{found[1]} is not found for API version v1beta."))
        return found[1], found[2]

    def _read(self, body: dict[str, Any], model: str) -> Asked:
        check_fields(body, "", _FIELDS, self._refuse)
        config = body.get("generationConfig", {})
        check_fields(config, "generation_config", _CONFIG, self._refuse)
        check_types(config, _TYPES, self._refuse)
        asked = Asked(model, max_tokens=config.get("maxOutputTokens"), choices=config.get("candidateCount", 1))
        if instruction := body.get("systemInstruction"):
            check_fields(instruction, "system_instruction", {"role", "parts"}, self._refuse)
            asked.add("system", " ".join(part["text"] for part in instruction["parts"]), [])
        if not body.get("contents"):
            raise Refused(self.failure(400, "* GenerateContentRequest.contents: contents is not specified"))
        open_calls = 0
        for index, content in enumerate(body["contents"]):
            calls, results = self._read_content(content, f"contents[{index}]", asked)
            if results != open_calls:
                raise Refused(self.failure(400, "Please ensure that the number of function response parts is equal."))
            open_calls = calls
        self._read_tools(body, asked)
        if schema := config.get("responseJsonSchema"):
            if config.get("responseMimeType") != "application/json":
                raise Refused(self._refuse("response_json_schema", "requires response_mime_type application/json"))
            asked.schema = schema
        asked.is_json = config.get("responseMimeType") == "application/json"
        asked.thinks = self._thinks(config.get("thinkingConfig", {}), model)
        return asked

    def _read_content(self, content: dict[str, Any], path: str, asked: Asked) -> tuple[int, int]:
        """Read a content; return how many calls of functions it has, and how many results."""
        check_fields(content, path, {"role", "parts"}, self._refuse)
        if content.get("role") not in ("user", "model"):
            raise Refused(self.failure(400, "Please use a valid role: user, model."))
        if not content.get("parts"):
            raise Refused(self._refuse(path, "contents.parts must not be empty."))
        calls = [part for part in content["parts"] if "functionCall" in part]
        if calls and asked.model.startswith("gemini-3") and "thoughtSignature" not in calls[0]:
            raise Refused(self.failure(400, "Function call is missing a thought_signature in functionCall parts."))
        texts, media, results = list[str](), list[Medium](), list[str]()
        for part in content["parts"]:
            check_fields(part, f"{path}.parts", _PART, self._refuse)
            if "text" in part:
                texts.append(part["text"])
            elif "functionCall" in part or "functionResponse" in part:
                results += self._read_function(part, path)
            else:
                media.append(self._read_medium(part, path))
        if results and (texts or media):
            raise Refused(self.failure(400, "Please ensure that function response turns have no other parts."))
        for result in results:
            asked.add("tool", result, [])
        if not results:
            asked.add(content["role"], " ".join(texts), media)
        return len(calls), len(results)

    def _read_function(self, part: dict[str, Any], path: str) -> list[str]:
        """Return the result of a function, if the part is one. Vertex AI has no ids of calls."""
        ids = set[str]() if self.id == "google" else {"id"}
        if "functionCall" in part:
            check_fields(part["functionCall"], path, {"name", "args", *ids}, self._refuse)
            return []
        check_fields(part["functionResponse"], path, {"name", "response", *ids}, self._refuse)
        response = part["functionResponse"]["response"]
        return [str(response.get("output", json.dumps(response)))]

    def _read_medium(self, part: dict[str, Any], path: str) -> Medium:
        if "fileData" in part:
            check_fields(part["fileData"], path, {"mimeType", "fileUri"}, self._refuse)
            return Medium(part["fileData"]["fileUri"])
        data = part.get("inlineData", {})
        check_fields(data, path, {"mimeType", "data"}, self._refuse)
        return medium(data["mimeType"], data["data"], path, self._refuse)

    def _read_tools(self, body: dict[str, Any], asked: Asked) -> None:
        known = {"name", "description", "parameters", "parametersJsonSchema", "response", "behavior"}
        for tool in body.get("tools", ()):
            check_fields(tool, "tools", {"functionDeclarations"}, self._refuse)
            for function in tool["functionDeclarations"]:
                check_fields(function, "tools.function_declarations", known, self._refuse)
                self._check_parameters(function.get("parameters", {}))
                schema = function.get("parametersJsonSchema") or function.get("parameters") or {}
                asked.tools.append(Tool(function["name"], schema))
        config = body.get("toolConfig", {})
        check_fields(config, "tool_config", {"functionCallingConfig"}, self._refuse)
        calling = config.get("functionCallingConfig", {})
        check_fields(calling, "function_calling_config", {"mode", "allowedFunctionNames"}, self._refuse)
        asked.must_call = calling.get("mode") == "ANY"
        if names := calling.get("allowedFunctionNames"):
            asked.tools = [tool for tool in asked.tools if tool.name in names]
        asked.tools = [] if calling.get("mode") == "NONE" else asked.tools

    def _check_parameters(self, schema: dict[str, Any]) -> None:
        for name in schema:
            if name not in _OPENAPI:
                raise Refused(self._refuse("function_declarations.parameters", f'Unknown name "{name}"'))
        for each in schema.get("properties", {}).values():
            self._check_parameters(each)

    def _thinks(self, config: dict[str, Any], model: str) -> bool:
        known = {"thinkingBudget", "thinkingLevel", "includeThoughts"}
        check_fields(config, "thinking_config", known, self._refuse)
        if "thinkingBudget" in config and "thinkingLevel" in config:
            raise Refused(self.failure(400, "You can only set only one of thinking budget and thinking level."))
        if config and model.startswith("gemini-2.0"):
            raise Refused(self.failure(400, "Thinking is not enabled for this model."))
        if "thinkingLevel" in config and model.startswith("gemini-2.5"):
            raise Refused(self.failure(400, "Thinking level is not supported for this model."))
        if config.get("thinkingLevel", "LOW").upper() not in ("MINIMAL", "LOW", "MEDIUM", "HIGH"):
            raise Refused(self._refuse("thinking_level", "Invalid value"))
        return bool(config.get("includeThoughts"))

    def _parts(self, found: Answer, model: str) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = [{"text": found.thought, "thought": True}] if found.thought else []
        parts += [{"text": found.text}] if found.text else []
        for index, call in enumerate(found.calls):
            function: dict[str, Any] = {"name": call.name, "args": call.arguments}
            signed = {"thoughtSignature": _SIGNATURE} if index == 0 and model.startswith("gemini-3") else {}
            parts.append({"functionCall": function, **signed})
        return parts

    def _response(
        self, asked: Asked, found: Answer, parts: list[dict[str, Any]], reason: str | None, *, is_last: bool = True
    ) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}}
        candidates = [
            candidate | ({"index": index} if index else {}) | ({"finishReason": reason} if reason else {})
            for index in range(asked.choices)
        ]
        usage = {"promptTokenCount": found.prompt_tokens, "totalTokenCount": found.prompt_tokens}
        if is_last:
            usage["candidatesTokenCount"] = found.completion_tokens - found.thought_tokens
            usage["totalTokenCount"] = found.total_tokens
            usage |= {"thoughtsTokenCount": found.thought_tokens} if found.thought else {}
        return {
            "candidates": candidates, "usageMetadata": usage, "modelVersion": asked.model, "responseId": "r1",
        }  # fmt: skip

    def _stream(self, asked: Asked, found: Answer, model: str) -> list[dict[str, Any]]:
        """Return the responses of a stream: the last piece and the reason come together."""
        parts = list[dict[str, Any]]()
        for part in self._parts(found, model):
            parts += [{**part, "text": piece} for piece in pieces(part["text"])] if "text" in part else [part]
        *others, last = parts or [{"text": ""}]
        responses = [self._response(asked, found, [part], None, is_last=False) for part in others]
        return [*responses, self._response(asked, found, [last], _REASONS[found.reason])]


def _event(value: dict[str, Any]) -> bytes:
    return b"data: %b\r\n\r\n" % json.dumps(value).encode()
