"""The protocols of model types other than chats: a module for each, imported when it is first used."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final, Literal

from moorage.providers.media.steps import Run

#: The name of a module of this package.
MediaProtocol = Literal[
    "openai_embeddings", "openai_images", "openai_speech", "openai_transcriptions", "openai_moderations", "rerank",
    "cohere_embeddings", "nvidia_rerank",
    "gemini_embeddings", "gemini_images", "gemini_speech", "gemini_transcriptions",
    "huggingface_embeddings", "huggingface_images", "huggingface_speech", "huggingface_transcriptions",
    "elevenlabs_speech", "elevenlabs_transcriptions", "fal_images", "fal_speech", "fal_transcriptions",
    "leonardo_images", "bedrock_embeddings", "bedrock_images", "bedrock_rerank", "bedrock_moderations",
]  # fmt: skip

_OPENAI: Final[Mapping[str, MediaProtocol]] = {
    "embedding": "openai_embeddings", "image": "openai_images", "tts": "openai_speech",
    "stt": "openai_transcriptions",
}  # fmt: skip
_MODERATED: Final[Mapping[str, MediaProtocol]] = {**_OPENAI, "moderation": "openai_moderations"}

_GEMINI: Final[Mapping[str, MediaProtocol]] = {
    "embedding": "gemini_embeddings", "image": "gemini_images", "tts": "gemini_speech",
    "stt": "gemini_transcriptions",
}  # fmt: skip

#: The protocols of each provider by model type.
MEDIA: Final[Mapping[str, Mapping[str, MediaProtocol]]] = {
    "openai": _MODERATED,
    "azure": _OPENAI,
    "groq": {"embedding": "openai_embeddings", "tts": "openai_speech", "stt": "openai_transcriptions"},
    "cohere": {"embedding": "cohere_embeddings", "rerank": "rerank"},
    "aws": {
        "embedding": "bedrock_embeddings", "image": "bedrock_images", "rerank": "bedrock_rerank",
        "moderation": "bedrock_moderations",
    },
    "google": _GEMINI,
    "google-ai": _GEMINI,
    "huggingface": {
        "embedding": "huggingface_embeddings", "image": "huggingface_images", "tts": "huggingface_speech",
        "stt": "huggingface_transcriptions",
    },
    "togetherai": {**_OPENAI, "rerank": "rerank"},
    "leonardoai": {"image": "leonardo_images"},
    "fal": {"image": "fal_images", "tts": "fal_speech", "stt": "fal_transcriptions"},
    "nvidia": {"embedding": "openai_embeddings", "rerank": "nvidia_rerank"},
    "jina": {"embedding": "openai_embeddings", "rerank": "rerank"},
    "elevenlabs": {"tts": "elevenlabs_speech", "stt": "elevenlabs_transcriptions"},
    "litellm": {**_MODERATED, "rerank": "rerank"},
    "openailike": {**_MODERATED, "rerank": "rerank"},
    "bytedance": {"embedding": "openai_embeddings", "image": "openai_images"},
    "mistral": {
        "embedding": "openai_embeddings", "tts": "openai_speech", "stt": "openai_transcriptions",
        "moderation": "openai_moderations",
    },
    "contextualai": {"rerank": "rerank"},
}  # fmt: skip

_found: dict[str, Run] = {}


def find_media_protocol(name: MediaProtocol) -> Run:
    """Return the function `run` of a protocol."""
    run = _found.get(name)
    if run is None:
        run = _found[name] = import_module(f"moorage.providers.media.{name}").run
    return run
