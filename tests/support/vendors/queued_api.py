"""The fakes of fal and Leonardo.Ai: a request is queued, and its result is asked for."""

import base64
import json
import re
from typing import Any, Final

from tests.support.vendors import media
from tests.support.vendors.checks import body_of, check_fields
from tests.support.vendors.server import Received, Refused, Reply

#: How often a result is asked for before it is there.
QUESTIONS: Final = 2

_OF_LEONARDO: Final = {
    "modelId", "prompt", "num_images", "width", "height", "seed", "presetStyle", "photoReal", "photoRealVersion",
    "alchemy", "negative_prompt", "num_inference_steps", "guidance_scale", "contrast", "ultra", "enhancePrompt",
    "public", "tiling", "transparency", "scheduler", "sd_version",
}  # fmt: skip


class FalVendor:
    """fal. `cancelled` has the ids of requests that were cancelled."""

    id = "fal"
    base = ""
    key = "id:secret-of-fal"

    def __init__(self) -> None:
        self.cancelled = list[str]()
        self.is_stuck = False
        self._results: dict[str, dict[str, Any]] = {}
        self._asked: dict[str, int] = {}
        self._files: dict[str, tuple[str, bytes]] = {}

    def model(self, kind: str) -> str:
        """Return an app of a type."""
        return {"image": "fal-ai/flux/dev", "tts": "fal-ai/kokoro/english", "stt": "fal-ai/whisper"}[kind]

    def respond(self, request: Received) -> Reply:
        """Return the response to a request. Files need no credentials, and must not get any."""
        if request.path.startswith("/files/"):
            assert "authorization" not in request.headers, "credentials are sent to a server of files"
            media_type, content = self._files[request.path.removeprefix("/files/")]
            return Reply(200, {"Content-Type": media_type}, [content])
        if request.headers.get("authorization") != f"Key {self.key}":
            raise Refused(self.failure(401, "Cannot access application. Authentication is required."))
        own = f"http://{request.headers['host']}/{self.id}"
        found = re.fullmatch(r"/(fal-ai/[\w-]+)(?:/\w+)?/requests/(\w+)(/status|/cancel)?(\?logs=\w+)?", request.path)
        if found is not None:
            return self._ask(request, found[2], found[3] or "")
        kinds = {self.model(kind): kind for kind in ("image", "tts", "stt")}
        kind = kinds.get(request.path.removeprefix("/"))
        if kind is None:
            raise Refused(self.failure(404, "Application not found"))
        number = f"r{len(self._results)}"
        self._results[number] = self._result(kind, body_of(request, self._refuse), own, number)
        self._asked[number] = 0
        address = f"{own}/fal-ai/app/requests/{number}"
        return Reply.of_json({
            "request_id": number, "status_url": f"{address}/status", "response_url": address,
            "cancel_url": f"{address}/cancel", "queue_position": 1, "status": "IN_QUEUE", "logs": None, "metrics": {},
        })  # fmt: skip

    def failure(self, status: int, message: str) -> Reply:
        """Return an error as fal sends it."""
        return Reply.of_json({"detail": message}, status)

    def error_event(self, message: str) -> bytes:
        """Return nothing: it has no streams here."""
        return b""

    def _refuse(self, param: str, message: str) -> Reply:
        return Reply.of_json({"detail": [{"loc": ["body", param], "msg": message, "type": "value_error"}]}, 422)

    def _ask(self, request: Received, number: str, what: str) -> Reply:
        if what == "/cancel" and request.method == "PUT":
            self.cancelled.append(number)
            return Reply.of_json({"status": "CANCELLATION_REQUESTED"}, 202)
        if request.method != "GET":
            raise Refused(self.failure(405, "Method Not Allowed"))
        if what == "/status":
            self._asked[number] += 1
            state: dict[str, Any] = {"request_id": number, "logs": None, "metrics": {}}
            if self._asked[number] >= QUESTIONS and not self.is_stuck:
                return Reply.of_json(state | {"status": "COMPLETED"})
            is_picture = "images" in self._results[number]
            state |= {"status": "IN_QUEUE", "queue_position": 1} if is_picture else {"status": "IN_PROGRESS"}
            return Reply.of_json(state, 202)
        return Reply.of_json(self._results[number])

    def _result(self, kind: str, body: dict[str, Any], own: str, number: str) -> dict[str, Any]:
        if kind == "image":
            known = {"prompt", "num_images", "image_size", "seed", "num_inference_steps", "guidance_scale"}
            check_fields(body, "", known, self._refuse)
            self._files[number] = "image/png", media.picture(body["prompt"])
            item = {"url": f"{own}/files/{number}", "content_type": "image/png", "width": 1, "height": 1}
            return {"images": [item] * body.get("num_images", 1), "seed": 1}
        if kind == "tts":
            check_fields(body, "", {"text", "voice", "speed"}, self._refuse)
            self._files[number] = "audio/wav", media.spoken(body["text"], "wav")
            return {"audio": {"url": f"{own}/files/{number}", "content_type": "audio/wav"}}
        check_fields(body, "", {"audio_url", "task", "language", "prompt", "chunk_level"}, self._refuse)
        media_type, _, data = body["audio_url"].removeprefix("data:").partition(";base64,")
        text = media.heard("audio", media_type, len(base64.b64decode(data, validate=True)))
        chunks = [{"text": said, "timestamp": [start, end]} for said, start, end in media.sentences(text)]
        return {"text": text, "chunks": chunks}


