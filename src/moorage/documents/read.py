"""Deployment files: YAML, JSON, JSONL, and the list page of a hosted service.

A document is one deployment: its `key`, and the fields of `PUT /v2/deployments/{key}`. A list page has no variables,
so it imports deployments but does not manage them. Its items are read in reverse, so that the order of the
list stays the same.
"""

import errno
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from moorage.documents.excerpt import Position
from moorage.documents.file_names import name_in_project
from moorage.documents.positions import Origin
from moorage.documents.values import Value, parse_values

_SUFFIXES = {".yaml", ".yml", ".json", ".jsonl", ".ndjson"}

#: The maximum size of a file in bytes.
MAX_FILE = 64 * 1024 * 1024

_EMPTY_FOLDER = "the folder has no .yaml, .yml, .json or .jsonl file"
_NO_DEPLOYMENTS = "no file in the folder has a deployment"

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


def read_paths(paths: list[str], *, may_be_empty: bool = False, is_strict: bool = False) -> list[Document]:
    """Return the documents in files, folders (recursively, ordered by name) and `-` (standard input).

    A document that cannot be read has a problem; the others are still returned. A folder without a deployment is such a
    document, too, unless it `may_be_empty`. Files in folders that are no deployments are skipped, unless `is_strict`.
    """
    found = [document for path in paths for document in _read_path(path, is_strict=is_strict)]
    found = _reject_duplicate_keys(found)
    empty = (_EMPTY_FOLDER, _NO_DEPLOYMENTS) if may_be_empty else ()
    return [document for document in found if document.problem not in empty]


def _reject_duplicate_keys(documents: list[Document]) -> list[Document]:
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


def read_one(path: str) -> Document:
    """Return the only document in a file, or on standard input (`-`).

    Raises:
        DocumentError: there is none, there are several, or it cannot be read.
    """
    documents = read_paths([path])
    if len(documents) != 1:
        raise DocumentError(
            f"{path} has {len(documents)} deployments, but this command accepts exactly one. To apply several, run "
            "`moorage apply`."
        )
    (document,) = documents
    if document.problem:
        raise DocumentError(document.problem_with_place(), document.find_position())
    return document


def read_values(path: str) -> list[Any]:
    """Return the values in a file, or on standard input (`-`); an array stands for its items.

    Raises:
        DocumentError: it cannot be read.
    """
    try:
        content = _read_file(path)
    except OSError as error:
        raise DocumentError(f"{path}: {error.strerror or 'cannot be read'}") from error
    found: list[Any] = []
    for each in parse_values(path, "" if path == "-" else Path(path).suffix.lower(), content):
        if each.problem:
            raise DocumentError(_failed(each).problem_with_place(), each.position)
        found += each.value if isinstance(each.value, list) else [each.value]
    return found


def _read_file(name: str) -> bytes:
    """Return the content of a file, or of standard input (`-`).

    Raises:
        OSError: it cannot be read, or is larger than `MAX_FILE`; a device has no end.
    """
    if name == "-":
        content = sys.stdin.buffer.read(MAX_FILE + 1)
    else:
        with Path(name).open("rb") as file:
            content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise OSError(errno.EFBIG, f"larger than {MAX_FILE} bytes")
    return content


def _read_path(name: str, *, is_strict: bool, is_in_folder: bool = False) -> Iterator[Document]:
    source, path = ("standard input" if name == "-" else name), Path(name)
    if not name.isprintable():
        yield Document(ascii(name), "", {}, "the file name is not printable; rename the file")
        return
    if name != "-" and path.is_dir():
        yield from _read_folder(path, is_strict=is_strict)
        return
    try:
        content = _read_file(name)
    except OSError as error:
        yield Document(source, "", {}, error.strerror or "cannot be read")
        return
    own = None if name == "-" else name_in_project(name)
    values = list(parse_values(source, "" if name == "-" else path.suffix.lower(), content))
    if is_in_folder and not is_strict and not any(value.is_meant for value in values):
        yield Document(source, "", {}, _reason_to_skip(values), own, is_skipped=True)
        return
    for document in _documents(source, values, own):
        yield msgspec.structs.replace(document, file=own) if document.problem else document


def _read_folder(path: Path, *, is_strict: bool) -> Iterator[Document]:
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
    are_skipped = True
    for file in files:
        for document in _read_path(str(file), is_strict=is_strict, is_in_folder=True):
            are_skipped = are_skipped and document.is_skipped
            yield document
    if are_skipped:
        yield Document(str(path), "", {}, _NO_DEPLOYMENTS if files else _EMPTY_FOLDER)


def _reason_to_skip(values: Sequence[Value]) -> str:
    if not values:
        return "it is empty"
    if values[0].problem:
        return "it has no key and no prompt_config, and cannot be read"
    return "it has no key and no prompt_config"


def _documents(source: str, values: Sequence[Value], file: str | None) -> Iterator[Document]:
    if not values:
        yield Document(source, "", {}, "the file has no deployment")
    items: list[Document] = []
    for each in values:
        value, where, origin = each.value, each.where, each.origin
        if each.problem:
            yield _failed(each)
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


def _failed(value: Value) -> Document:
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
        value = {"description": "", "variables": [], **value}
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
