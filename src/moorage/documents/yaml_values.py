"""The values of a YAML stream, from the events of its parser.

PyYAML's own constructors are not used: they accept the tags of version 1.1 (`!!set`, `!!binary`), fail with exceptions
of many kinds, and let aliases multiply a small file to gigabytes. Here, the tags are those of JSON, and the depth and
the size with all aliases are limited while the stream is read.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

import msgspec
import yaml

from moorage.core.escaping import visible_line
from moorage.core.validation.strict_json import MAX_BODY, MAX_DEPTH, MAX_VALUES
from moorage.documents.yaml_merge import MERGE, Merge

STRING, TAG = "tag:yaml.org,2002:str", "tag:yaml.org,2002:"
MERGE_TAG = f"{TAG}merge"

#: The core schema: the name of a type, the texts that have it, and their first characters.
CORE = (
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), ("~", "n", "N", "")),
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), tuple("tTfF")),
    ("int", re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), tuple("-+0123456789")),
    (
        "float",
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        tuple("-+0123456789."),
    ),
)

_PATTERNS = {name: pattern for name, pattern, _ in CORE}

#: The digits of the largest double.
_MAX_DIGITS = 309

#: The maximum number of characters that aliases can add to a file; that of values is `MAX_VALUES`.
MAX_ALIASED = 4 * MAX_BODY

_NOTHING: Any = object()


class YamlError(Exception):
    """A document is not YAML that can be read; says where."""


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
        value, size = "<<" if is_merge_key else _scalar(event), _Size(1, len(event.value))
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, size, is_merge_key)
        self._add(event, MERGE if is_merge_key and self._expects_key() else value, size)

    def start(self, event: yaml.CollectionStartEvent, value: Any, tag: str) -> None:
        """Read the start of a list or an object."""
        if event.tag not in (None, "!", TAG + tag):
            _fail_tag(event)
        if self._expects_key():
            _fail(event, "a key must be a string")
        if len(self._open) >= MAX_DEPTH:
            _fail(event, f"the nesting is deeper than {MAX_DEPTH} levels")
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
            _fail(event, f"found undefined alias '{visible_line(event.anchor, 80)}'")
        if anchored.size is None:
            _fail(event, f"the alias '{visible_line(event.anchor, 80)}' is recursive")
        self._aliased.add(anchored.size)
        if self._aliased.values > MAX_VALUES:
            _fail(event, f"the aliases stand for more than {MAX_VALUES} values")
        if self._aliased.characters > MAX_ALIASED:
            _fail(event, f"the aliases stand for more than {MAX_ALIASED} characters")
        if self._expects_key() and isinstance(anchored.value, dict | list):
            _fail(event, "a key must be a string")
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
                    _fail(event, "the key << occurs twice; write one list: <<: [*a, *b]")
                parent.merge = Merge()
            elif value in parent.value and not (parent.merge is not None and parent.merge.replaces(value)):
                _fail(event, f"the key {visible_line(repr(value), 80)} occurs twice")
            parent.key = value
        elif parent.key is MERGE and parent.merge is not None:
            parent.merge.event, parent.merge.value = event, value
            parent.key = _NOTHING
        else:
            parent.value[parent.key] = value
            parent.key = _NOTHING

    def _finish_merge(self, parent: _Collection) -> None:
        """Merge the value of the last merge key, which is complete now."""
        if parent.merge is not None and parent.merge.event is not None:
            event = parent.merge.event
            if not parent.merge.insert_into(parent.value):
                _fail(event, "the value of << must be an object or a list of objects, such as *name")


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


def _scalar(event: yaml.ScalarEvent) -> Any:
    """Return the value of a scalar: by its tag, or a plain one by its text."""
    text = event.value
    if event.tag in (None, "!"):
        if event.tag or not event.implicit[0]:  # it is quoted
            return text
        name = next((name for name, pattern in _PATTERNS.items() if pattern.match(text)), "str")
    else:
        name = event.tag.removeprefix(TAG)
        if event.tag != TAG + name or name not in ("str", *_PATTERNS):
            _fail_tag(event)
        if name != "str" and not _PATTERNS[name].fullmatch(text):
            _fail(event, f"'{visible_line(text, 80)}' is not of the type !!{name}")
    return text if name == "str" else _convert(event, name, text)


def _convert(event: yaml.ScalarEvent, name: str, text: str) -> Any:
    if name == "null":
        return None
    if name == "bool":
        return text.lower() == "true"
    if len(text) > _MAX_DIGITS:
        _fail(event, f"the number {text[:40]}… does not fit into a double")
    if name == "int":
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def _fail_tag(event: Any) -> NoReturn:
    tag = str(event.tag)
    shown = visible_line(tag.replace(TAG, "!!") if tag.startswith(TAG) else f"!<{tag}>", 80)
    _fail(event, f"the tag {shown} is not supported; write the value without a tag")


def _fail(event: yaml.Event, problem: str) -> NoReturn:
    mark = event.start_mark
    raise YamlError(f"{problem}, line {mark.line + 1} column {mark.column + 1}" if mark else problem)
