"""`moorage audit`: whether the history was tampered with."""

from contextlib import closing

import click

from moorage.cli.options import setting
from moorage.registry.audit import verify_ledger
from moorage.store.opening import open_existing
from moorage.store.whole import LEDGER


@click.group()
def audit() -> None:
    """Check the history on the database itself."""


@audit.command()
@setting("database")
def verify(database: str) -> None:
    """Recompute the chain of hashes over the whole ledger; exit code 1 if it does not hold."""
    with closing(open_existing(database)) as store:
        wrong = verify_ledger(store)
        with store.whole() as whole:
            count = whole.counts()[LEDGER.name]
    if wrong:
        raise click.ClickException("the history does not hold:\n  " + "\n  ".join(wrong))
    click.echo(f"The history holds: {count} {'entry' if count == 1 else 'entries'}, each as it was written.")
