"""Placeholders of text templates: names between two pairs of braces."""

import re
import unicodedata
from typing import Final

# Possessive, to avoid backtracking: `{{{{{{…` takes linear time.
_WORDS = r"[^\W\d][\w-]*+(?:\.[\w-]++)*+"
_NAME: Final = re.compile(_WORDS)

#: Splits a template into literal text and the contents of pairs of braces: names, and other short texts without braces.
PLACEHOLDER: Final = re.compile(rf"\{{\{{(\s*+{_WORDS}\s*+|[^{{}}\r\n]{{1,200}}+)\}}\}}")

#: The start of a tag of another template language, or of a name.
_TAG: Final = re.compile(r"[#^/&>!]?\s*+\w")

#: Characters inside words of some scripts that are neither letters nor marks.
_JOINERS: Final = "\u200c\u200d"


def is_name(text: str) -> bool:
    """Return whether a text is a name: letters, marks, digits, `_` and `-`, with dots between the parts of a path.

    The first part has a letter or `_`, and does not start with `-`. Marks are parts of letters in many scripts, for
    example vowels in Hindi and Thai, but `\\w` does not match them.
    """
    if _NAME.fullmatch(text):
        return True
    first, *others = text.split(".")
    return _is_word(first) and any(map(_is_letter, first)) and first[0] != "-" and all(map(_is_word, others))


def looks_like_a_name(text: str) -> bool:
    """Return whether somebody may have meant the text as a placeholder: `customer name`, `name|upper`, `#if name`."""
    return _TAG.match(text) is not None and any(map(_is_letter, text))


def _is_word(text: str) -> bool:
    return text != "" and all(
        character.isalnum() or character in "-_" or character in _JOINERS or _is_mark(character) for character in text
    )


def _is_letter(character: str) -> bool:
    return character.isalpha() or character == "_"


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
