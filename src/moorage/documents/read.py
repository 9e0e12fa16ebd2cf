"""Deployment files: YAML, JSON, JSONL, and the list page of a hosted service.

A document is one deployment: its `key`, and the fields of `PUT /v2/deployments/{key}`. A list page has no variables,
so it imports deployments but does not manage them. Its items are read in reverse, so that the order of the
list stays the same.
"""

import errno
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from moorage.core.errors.requests import InvalidJson
from moorage.core.validation import strict_json
from moorage.documents.positions import Origin
from moorage.documents.yaml import YamlError, load_documents

_SUFFIXES = {".yaml", ".yml", ".json", ".jsonl", ".ndjson"}

#: The maximum size of a file in bytes.
MAX_FILE = 64 * 1024 * 1024

_EMPTY_FOLDER = "the folder has no .yaml, .yml, .json or .jsonl file"

#: Fields of a list item that a put does not have: each server assigns its own.
_ASSIGNED_BY_SERVER = ("id", "created", "updated", "version")


class DocumentError(Exception):
    """A file cannot be read as the documents that a command needs; the message says why."""


class Document(msgspec.Struct, frozen=True):
    """A deployment to put. `source` is its place for people, and `origin` that in the text; with a `problem` it could
    not be read. `file` is the file that manages it, relative to its repository, or None for standard input and list
    pages."""

    source: str
    key: str
    body: dict[str, Any]
    problem: str = ""
    file: str | None = None
    origin: Origin | None = None


def read_paths(paths: list[str], *, may_be_empty: bool = False) -> list[Document]:
    """Return the documents in files, folders (recursively, ordered by name) and `-` (standard input).

    A document that cannot be read has a problem; the others are still returned. A folder without a file is such a
    document, too, unless it `may_be_empty`.
    """
    found = [document for path in paths for document in _read_path(path)]
    found = _reject_duplicate_keys(found)
    return [document for document in found if not (may_be_empty and document.problem == _EMPTY_FOLDER)]


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
            result.append(Document(document.source, document.key, {}, problem))
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
    if documents[0].problem:
        raise DocumentError(f"{documents[0].source}: {documents[0].problem}")
    return documents[0]


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
    for where, _, value in _values(path, Path(path).suffix.lower(), content):
        if isinstance(value, Document):
            raise DocumentError(f"{where}: {value.problem}")
        found += value if isinstance(value, list) else [value]
    return found


def git_root(place: Path) -> Path | None:
    """Return the root of the git repository that contains an absolute path, if any."""
    return next((folder for folder in (place, *place.parents) if (folder / ".git").exists()), None)


def name_in_project(path: str) -> str:
    """Return the path of a file relative to its git repository; outside of one, the path as given."""
    place = Path(os.path.realpath(path))  # `Path.resolve` raises an error for links in a circle
    top = git_root(place)
    return (place.relative_to(top) if top else Path(os.path.normpath(path))).as_posix()


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


def _read_path(name: str) -> Iterator[Document]:
    source, path = ("standard input" if name == "-" else name), Path(name)
    if not name.isprintable():
        yield Document(ascii(name), "", {}, "the file name is not printable; rename the file")
        return
    if name != "-" and path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
        if not files:
            yield Document(name, "", {}, _EMPTY_FOLDER)
        for file in files:
            yield from _read_path(str(file))
        return
    try:
        content = _read_file(name)
    except OSError as error:
        yield Document(source, "", {}, error.strerror or "cannot be read")
        return
    own = None if name == "-" else name_in_project(name)
    for document in _read_text(source, "" if name == "-" else path.suffix.lower(), content, own):
        yield msgspec.structs.replace(document, file=own) if document.problem else document


def _read_text(source: str, suffix: str, content: bytes, file: str | None = None) -> Iterator[Document]:
    values = list(_values(source, suffix, content))
    if not values:
        yield Document(source, "", {}, "the file has no deployment")
    items: list[Document] = []
    for where, origin, value in values:
        if isinstance(value, Document):
            yield value
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


def _placed(document: Document, origin: Origin, *steps: str | int) -> Document:
    return msgspec.structs.replace(document, origin=msgspec.structs.replace(origin, steps=steps))


def _values(source: str, suffix: str, content: bytes) -> Iterator[tuple[str, Origin, Any]]:
    """Yield the values of a file with their places, and a `Document` with a problem for each that cannot be read."""
    is_lines = suffix in {".jsonl", ".ndjson"}
    text = content.decode("utf-8-sig", errors="replace")
    if suffix == ".json" or (not suffix and content.lstrip()[:1] in (b"{", b"[")):
        try:
            yield source, Origin(source, text), strict_json.parse(content)
            return
        except InvalidJson as error:
            lines = [line for line in content.splitlines() if line.strip()]
            is_lines = len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines)
            is_yaml = not suffix and any(line.startswith(b"---") for line in lines)
            if not is_lines and not is_yaml:
                yield source, Origin(source, text), Document(source, "", {}, str(error))
                return
    if is_lines:
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip():
                where, origin = f"{source}:{number}", Origin(source, line.decode(errors="replace"), first_line=number)
                try:
                    yield where, origin, strict_json.parse(line)
                except InvalidJson as error:
                    yield where, origin, Document(where, "", {}, str(error))
        return
    try:
        values = [value for value in load_documents(content.decode("utf-8-sig")) if value is not None]
        for number, value in enumerate(values, 1):
            strict_json.check(value)
            yield (f"{source}#{number}" if len(values) > 1 else source), Origin(source, text, number - 1), value
    except (YamlError, InvalidJson, UnicodeDecodeError) as error:
        yield source, Origin(source, text), Document(source, "", {}, str(error))


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
    if not isinstance(key, str) or not key:
        shown = "is missing" if key is None else f"must be a string, not {json.dumps(key)[:40]}"
        return Document(source, "", {}, f"key {shown}")
    return Document(source, key, value, file=file)
