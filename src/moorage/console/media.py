"""Pictures and audio of models on a page: as `data:` addresses of types that are found in their first bytes.

The type that a provider names is ignored, so nothing becomes a document or SVG, and the page needs no further request.
"""

import base64
import binascii
import re
from typing import Final

import msgspec

#: The bytes of pictures or audio that one answer can have on a page.
MAX_MEDIA: Final = 8 * 1024 * 1024

#: Why an answer is not shown.
TOO_LARGE: Final = f"a page shows at most {MAX_MEDIA >> 20} MB of one answer."

#: The headers of the types that browsers show as pictures.
_PICTURES: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), "image/avif"),
)

#: The headers of the types that browsers play.
_AUDIO: Final = (
    (re.compile(rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]"), "audio/mpeg"),
    (re.compile(rb"RIFF....WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb"OggS"), "audio/ogg"),
    (re.compile(rb"fLaC"), "audio/flac"),
    (re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"), "audio/aac"),
    (re.compile(rb"\x1aE\xdf\xa3"), "audio/webm"),
    (re.compile(rb"....ftyp", re.DOTALL), "audio/mp4"),
)


class Media(msgspec.Struct, frozen=True):
    """A picture or audio; `problem` is why it has no address."""

    is_picture: bool
    address: str = ""
    problem: str = ""


def audio(content: bytes) -> Media:
    """Return audio for a page."""
    return _media(content, is_picture=False)


def picture(text: str, budget: int) -> tuple[Media, int]:
    """Return a picture from base64, and its bytes; it can have as many as `budget`."""
    size = len(text) * 3 // 4
    if size > budget:
        return Media(is_picture=True, problem=f"This picture is not shown: {TOO_LARGE}"), 0
    try:
        return _media(base64.b64decode(text, validate=True), is_picture=True), size
    except (binascii.Error, ValueError):
        return Media(is_picture=True, problem="The picture is no base64."), 0


def _media(content: bytes, *, is_picture: bool) -> Media:
    kind = next((kind for head, kind in (_PICTURES if is_picture else _AUDIO) if head.match(content)), "")
    if not kind:
        what = "The picture" if is_picture else "The audio"
        problem = f"{what} ({len(content):,} bytes) is of no type that browsers can show or play."
        return Media(is_picture, problem=problem)
    return Media(is_picture, f"data:{kind};base64,{base64.b64encode(content).decode()}")
