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

#: How many changed parts, and how many rows of all parts, a page shows; and how many equal lines it has folded.
MAX_PARTS: Final = 200
MAX_ROWS: Final = 2_000
MAX_FOLDED: Final = 2_000

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
    """A row: a line of each side, or the number of `folded` equal lines, with the `lines` if they can be unfolded."""

    before: Line | None = None
    after: Line | None = None
    is_same: bool = False
    folded: int = 0
    lines: "tuple[Row, ...]" = ()


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


def parts(before: Any, after: Any) -> Parts:
    """Return the changed parts of a document. Equal lines far from a change are folded."""
    found, left, folded_left = list[Part](), MAX_ROWS, MAX_FOLDED
    changes = list(islice(diff_paths(before, after), MAX_PARTS + 1))
    for change in changes[:MAX_PARTS]:
        one, other = (None if value is UNSET else _text(value) for value in (change.before, change.after))
        rows = list(islice(_rows(one, other, folded_left), left + 1)) if _is_long(one) or _is_long(other) else []
        if len(rows) > left:
            return Parts(found, omitted=True)
        left -= len(rows)
        folded_left -= sum(len(row.lines) for row in rows)
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


def _rows(before: str | None, after: str | None, folded_left: int) -> Iterator[Row]:
    """Yield the rows of two texts; those of at most `folded_left` folded lines can be unfolded."""
    one, other = _lines(before, after)
    blocks = list(_blocks(one, other))
    for index, (is_same, start, end, other_start, other_end) in enumerate(blocks):
        if not is_same:
            yield from _changed(one, start, end, other, other_start, other_end)
            continue
        first, last = start + (_AROUND if index else 0), end - (_AROUND if index < len(blocks) - 1 else 0)
        if last - first <= 1:  # the fold would be as high as the line
            first = last = end
        yield from _same(one, start, first, other_start)
        if first < last:
            can_unfold = last - first <= folded_left
            lines = tuple(_same(one, first, last, other_start + first - start)) if can_unfold else ()
            folded_left -= len(lines)
            yield Row(folded=last - first, lines=lines)
        yield from _same(one, last, end, other_start + last - start)


def _lines(*texts: str | None) -> list[list[str]]:
    """Return the lines of texts. The end of the last one begins no other, except where only one text has it."""
    if all(text is None or text.endswith("\n") for text in texts):
        texts = tuple(text and text[:-1] for text in texts)
    return [[] if text is None else text.split("\n") for text in texts]


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


def _same(lines: Sequence[str], start: int, end: int, other_start: int) -> Iterator[Row]:
    """Yield equal lines."""
    for index in range(start, end):
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
