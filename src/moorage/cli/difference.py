"""A unified diff on the terminal: changed words inside long lines, and blanks that would be invisible."""

import difflib
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from moorage.cli.output import echo, one_line

#: A part of a line, and whether it is changed.
Part = tuple[str, bool]

_LENGTH: Final = 10_000

#: Words are marked in lines of at least this length: shorter ones are read at a glance.
_LONG: Final = 40

#: The part of a line that must be equal, and the limits of the search: words of a line, and pairs of lines.
_MIN_EQUAL: Final = 0.5
_MAX_WORDS: Final = 60
_MAX_PAIRS: Final = 300

_WORD: Final = re.compile(r"\w+|\s+|[^\w\s]")

_COLORS: Final = {"+": "green", "-": "red", "@": "cyan"}

#: The begin of a line: a sign, then a path, or the indentation of a line in a text.
_BEGIN: Final = re.compile(r".(?:  |[^ ]+: )?")


def print_difference(text: str, indent: str = "") -> None:
    """Print a unified diff. Changed words of long lines are inverted or, without colours, `[-old-]` and `{+new+}`."""
    is_colored = sys.stdout.isatty()
    for parts in _parts(text.removesuffix("\n").split("\n") if text else []):
        sign = parts[0][0][:1]
        shown = [(indent + parts[0][0], False), *parts[1:]]
        for number, (part, is_changed) in enumerate(shown, 1):
            marks = ("", "") if is_colored or not is_changed else ("[-", "-]") if sign == "-" else ("{+", "+}")
            is_inverted = is_colored and is_changed
            echo(part.join(marks), nl=number == len(shown), fg=_COLORS.get(sign), reverse=is_inverted or None)


def _parts(lines: Sequence[str]) -> Iterator[Sequence[Part]]:
    """Yield the parts of each line; the first part is not changed, because it has the sign."""
    start, pairs = 0, 0
    while start < len(lines):
        removed = _run(lines, start, "-")
        added = _run(lines, start + removed, "+")
        end = start + max(1, removed + added)
        shown = [_visible(line) for line in lines[start:end]]
        marked: dict[int, Sequence[Part]] = {}
        following = removed  # the first added line that has no pair
        for number in range(removed if added else 0):
            for other in range(following, len(shown)):
                pairs += 1
                if pairs > _MAX_PAIRS:
                    break
                pair = _changed_words(shown[number], shown[other])
                if pair:
                    marked[number], marked[other] = pair
                    following = other + 1
                    break
        yield from (marked.get(number, [(line, False)]) for number, line in enumerate(shown))
        start = end


def _run(lines: Sequence[str], start: int, sign: str) -> int:
    """Return how many lines from `start` have a sign."""
    count = 0
    while start + count < len(lines) and lines[start + count].startswith(sign):
        count += 1
    return count


def _visible(line: str) -> str:
    """Return a line as it is shown; in a changed one, blanks at the end are `·` and `→`, and an empty line is `↵`."""
    begin = _BEGIN.match(line)
    if line[:1] not in ("+", "-") or begin is None:
        return one_line(line, _LENGTH)
    rest = line[begin.end() :]
    text = rest.rstrip(" \t")
    if not rest and begin[0].endswith("  "):
        return f"{begin[0]}↵"
    blanks = rest[len(text) :].replace(" ", "·").replace("\t", "→")
    return one_line(begin[0] + text, _LENGTH) + blanks[:_LENGTH]


def _changed_words(before: str, after: str) -> tuple[Sequence[Part], Sequence[Part]] | None:
    """Return the parts of two lines, or None if they are short or differ widely."""
    if max(map(_length, (before, after))) < _LONG:
        return None
    one, other = _WORD.findall(before[1:]), _WORD.findall(after[1:])
    head = _common(one, other)
    tail = _common(one[head:][::-1], other[head:][::-1])
    middle, middle_after = one[head : len(one) - tail], other[head : len(other) - tail]
    opcodes: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(middle), 0, len(middle_after))]
    if max(len(middle), len(middle_after)) <= _MAX_WORDS:
        opcodes = difflib.SequenceMatcher(None, middle, middle_after, autojunk=False).get_opcodes()
    start_of_line = "".join(one[:head])
    sides: tuple[list[Part], list[Part]] = [(before[0] + start_of_line, False)], [(after[0] + start_of_line, False)]
    for kind, start, end, start_after, end_after in opcodes:
        for side, words in zip(sides, (middle[start:end], middle_after[start_after:end_after]), strict=True):
            if words:
                side.append(("".join(words), kind != "equal"))
    for side in sides:
        side.append(("".join(one[len(one) - tail :]), False))
    is_close = all(_equal_part(side) >= _MIN_EQUAL for side in sides)
    return sides if is_close else None


def _equal_part(parts: Sequence[Part]) -> float:
    """Return how much of a line is equal, without its path."""
    length = _length("".join(part for part, _ in parts))
    changed = sum(len(part) for part, is_changed in parts if is_changed)
    return 1 - changed / length if length else 0


def _length(line: str) -> int:
    """Return the length of a line without its sign and its path."""
    begin = _BEGIN.match(line)
    return len(line) - (begin.end() if begin else 0)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the number of equal words at the begin."""
    pairs = zip(one, other, strict=False)
    return next((number for number, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
