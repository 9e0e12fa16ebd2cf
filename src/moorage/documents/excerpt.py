"""An excerpt of a file: the line of a problem, with a caret under its place."""

import unicodedata
from typing import Final

import msgspec

from moorage.core.escaping import visible_line

#: How many characters of a line are shown.
_WIDTH: Final = 72

#: How many characters on each side of the place are looked at.
_MAX_PART: Final = 4 * _WIDTH


class Position(msgspec.Struct, frozen=True):
    """A place in a file: its line and column, both from 1, the text of the line, and the length of what is there."""

    line: int
    column: int
    text: str
    length: int = 1

    def excerpt(self) -> tuple[str, str]:
        """Return the line, cut around the place if it is long, and a line with carets under the place.

        The indentation of the line is omitted.
        """
        place = self.column - 1
        left, after = _plain(self.text[max(0, place - _MAX_PART) : place].lstrip()), self.text[place:]
        if after.startswith("\t"):  # it is the problem itself, so it is visible
            after = f"→{after[1:]}"
        if len(left) > _WIDTH // 2:
            left = f"…{left[1 - _WIDTH // 2 :]}"
        right, room = _plain(after[:_MAX_PART]), _WIDTH - len(left)
        shown = right if len(right) <= room else f"{right[: room - 1]}…"
        marked = _plain(after[: min(self.length, _MAX_PART)])
        carets = max(1, min(_columns(marked), _columns(shown)))
        return f"{left}{shown}", f"{' ' * _columns(left)}{'^' * carets}"


def _plain(text: str) -> str:
    """Return a part of a line as it is shown: tabs are spaces, and control characters are visible."""
    return visible_line(text, _MAX_PART * 10)


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )
