"""The report of a parser of YAML about a text that it cannot read, and the lines that it is about."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import yaml

from moorage.documents.text import BREAK, Place

#: The begin of a line before its first value: list items, then a key.
_PREFIX: Final = re.compile(r"""\s*(?:- +)*(?:(?:"[^"]*"|'[^']*'|[^\s"'#\[\]{},&*!|>%@`][^:]*?) *: +)?(?:- +)*""")

#: How much of a line is searched for its value.
_MAX_PREFIX: Final = 2_000

_NOTHING: Final = Place(0, 0)


class Problem(NamedTuple):
    """A message, and the place that it is about."""

    message: str
    place: Place


class Report(NamedTuple):
    """What the parser reports: the problem, its place and its context; the last event, and the open flow collection."""

    lines: Sequence[str]
    problem: str
    at: Place
    context: str
    context_at: Place
    last: yaml.Event | None
    bracket: Place | None

    def line(self, place: Place) -> str:
        """Return the text of a line."""
        return self.lines[place.line] if place.line < len(self.lines) else ""

    def character(self, place: Place) -> str:
        """Return the character at a place; it is empty at the end of a line."""
        return self.line(place)[place.column : place.column + 1]

    @classmethod
    def of(cls, text: str, error: yaml.MarkedYAMLError, events: Sequence[yaml.Event]) -> "Report":
        """Return the report of an error; `events` are those before it, without old ones."""
        mark, context_mark = error.problem_mark or error.context_mark, error.context_mark
        return cls(
            lines=BREAK.split(text),
            problem=error.problem or "",
            at=Place(mark.line, mark.column) if mark else _NOTHING,
            context=error.context or "",
            context_at=Place(context_mark.line, context_mark.column) if context_mark else _NOTHING,
            last=events[-1] if events else None,
            bracket=_open_bracket(events),
        )

    def value(self, line: int) -> Place:
        """Return the place of the value in a line."""
        text = self.line(Place(line, 0))
        start = value_start(text)
        return Place(line, start, max(1, len(text.rstrip()) - start))

    def whole_line(self, line: int) -> Place:
        """Return the place of a line without its indentation."""
        text = self.line(Place(line, 0))
        return Place(line, indentation_of(text), max(1, len(text.strip())))


def value_start(line: str) -> int:
    """Return the column of the value in a line."""
    found = _PREFIX.match(line, 0, _MAX_PREFIX)
    return found.end() if found else 0


def indentation_of(line: str) -> int:
    """Return the number of blanks at the begin of a line."""
    return len(line) - len(line.lstrip())


def _open_bracket(events: Sequence[yaml.Event]) -> Place | None:
    """Return the place of the innermost `[` or `{` that is not closed."""
    depth = 0
    for event in reversed(events):
        if isinstance(event, yaml.CollectionEndEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionStartEvent):
            if depth == 0:
                mark = event.start_mark
                return Place(mark.line, mark.column) if event.flow_style and mark else None
            depth -= 1
    return None
