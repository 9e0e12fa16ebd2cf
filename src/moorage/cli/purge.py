"""`moorage purge`: erase what was deleted."""

from contextlib import closing

import click

from moorage.cli.options import setting
from moorage.core.deployment import RESTORE_DAYS
from moorage.registry.purge import forget_usage
from moorage.registry.purge import purge as purge_store
from moorage.store.opening import open_existing


@click.command()
@click.option(
    "--days", type=click.IntRange(0, 36_500), default=RESTORE_DAYS, show_default=True, help="Deleted so long ago."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@setting("database")
def purge(days: int, yes: bool, database: str) -> None:
    """Erase for good what was deleted, on the database itself. The server does so every hour after 30 days.

    With less than a day, what was kept under each Idempotency-Key until then is forgotten too, for it may quote what is
    erased.
    """
    if days < RESTORE_DAYS and not yes:
        click.confirm(f"What was deleted {days} days ago or earlier cannot be restored any more. Erase it?", abort=True)
    with closing(open_existing(database)) as store:
        count = purge_store(store, days)
        forget_usage(store)
    click.echo(f"Erased {count} deployments and versions for good." if count else "There is nothing to erase.")
