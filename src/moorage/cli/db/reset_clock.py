"""`moorage db reset-clock`: replace times in the future, after the clock of a server was ahead."""

from contextlib import closing

import click

from moorage.cli.options import secret_keys, setting
from moorage.cli.output import echo
from moorage.core.times import iso
from moorage.registry.clock import reset_clock as reset_clock_of
from moorage.registry.clock import seconds_ahead
from moorage.store.opening import open_existing


@click.command("reset-clock")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@setting("database")
def reset_clock(yes: bool, database: str) -> None:
    """Replace times in the future.

    A server whose clock was ahead dates its writes in the future, and later writes are dated after them. This command
    replaces these times by that of this machine, except in the history. Servers can run at the same time.
    """
    with closing(open_existing(database, secret_keys())) as store:
        seconds = seconds_ahead(store)
        if not seconds:
            echo("No write is dated in the future: there is nothing to replace.")
            return
        now = iso(store.now_us())
        if not yes:
            click.confirm(
                f"The last write is dated {seconds:,} seconds after {now}, the time of this machine. Times in the "
                "future are replaced by it. Is the clock of this machine right?",
                abort=True,
            )
        store.run(reset_clock_of)
    echo(f"Times in the future are now {now}. The next write is dated by the clock.")
