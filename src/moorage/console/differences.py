"""The differences between two documents as rows of lines, with the changed words marked; all of it bounded."""

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import UNSET

from moorage.core.deployments.diff import diff_paths

#: How many changed parts, and how many rows of all parts, a page shows.
MAX_PARTS: Final = 200
MAX_ROWS: Final = 2_000

#: Above this product of the numbers of lines, no equal lines are searched in the middle, because that is quadratic.
_MAX_PAIRS: Final = 1_000_000

#: Changed words of a line are searched only among so many, because the search is cubic where words repeat.
_MAX_WORDS: Final = 60

#: Equal lines around a change.
_AROUND: Final = 2

_WORD: Final = re.compile(r"\w+|\s+|[^\w\s]")


class Piece(msgspec.Struct, frozen=True):
    """A part of a line, changed or not."""

    text: str
    is_changed: bool = False


class Line(msgspec.Struct, frozen=True):
    """A line of one side."""

    number: int
    pieces: list[Piece]


class Row(msgspec.Struct, frozen=True):
    """A row: a line of each side, or `folded` equal lines that are not shown."""

    before: Line | None = None
    after: Line | None = None
    is_same: bool = False
    folded: int = 0


class Part(msgspec.Struct, frozen=True):
    """A changed part of a document. `rows` is empty for a short value, which is shown as it was and is."""

    path: str
    before: str | None
    after: str | None
    rows: list[Row]
    added: int
    removed: int


class Parts(msgspec.Struct, frozen=True):
    """The changed parts; `omitted` if there are more than a page shows."""

    parts: list[Part]
    omitted: bool


def parts(before: Any, after: Any, *, is_whole: bool = False) -> Parts:
    """Return the changed parts of a document. Unless `is_whole`, equal lines far from a change are folded."""
    found, left = list[Part](), MAX_ROWS
    changes = list(islice(diff_paths(before, after), MAX_PARTS + 1))
    for change in changes[:MAX_PARTS]:
        one, other = (None if value is UNSET else _text(value) for value in (change.before, change.after))
        rows = list(islice(_rows(one, other, is_whole=is_whole), left + 1)) if _is_long(one) or _is_long(other) else []
        if len(rows) > left:
            return Parts(found, omitted=True)
        left -= len(rows)
        found.append(_part(change.path, one, other, rows))
    return Parts(found, omitted=len(changes) > MAX_PARTS)


def _part(path: str, before: str | None, after: str | None, rows: list[Row]) -> Part:
    if not rows:
        return Part(path, before, after, rows, int(after is not None), int(before is not None))
    changed = [row for row in rows if not row.is_same and not row.folded]
    added, removed = (sum(row.after is not None for row in changed), sum(row.before is not None for row in changed))
    return Part(path, before, after, rows, added, removed)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _is_long(text: str | None) -> bool:
    return text is not None and (len(text) > 80 or "\n" in text)


def _rows(before: str | None, after: str | None, *, is_whole: bool) -> Iterator[Row]:
    one, other = ([] if text is None else text.split("\n") for text in (before, after))
    blocks = list(_blocks(one, other))
    for index, (is_same, start, end, other_start, other_end) in enumerate(blocks):
        if is_same:
            yield from _same(
                one, start, end, other_start, is_whole=is_whole, is_first=index == 0, is_last=index == len(blocks) - 1
            )
        else:
            yield from _changed(one, start, end, other, other_start, other_end)


def _blocks(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Yield equal and different blocks of lines, in order."""
    head = _common(one, other)
    tail = _common(one[head:][::-1], other[head:][::-1])
    end, other_end = len(one) - tail, len(other) - tail
    if head:
        yield True, 0, head, 0, head
    if (end - head) * (other_end - head) > _MAX_PAIRS:
        yield False, head, end, head, other_end
    else:
        matcher = difflib.SequenceMatcher(None, one[head:end], other[head:other_end])
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            yield tag == "equal", head + i1, head + i2, head + j1, head + j2
    if tail:
        yield True, end, len(one), other_end, len(other)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the number of equal items at the begin."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _same(
    lines: Sequence[str], start: int, end: int, other_start: int, *, is_whole: bool, is_first: bool, is_last: bool
) -> Iterator[Row]:
    """Yield equal lines; those that are not next to a change are folded."""
    before = 0 if is_first else _AROUND
    after = 0 if is_last else _AROUND
    hidden = range(start + before, end - after) if not is_whole and end - start > before + after + 1 else range(0)
    for index in range(start, end):
        if index in hidden:
            if index == hidden.start:
                yield Row(folded=len(hidden))
            continue
        pieces = [Piece(lines[index])]
        yield Row(Line(index + 1, pieces), Line(other_start + index - start + 1, pieces), is_same=True)


def _changed(
    one: Sequence[str], start: int, end: int, other: Sequence[str], other_start: int, other_end: int
) -> Iterator[Row]:
    """Yield the lines of a different block side by side."""
    for offset in range(max(end - start, other_end - other_start)):
        left, right = start + offset, other_start + offset
        if left < end and right < other_end:
            before, after = _words(one[left], other[right])
            yield Row(Line(left + 1, before), Line(right + 1, after))
        elif left < end:
            yield Row(before=Line(left + 1, [Piece(one[left])]))
        else:
            yield Row(after=Line(right + 1, [Piece(other[right])]))


def _words(one: str, other: str) -> tuple[list[Piece], list[Piece]]:
    """Return the pieces of two lines, with the different words marked."""
    before, after = _WORD.findall(one), _WORD.findall(other)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    ends = len(before) - tail, len(after) - tail
    middles = before[head : ends[0]], after[head : ends[1]]
    if max(map(len, middles)) > _MAX_WORDS:
        marked = [[Piece("".join(middle), is_changed=True)] for middle in middles]
    else:
        marked = [[], []]
        matcher = difflib.SequenceMatcher(str.isspace, *middles, autojunk=False)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            for pieces, words in zip(marked, (middles[0][i1:i2], middles[1][j1:j2]), strict=True):
                pieces.append(Piece("".join(words), is_changed=tag != "equal"))
    return (
        _with_common(before[:head], marked[0], before[ends[0] :]),
        _with_common(after[:head], marked[1], after[ends[1] :]),
    )


def _with_common(start: Sequence[str], middle: Sequence[Piece], end: Sequence[str]) -> list[Piece]:
    pieces = (Piece("".join(start)), *middle, Piece("".join(end)))
    return [piece for piece in pieces if piece.text]
