"""Deployments in files: YAML, JSON, JSONL, and the list page as the hosted service returns it.

A document is one deployment: its `key`, and the fields of `PUT /v2/deployments/{key}`. A list page's items show no
variables, so they are no files that keep a deployment, but a way to bring it here. Pages are read oldest first, so
that what was newest there is newest here.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from moorage.cli import yaml_text
from moorage.core import strict_json
from moorage.core.request_errors import InvalidJson

_SUFFIXES = {".yaml", ".yml", ".json", ".jsonl", ".ndjson"}

_EMPTY_FOLDER = "the folder has no .yaml, .yml, .json or .jsonl file"

#: What a list page's item has and a put does not: the server there made it, the server here makes its own.
_MADE_BY_THE_SERVER = ("id", "created", "updated", "version")


class Document(msgspec.Struct, frozen=True):
    """One deployment to put. `source` names it to a person; with a `problem` it could not be read. `file` is the file
    that keeps it, by the name it has in its project; there is none for standard input and list pages."""

    source: str
    key: str
    body: dict[str, Any]
    problem: str = ""
    file: str | None = None


def read_paths(paths: list[str], *, may_be_empty: bool = False) -> list[Document]:
    """Everything in files, folders (their files by name, folders inside too) and `-` (standard input), in order.

    What cannot be read is a document with a problem: the good ones are still there. So is a folder with no file, unless
    it `may_be_empty`.
    """
    found = [document for path in paths for document in _read_path(path)]
    found = _without_twins(found)
    return [document for document in found if not (may_be_empty and document.problem == _EMPTY_FOLDER)]


def _without_twins(documents: list[Document]) -> list[Document]:
    """Two documents cannot say what one deployment is: which of them is right, nobody could tell. One that is read
    twice, as its file is named twice, is no harm."""
    first: dict[str, Document] = {}
    result = []
    for document in documents:
        other = document if document.problem else first.setdefault(document.key, document)
        if (other.file, other.body) == (document.file, document.body):
            result.append(document)
        else:
            why = f"it is in {other.source} too; keep one of them"
            result.append(Document(document.source, document.key, {}, why))
    return result


def read_one(path: str) -> Document:
    """The one document in a file, or on standard input (`-`).

    Raises:
        click.ClickException: there is none, there are several, or it cannot be read.
    """
    documents = read_paths([path])
    if len(documents) != 1:
        raise click.ClickException(
            f"{path} holds {len(documents)} deployments; this takes one. `moorage apply` takes all."
        )
    if documents[0].problem:
        raise click.ClickException(f"{documents[0].source}: {documents[0].problem}")
    return documents[0]


def read_values(path: str) -> list[Any]:
    """The values in a file, or on standard input (`-`); an array is its items.

    Raises:
        click.ClickException: it cannot be read.
    """
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    found: list[Any] = []
    for where, value in _values(path, Path(path).suffix.lower(), content):
        if isinstance(value, Document):
            raise click.ClickException(f"{where}: {value.problem}")
        found += value if isinstance(value, list) else [value]
    return found


def find_top(place: Path) -> Path | None:
    """The top of the git repository that an absolute path is in."""
    return next((folder for folder in (place, *place.parents) if (folder / ".git").exists()), None)


def name_in_project(path: str) -> str:
    """What a file is called from everywhere in the git repository it is in; outside of one, as it was named."""
    place = Path(path).resolve()
    top = find_top(place)
    return (place.relative_to(top) if top else Path(os.path.normpath(path))).as_posix()


def _read_path(name: str) -> Iterator[Document]:
    if name == "-":
        yield from _read_text("standard input", "", sys.stdin.buffer.read())
        return
    path = Path(name)
    if not name.isprintable():
        yield Document(ascii(name), "", {}, "the name of the file is no text that can be shown; give it another")
        return
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
        if not files:
            yield Document(name, "", {}, _EMPTY_FOLDER)
        for file in files:
            yield from _read_path(str(file))
        return
    try:
        content = path.read_bytes()
    except OSError as error:
        yield Document(name, "", {}, error.strerror or "cannot be read")
        return
    own = name_in_project(name)
    for document in _read_text(name, path.suffix.lower(), content, own):
        yield msgspec.structs.replace(document, file=own) if document.problem else document


def _read_text(source: str, suffix: str, content: bytes, file: str | None = None) -> Iterator[Document]:
    values = list(_values(source, suffix, content))
    if not values:
        yield Document(source, "", {}, "there is no deployment in it")
    items: list[Document] = []
    for where, value in values:
        if isinstance(value, Document):
            yield value
        elif isinstance(value, dict) and value.get("object") == "list" and isinstance(value.get("data"), list):
            items += [_item(f"{where} data[{index}]", item) for index, item in enumerate(value["data"])]
        elif isinstance(value, list):
            yield from (_document(f"{where}[{index}]", item, file) for index, item in enumerate(value))
        else:
            yield _document(where, value, file)
    yield from reversed(items)


def _values(source: str, suffix: str, content: bytes) -> Iterator[tuple[str, Any]]:
    """The values of one file with where they stand; a `Document` with a problem where one cannot be read."""
    is_lines = suffix in {".jsonl", ".ndjson"}
    if suffix == ".json" or (not suffix and content.lstrip()[:1] in (b"{", b"[")):
        try:
            yield source, strict_json.parse(content)
            return
        except InvalidJson as error:
            lines = [line for line in content.splitlines() if line.strip()]
            is_lines = len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines)
            is_yaml = not suffix and any(line.startswith(b"---") for line in lines)
            if not is_lines and not is_yaml:
                yield source, Document(source, "", {}, str(error))
                return
    if is_lines:
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip():
                where = f"{source}:{number}"
                try:
                    yield where, strict_json.parse(line)
                except InvalidJson as error:
                    yield where, Document(where, "", {}, str(error))
        return
    try:
        values = [value for value in yaml_text.load_all(content.decode("utf-8-sig")) if value is not None]
        for number, value in enumerate(values, 1):
            strict_json.check(value)
            yield (f"{source}#{number}" if len(values) > 1 else source), value
    except (yaml_text.YamlError, InvalidJson, UnicodeDecodeError) as error:
        yield source, Document(source, "", {}, str(error))


def _item(source: str, value: Any) -> Document:
    """An item of a list page. It does not show the variables, so those that are there are kept."""
    if isinstance(value, dict):
        value = {name: child for name, child in value.items() if name not in _MADE_BY_THE_SERVER}
    return _keyed(source, value, None)


def _document(source: str, value: Any, file: str | None) -> Document:
    """A deployment in a file. The file says all of it, so what it leaves out is empty."""
    if isinstance(value, dict):
        value = {"description": "", "variables": [], **value}
    return _keyed(source, value, file)


def _keyed(source: str, value: Any, file: str | None) -> Document:
    if not isinstance(value, dict):
        return Document(source, "", {}, "a deployment is an object with key and prompt_config")
    key = value.pop("key", None)
    if not isinstance(key, str) or not key:
        shown = "is missing" if key is None else f"must be a string, not {json.dumps(key)[:40]}"
        return Document(source, "", {}, f"key {shown}")
    return Document(source, key, value, file=file)
