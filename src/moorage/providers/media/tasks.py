"""Tasks: what a call asks of a model that is not for chats. Everything else is a parameter of the configuration."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec


class File(Protocol):
    """A file that a client has uploaded. It can be large, so it is read in pieces."""

    name: str
    media_type: str
    size: int

    def pieces(self) -> Iterator[bytes]:
        """Return the content from its start, in pieces of at most 64 KiB."""
        ...


class Embed(msgspec.Struct, frozen=True):
    """Turn texts into vectors. A text can be a list of the numbers of its tokens."""

    texts: Sequence[str] | Sequence[list[int]]


class Draw(msgspec.Struct, frozen=True):
    """Create images."""

    prompt: str


class Speak(msgspec.Struct, frozen=True):
    """Turn a text into speech."""

    text: str


class Transcribe(msgspec.Struct, frozen=True):
    """Turn speech into a text. The prompt describes the speech, and can be empty."""

    file: File
    prompt: str = ""


class Rerank(msgspec.Struct, frozen=True):
    """Sort documents by their relevance to a query."""

    query: str
    documents: Sequence[str]


class Moderate(msgspec.Struct, frozen=True):
    """Classify texts that can be harmful."""

    texts: Sequence[str]


Task = Embed | Draw | Speak | Transcribe | Rerank | Moderate

#: The model type of each task.
TYPES: dict[type[Task], str] = {
    Embed: "embedding", Draw: "image", Speak: "tts", Transcribe: "stt", Rerank: "rerank", Moderate: "moderation",
}  # fmt: skip
