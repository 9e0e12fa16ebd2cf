"""Deployment files: YAML, JSON, JSONL, and the list page of a hosted service.

A document is one deployment: its `key`, and the fields of `PUT /v2/deployments/{key}`. A list page has no variables,
so it imports deployments but does not manage them. Its items are read in reverse, so that the order of the
list stays the same.
"""

import errno
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from moorage.documents.document import SUFFIXES, Document, DocumentError, documents_of, failed, reject_duplicate_keys
from moorage.documents.file_names import name_in_project
from moorage.documents.values import Value, parse_values

#: The maximum size of a file in bytes.
MAX_FILE = 64 * 1024 * 1024

_EMPTY_FOLDER = "the folder has no .yaml, .yml, .json or .jsonl file"
_NO_DEPLOYMENTS = "no file in the folder has a deployment"


def read_paths(paths: list[str], *, may_be_empty: bool = False, is_strict: bool = False) -> list[Document]:
    """Return the documents in files, folders (recursively, ordered by name) and `-` (standard input).

    A document that cannot be read has a problem; the others are still returned. A folder without a deployment is such a
    document, too, unless it `may_be_empty`. Files in folders that are no deployments are skipped, unless `is_strict`.
    """
    found = [document for path in paths for document in _read_path(path, is_strict=is_strict)]
    found = reject_duplicate_keys(found)
    empty = (_EMPTY_FOLDER, _NO_DEPLOYMENTS) if may_be_empty else ()
    return [document for document in found if document.problem not in empty]


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
            raise DocumentError(failed(each).problem_with_place(), each.position)
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
    for document in documents_of(source, values, own):
        yield msgspec.structs.replace(document, file=own) if document.problem else document


def _read_folder(path: Path, *, is_strict: bool) -> Iterator[Document]:
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
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
