"""Problems of JSON in the words of an author: what is wrong at which place, and the fix.

The parser of JSON stops at the first problem and often knows no place. This one reads the text again, once it is known
to be invalid.
"""

import json
import math
import re
from typing import Final, NamedTuple

from moorage.core.escaping import visible_line
from moorage.core.validation.strict_json import MAX_DEPTH, MAX_KEY
from moorage.documents.text import BREAK, CONFLICT, Place, conflict_marker

#: A text with more parts is not read again.
_MAX_PARTS: Final = 1_000_000

#: A string without its end. It never goes back, because a string can have megabytes.
_STRING: Final = r""""(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+"""

_PART: Final = re.compile(
    rf"""[ \t\n\r]*+(?:(?P<mark>[\[\]{{}},:])|(?P<string>{_STRING}")|(?P<word>[^\s\[\]{{}},:"']++)|(?P<end>\Z))"""
)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS: Final = {"True": "true", "False": "false", "None": "null", "undefined": "null", "nil": "null"}


class _Open(NamedTuple):
    """A `[` or `{` that is not closed, and the keys of its object with their offsets."""

    mark: str
    offset: int
    keys: dict[str, int]


class _Problem(Exception):
    def __init__(self, message: str, start: int, length: int = 1) -> None:
        super().__init__(message)
        self.start = start
        self.length = length


def find_problem(text: str) -> tuple[str, Place] | None:
    """Return the first problem of a text that is not valid JSON, with its place; None if it is not found."""
    conflict = conflict_marker(text)
    if conflict is not None:
        return CONFLICT, conflict
    try:
        _Reader(text).read()
    except _Problem as problem:
        before = BREAK.split(text[: problem.start])
        return str(problem), Place(len(before) - 1, len(before[-1]), problem.length)
    return None


