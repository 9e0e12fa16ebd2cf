"""The fakes of embeddings, images, speech, transcriptions, moderations and ranks in the form of OpenAI.

They differ as the vendors' references say, and reject each field that a vendor does not have.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tests.support.vendors import media
from tests.support.vendors.checks import Refuse, body_of, check_fields, check_types
from tests.support.vendors.openai_audio import speech, transcription
from tests.support.vendors.server import Received, Refused, Reply

_PATHS: Final = {
    "/embeddings": "embedding", "/embeddings/multimodal": "multimodal", "/images/generations": "image",
    "/audio/speech": "tts", "/audio/transcriptions": "stt", "/moderations": "moderation", "/rerank": "rerank",
}  # fmt: skip


class MediaDialect(msgspec.Struct, frozen=True, kw_only=True):
    """The models of a vendor by type, and how its requests differ from those of OpenAI."""

    models: Mapping[str, tuple[str, ...]]
    embedding: frozenset[str] = frozenset({"model", "input", "encoding_format", "dimensions", "user"})
    batch: int = 2048
    takes_tokens: bool = False
    image: frozenset[str] = frozenset({"model", "prompt", "n", "size", "quality", "user"})
    tts: frozenset[str] = frozenset({"model", "input", "voice", "response_format", "speed", "instructions"})
    stt: frozenset[str] = frozenset(
        {"model", "prompt", "language", "temperature", "response_format", "timestamp_granularities[]"}
    )
    rerank: frozenset[str] = frozenset({"model", "query", "documents", "top_n", "return_documents"})


_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "n": int, "dimensions": int, "output_dimension": int, "top_n": int, "width": int, "height": int,
    "speed": (int, float),     "prompt": str, "query": (str, dict), "documents": list, "size": str, "seed": int,
}  # fmt: skip

_OWN: Final = MediaDialect(
    models={
        "embedding": ("embedder",), "image": ("painter",), "tts": ("speaker",), "stt": ("listener",),
        "moderation": ("judge",), "rerank": ("sorter",),
    },
    image=frozenset({"model", "prompt", "n", "size", "quality", "style", "response_format", "seed", "user"}),
    takes_tokens=True,
)  # fmt: skip

MEDIA_DIALECTS: Final[Mapping[str, MediaDialect]] = {
    "openai": MediaDialect(
        models={
            "embedding": ("text-embedding-3-small",), "image": ("gpt-image-1.5", "gpt-image-2"),
            "tts": ("gpt-4o-mini-tts",), "stt": ("whisper-1", "gpt-4o-transcribe"),
            "moderation": ("omni-moderation-latest",),
        },
        image=frozenset({
            "model", "prompt", "n", "size", "quality", "user", "background", "moderation", "output_format",
            "output_compression",
        }),
        takes_tokens=True,
    ),
    "azure": MediaDialect(
        models={
            "embedding": ("text-embedding-3-small",), "image": ("gpt-image-1.5",), "tts": ("gpt-4o-mini-tts",),
            "stt": ("whisper",),
        },
        takes_tokens=True,
    ),
    "groq": MediaDialect(
        models={
            "embedding": ("nomic-embed-text-v1_5",), "tts": ("canopylabs/orpheus-v1-english",),
            "stt": ("whisper-large-v3-turbo",),
        },
        tts=frozenset({"model", "input", "voice", "response_format", "speed", "sample_rate"}),
    ),
    "togetherai": MediaDialect(
        models={
            "embedding": ("BAAI/bge-large-en-v1.5",), "image": ("black-forest-labs/FLUX.1-schnell",),
            "tts": ("cartesia/sonic-2",), "stt": ("openai/whisper-large-v3",), "rerank": ("Salesforce/Llama-Rank-V1",),
        },
        embedding=frozenset({"model", "input"}), batch=512,
        image=frozenset({
            "model", "prompt", "n", "width", "height", "steps", "seed", "response_format", "negative_prompt",
        }),
    ),
    "litellm": _OWN, "openailike": _OWN,
    "nvidia": MediaDialect(
        models={
            "embedding": ("nvidia/nv-embedqa-e5-v5",), "rerank": ("nvidia/llama-nemotron-rerank-1b-v2",),
        },
        batch=512, rerank=frozenset({"model", "query", "passages", "truncate"}),
        embedding=frozenset({"model", "input", "input_type", "encoding_format", "dimensions", "truncate", "user"}),
    ),
    "jina": MediaDialect(
        models={"embedding": ("jina-embeddings-v4",), "rerank": ("jina-reranker-v3",)},
        embedding=frozenset({"model", "input", "task", "dimensions", "embedding_type", "truncate", "late_chunking"}),
    ),
    "bytedance": MediaDialect(
        models={"embedding": ("doubao-embedding-large", "doubao-embedding-vision"), "image": ("seedream-4-0",)},
        embedding=frozenset({"model", "input", "encoding_format", "dimensions"}), batch=256,
        image=frozenset({
            "model", "prompt", "size", "seed", "response_format", "watermark", "n", "sequential_image_generation",
        }),
    ),
    "mistral": MediaDialect(
        models={
            "embedding": ("mistral-embed",), "tts": ("voxtral-tts",), "stt": ("voxtral-mini-latest",),
            "moderation": ("mistral-moderation-latest",),
        },
        embedding=frozenset({"model", "input", "output_dimension", "output_dtype"}), batch=512,
        tts=frozenset({"model", "input", "voice_id", "response_format", "stream"}),
        stt=frozenset({"model", "language", "temperature", "timestamp_granularities", "stream", "diarize"}),
    ),
    "contextualai": MediaDialect(
        models={"rerank": ("ctxl-rerank-v2",)},
        rerank=frozenset({"model", "query", "documents", "top_n", "instruction", "metadata"}),
    ),
}  # fmt: skip


#: The categories of OpenAI.
_CATEGORIES: Final = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip


def media_kind(base: str, path: str) -> str | None:
    """Return the type of models that a path calls; None if it is another one."""
    if path.startswith(f"{base}/retrieval/") and path.endswith("/reranking"):
        return "retrieval"
    return _PATHS.get(path.removeprefix(base))


def respond_media(vendor: str, kind: str, request: Received, refuse: Refuse) -> Reply:
    """Return the response to a request to a model of a type.

    Raises:
        Refused
    """
    dialect = MEDIA_DIALECTS[vendor]
    if kind == "stt":
        return transcription(vendor, dialect.stt, dialect.models.get("stt", ()), request, refuse)
    body = body_of(request, refuse)
    check_types(body, _TYPES, refuse)
    kind_of_model = {"multimodal": "embedding", "retrieval": "rerank"}.get(kind, kind)
    known = getattr(dialect, kind_of_model, frozenset({"model", "input"}))
    check_fields(body, "", known, refuse)
    models = dialect.models.get(kind_of_model, ())
    if body.get("model") not in models:
        raise Refused(refuse("model", f"The model {body.get('model')!r} does not exist."))
    if kind == "multimodal":
        [item] = body["input"]
        return Reply.of_json({
            "object": "list", "model": body["model"], "usage": {"prompt_tokens": 3, "total_tokens": 3},
            "data": {"object": "embedding", "embedding": media.vector(item["text"])},
        })  # fmt: skip
    if kind == "retrieval":
        scores = [
            (index, media.score(body["query"]["text"], each["text"])) for index, each in enumerate(body["passages"])
        ]
        ranks = [{"index": index, "logit": score * 10 - 5} for index, score in scores]
        return Reply.of_json({"rankings": sorted(ranks, key=lambda each: -each["logit"])})
    if kind == "embedding":
        return _embeddings(vendor, dialect, body, refuse)
    return {"image": _images, "tts": speech, "moderation": _moderations, "rerank": _rank}[kind](vendor, body, refuse)


def _embeddings(vendor: str, dialect: MediaDialect, body: dict[str, Any], refuse: Refuse) -> Reply:
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    if not 0 < len(texts) <= dialect.batch:
        raise Refused(refuse("input", f"Expected 1 to {dialect.batch} inputs."))
    if not dialect.takes_tokens and not all(isinstance(text, str) for text in texts):
        raise Refused(refuse("input", "Expected strings."))
    if vendor == "nvidia" and body.get("input_type") not in ("query", "passage"):
        raise Refused(refuse("input_type", "'input_type' is required."))
    size = body.get("dimensions", body.get("output_dimension", 8))
    encoding = body.get("encoding_format", body.get("embedding_type", "float"))
    vectors: list[Any] = [media.vector(text, size) for text in texts]
    if encoding == "base64":
        vectors = [base64.b64encode(media.packed(each)).decode() for each in vectors]
    items = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(vectors)]
    count = sum(len(text.split()) if isinstance(text, str) else len(text) for text in texts)
    reply = {
        "object": "list", "data": items[::-1], "model": body["model"],
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }  # fmt: skip
    return Reply.of_json(reply | ({"id": "e1"} if vendor == "mistral" else {}))


def _images(vendor: str, body: dict[str, Any], refuse: Refuse) -> Reply:
    content = base64.b64encode(media.picture(body["prompt"])).decode()
    wanted = body.get("response_format", "b64_json" if vendor in ("openai", "azure") else "url")
    if wanted not in ("url", {"togetherai": "base64"}.get(vendor, "b64_json")):
        raise Refused(refuse("response_format", "Unknown format."))
    item = {"url": f"https://pictures.example/{len(body['prompt'])}.png"} if wanted == "url" else {"b64_json": content}
    items = [item] * body.get("n", 1)
    reply: dict[str, Any] = {"created": 1_787_150_111, "data": items}
    if vendor in ("openai", "azure"):
        tokens = len(body["prompt"].split())
        reply |= {
            "output_format": body.get("output_format", "png"),
            "usage": {
                "input_tokens": tokens,
                "input_tokens_details": {"text_tokens": tokens, "image_tokens": 0},
                "output_tokens": 100,
                "total_tokens": tokens + 100,
            },
        }
    return Reply.of_json(reply)


def _moderations(vendor: str, body: dict[str, Any], refuse: Refuse) -> Reply:
    if not isinstance(body["input"], list | str):
        raise Refused(refuse("input", "Expected strings."))
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    names = ("violence_and_threats", "pii") if vendor == "mistral" else _CATEGORIES
    results = list[dict[str, Any]]()
    for text in texts:
        found = {name for name in names if name in ("violence_and_threats", "violence") and media.is_harmful(text)}
        results.append({
            "categories": {name: name in found for name in names},
            "category_scores": {name: 0.9 if name in found else 0.01 for name in names},
        })  # fmt: skip
        if vendor != "mistral":
            applied = {name: ["text"] for name in names}
            results[-1] |= {"flagged": bool(found), "category_applied_input_types": applied}
    return Reply.of_json({"id": "modr-1", "model": body["model"], "results": results})


def _rank(vendor: str, body: dict[str, Any], refuse: Refuse) -> Reply:
    found = [
        {"index": index, "relevance_score": media.score(body["query"], text)}
        for index, text in enumerate(body["documents"])
    ]
    found = sorted(found, key=lambda each: -each["relevance_score"])[: body.get("top_n")]
    return Reply.of_json({"model": body["model"], "results": found, "usage": {"total_tokens": 12}})
