"""Escaping of characters that a terminal obeys or does not show.

They are the control characters (C0, DEL, C1), the overrides of the text direction, other invisible characters, and lone
surrogates. A terminal takes ESC and C1 as commands; an override shows a text in another order than it is stored.
"""

import re
import unicodedata
from collections.abc import Callable

#: Invisible characters that several scripts and emoji need between two letters.
_JOINERS = "\u200c\u200d"

_BREAK = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]")

#: Runs, because a text can have a million letters that are not ASCII.
_NOT_ASCII = re.compile(r"[^\x20-\x7e]+")
_NOT_ASCII_IN_LINES = re.compile(r"[^\x20-\x7e\n\t]+")


def visible(text: str) -> str:
    r"""Return a text whose unsafe characters are written as in Python (`\x1b`)."""
    return text if text.isprintable() else _NOT_ASCII.sub(lambda run: _escaped(run[0], _python), text)


def visible_lines(text: str) -> str:
    """Return the same for a text of several lines: line feeds and tabs are kept."""
    return text if text.isprintable() else _NOT_ASCII_IN_LINES.sub(lambda run: _escaped(run[0], _python), text)


def visible_line(text: object, width: int = 1_000) -> str:
    """Return a text on one line of at most `width` characters; its line breaks are spaces."""
    line = visible(_BREAK.sub(" ", str(text)[: width + 1]))  # a text can have megabytes
    return line if len(line) <= width else line[: width - 1] + "…"


def escape_json(text: str) -> str:
    r"""Return a JSON or YAML text with the unsafe characters as `\uXXXX`, except line feeds.

    JSON escapes C0 itself; the other unsafe characters are valid only inside strings.
    """
    if text.isascii() and "\x7f" not in text:
        return text
    return _NOT_ASCII_IN_LINES.sub(lambda run: _escaped(run[0], _json), text)


def _escaped(run: str, escape: Callable[[str], str]) -> str:
    return run if run.isprintable() else "".join(escape(each) if _is_unsafe(each) else each for each in run)


def _is_unsafe(character: str) -> bool:
    # Spaces of other widths are not printable for Python, and harmless.
    return not character.isprintable() and character not in _JOINERS and unicodedata.category(character) != "Zs"


def _python(character: str) -> str:
    return ascii(character)[1:-1]


def _json(character: str) -> str:
    code = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(rf"\u{code[start : start + 4]}" for start in range(0, len(code), 4))
