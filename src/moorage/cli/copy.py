"""`moorage copy`: a whole database into another one, as when SQLite has become too small."""

import sys
from collections.abc import Iterator
from contextlib import closing

import click

from moorage.cli import screen
from moorage.store.copying import Begun, Copy, Step
from moorage.store.opening import open_engine, open_existing

_BEGUN: dict[Begun, str] = {
    "new": "Copying {source} to {target}.",
    "resumed": "Going on with the copy of {source} to {target} where it stopped.",
    "anew": "{source} has changed since the copy to {target} was begun: beginning anew.",
}

_DIGITS = 16


@click.command()
@click.option("--from", "source", required=True, metavar="URL", help="sqlite:///PATH or postgresql://…")
@click.option("--to", "target", required=True, metavar="URL", help="A database with nothing in it yet.")
def copy(source: str, target: str) -> None:
    """Copy everything from one database to another: deployments, versions, history, API keys. Stop the servers first.

    If it is interrupted, run it again: it goes on where it stopped. What was copied is read back and compared at the
    end, and no server starts on a copy that is not finished.
    """
    with closing(open_existing(source)) as store, closing(open_engine(target, may_be_old=False)) as engine:
        with store.whole() as whole:
            copying = Copy(store, whole, engine)
            click.echo(_BEGUN[copying.begin()].format(source=store.url, target=engine.url), err=True)
            _show(copying.steps())
        table = screen.table("table", "rows", "source", "copy")
        for each in copying.compare():
            table.add_row(each.table, f"{each.rows:,}", each.source[:_DIGITS], each.target[:_DIGITS])
        copying.finish()
        screen.console().print(table)
        click.echo(f"The copy is whole, at revision {whole.rev}. Start the servers on {engine.url}.")


def _show(steps: Iterator[Step]) -> None:
    """A bar where a person looks, else a line for each table that is done."""
    with screen.progress("{task.description}") as bar:
        task = bar.add_task("")
        for step in steps:
            bar.update(task, description=step.table, completed=step.done, total=step.total)
            if step.done == step.total and not sys.stderr.isatty():
                click.echo(f"{step.table}: {screen.counting(step.done, 'row')}", err=True)
