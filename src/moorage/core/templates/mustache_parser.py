"""Parser for mustache: a template becomes texts, variables and sections (the core of its specification 1.4).

Comments and delimiter tags render as nothing; so do partials, because none exist. There are no lambdas, because JSON
has no functions. The time is linear in the length of the template.
"""

import re
from typing import NamedTuple, NoReturn

from moorage.core.errors.templates import InvalidTemplate

#: The maximum depth of nested sections.
MAX_DEPTH = 64

#: The maximum number of tags in a template.
MAX_TAGS = 10_000

# The text that may follow a tag on a line of its own.
_REST_OF_LINE = re.compile(r"[ \t]*+(?:\r?\n|\Z)")

_STANDALONE = frozenset("#^/!=>")


class VariableTag(NamedTuple):
    """A tag that is replaced by a value; `path` is its name split at the dots, `written` the tag itself."""

    name: str
    path: tuple[str, ...]
    written: str


class Section(NamedTuple):
    """A section: rendered for each item of a list, for a truthy value, or (inverted) for a falsy one."""

    name: str
    path: tuple[str, ...]
    inverted: bool
    children: "list[Node]"


Node = str | VariableTag | Section


class _Tag(NamedTuple):
    """A tag: `kind` is its first character, empty for a variable; `start` and `end` are its position."""

    kind: str
    name: str
    start: int
    end: int


class _Parser:
    def __init__(self, template: str) -> None:
        self.template = template
        self.at = 0
        self.tags = 0
        self.opener, self.closer = "{{", "}}"
        self.nodes: list[Node] = []
        # The open sections, each with its sibling nodes.
        self.open: list[tuple[_Tag, list[Node]]] = []

    def parse(self) -> list[Node]:
        while (start := self.template.find(self.opener, self.at)) >= 0:
            self.tags += 1
            if self.tags > MAX_TAGS:
                self._fail(start, f"it has more than {MAX_TAGS} tags")
            tag = self._tag(start)
            text, after = self._split_before(tag)
            if text:
                self.nodes.append(text)
            self._add(tag)
            self.at = after
        if self.open:
            section = self.open[-1][0]
            self._fail(section.start, f"the section {section.name[:64]!r} is never closed")
        if rest := self.template[self.at :]:
            self.nodes.append(rest)
        return self.nodes

    def _tag(self, start: int) -> _Tag:
        inside = start + len(self.opener)
        kind = self.template[inside : inside + 1]
        if kind and kind in "#^/!=>&{":
            inside += 1
        else:
            kind = ""
        closer = {"{": "}", "=": "="}.get(kind, "") + self.closer
        end = self.template.find(closer, inside)
        if end < 0:
            self._fail(start, "a tag is never closed")
        name = self.template[inside:end].strip()
        if not name and kind != "!":
            self._fail(start, "a tag has no name")
        return _Tag(kind, name, start, end + len(closer))

    def _split_before(self, tag: _Tag) -> tuple[str, int]:
        """Return the text before a tag and the position after it, without the line of a standalone tag."""
        text = self.template[self.at : tag.start]
        if tag.kind and tag.kind in _STANDALONE:
            head = text.rstrip(" \t")
            begins = head.endswith("\n") if head else self.at == 0 or self.template[self.at - 1] == "\n"
            if begins and (rest := _REST_OF_LINE.match(self.template, tag.end)):
                return head, rest.end()
        return text, tag.end

    def _add(self, tag: _Tag) -> None:
        if tag.kind in ("", "&", "{"):
            self.nodes.append(VariableTag(tag.name, _path(tag.name), self.template[tag.start : tag.end]))
        elif tag.kind in ("#", "^"):
            if len(self.open) == MAX_DEPTH:
                self._fail(tag.start, f"sections are nested deeper than {MAX_DEPTH}")
            self.open.append((tag, self.nodes))
            self.nodes = []
        elif tag.kind == "/":
            self._close(tag)
        elif tag.kind == "=":
            self._delimit(tag)

    def _close(self, tag: _Tag) -> None:
        if not self.open:
            self._fail(tag.start, f"the section {tag.name[:64]!r} is closed but was never opened")
        section, siblings = self.open.pop()
        if section.name != tag.name:
            self._fail(tag.start, f"the section {tag.name[:64]!r} is closed while {section.name[:64]!r} is open")
        siblings.append(Section(section.name, _path(section.name), section.kind == "^", self.nodes))
        self.nodes = siblings

    def _delimit(self, tag: _Tag) -> None:
        delimiters = tag.name.split()
        if len(delimiters) != 2 or "=" in tag.name:
            self._fail(tag.start, "invalid delimiters; set them as in {{=<% %>=}}")
        self.opener, self.closer = delimiters

    def _fail(self, at: int, reason: str) -> NoReturn:
        line = self.template.count("\n", 0, at) + 1
        raise InvalidTemplate(engine="mustache", reason=f"{reason}, line {line}")


def _path(name: str) -> tuple[str, ...]:
    return (name,) if name == "." else tuple(name.split("."))


def parse(template: str) -> list[Node]:
    """Parse a template into texts, variables and sections.

    Raises:
        InvalidTemplate: with the reason and the line.
    """
    return _Parser(template).parse()


def count_tags(template: str) -> int:
    """Parse a template, and return the number of its tags.

    Raises:
        InvalidTemplate: with the reason and the line.
    """
    parser = _Parser(template)
    parser.parse()
    return parser.tags
