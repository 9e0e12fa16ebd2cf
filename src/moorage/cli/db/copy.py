"""`moorage db copy`: copy a database into another one, for example from SQLite to PostgreSQL."""

import sys
from collections.abc import Iterator
from contextlib import closing

import click

from moorage.cli.db.damaged_rows import fail_if_damaged
from moorage.cli.db.needed_keys import print_needed_keys
from moorage.cli.options import secret_keys
from moorage.cli.output import echo, pluralize, print_table, progress_bar
from moorage.cli.table import new_table
from moorage.store.opening import open_engine, open_existing
from moorage.store.sealing import KeyRing
from moorage.store.transfer.copy import Copy, CopyProgress, CopyStart

_BEGUN: dict[CopyStart, str] = {
    "new": "Copying {source} to {target}.",
    "resumed": "Resuming the copy of {source} to {target}.",
    "restarted": "{source} has changed since the copy to {target} began: restarting from scratch.",
}

_DIGITS = 16


@click.command()
@click.option("--from", "source", required=True, metavar="URL", help="sqlite:///PATH or postgresql://…")
@click.option("--to", "target", required=True, metavar="URL", help="An empty database.")
def copy(source: str, target: str) -> None:
    """Copy a database into another one.

    Stop the servers first. Everything is copied: deployments, versions, history, API keys. If the copy is interrupted,
    run the same command again to resume it. At the end, the copy is read back and compared. No server starts on an
    unfinished copy. Rows that cannot be decoded are listed; then the exit code is 1.
    """
    with closing(open_existing(source)) as store, closing(open_engine(target, mode="fresh")) as engine:
        with store.dump() as dump:
            copying = Copy(store, dump, engine)
            echo(_BEGUN[copying.begin()].format(source=store.url, target=engine.url), err=True)
            _show(copying.steps())
            sealing_keys = dump.sealing_keys()
        table = new_table("table", "rows", "source", "copy")
        for each in copying.compare():
            table.add_row(each.table, f"{each.rows:,}", each.source[:_DIGITS], each.target[:_DIGITS])
        copying.finish()
        print_table(table)
        echo(f"The copy is complete, at revision {dump.rev}. Start the servers on {engine.url}.")
        print_needed_keys(sealing_keys, "the copy", KeyRing(secret_keys(), engine.key_file()))
        fail_if_damaged(copying.checked)


def _show(steps: Iterator[CopyProgress]) -> None:
    """Show a progress bar on a terminal, else a line for each table."""
    with progress_bar("{task.description}") as bar:
        task = bar.add_task("")
        for step in steps:
            bar.update(task, description=step.table, completed=step.done, total=step.total)
            if step.done == step.total and not sys.stderr.isatty():
                echo(f"{step.table}: {pluralize(step.done, 'row')}", err=True)