class LeonardoVendor:
    """Leonardo.Ai. `deleted` has the ids of generations that were deleted."""

    id = "leonardoai"
    base = "/api/rest/v1"
    key = "leonardo-test-of-leonardo"

    def __init__(self) -> None:
        self.deleted = list[str]()
        self._jobs: dict[str, dict[str, Any]] = {}

    def model(self, kind: str) -> str:
        """Return a model."""
        return "b24e16ff-06e3-43eb-8d33-4416c2d75876"

    def respond(self, request: Received) -> Reply:
        """Return the response to a request."""
        if request.path.startswith("/files/"):
            assert "authorization" not in request.headers, "credentials are sent to a server of files"
            return Reply(200, {"Content-Type": "image/png"}, [media.picture(self._jobs[request.path[7:]]["prompt"])])
        if request.headers.get("authorization") != f"Bearer {self.key}":
            raise Refused(self.failure(401, "Invalid response from authorization hook"))
        path = request.path.removeprefix(self.base)
        if path == "/generations" and request.method == "POST":
            body = json.loads(request.body)
            check_fields(body, "", _OF_LEONARDO, lambda param, message: self.failure(400, f"{message} ({param})"))
            if body.get("photoReal") and ("modelId" in body) == (body.get("photoRealVersion") == "v1"):
                raise Refused(self.failure(400, "PhotoReal needs a modelId, and its version v1 none"))
            number = f"g{len(self._jobs)}"
            self._jobs[number] = body | {"asked": 0}
            return Reply.of_json({"sdGenerationJob": {"generationId": number, "apiCreditCost": 7}})
        number = path.removeprefix("/generations/")
        if number not in self._jobs:
            raise Refused(self.failure(404, "not found"))
        if request.method == "DELETE":
            self.deleted.append(number)
            return Reply.of_json({"delete_generations_by_pk": {"id": number}})
        job = self._jobs[number]
        job["asked"] += 1
        if job["asked"] < QUESTIONS:
            return Reply.of_json({"generations_by_pk": {"status": "PENDING", "generated_images": []}})
        own = f"http://{request.headers['host']}/{self.id}"
        images = [{"url": f"{own}/files/{number}", "id": "i", "nsfw": False}] * job.get("num_images", 4)
        prompt = {"prompt": job["prompt"], "createdAt": "2026-11-01T10:00:00.000"}
        return Reply.of_json({"generations_by_pk": {
            "status": "COMPLETE", "generated_images": images, "id": number, **prompt,
        }})  # fmt: skip

    def failure(self, status: int, message: str) -> Reply:
        """Return an error as Leonardo.Ai sends it."""
        return Reply.of_json({"error": message, "path": "$", "code": "invalid"}, status)

    def error_event(self, message: str) -> bytes:
        """Return nothing: it has no streams."""
        return b""
