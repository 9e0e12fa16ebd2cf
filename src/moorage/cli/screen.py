"""What a person sees: tables on standard output, progress on standard error."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from moorage.cli import yaml_text

T = TypeVar("T")

_PIPE_WIDTH = 200  # a pipe has no width; tables there are not cut


def console(*, to_stderr: bool = False) -> Console:
    """Where to print; plain where it is no terminal."""
    stream = sys.stderr if to_stderr else sys.stdout
    return Console(stderr=to_stderr, width=None if stream.isatty() else _PIPE_WIDTH, highlight=False)


def table(*headings: str) -> Table:
    """A table without frame, as `column` would print it."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made


def progress(label: str) -> Progress:
    """A progress bar, silent where standard error is no terminal."""
    bar = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*bar, console=console(to_stderr=True), transient=True, disable=not sys.stderr.isatty())


def counted(label: str, items: Iterable[T]) -> Iterator[T]:
    """The items, while a count of them runs where a person looks."""
    with progress(label) as bar:
        task = bar.add_task("", total=None)
        for count, item in enumerate(items, 1):
            bar.update(task, completed=count)
            yield item


def counting(count: int, thing: str) -> str:
    """`1 deployment`, `2 deployments`."""
    return f"{count} {thing}" + "s" * (count != 1)


def print_done(value: Any, output: str, told: str) -> None:
    """What was done: in words for a table, else the answer itself."""
    if output == "table":
        click.echo(told)
    else:
        print_data(value, output)


def print_difference(text: str, indent: str = "") -> None:
    """Print a unified diff in colours."""
    for line in text.removesuffix("\n").split("\n") if text else ():
        click.secho(indent + cell(line, 10_000), fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))


def print_data(value: Any, output: str) -> None:
    """Print a value as JSON or YAML, whole."""
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    else:
        click.echo(yaml_text.dump(msgspec.to_builtins(value)), nl=False)


def cell(text: object, width: int = 48) -> str:
    """A text as one short line of a table; control characters cannot move the cursor."""
    line = "".join(character if character.isprintable() else " " for character in str(text))
    return line if len(line) <= width else line[: width - 1] + "…"
