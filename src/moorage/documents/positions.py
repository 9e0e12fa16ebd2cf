"""The position of a value in the text of a file, for messages that point at it."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
import yaml

from moorage.documents.excerpt import Position
from moorage.documents.text import BREAK, hide_separators

#: A longer text is not parsed again for a position.
_MAX_TEXT: Final = 2_000_000

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")

#: A step of a path: `[2]`, `["a b"]`, or a plain name.
_STEP: Final = re.compile(r'\[(\d{1,7})\]|\["((?:[^"\\]|\\.)*)"\]|\.?([^.\[]+)')


class Origin(msgspec.Struct, frozen=True):
    """The place of a document: in the text of a file, in the YAML document of that number, below keys and indexes.

    `first_line` is the line of the file at which the text begins.
    """

    file: str
    text: str
    document: int = 0
    steps: tuple[str | int, ...] = ()
    first_line: int = 1

    def find(self, path: str, part: str = "") -> Position | None:
        """Return the position of the value at a path such as `messages[0].content`, or of the nearest value above it.

        If the value contains the text `part`, it is the position of that. Returns None if the text is too long, or the
        parser of positions does not read it.
        """
        if len(self.text) > _MAX_TEXT:
            return None
        nodes = _compose(self.text)
        if self.document >= len(nodes):
            return None
        found = _Found(nodes[self.document], nodes[self.document])
        for step in (*self.steps, *_steps(path)):
            below = _child(found.node, step)
            if below is None:
                break
            found = below
        return _position(self.text, self.first_line, found, part)


@lru_cache(maxsize=1)  # all problems of a file are looked up in a row
def _compose(text: str) -> list[yaml.Node]:
    """Return the root of each document, or nothing if the text is not YAML."""
    text, _ = hide_separators(text)
    if text.lstrip()[:1] in ("{", "["):  # JSON, of which the parser rejects tabs and halves of surrogate pairs
        text = _SURROGATE.sub(r"\\u0020", text).replace("\t", " ")
    try:
        return [node for node in yaml.compose_all(text, Loader=yaml.CSafeLoader) if not _is_null(node)]
    except (yaml.YAMLError, ValueError, RecursionError):
        return []


class _Found(NamedTuple):
    """A value, and where to point: at its key, if it has one."""

    node: yaml.Node
    shown: yaml.Node


def _is_null(node: yaml.Node | None) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null")


def _steps(path: str) -> Iterator[str | int]:
    for index, quoted, name in _STEP.findall(path):
        yield int(index) if index else msgspec.json.decode(f'"{quoted}"') if quoted else name


def _child(node: yaml.Node, step: str | int) -> _Found | None:
    if isinstance(node, yaml.MappingNode):
        pairs = [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]
        found = (_Found(value, key) for key, value in pairs if key.value == str(step))
        return next(found, None) or next(filter(None, (_child(each, step) for each in _merged(pairs))), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return _Found(node.value[step], node.value[step])
    return None


def _merged(pairs: list[tuple[yaml.ScalarNode, yaml.Node]]) -> Iterator[yaml.MappingNode]:
    """Yield the objects that the merge key of an object inserts."""
    for key, value in pairs:
        if key.tag == "tag:yaml.org,2002:merge":
            each = value.value if isinstance(value, yaml.SequenceNode) else [value]
            yield from (node for node in each if isinstance(node, yaml.MappingNode))


def _position(text: str, first_line: int, found: _Found, part: str) -> Position:
    start, end = found.node.start_mark, found.node.end_mark
    lines = BREAK.split(text)
    if part:
        for number in range(start.line, min(end.line + 1, len(lines))):
            begin = start.column if number == start.line else 0
            column = lines[number].find(part, begin)
            if column >= 0:
                return Position(first_line + number, column + 1, lines[number], len(part))
    mark = found.shown.start_mark
    line = lines[mark.line] if mark.line < len(lines) else ""
    return Position(first_line + mark.line, mark.column + 1, line)
