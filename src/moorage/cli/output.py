"""Output: tables and data on standard output, progress on standard error."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from moorage.documents.yaml import dump_yaml

T = TypeVar("T")

_PIPE_WIDTH = 200  # a pipe has no width, and tables in it are not cut


def new_console(*, to_stderr: bool = False) -> Console:
    """Return a console; its output is plain unless the stream is a terminal."""
    stream = sys.stderr if to_stderr else sys.stdout
    return Console(stderr=to_stderr, width=None if stream.isatty() else _PIPE_WIDTH, highlight=False)


def new_table(*headings: str) -> Table:
    """Return a table without a frame, like the output of `column`."""
    result = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        result.add_column(heading, overflow="fold")
    return result


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
        click.echo(message)
    else:
        print_data(value, output)


def print_difference(text: str, indent: str = "") -> None:
    """Print a unified diff in colours."""
    for line in text.removesuffix("\n").split("\n") if text else ():
        click.secho(indent + one_line(line, 10_000), fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))


def print_data(value: Any, output: str) -> None:
    """Print a value as JSON or YAML."""
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    else:
        click.echo(dump_yaml(msgspec.to_builtins(value)), nl=False)


def one_line(text: object, width: int = 48) -> str:
    """Return a text as one short line; control characters are replaced, so they cannot move the cursor."""
    line = "".join(character if character.isprintable() else " " for character in str(text))
    return line if len(line) <= width else line[: width - 1] + "…"
