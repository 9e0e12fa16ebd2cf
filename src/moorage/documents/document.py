"""The documents in the text of a file: each is a deployment with its `key`, or a problem."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from moorage.documents.excerpt import Position
from moorage.documents.positions import Origin
from moorage.documents.values import Value, parse_values

#: The endings of files with documents.
SUFFIXES: Final = frozenset({".yaml", ".yml", ".json", ".jsonl", ".ndjson"})

#: Fields of a list item that a put does not have: each server assigns its own.
_ASSIGNED_BY_SERVER = ("id", "created", "updated", "version")


class DocumentError(Exception):
    """A file cannot be read as the documents that a command needs; the message says why.

    `excerpt` has the line of the file and a line with carets, if the place is known.
    """

    def __init__(self, message: str, position: Position | None = None) -> None:
        super().__init__(message)
        self.excerpt = position.excerpt() if position else ()


class Document(msgspec.Struct, frozen=True):
    """A deployment to put, or a problem.

    `source` is its place for people, and `origin` that in the text. With a `problem`, it could not be read, at a
    `position` if that is known. `file` is the file that manages it, relative to its repository, or None for standard
    input and list pages. A file in a folder that is no deployment `is_skipped`, and its problem is the reason.
    """

    source: str
    key: str
    body: dict[str, Any]
    problem: str = ""
    file: str | None = None
    origin: Origin | None = None
    position: Position | None = None
    is_skipped: bool = False

    def find_position(self) -> Position | None:
        """Return the position of its problem, or of its begin."""
        return self.position or (self.origin.find("") if self.origin else None)

    def problem_with_place(self) -> str:
        """Return its problem after the file with line and column, if they are known, else after its source."""
        position = self.find_position()
        if position is None or self.origin is None:
            return f"{self.source}: {self.problem}"
        return f"{self.origin.file}:{position.line}:{position.column}: {self.problem}"


def read_contents(files: Iterable[tuple[str, bytes]], maximum: int) -> list[Document]:
    """Return the documents in the contents of files that were sent, at most `maximum`. No file manages them.

    The format follows from the names, and without a known ending from the content.
    """
    found = (document for name, content in files for document in _read_content(name, content))
    return reject_duplicate_keys(list(islice(found, maximum)))


def _read_content(name: str, content: bytes) -> Iterator[Document]:
    if not name.isprintable():
        yield Document(ascii(name), "", {}, "the file name is not printable; rename the file")
        return
    suffix = Path(name).suffix.lower()
    yield from documents_of(name, list(parse_values(name, suffix if suffix in SUFFIXES else "", content)), None)


def reject_duplicate_keys(documents: list[Document]) -> list[Document]:
    """Return the documents with a problem for each key that another document has, too.

    A document that is read twice, because its file is named twice, is not a problem.
    """
    first: dict[str, Document] = {}
    result = []
    for document in documents:
        other = document if document.problem else first.setdefault(document.key, document)
        if (other.file, other.body) == (document.file, document.body):
            result.append(document)
        else:
            problem = f"{other.source} has the same key; remove one of them"
            result.append(msgspec.structs.replace(document, body={}, problem=problem, file=None))
    return result


def documents_of(source: str, values: Sequence[Value], file: str | None) -> Iterator[Document]:
    """Yield the documents in the values of a file; the items of a list page in reverse, oldest first."""
    if not values:
        yield Document(source, "", {}, "the file has no deployment")
    items: list[Document] = []
    for each in values:
        value, where, origin = each.value, each.where, each.origin
        if each.problem:
            yield failed(each)
        elif isinstance(value, dict) and value.get("object") == "list" and isinstance(value.get("data"), list):
            items += [
                _placed(_item(f"{where} data[{index}]", item), origin, "data", index)
                for index, item in enumerate(value["data"])
            ]
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield _placed(_document(f"{where}[{index}]", item, file), origin, index)
        else:
            yield _placed(_document(where, value, file), origin)
    yield from reversed(items)


def failed(value: Value) -> Document:
    """Return the document of a value that could not be read."""
    return Document(value.where, "", {}, value.problem, origin=value.origin, position=value.position)


def _placed(document: Document, origin: Origin, *steps: str | int) -> Document:
    return msgspec.structs.replace(document, origin=msgspec.structs.replace(origin, steps=steps))


def _item(source: str, value: Any) -> Document:
    """Return the document of a list item. It has no variables, so a put does not change them."""
    if isinstance(value, dict):
        value = {name: child for name, child in value.items() if name not in _ASSIGNED_BY_SERVER}
    return _keyed(source, value, None)


def _document(source: str, value: Any, file: str | None) -> Document:
    """Return the document of a deployment in a file. A file is complete, so an omitted field is empty."""
    if isinstance(value, dict):
        value = {"description": "", "variables": [], "aliases": [], **value}
    return _keyed(source, value, file)


def _keyed(source: str, value: Any, file: str | None) -> Document:
    if not isinstance(value, dict):
        return Document(source, "", {}, "a deployment must be an object with key and prompt_config")
    key = value.pop("key", None)
    value.pop("$schema", None)  # for editors
    if not isinstance(key, str) or not key:
        shown = "is missing" if key is None else f"must be a string, not {json.dumps(key)[:40]}"
        return Document(source, "", {}, f"key {shown}")
    return Document(source, key, value, file=file)
