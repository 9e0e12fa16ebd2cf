"""What the protocols of Gemini's models share: the path of a model, and the parts of a response."""

import base64
import binascii
import re
from typing import Final
from urllib.parse import quote

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.completion import Usage
from moorage.providers.decoding import Number, known
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.media.reading import parse
from moorage.providers.media.steps import Reply, Request

#: Other characters would lead to another path.
_MODEL: Final = re.compile(r"(?:models/)?([A-Za-z0-9][A-Za-z0-9._@-]*)")

_MAX_PARTS: Final = 256


class Blob(msgspec.Struct, rename="camel"):
    """Content in base64."""

    data: str
    mime_type: str = "application/octet-stream"

    def content(self) -> bytes:
        """Return the content.

        Raises:
            MalformedResponse
        """
        try:
            return base64.b64decode(self.data.replace("-", "+").replace("_", "/") + "==")
        except binascii.Error:
            raise MalformedResponse("the content of a part is no base64") from None


class Part(msgspec.Struct, rename="camel"):
    """A part of a response."""

    text: str | None = None
    inline_data: Blob | None = None
    thought: bool = False


class _Content(msgspec.Struct):
    parts: list[Part] = []


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: Number = None
    candidates_token_count: Number = None


class _Response(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] = []
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Usage | None = None


def model_path(request: Request) -> str:
    """Return the path of the model.

    Raises:
        NotSupportedByProvider
    """
    found = _MODEL.fullmatch(request.model)
    if found is None:
        raise request.reject("model", f"{request.model!r:.100} is not the name of a model")
    if request.provider != "google":
        return f"/models/{found[1]}"
    for name in ("project", "location"):
        if not request.options.get(name):
            raise request.reject(f"options.{name}", "the integration must have this option")
    project, location = (quote(request.options[name], safe="") for name in ("project", "location"))
    return f"/projects/{project}/locations/{location}/publishers/google/models/{found[1]}"


def parts_of(reply: Reply) -> tuple[list[Part], Usage | None]:
    """Return the parts of a response, without thoughts, and the usage.

    Raises:
        MalformedResponse
        ProviderFailed: the provider refused to respond, and says why.
    """
    response = parse(reply, _Response)
    feedback = response.prompt_feedback
    if feedback is not None and feedback.block_reason:
        raise ProviderFailed(f"it blocked the prompt: {feedback.block_reason}", 400, "content_filter")
    if not response.candidates:
        raise MalformedResponse("it has no candidates")
    candidate = response.candidates[0]
    parts = [part for part in (candidate.content or _Content()).parts if not part.thought]
    if len(parts) > _MAX_PARTS:
        raise MalformedResponse(f"it has {len(parts)} parts")
    if not parts and candidate.finish_reason not in (None, "STOP"):
        raise ProviderFailed(f"it stopped without a result: {candidate.finish_reason}", 400, "content_filter")
    counts = response.usage_metadata
    if counts is None:
        return parts, None
    return parts, Usage(known(counts.prompt_token_count) or 0, known(counts.candidates_token_count) or 0)


def generation(request: Request, **fields: object) -> Object:
    """Return the parameters of a generation: those of the deployment that the API has, and others."""
    names = {"temperature": "temperature", "topP": "topP", "seed": "seed", "maxTokens": "maxOutputTokens"}
    own = {name: value for name, value in fields.items() if value is not None}
    return request.named(names) | own


def contents(*parts: Object) -> list[Object]:
    """Return one message of a user."""
    return [{"role": "user", "parts": list(parts)}]
