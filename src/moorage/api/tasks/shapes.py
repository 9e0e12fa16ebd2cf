"""The responses to calls of models that are not for chats, in the shape of OpenAI, and for reranking of Cohere."""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from moorage.api.tasks.pieces import PiecesResponse
from moorage.api.tasks.respond import Answer
from moorage.providers.completion import Usage
from moorage.providers.media.results import Embeddings, Images, Moderated, Moderation, Ranking, Speech
from moorage.providers.request import native_model

#: The categories of OpenAI: clients of orq.ai require all of them.
CATEGORIES: Final = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip

_encode = msgspec.json.Encoder().encode


class ImageItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An image: its URL, or its content in base64."""

    url: str | UnsetType = UNSET
    b64_json: str | UnsetType = UNSET
    revised_prompt: str | UnsetType = UNSET


class ImagesResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The response to `POST /v1/images/generations`."""

    created: int
    data: list[ImageItem]
    output_format: str | UnsetType = UNSET
    usage: dict[str, Any] | UnsetType = UNSET


class EmbeddingItem(msgspec.Struct, frozen=True):
    """A vector: numbers, or base64 of 32-bit numbers."""

    object: str
    index: int
    embedding: list[float] | str


class EmbeddingsResponse(msgspec.Struct, frozen=True):
    """The response to `POST /v1/embeddings`."""

    object: str
    data: list[EmbeddingItem]
    model: str
    usage: dict[str, int]


class ModerationResult(msgspec.Struct, frozen=True):
    """The classification of a text. It has all categories of OpenAI, and those of the provider."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[str]]


class ModerationResponse(msgspec.Struct, frozen=True):
    """The response to `POST /v1/moderations`."""

    id: str
    model: str
    results: list[ModerationResult]


class RerankResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """The relevance of a document."""

    object: str
    index: int
    relevance_score: float
    document: dict[str, str] | UnsetType = UNSET


class RerankResponse(msgspec.Struct, frozen=True):
    """The response to `POST /v1/rerank`."""

    id: str
    object: str
    model: str
    results: list[RerankResult]
    usage: dict[str, int]


def embeddings(answer: Answer) -> Response:
    """Return the response to `POST /v1/embeddings`; vectors are passed on as they are."""
    found: Embeddings = answer.result
    usage = found.usage or Usage()
    tokens = {"prompt_tokens": usage.prompt_tokens, "total_tokens": usage.total_tokens}
    parts = [b'{"object":"list","data":[']
    for index, vector in enumerate(found.vectors):
        parts += (b'%b{"object":"embedding","index":%d,"embedding":' % (b"," if index else b"", index), vector, b"}")
    parts.append(b'],"model":%b,"usage":%b}' % (_encode(_model(answer)), _encode(tokens)))
    return PiecesResponse(parts)


def images(answer: Answer) -> Response:
    """Return the response to `POST /v1/images/generations`; contents are passed on as they are."""
    found: Images = answer.result
    wants_url = answer.config.parameters.get("format") == "url"
    kind = found.images[0].media_type.removeprefix("image/")
    usage = UNSET if found.usage is None else _image_usage(found.usage)
    start, end = _encode(ImagesResponse(answer.ids.at_us // 1_000_000, [], kind, usage)).split(b"[]", 1)
    parts: list[bytes | memoryview] = [start + b"["]
    for index, image in enumerate(found.images):
        own = _encode(ImageItem(image.url or UNSET, revised_prompt=image.revised_prompt or UNSET))
        if index:
            parts.append(b",")
        if image.base64 is None:
            parts.append(own)
            continue
        name = b'{"b64_json":"'
        if wants_url and image.url is None:
            name = b'{"url":%b' % _encode(f"data:{image.media_type};base64,")[:-1]
        parts += (name, image.base64, b'"}' if own == b"{}" else b'",' + own[1:])
    return PiecesResponse([*parts, b"]" + end])


def image_events(answer: Answer) -> Response:
    """Return the events of `POST /v1/images/generations` with `stream`: one for each picture, which is complete."""
    found: Images = answer.result
    kind, parts = "image_generation.completed", list[bytes | memoryview]()
    for image in found.images:
        event = _encode({
            "type": kind, "created_at": answer.ids.at_us // 1_000_000,
            "background": "auto", "output_format": image.media_type.removeprefix("image/"), "quality": "auto",
            "size": "auto", "usage": _image_usage(found.usage or Usage()),
        })  # fmt: skip
        head = b'event: %b\ndata: %b,"b64_json":"' % (kind.encode(), event[:-1])
        parts += (head, image.base64 or b"", b'"}\n\n')
    return PiecesResponse(parts, "text/event-stream")


def _image_usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "input_tokens_details": {"text_tokens": usage.prompt_tokens, "image_tokens": 0},
    }  # fmt: skip


def speech(answer: Answer) -> Response:
    """Return the response to `POST /v1/audio/speech` if the audio is in memory."""
    found: Speech = answer.result
    return Response(found.content, media_type=found.media_type)


def moderations(answer: Answer) -> Response:
    """Return the response to `POST /v1/moderations`."""
    found: Moderation = answer.result
    results = [_moderation(each) for each in found.results]
    return _json(ModerationResponse(f"modr-{answer.ids.id}", _model(answer), results))


def _moderation(found: Moderated) -> ModerationResult:
    absent = dict.fromkeys(CATEGORIES, False)
    categories = absent | dict(found.categories)
    scores = dict.fromkeys(CATEGORIES, 0.0) | dict(found.scores)
    return ModerationResult(found.flagged, categories, scores, {name: ["text"] for name in categories})


def rerank(answer: Answer, documents: list[str] | None) -> Response:
    """Return the response to `POST /v1/rerank`, with the documents if they are wanted."""
    found: Ranking = answer.result
    results = [
        RerankResult(
            "rerank", each.index, each.relevance_score,
            UNSET if documents is None else {"text": documents[each.index]},
        )
        for each in found.results
    ]  # fmt: skip
    usage = found.usage or Usage()
    tokens = {"prompt_tokens": usage.prompt_tokens, "total_tokens": usage.total_tokens}
    return _json(RerankResponse(f"rerank-{answer.ids.id}", "list", _model(answer), results, tokens))


def _model(answer: Answer) -> str:
    """Return the name of the model: the provider's own, or that of the configuration."""
    return answer.result.model or native_model(answer.config.provider, answer.config.model)


def _json(value: Any) -> Response:
    return Response(_encode(value), media_type="application/json")