class _Reader:
    """The state of one text: what is open, and what can come next."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[_Open] = []
        self._next = "a value"  # or: a key, a colon, a comma, the end
        self._comma: int | None = None  # the offset of the comma before, if it is the last part

    def read(self) -> None:
        """Read the parts to the first problem.

        Raises:
            _Problem
        """
        offset = 0
        for _ in range(_MAX_PARTS):
            found = _PART.match(self._text, offset)
            if found is None:
                raise self._invalid(offset + len(self._text[offset:]) - len(self._text[offset:].lstrip(" \t\n\r")))
            kind, part = found.lastgroup, found[found.lastgroup or 0]
            start, offset = found.end() - len(part), found.end()
            if kind == "end":
                self._end(start)
                return
            if kind == "mark":
                self._mark(part, start)
            elif self._next == "a key":
                self._key(part, start, is_string=kind == "string")
            else:
                self._value(part, start, is_string=kind == "string")

    def _mark(self, mark: str, start: int) -> None:
        comma, self._comma = self._comma, None
        if mark in "[{" and self._next == "a value":
            if len(self._open) >= MAX_DEPTH:
                raise _Problem(f"the nesting is deeper than {MAX_DEPTH} levels", start)
            self._open.append(_Open(mark, start, {}))
            self._next = "a value" if mark == "[" else "a key"
        elif mark in "]}":
            self._close(mark, start, comma)
        elif mark == "," and self._next == "a comma" and self._open:
            self._comma, self._next = start, "a value" if self._open[-1].mark == "[" else "a key"
        elif mark == ":" and self._next == "a colon":
            self._next = "a value"
        elif mark == "{" and self._next == "a key" and self._text.startswith("{", start):
            raise self._braces(start - 1) if self._text[start - 1 : start] == "{" else self._unexpected(mark, start)
        else:
            raise self._unexpected(mark, start)

    def _close(self, mark: str, start: int, comma: int | None) -> None:
        if comma is not None:
            raise _Problem(f"a comma before {mark} is not possible in JSON; remove it", comma)
        if not self._open:
            raise _Problem(f"there is no open bracket for this {mark}; remove it", start)
        opened = self._open[-1]
        if (opened.mark == "[") != (mark == "]"):
            closing = "]" if opened.mark == "[" else "}"
            raise _Problem(
                f"{closing} is missing here, for the {opened.mark} in line {self._line(opened.offset)}", start
            )
        is_empty = self._text[opened.offset + 1 : start].strip() == ""
        if not is_empty and self._next != "a comma":
            raise self._unexpected(mark, start)
        self._open.pop()
        self._next = "a comma" if self._open else "the end"

    def _key(self, part: str, start: int, *, is_string: bool) -> None:
        self._comma = None
        if not is_string:
            raise self._word(part, start, f'a key must be in quotes: "{visible_line(part, 40)}"')
        key = json.loads(part)
        if len(key) > MAX_KEY:
            raise _Problem(f"a key has at most {MAX_KEY:,} characters; this one has {len(key):,}", start, len(part))
        _check_text(key, part, start)
        keys = self._open[-1].keys
        if key in keys:
            raise _Problem(
                f"the key {visible_line(part, 80)} occurs twice, first in line {self._line(keys[key])}; remove one",
                start, len(part),
            )  # fmt: skip
        keys[key] = start
        self._next = "a colon"

    def _value(self, part: str, start: int, *, is_string: bool) -> None:
        if self._next != "a value":
            raise self._unexpected(part, start)
        self._comma = None
        if is_string:
            _check_text(json.loads(part), part, start)
        elif part not in ("true", "false", "null"):
            if not _NUMBER.fullmatch(part):
                kind = "number" if part[0] in "+-.0123456789" else "value"
                fix = f"write {_WORDS[part]}" if part in _WORDS else "a text must be in double quotes"
                raise self._word(part, start, f"{visible_line(part, 40)} is not a JSON {kind}; {fix}")
            if len(part) > 309 or not math.isfinite(float(part)):
                raise _Problem(f"the number {part[:40]} does not fit into a double", start, len(part))
        self._next = "a comma" if self._open else "the end"

    def _word(self, part: str, start: int, message: str) -> _Problem:
        if part.startswith(("//", "/*", "#")):
            return _Problem("JSON has no comments; remove it, or use a YAML file", start, len(part))
        return _Problem(message, start, len(part))

    def _unexpected(self, part: str, start: int) -> _Problem:
        length = len(part)
        if part.startswith(("//", "/*", "#")):
            return self._word(part, start, "")
        if self._next == "the end":
            return _Problem("there is text after the end; a file with one document per line is .jsonl", start, length)
        if part == ",":
            return _Problem(f"there is no {self._next.split()[-1]} before this comma; remove it", start)
        if self._next == "a comma":
            return _Problem("a comma is missing before this", start, length)
        return _Problem(f"{self._next} is missing before this", start, length)

    def _braces(self, start: int) -> _Problem:
        text = BREAK.split(self._text[start : start + 200])[0]
        value = text[: text.find("}}") + 2] if "}}" in text else text
        return _Problem(f"a placeholder must be in quotes: {json.dumps(visible_line(value, 60))}", start, len(value))

    def _invalid(self, start: int) -> _Problem:
        """Return the problem of a text in which no part begins."""
        if self._text[start] == "'":
            return _Problem("JSON has no single quotes; use double quotes", start)
        body = re.compile(_STRING).match(self._text, start)
        at = body.end() if body else start
        wrong = self._text[at : at + 1]
        if wrong == "\\":
            shown = visible_line(self._text[at : at + 2], 10)
            return _Problem(f"{shown} is not a valid escape; write \\\\ for a backslash", at, 2)
        if wrong in ("", "\n", "\r"):
            return _Problem("the quote is not closed in this line; write \\n for a line break in a text", start)
        shown = {"\t": "\\t"}.get(wrong, f"\\u{ord(wrong):04x}")
        return _Problem(f"the character U+{ord(wrong):04X} is not possible here; in a text, write {shown}", at)

    def _end(self, start: int) -> None:
        if self._open:
            opened = self._open[-1]
            closing = "]" if opened.mark == "[" else "}"
            raise _Problem(f"the {opened.mark} is not closed; add a {closing}", opened.offset)
        if self._next == "a value":
            raise _Problem("the file is empty", start)

    def _line(self, offset: int) -> int:
        return len(BREAK.findall(self._text, 0, offset)) + 1


def _check_text(text: str, part: str, start: int) -> None:
    if "\0" in text:
        raise _Problem("the text has a NUL character, which databases cannot store; remove it", start, len(part))
    if re.search("[\ud800-\udfff]", text):
        raise _Problem("the text has half a surrogate pair; write both halves, or remove it", start, len(part))
