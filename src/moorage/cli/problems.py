"""Problems and warnings of a document, with the place in its file."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from moorage.cli.client import Reply
from moorage.cli.output import echo, one_line, pluralize, print_paragraph
from moorage.core.errors.base import Problem
from moorage.documents.document import Document
from moorage.documents.excerpt import Position

#: A message about a placeholder starts with it, and about a value in quotes with the value.
_PART = re.compile(r'\{\{.{1,200}?\}\}|"(.{1,80}?)"')

_LENGTH = 1_000

#: The warnings about the environment that the context of a request names.
_CONTEXT = {
    "unknown_environment": "names no environment of the project, so it chose none",
    "ambiguous_environment": "names several environments, so it chose none",
}

#: The end of the warning about a description or aliases, in terms of the API.
_PATCH = "`PATCH /v2/deployments/{key}`"

#: How many skipped files are listed.
_MAX_SKIPPED = 20


def place_of(document: Document, problem: Problem) -> Position | None:
    """Return the position of a problem in the file, if it is known."""
    if document.origin is None:
        return None
    part = _PART.match(problem.message)
    return document.origin.find(problem.path, (part[1] or part[0]) if part else "")


def print_unreadable(document: Document, *, fg: str) -> None:
    """Print the problem of a document that could not be read: its place and reason, and the line of the file."""
    position = document.find_position()
    is_named = position is None and not document.key  # by the line above
    print_paragraph(document.problem if is_named else document.problem_with_place(), indent=4, fg=fg)
    for line in position.excerpt() if position else ():
        echo(f"      {line}")


def print_skipped(documents: Sequence[Document]) -> None:
    """Print the files that were skipped, on standard error."""
    skipped = [document for document in documents if document.is_skipped]
    for document in skipped[:_MAX_SKIPPED]:
        echo(f"skipped: {one_line(document.source, _LENGTH)}: {document.problem}", err=True)
    if len(skipped) > _MAX_SKIPPED:
        echo(f"skipped: {len(skipped) - _MAX_SKIPPED} more files", err=True)


def print_problems(document: Document, problems: Sequence[Problem], kind: str, *, fg: str, err: bool = False) -> None:
    """Print the problems of a document below its line, in the order of the file.

    Each has its line, its path and its message, then the line of the file with a caret.
    """
    if not problems:
        return
    found = [(place_of(document, problem), problem) for problem in problems]
    found.sort(key=lambda each: each[0].line if each[0] else 0)
    first = found[0][0]
    file = f"{document.origin.file}:{first.line}" if document.origin and first else document.source
    echo(f"    {pluralize(len(problems), kind)} in {one_line(file, _LENGTH)}", fg=fg, err=err)
    for position, problem in found:
        where = f"line {position.line}, " if position else ""
        print_paragraph(f"{where}{problem.path or 'the body'}: {problem.message}", indent=6, fg=fg, err=err)
        for line in position.excerpt() if position else ():
            echo(f"          {line}", err=err)


def print_warnings(reply: Reply[Any], document: Document | None = None) -> None:
    """Print the warnings of a write on standard error, so that the output can be data."""
    header = reply.find_header("X-Moorage-Warnings")
    if document is not None:
        print_problems(document, read_warnings(header), "warning", fg="yellow", err=True)
    else:
        print_warning_header(header)


def print_context_warning(header: str | None) -> None:
    """Print the warning in the header `X-Moorage-Warning` on standard error: the context chose no environment."""
    if header in _CONTEXT:
        print_paragraph(f"warning: context.environments: {_CONTEXT[header]}", fg="yellow", err=True)


def print_warning_header(header: str | None) -> None:
    """Print the warnings in the header `X-Moorage-Warnings` on standard error."""
    for warning in read_warnings(header):
        print_paragraph(f"warning: {warning.path}: {warning.message}", fg="yellow", err=True)


def read_warnings(header: str | None) -> list[Problem]:
    """Return the warnings in the header `X-Moorage-Warnings`."""
    items = [unquote(item).partition(": ") for item in (header or "").split(", ") if item]
    return [
        Problem(path, message.replace(_PATCH, f"`moorage deployments set-{path}`"))
        for path, separator, message in items
        if separator
    ]
