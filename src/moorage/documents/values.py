"""The values in the text of a file: YAML, JSON or JSONL, each with its place."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from moorage.core.errors.requests import InvalidJson
from moorage.core.validation import strict_json
from moorage.documents.excerpt import Position
from moorage.documents.json_problems import find_problem
from moorage.documents.positions import Origin
from moorage.documents.text import BREAK, CONFLICT, UnknownEncoding, conflict_marker, decode, position_of
from moorage.documents.yaml import YamlError, load_documents

_LINES: Final = {".jsonl", ".ndjson"}

#: The text of a file that is probably meant as a deployment.
_MEANT: Final = re.compile(
    r"""prompt_config|^(?:- +)?["']?key["']?[ \t]*:|^ {0,4}"key"[ \t]*:|^[ \t]*[\[{]+\s*"key"\s*:""", re.M
)


class Value(msgspec.Struct, frozen=True):
    """A value with its place for people and in the text, or the problem with its position."""

    where: str
    origin: Origin
    value: Any = None
    problem: str = ""
    position: Position | None = None

    @property
    def is_meant(self) -> bool:
        """Whether this is meant as a deployment, or as several: something has a key or a `prompt_config`."""
        if self.problem:
            return bool(_MEANT.search(self.origin.text.replace("\0", "")))
        value = self.value
        if isinstance(value, dict) and value.get("object") == "list" and isinstance(value.get("data"), list):
            value = value["data"]
        items = value if isinstance(value, list) else [value]
        return any(isinstance(item, dict) and ("key" in item or "prompt_config" in item) for item in items)


def parse_values(source: str, suffix: str, content: bytes) -> Iterator[Value]:
    """Yield the values of a file, or a problem. The format of standard input (no suffix) is recognized."""
    try:
        text = decode(content)
    except UnknownEncoding as error:
        yield Value(source, Origin(source, content.decode(errors="replace")), problem=str(error))
        return
    is_lines = suffix in _LINES
    if suffix == ".json" or (not suffix and text.lstrip()[:1] in ("{", "[")):
        value = _json(source, Origin(source, text))
        lines = [line for line in BREAK.split(text) if line.strip()] if value.problem else []
        is_lines = len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines)
        is_yaml = not suffix and any(line.startswith("---") for line in lines)
        if not is_lines and not is_yaml:
            yield value
            return
    yield from _json_lines(source, text) if is_lines else _yaml(source, text)


def _json_lines(source: str, text: str) -> Iterator[Value]:
    conflict = conflict_marker(text)
    if conflict is not None:
        yield Value(source, Origin(source, text), problem=CONFLICT, position=position_of(text, conflict))
        return
    for number, line in enumerate(BREAK.split(text), 1):
        if line.strip():
            yield _json(f"{source}:{number}", Origin(source, line, first_line=number))


def _json(where: str, origin: Origin) -> Value:
    try:
        return Value(where, origin, strict_json.parse(origin.text.encode()))
    except InvalidJson as error:
        found = find_problem(origin.text)
        if found is None:
            return Value(where, origin, problem=str(error))
        return Value(where, origin, problem=found[0], position=position_of(origin.text, found[1], origin.first_line))


def _yaml(source: str, text: str) -> Iterator[Value]:
    try:
        values = [value for value in load_documents(text) if value is not None]
        for number, value in enumerate(values, 1):
            strict_json.check(value)
            yield Value(f"{source}#{number}" if len(values) > 1 else source, Origin(source, text, number - 1), value)
    except YamlError as error:
        yield Value(source, Origin(source, text), problem=str(error), position=error.position)
    except InvalidJson as error:
        yield Value(source, Origin(source, text), problem=str(error))
