"""`moorage db purge`: permanently delete deployments and versions that were deleted."""

from contextlib import closing

import click

from moorage.cli.options import secret_keys, setting
from moorage.cli.output import echo
from moorage.core.deployments.deployment import RESTORE_DAYS
from moorage.registry.purge import delete_old_consumers
from moorage.registry.purge import purge as purge_store
from moorage.store.opening import open_existing


@click.command()
@click.option(
    "--days",
    type=click.IntRange(0, 36_500),
    default=RESTORE_DAYS,
    show_default=True,
    help="Only content that was deleted this many days ago or earlier.",
)
@click.option("--yes", is_flag=True, help="Skip the confirmation.")
@setting("database")
def purge(days: int, yes: bool, database: str) -> None:
    """Permanently delete old tombstones.

    Deletes the content of deployments and versions that were deleted 30 days ago or earlier; the server does this every
    hour. With less than a day, the results under idempotency keys are deleted, too, because they may contain it.
    """
    if days < RESTORE_DAYS and not yes:
        click.confirm(
            f"Content that was deleted {days} days ago or earlier can no longer be restored. Continue?",
            abort=True,
        )
    with closing(open_existing(database, secret_keys())) as store:
        count = store.run(purge_store, days)
        delete_old_consumers(store)
    echo(f"Permanently deleted {count} deployments and versions." if count else "There is nothing to purge.")
