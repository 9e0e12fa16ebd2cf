"""Output: tables and data on standard output, progress and errors on standard error.

Every text passes through this module, which escapes the characters that a terminal would obey. The other modules of the
command line do not print.
"""

import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from moorage.cli.table import OutputTable
from moorage.core.escaping import escape_json, visible_line, visible_lines
from moorage.documents.yaml import dump_yaml

T = TypeVar("T")

_PIPE_WIDTH = 200  # a pipe has no width, and tables in it are not cut

#: The maximum length of an error; a value in it can have megabytes.
_ERROR_LENGTH = 200_000
USAGE_ERROR_LENGTH = 1_000

#: The maximum length of a paragraph, and the width of its lines on a very narrow terminal.
_PARAGRAPH_LENGTH = 10_000
_NARROWEST = 20


def echo(
    text: str,
    *,
    err: bool = False,
    nl: bool = True,
    fg: str | None = None,
    bold: bool | None = None,
    dim: bool | None = None,
    reverse: bool | None = None,
) -> None:
    """Print a text of one or several lines."""
    click.secho(visible_lines(text), err=err, nl=nl, fg=fg, bold=bold, dim=dim, reverse=reverse)


def print_table(table: OutputTable) -> None:
    """Print a table on standard output. A pipe has no width, so a table in it is complete."""
    fitted, width = table.fitted(new_console().width if sys.stdout.isatty() else None)
    new_console(width).print(fitted)


def print_text(text: str) -> None:
    """Print a text on standard output, with long lines wrapped at the width of the terminal."""
    new_console().print(_as_text(text))


def print_paragraph(text: str, *, indent: int = 0, fg: str | None = None, err: bool = False) -> None:
    """Print one line; on a terminal, words that do not fit are on more lines with the same indentation."""
    margin = " " * indent
    echo(margin + f"\n{margin}".join(wrapped(text, indent, err=err)), fg=fg, err=err)


def wrapped(text: str, indent: int, *, err: bool = False) -> list[str]:
    """Return a text as one line; on a terminal, as the lines that fit beside the indentation."""
    line = one_line(text, _PARAGRAPH_LENGTH)
    if not (sys.stderr if err else sys.stdout).isatty():
        return [line]
    return textwrap.wrap(line, max(new_console(to_stderr=err).width - indent, _NARROWEST)) or [""]


def new_console(least: int = 0, *, to_stderr: bool = False) -> Console:
    """Return a console; its output is plain unless the stream is a terminal. A pipe has the width `least` or more."""
    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else max(_PIPE_WIDTH, least)
    return Console(stderr=to_stderr, width=width, highlight=False)


def progress_bar(label: str) -> Progress:
    """Return a progress bar; it is silent unless standard error is a terminal."""
    bar = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*bar, console=new_console(to_stderr=True), transient=True, disable=not sys.stderr.isatty())


def with_progress(label: str, items: Iterable[T]) -> Iterator[T]:
    """Yield the items, and show how many there were on a terminal."""
    with progress_bar(label) as bar:
        task = bar.add_task("", total=None)
        for count, item in enumerate(items, 1):
            bar.update(task, completed=count)
            yield item


def pluralize(count: int, thing: str) -> str:
    """Return `1 deployment`, `2 deployments`."""
    return f"{count} {thing}" + "s" * (count != 1)


def print_done(value: Any, output: str, message: str) -> None:
    """Print the result of a command: as a message, or as data."""
    if output == "table":
        echo(message)
    else:
        print_data(value, output)


def print_data(value: Any, output: str) -> None:
    """Print a value as JSON or YAML; both escape unsafe characters without a loss."""
    if output == "json":
        click.echo(escape_json(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()))
    else:
        click.echo(dump_yaml(msgspec.to_builtins(value)), nl=False)


def print_json_line(value: Any) -> None:
    """Print a value as JSON on one line."""
    click.echo(escape_json(msgspec.json.encode(value).decode()))


def one_line(text: object, width: int = 48) -> str:
    """Return a text as one short line."""
    return visible_line(text, width)


def error_text(message: str, length: int = _ERROR_LENGTH) -> str:
    """Return the message of an error as it is shown."""
    shown = visible_lines(message[:length])
    return shown if len(message) <= length else f"{shown}…"


def _as_text(cell: RenderableType | None) -> Text:
    """Return a cell as text; a plain string would be read as markup."""
    if isinstance(cell, Text):
        return Text(visible_lines(cell.plain), cell.style)
    return Text(visible_lines("" if cell is None else str(cell)))
