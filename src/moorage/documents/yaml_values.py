"""The values of a YAML stream, from the events of its parser.

PyYAML's own constructors are not used: they accept the tags of version 1.1 (`!!set`, `!!binary`), fail with exceptions
of many kinds, and let aliases multiply a small file to gigabytes. Here, the tags are those of JSON, and the depth and
the size with all aliases are limited while the stream is read.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import yaml

from moorage.core.escaping import visible_line
from moorage.core.validation.strict_json import MAX_BODY, MAX_DEPTH, MAX_KEY, MAX_VALUES
from moorage.documents.yaml_merge import MERGE, Merge
from moorage.documents.yaml_scalars import MERGE_TAG, TAG, fail, fail_tag, read_scalar

#: The maximum number of characters that aliases can add to a file; that of values is `MAX_VALUES`.
MAX_ALIASED = 4 * MAX_BODY

_NOTHING: Any = object()


class _Size(msgspec.Struct):
    """The size of a value with everything that aliases stand for."""

    values: int = 0
    characters: int = 0

    def add(self, other: "_Size") -> None:
        """Add the size of another value."""
        self.values += other.values
        self.characters += other.characters


class _Anchored(msgspec.Struct):
    """A value with an anchor, and its size; None while the value is incomplete."""

    value: Any
    size: _Size | None
    is_merge_key: bool = False


class _Collection(msgspec.Struct):
    """A list or an object whose end is not read yet."""

    value: Any
    anchored: _Anchored | None
    size: _Size
    key: Any = _NOTHING
    lines: dict[str, int] = msgspec.field(default_factory=dict)
    merge: Merge | None = None


class _Reader:
    """The state of one stream; anchors are those of one document."""

    def __init__(self) -> None:
        self.root: Any = None
        self._open: list[_Collection] = []
        self._anchors: dict[str, _Anchored] = {}
        self._aliased = _Size()

    def begin(self) -> None:
        """Read the start of a document."""
        self.root = None
        self._anchors.clear()

    def scalar(self, event: yaml.ScalarEvent) -> None:
        """Read a scalar."""
        is_merge_key = event.value == "<<" and (event.tag == MERGE_TAG or (event.implicit[0] and not event.tag))
        value, size = "<<" if is_merge_key else read_scalar(event), _Size(1, len(event.value))
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, size, is_merge_key)
        self._add(event, MERGE if is_merge_key and self._expects_key() else value, size)

    def start(self, event: yaml.CollectionStartEvent, value: Any, tag: str) -> None:
        """Read the start of a list or an object."""
        if event.tag not in (None, "!", TAG + tag):
            fail_tag(event)
        if self._expects_key():
            fail(event, f"a key must be a string, not {'an object' if tag == 'map' else 'a list'}")
        if len(self._open) >= MAX_DEPTH:
            fail(event, f"the nesting is deeper than {MAX_DEPTH} levels")
        self._add(event, value, _Size())  # its size is added at its end
        anchored = None
        if event.anchor:
            anchored = self._anchors[event.anchor] = _Anchored(value, None)
        self._open.append(_Collection(value, anchored, _Size(1)))

    def end(self) -> None:
        """Read the end of a list or an object."""
        done = self._open.pop()
        self._finish_merge(done)
        if done.anchored is not None:
            done.anchored.size = done.size
        if self._open:
            self._open[-1].size.add(done.size)

    def alias(self, event: yaml.AliasEvent) -> None:
        """Read an alias. Its value is shared, not copied, but everything that reads it reads all of it."""
        anchored = self._anchors.get(event.anchor or "")
        if anchored is None:
            name = visible_line(event.anchor, 80)
            fail(event, f"there is no anchor &{name} before this alias; if it is a text, put it in quotes")
        if anchored.size is None:
            fail(event, f"the alias *{visible_line(event.anchor, 80)} stands for an object or list that contains it")
        self._aliased.add(anchored.size)
        if self._aliased.values > MAX_VALUES:
            fail(event, f"the aliases stand for more than {MAX_VALUES} values")
        if self._aliased.characters > MAX_ALIASED:
            fail(event, f"the aliases stand for more than {MAX_ALIASED} characters")
        if self._expects_key() and isinstance(anchored.value, dict | list):
            fail(event, "a key must be a string")
        is_merge_key = anchored.is_merge_key and self._expects_key()
        self._add(event, MERGE if is_merge_key else anchored.value, anchored.size)

    def _expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is _NOTHING

    def _add(self, event: yaml.Event, value: Any, size: _Size) -> None:
        if not self._open:
            self.root = value
            return
        parent = self._open[-1]
        parent.size.add(size)
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is _NOTHING:
            self._finish_merge(parent)
            if value is MERGE:
                if parent.merge is not None:
                    fail(event, "the key << occurs twice; write one list: <<: [*a, *b]")
                parent.merge = Merge()
            else:
                self._check_key(event, value, parent)
            parent.key = value
        elif parent.key is MERGE and parent.merge is not None:
            parent.merge.event, parent.merge.value = event, value
            parent.key = _NOTHING
        else:
            parent.value[parent.key] = value
            parent.key = _NOTHING

    def _check_key(self, event: yaml.Event, key: Any, parent: _Collection) -> None:
        if not isinstance(key, str):
            fail(event, f'a key must be a string; put it in quotes: "{visible_line(json.dumps(key), 40)}"')
        if len(key) > MAX_KEY:
            fail(event, f"a key has at most {MAX_KEY:,} characters; this one has {len(key):,}")
        if key[:1].isspace() and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            fail(event, f"the key begins with U+{ord(key[0]):04X}, which only looks like a space; use spaces")
        if key in parent.value and not (parent.merge is not None and parent.merge.replaces(key)):
            shown, first = visible_line(json.dumps(key, ensure_ascii=False), 80), parent.lines[key]
            fail(event, f"the key {shown} occurs twice, first in line {first}; remove one")
        parent.lines[key] = event.start_mark.line + 1 if event.start_mark else 0

    def _finish_merge(self, parent: _Collection) -> None:
        """Merge the value of the last merge key, which is complete now."""
        if parent.merge is not None and parent.merge.event is not None:
            event = parent.merge.event
            if not parent.merge.insert_into(parent.value):
                fail(event, "the value of << must be an object or a list of objects, such as *name")


def read_values(events: Iterable[yaml.Event]) -> Iterator[Any]:
    """Yield the value of each document.

    Raises:
        YamlError: with line and column.
    """
    reader = _Reader()
    for event in events:
        match event:
            case yaml.ScalarEvent():
                reader.scalar(event)
            case yaml.MappingStartEvent():
                reader.start(event, {}, "map")
            case yaml.SequenceStartEvent():
                reader.start(event, [], "seq")
            case yaml.CollectionEndEvent():
                reader.end()
            case yaml.AliasEvent():
                reader.alias(event)
            case yaml.DocumentStartEvent():
                reader.begin()
            case yaml.DocumentEndEvent():
                yield reader.root
