"""What models other than those for chats return, so that a test can see in it what arrived at the vendor."""

import hashlib
import re
import struct
from typing import Any, Final

#: The seconds of each word of a transcription.
SECONDS: Final = 0.5

#: A picture of one pixel.
PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738"
    "550000000049454e44ae426082"
)


def vector(text: object, size: int = 8) -> list[float]:
    """Return the vector of a text; equal texts have equal ones, and all numbers are exact in 32 bits."""
    seed = hashlib.sha256(str(text).encode()).digest()
    return [seed[index % 32] / 128 - 1 for index in range(size)]


def packed(numbers: list[float]) -> bytes:
    """Return a vector as 32-bit numbers."""
    return struct.pack(f"<{len(numbers)}f", *numbers)


def picture(prompt: str) -> bytes:
    """Return the picture for a prompt: programs ignore what follows the end of a PNG."""
    return PNG + prompt.encode()


def spoken(text: str, kind: str) -> bytes:
    """Return the speech for a text."""
    return f"<{kind}>".encode() + text.encode() * 3


def heard(name: str, media_type: str, size: int, prompt: str = "", language: str = "") -> str:
    """Return the text of an audio file."""
    said = f"I hear {name} of {size} bytes as {media_type}."
    said += f" You said {prompt}." if prompt else ""
    return said + (f" It is {language}." if language else "")


def words(text: str) -> list[tuple[str, float, float]]:
    """Return the words of a text with their start and end."""
    return [(word, index * SECONDS, (index + 1) * SECONDS) for index, word in enumerate(text.split())]


def sentences(text: str) -> list[tuple[str, float, float]]:
    """Return the sentences of a text with their start and end."""
    found, start = list[tuple[str, float, float]](), 0
    for sentence in re.findall(r"[^.]+\.", text):
        count = len(sentence.split())
        found.append((sentence, start * SECONDS, (start + count) * SECONDS))
        start += count
    return found


def score(query: str, document: str) -> float:
    """Return the relevance of a document: how many of the words of the query it has."""
    wanted = query.lower().split()
    return round(sum(word in document.lower().split() for word in wanted) / max(len(wanted), 1), 4)


def is_harmful(text: str) -> bool:
    """Return whether a text is harmful: then it says so."""
    return "harm" in text


def form_of(body: bytes, content_type: str) -> tuple[dict[str, list[str]], dict[str, tuple[str, str, bytes]]]:
    """Return the fields and the files of a form: a file has a name, a media type and content."""
    boundary = re.fullmatch(r"multipart/form-data; boundary=(\S+)", content_type)
    assert boundary is not None, content_type
    mark = f"--{boundary[1]}".encode()
    parts = body.split(mark)
    assert parts[0] == b"", "the form begins with its boundary"
    assert parts[-1] == b"--\r\n", "the form ends with its boundary"
    fields: dict[str, list[str]] = {}
    files: dict[str, tuple[str, str, bytes]] = {}
    for part in parts[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        names: dict[str, Any] = dict(re.findall(r'(name|filename)="([^"]*)"', head.decode()))
        if "filename" in names:
            kind = re.search(r"Content-Type: (\S+)", head.decode())
            files[names["name"]] = (names["filename"], kind[1] if kind else "", content)
        else:
            fields.setdefault(names["name"], []).append(content.decode())
    return fields, files
