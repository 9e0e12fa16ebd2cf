"""Results of tasks, in one form, whatever the provider sent."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from moorage.providers.completion import Usage


class Embeddings(msgspec.Struct, frozen=True):
    """The vectors of texts, in their order. Each is JSON: a list of numbers, or base64 of 32-bit numbers as a text."""

    vectors: Sequence[bytes]
    usage: Usage | None = None
    model: str | None = None


class Image(msgspec.Struct, frozen=True):
    """An image: its URL, or its content in base64, as the inside of a text in JSON: it is passed on as it is."""

    url: str | None = None
    base64: bytes | memoryview | None = None
    media_type: str = "image/png"
    revised_prompt: str | None = None

    def as_url(self) -> str:
        """Return its URL, which can be one with the content."""
        if self.url is not None:
            return self.url
        text: str = msgspec.json.decode(b'"%b"' % bytes(self.base64 or b""))
        return f"data:{self.media_type};base64,{text}"


class Images(msgspec.Struct, frozen=True):
    """The images that a model created."""

    images: Sequence[Image]
    usage: Usage | None = None
    model: str | None = None


class Speech(msgspec.Struct, frozen=True):
    """Speech: its content, or `reply`, the response of the provider that is read while it is passed on."""

    media_type: str
    content: bytes = b""
    reply: Any = None


class Word(msgspec.Struct, frozen=True):
    """A word with its start and end in seconds."""

    word: str
    start: float
    end: float


class Segment(msgspec.Struct, frozen=True):
    """A part of a transcription with its start and end in seconds."""

    text: str
    start: float
    end: float
    speaker: str | None = None


class Transcript(msgspec.Struct, frozen=True):
    """The text of speech. `duration` is in seconds; None where the provider did not say it."""

    text: str
    language: str | None = None
    duration: float | None = None
    segments: Sequence[Segment] = ()
    words: Sequence[Word] = ()
    usage: Usage | None = None
    model: str | None = None


class Ranked(msgspec.Struct, frozen=True):
    """The relevance of the document at `index` of the request."""

    index: int
    relevance_score: float


class Ranking(msgspec.Struct, frozen=True):
    """Documents, the most relevant first."""

    results: Sequence[Ranked]
    usage: Usage | None = None
    model: str | None = None


class Moderated(msgspec.Struct, frozen=True):
    """The classification of one text, by the provider's names of categories."""

    flagged: bool
    categories: Mapping[str, bool]
    scores: Mapping[str, float]


class Moderation(msgspec.Struct, frozen=True):
    """The classifications of texts, in their order."""

    results: Sequence[Moderated]
    usage: Usage | None = None
    model: str | None = None


Result = Embeddings | Images | Speech | Transcript | Ranking | Moderation
