"""The text of a file: its encoding, and the line separators of Unicode."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Mapping
from itertools import chain
from typing import Final, NamedTuple

from moorage.documents.excerpt import Position

#: Byte order marks. That of UTF-32-LE begins with that of UTF-16-LE.
_MARKS: Final = (
    (BOM_UTF8, "utf-8"),
    (BOM_UTF32_LE, "utf-32-le"),
    (BOM_UTF32_BE, "utf-32-be"),
    (BOM_UTF16_LE, "utf-16-le"),
    (BOM_UTF16_BE, "utf-16-be"),
)

#: A byte order mark at the begin of a document that follows another one, as in the output of `cat`.
_MARK_INSIDE: Final = re.compile(r"(?m)^\ufeff(?=---|[{\[#%]|key *:)")

#: Characters that are line breaks for YAML 1.1, and nothing special for YAML 1.2 and JSON.
_SEPARATORS: Final = "\x85\u2028\u2029"

#: Characters without a meaning: the private use areas.
_PRIVATE: Final = (range(0xE000, 0xF900), range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))

_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})")

#: The line breaks of YAML 1.2.
BREAK: Final = re.compile("\r\n|[\n\r]")


#: The message about a conflict marker of git.
CONFLICT: Final = (
    "this is a conflict marker of git; resolve the conflict, and remove the lines with <<<<<<<, ======= and >>>>>>>"
)


class Place(NamedTuple):
    """A place in a text: line and column from 0, and the number of characters that it is about."""

    line: int
    column: int
    length: int = 1


class UnknownEncoding(Exception):
    """The bytes are not a text; the message says why, and what to do."""


def decode(content: bytes) -> str:
    """Return the text of a file, which is UTF-8, or UTF-16 or UTF-32 with a byte order mark.

    Raises:
        UnknownEncoding
    """
    if _looks_like_utf_16(content[:4]):
        raise UnknownEncoding("the file is UTF-16 without a byte order mark; save it as UTF-8")
    mark, encoding = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", "utf-8"))
    try:
        return _MARK_INSIDE.sub("", content[len(mark) :].decode(encoding))
    except UnicodeDecodeError as error:
        raise UnknownEncoding(_reason(content, len(mark) + error.start, encoding)) from None


def _looks_like_utf_16(begin: bytes) -> bool:
    """Return whether every second byte is 0, as in the ASCII characters of UTF-16."""
    return any(begin[start::2] == b"\0\0" and 0 not in begin[1 - start :: 2] for start in (0, 1))


def _reason(content: bytes, start: int, encoding: str) -> str:
    if encoding != "utf-8":
        return f"the file begins as {encoding.upper()}, but byte {start} does not continue it; save the file as UTF-8"
    line, column = content.count(b"\n", 0, start) + 1, start - content.rfind(b"\n", 0, start)
    place = f"the byte 0x{content[start]:02X} in line {line}, at byte {column} of the line,"
    return f"{place} is not UTF-8; save the file as UTF-8"


def conflict_marker(text: str) -> Place | None:
    """Return the place of the first conflict marker of git."""
    start = 0 if text.startswith("<<<<<<< ") else text.find("\n<<<<<<< ") + 1
    if not text.startswith("<<<<<<< ", start):
        return None
    return Place(len(BREAK.findall(text, 0, start)), 0, len(BREAK.split(text[start : start + 1_000])[0]))


def position_of(text: str, place: Place, first_line: int = 1) -> Position:
    """Return the position of a place in a file, where the text begins at a line."""
    lines = BREAK.split(text)
    line = lines[place.line] if place.line < len(lines) else ""
    return Position(first_line + place.line, place.column + 1, line, place.length)


def hide_separators(text: str) -> tuple[str, Mapping[int, str]]:
    """Return a text in which a parser of YAML 1.1 finds no other line breaks than a parser of YAML 1.2.

    Each separator is replaced by a private character that the text does not have. The mapping is for `str.translate`,
    and restores a part of the text.
    """
    present = [separator for separator in _SEPARATORS if separator in text]
    if not present:
        return text, {}
    used = set(map(ord, text)) | {int(short or long, 16) for short, long in _ESCAPE.findall(text)}
    free = (code for code in chain(*_PRIVATE) if code not in used)
    hidden = dict(zip(present, free, strict=False))  # a text with all 137,000 private characters is read as it is
    return text.translate({ord(each): code for each, code in hidden.items()}), {
        code: each for each, code in hidden.items()
    }
